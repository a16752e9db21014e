// Operator class for every enum type: the ordinal is the label's OID, which ALTER TYPE never changes.
//
// The order of labels is not stored, because ALTER TYPE ... ADD VALUE rewrites it: a comparison becomes the set of OIDs that it
// holds for when the scan starts. Called by the access method through XtreeTypeRoutine; constraint() reads the catalog. No WAL.
#include <algorithm>

#include "types/scalar.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_enum.h"
#include "utils/catcache.h"
#include "utils/syscache.h"
}

namespace xtree {
namespace {

int64 OrdinalOf(Oid label) { return FromUnsigned32(label); }
Oid LabelOf(int64 ordinal) { return ToUnsigned32(ordinal); }

struct Label {
  Oid oid;
  float4 position;
};

Label FindLabel(Oid oid, Oid* type) {
  const HeapTuple tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(oid));
  if (!HeapTupleIsValid(tuple))
    ereport(ERROR, errcode(ERRCODE_INVALID_BINARY_REPRESENTATION), errmsg("invalid internal value for enum: %u", oid));
  const auto* form = reinterpret_cast<Form_pg_enum>(GETSTRUCT(tuple));
  *type = form->enumtypid;
  const Label label{oid, form->enumsortorder};
  ReleaseSysCache(tuple);
  return label;
}

bool Holds(StrategyNumber strategy, const Label& label, const Label& argument) {
  switch (strategy) {
    case BTLessStrategyNumber:
      return label.position < argument.position;
    case BTLessEqualStrategyNumber:
      return label.position <= argument.position;
    case BTGreaterEqualStrategyNumber:
      return label.position >= argument.position;
    case BTGreaterStrategyNumber:
      return label.position > argument.position;
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

// All labels of a type by their OIDs, palloc'd.
Label* LabelsOf(Oid type, int* count) {
  CatCList* list = SearchSysCacheList1(ENUMTYPOIDNAME, ObjectIdGetDatum(type));
  auto* labels = static_cast<Label*>(palloc(sizeof(Label) * std::max(list->n_members, 1)));
  *count = list->n_members;
  for (int i = 0; i < *count; i++) {
    const auto* form = reinterpret_cast<Form_pg_enum>(GETSTRUCT(&list->members[i]->tuple));
    labels[i] = {form->oid, form->enumsortorder};
  }
  ReleaseCatCacheList(list);
  std::sort(labels, labels + *count, [](const Label& a, const Label& b) { return a.oid < b.oid; });
  return labels;
}

// One interval for each run of labels that are neighbours by OID; where no label was added later, that is one.
void ConstrainByOrder(const XtreeColumn* column, StrategyNumber strategy, Oid argument, XtreeConstraint* out) {
  Oid type;
  const Label pivot = FindLabel(argument, &type);
  int count;
  const Label* labels = LabelsOf(type, &count);
  XtreeConstraint* run = out;
  out->match = XTREE_MATCH_NEVER;
  for (int i = 0; i < count; i++) {
    if (!Holds(strategy, labels[i], pivot)) continue;
    const bool goes_on = i > 0 && Holds(strategy, labels[i - 1], pivot);
    if (!goes_on) {
      if (out->match != XTREE_MATCH_NEVER) run = xtree_add_alternative(column, out);
      run->match = XTREE_MATCH_VALUE;
      run->lo_min[0] = OrdinalOf(labels[i].oid);
    }
    run->lo_max[0] = OrdinalOf(labels[i].oid);
  }
}

void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) { SetOrdinal(OrdinalOf(DatumGetObjectId(value)), out); }

void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const Oid label = DatumGetObjectId(argument);
  if (strategy == BTEqualStrategyNumber || strategy == kNotEqualStrategy)
    ConstrainExactly(strategy, {OrdinalOf(label), OrdinalOf(label)}, out);
  else
    ConstrainByOrder(column, strategy, label, out);
}

Datum Reconstruct(const XtreeColumn*, const int64* lo, const int64*, bool) { return ObjectIdGetDatum(LabelOf(lo[0])); }

constexpr XtreeTypeRoutine kEnum = ScalarRoutine(Encoding::kEnum, 4, XTREE_SCALAR_INTEGER, Bounds, Constrain, Reconstruct);

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_enum_support, xtree::kEnum)
