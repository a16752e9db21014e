// See compare_type.h.
#include "am/compare_type.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace xtree {

StrategyNumber EqualStrategyOf(Oid family) {
  CatCList* operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
  StrategyNumber strategy = InvalidStrategy;
  for (int i = 0; i < operators->n_members && strategy == InvalidStrategy; i++) {
    const auto* member = reinterpret_cast<Form_pg_amop>(GETSTRUCT(&operators->members[i]->tuple));
    if (member->amoppurpose != AMOP_SEARCH || member->amoplefttype != member->amoprighttype) continue;
    if (get_mergejoin_opfamilies(member->amopopr) != NIL) strategy = member->amopstrategy;
  }
  ReleaseSysCacheList(operators);
  return strategy;
}

}  // namespace xtree
