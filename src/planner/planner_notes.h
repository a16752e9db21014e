// What is kept of one planning for as long as the planner's memory of it lives, found by its PlannerInfo.
//
// Plannings nest (a subquery has a PlannerInfo of its own, a function that is called may plan), so there is a list of them, of which the last is
// asked most. Plain data, all zeroes at first.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

template <class Notes>
class PlannerNotes {
  static_assert(std::is_trivially_destructible_v<Notes>);

 public:
  static Notes* Of(PlannerInfo* root) {
    for (PlannerNotes* one = first_; one != nullptr; one = one->next_)
      if (one->root_ == root) return &one->notes_;
    const MemoryContext memory = GetMemoryChunkContext(root);
    auto* one = static_cast<PlannerNotes*>(MemoryContextAllocZero(memory, sizeof(PlannerNotes)));
    one->root_ = root;
    one->next_ = first_;
    one->forget_.func = Forget;
    one->forget_.arg = one;
    MemoryContextRegisterResetCallback(memory, &one->forget_);
    first_ = one;
    return &one->notes_;
  }

 private:
  static void Forget(void* one) {
    PlannerNotes** place = &first_;
    while (*place != one) place = &(*place)->next_;
    *place = (*place)->next_;
  }

  static inline PlannerNotes* first_ = nullptr;
  const PlannerInfo* root_;
  PlannerNotes* next_;
  MemoryContextCallback forget_;
  Notes notes_;
};

}  // namespace xtree
