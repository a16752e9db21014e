// amproperty: what pg_index_column_has_property() says of a column beyond what the core knows itself.
#include "am/entry_points.h"

extern "C" {
#include "access/amapi.h"
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
}

namespace {

// Has the operator class an ordering operator for its own type on the left?
bool HasOrderingOperator(Oid family, Oid type) {
  CatCList* operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(family));
  bool found = false;
  for (int i = 0; i < operators->n_members && !found; i++) {
    const auto* member = reinterpret_cast<Form_pg_amop>(GETSTRUCT(&operators->members[i]->tuple));
    found = member->amoppurpose == AMOP_ORDER && member->amoplefttype == type;
  }
  ReleaseSysCacheList(operators);
  return found;
}

}  // namespace

extern "C" bool xtreeproperty(Oid index, int column, IndexAMProperty property, const char*, bool* result, bool* isnull) {
  if (column == 0 || property != AMPROP_DISTANCE_ORDERABLE) return false;
  const Oid opclass = get_index_column_opclass(index, column);
  Oid family, type;
  *isnull = !OidIsValid(opclass) || !get_opclass_opfamily_and_input_type(opclass, &family, &type);
  *result = !*isnull && HasOrderingOperator(family, type);
  return true;
}
