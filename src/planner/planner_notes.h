// What is kept of something that is planned, a query or one of its tables, for as long as the planner's memory of it lives; found by its PlannerInfo
// or RelOptInfo.
//
// Plannings nest (a subquery has a PlannerInfo of its own, a function that is called may plan), so there is a list of them, of which the last is
// asked most. Plain data, all zeroes at first.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

template <class Planned, class Notes>
class PlannerNotes {
  static_assert(std::is_trivially_destructible_v<Notes>);

 public:
  static Notes* Of(Planned* planned) {
    if (Notes* notes = Find(planned)) return notes;
    const MemoryContext memory = GetMemoryChunkContext(planned);
    auto* one = static_cast<PlannerNotes*>(MemoryContextAllocZero(memory, sizeof(PlannerNotes)));
    one->planned_ = planned;
    one->next_ = first_;
    one->forget_.func = Forget;
    one->forget_.arg = one;
    MemoryContextRegisterResetCallback(memory, &one->forget_);
    first_ = one;
    return &one->notes_;
  }

  // nullptr: nothing is kept.
  static Notes* Find(const Planned* planned) {
    for (PlannerNotes* one = first_; one != nullptr; one = one->next_)
      if (one->planned_ == planned) return &one->notes_;
    return nullptr;
  }

 private:
  static void Forget(void* one) {
    PlannerNotes** place = &first_;
    while (*place != one) place = &(*place)->next_;
    *place = (*place)->next_;
  }

  static inline PlannerNotes* first_ = nullptr;
  const Planned* planned_;
  PlannerNotes* next_;
  MemoryContextCallback forget_;
  Notes notes_;
};

}  // namespace xtree
