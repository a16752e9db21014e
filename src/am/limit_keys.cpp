// See limit_keys.h.
#include "am/limit_keys.h"

#include "xtree.h"

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "utils/cash.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"
}

namespace xtree {

namespace {

// The fields of the row.
struct LimitArgument {
  Oid distance;  // the ordering operator
  Oid limit_type;
  Datum origin;
  Datum limit;
  bool null;  // something of it is
};

Datum Detoasted(const FormData_pg_attribute& field, Datum value) {
  return field.attlen == -1 ? PointerGetDatum(PG_DETOAST_DATUM(value)) : value;
}

LimitArgument ArgumentOf(Datum row) {
  constexpr int kFields = 3;
  HeapTupleHeader header = DatumGetHeapTupleHeader(row);
  const TupleDesc fields = lookup_rowtype_tupdesc_copy(HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
  if (fields->natts != kFields) elog(ERROR, "a distance limit has %d fields", fields->natts);
  HeapTupleData tuple = {};
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  tuple.t_data = header;
  Datum value[kFields];
  bool null[kFields];
  heap_deform_tuple(&tuple, fields, value, null);
  LimitArgument argument = {};
  argument.null = null[0] || null[1] || null[2];
  if (argument.null) return argument;
  argument.distance = DatumGetObjectId(value[0]);
  argument.limit_type = TupleDescAttr(fields, 2)->atttypid;
  argument.origin = Detoasted(*TupleDescAttr(fields, 1), value[1]);
  argument.limit = Detoasted(*TupleDescAttr(fields, 2), value[2]);
  return argument;
}

bool IsFloat(Oid type) { return type == FLOAT4OID || type == FLOAT8OID; }
bool IsInteger(Oid type) { return type == INT2OID || type == INT4OID || type == INT8OID; }

// Operators compute in floating point, and a compiler may round them otherwise than ours.
double Widened(double limit) {
  constexpr double kRounding = 1e-12;
  return std::isfinite(limit) ? limit + std::fabs(limit) * kRounding : limit;
}

__int128 WholeLimit(Oid type, Datum limit) {
  switch (type) {
    case INT2OID:
      return DatumGetInt16(limit);
    case INT4OID:
      return DatumGetInt32(limit);
    case INT8OID:
      return DatumGetInt64(limit);
    case CASHOID:
      return DatumGetCash(limit);
    case OIDOID:
      return DatumGetObjectId(limit);
    case INTERVALOID: {  // as intervals compare: a month is 30 days
      const auto* interval = reinterpret_cast<const ::Interval*>(DatumGetPointer(limit));
      const int64 days = interval->month * INT64CONST(30) + interval->day;
      return static_cast<__int128>(days) * USECS_PER_DAY + interval->time;
    }
  }
  elog(ERROR, "unexpected type %u of a distance limit", type);
  pg_unreachable();
}

// The limit among the numbers that the type's distance() returns. Whole distances are not negative.
double NumberOfLimit(Oid type, Datum limit) {
  if (type == FLOAT4OID) return Widened(DatumGetFloat4(limit));
  if (type == FLOAT8OID) return Widened(DatumGetFloat8(limit));
  const __int128 whole = WholeLimit(type, limit);
  constexpr __int128 kMost = static_cast<__int128>(1) << 63;
  if (whole < 0) return -std::numeric_limits<double>::infinity();
  return xtree_float8_from_distance(static_cast<uint64>(std::min(whole, kMost)));
}

bool TakeDistance(Relation index, const ScanKeyData& key, const LimitArgument& argument, ScanKey distance, double* limit) {
  StrategyNumber strategy;
  Oid argument_type;
  if (!FindDistance(index->rd_opfamily[key.sk_attno - 1], argument.distance, &strategy, &argument_type)) return false;
  if (!IsLimitOfDistance(get_op_rettype(argument.distance), argument.limit_type)) return false;
  ScanKeyEntryInitialize(distance, SK_ORDER_BY, key.sk_attno, strategy, argument_type, key.sk_collation, get_opcode(argument.distance),
                         argument.origin);
  *limit = NumberOfLimit(argument.limit_type, argument.limit);
  return true;
}

// False: the key says nothing that this column's type could measure.
bool LimitFromKey(Relation index, const IndexState& state, const ScanKeyData& key, const LimitArgument& argument, LimitKey* out) {
  auto* order_key = static_cast<ScanKey>(palloc(sizeof(ScanKeyData)));
  if (!TakeDistance(index, key, argument, order_key, &out->limit)) return false;
  OrderFromKey(index, state, order_key, &out->order);
  return !out->order.order.nearer;
}

}  // namespace

bool DistanceOfLimit(Relation index, const ScanKeyData& key, ScanKey distance, double* limit) {
  const LimitArgument argument = ArgumentOf(key.sk_argument);
  return !argument.null && TakeDistance(index, key, argument, distance, limit);
}

bool IsLimitKey(const ScanKeyData& key) {
  return key.sk_strategy == XTREE_DISTANCE_LIMIT_STRATEGY && !(key.sk_flags & (SK_ISNULL | SK_SEARCHNULL | SK_SEARCHNOTNULL));
}

bool FindDistance(Oid family, Oid distance, StrategyNumber* strategy, Oid* argument_type) {
  const HeapTuple tuple = SearchSysCache3(AMOPOPID, ObjectIdGetDatum(distance), CharGetDatum(AMOP_ORDER), ObjectIdGetDatum(family));
  if (!HeapTupleIsValid(tuple)) return false;
  const auto* form = reinterpret_cast<Form_pg_amop>(GETSTRUCT(tuple));
  *strategy = form->amopstrategy;
  *argument_type = form->amoprighttype;
  ReleaseSysCache(tuple);
  return true;
}

bool IsLimitOfDistance(Oid distance_type, Oid limit_type) {
  if (IsFloat(distance_type)) return IsFloat(limit_type);
  if (IsInteger(distance_type)) return IsInteger(limit_type);
  return distance_type == limit_type && (limit_type == CASHOID || limit_type == OIDOID || limit_type == INTERVALOID);
}

void LimitsFromKeys(Relation index, const IndexState& state, const ScanKeyData* keys, int count, Constraint* constraint, LimitKeys* out) {
  *out = {static_cast<LimitKey*>(palloc(std::max(count, 1) * sizeof(LimitKey))), 0, false};
  constraint->limit = static_cast<DistanceLimit*>(palloc(std::max(count, 1) * sizeof(DistanceLimit)));
  for (int i = 0; i < count; i++) {
    if (!IsLimitKey(keys[i])) continue;
    const LimitArgument argument = ArgumentOf(keys[i].sk_argument);
    if (argument.null)
      constraint->Require(keys[i].sk_attno - 1, MarkRule::kNever);
    else if (IsInClusters(state, keys[i].sk_attno - 1))
      out->of_clusters = true;
    else if (LimitFromKey(index, state, keys[i], argument, &out->key[out->count]))
      out->count++;
  }
}

void SettleLimits(PageReader& reader, const KeyLayout& layout, bool mvcc, LimitKeys* limits, Constraint* constraint) {
  constraint->limit_count = limits->count;
  for (int i = 0; i < limits->count; i++) {
    SettleSlack(reader, layout, mvcc, &limits->key[i].order, 1);
    const DistanceKey& key = limits->key[i].order.key;
    const double limit = limits->key[i].limit;
    constraint->limit[i] = {key.column,
                            key.first,
                            key.dimensions,
                            key.query,
                            key.lower_bound,
                            key.context,
                            limit,
                            GreatestSquare((limit + key.slack) / (1 - key.rounding)),
                            limits->key[i].order.order.by_boxes};
  }
}

}  // namespace xtree
