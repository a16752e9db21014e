// See lookup_plan.h.
#include "join/lookup_plan.h"

extern "C" {
#include "nodes/pg_list.h"
}

namespace xtree {

List* WriteLookupPlan(const LookupPlan& plan) {
  List* list = list_make4_int(static_cast<int>(plan.type), plan.inner_place, plan.outer_columns, plan.limits);
  return AppendSide(AppendSide(list, plan.windows), plan.lookup);
}

void ReadLookupPlan(const List* list, LookupPlan* out) {
  out->type = static_cast<JoinType>(list_nth_int(list, 0));
  out->inner_place = list_nth_int(list, 1);
  out->outer_columns = list_nth_int(list, 2);
  out->limits = list_nth_int(list, 3);
  ReadSide(list, ReadSide(list, 4, &out->windows), &out->lookup);
}

}  // namespace xtree
