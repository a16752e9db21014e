// See clause_order.h.
#include "planner/clause_order.h"

#include <algorithm>

extern "C" {
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
}

namespace xtree {

List* InOrderOfTests(PlannerInfo* root, const List* conditions) {
  struct Condition {
    RestrictInfo* info;
    Index level;
    Cost cost;
  };
  const int count = list_length(conditions);
  auto* sorted = static_cast<Condition*>(palloc(sizeof(Condition) * std::max(count, 1)));
  for (int i = 0; i < count; i++) {
    auto* info = static_cast<RestrictInfo*>(list_nth(conditions, i));
    QualCost cost;
    cost_qual_eval_node(&cost, reinterpret_cast<Node*>(info), root);
    // As the server has it: a leakproof clause may come before others whatever its level, if it is cheap.
    const Index level = info->leakproof && cost.per_tuple <= 10 * cpu_operator_cost ? 0 : info->security_level;
    sorted[i] = {info, level, cost.per_tuple};
  }
  std::stable_sort(sorted, sorted + count,
                   [](const Condition& a, const Condition& b) { return a.level != b.level ? a.level < b.level : a.cost < b.cost; });
  List* ordered = NIL;
  for (int i = 0; i < count; i++) ordered = lappend(ordered, sorted[i].info);
  return ordered;
}

}  // namespace xtree
