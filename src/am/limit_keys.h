// Cut-offs by distance among a scan's keys: `column @<= ROW(distance, origin, limit)`, with which limit_paths.cpp stands in for a
// comparison such as `column <-> origin < limit`. They have the same strategy number in every operator family.
//
// Called by scan.cpp when a scan gets its keys, and when it begins. May palloc and ereport. No locks, no WAL.
#pragma once

#include "am/scan_keys.h"

namespace xtree {

struct LimitKey {
  OrderKey order;
  double limit;
};

struct LimitKeys {
  LimitKey* key;
  int count;
  bool of_clusters;  // there are others, of a vector that is kept in clusters (am/cluster_order.h)
};

bool IsLimitKey(const ScanKeyData& key);

// The ordering operator and its argument, as for ORDER BY, and the limit as a number. False: the key says nothing that could be measured.
bool DistanceOfLimit(Relation index, const ScanKeyData& key, ScanKey distance, double* limit);

// The ordering operator's place in an operator family. False: it has none there.
bool FindDistance(Oid family, Oid distance, StrategyNumber* strategy, Oid* argument_type);

// Can limits of this type be compared with distances of that one?
bool IsLimitOfDistance(Oid distance_type, Oid limit_type);

// After ConstraintFromKeys. What is palloc'd goes to the current memory context. A cut-off that no row can pass is in the constraint at
// once, the others after SettleLimits.
void LimitsFromKeys(Relation index, const IndexState& state, const ScanKeyData* keys, int count, Constraint* constraint, LimitKeys* out);

// Puts them into the constraint. To be called before the scan begins, as SettleSlack.
void SettleLimits(PageReader& reader, const KeyLayout& layout, bool mvcc, LimitKeys* limits, Constraint* constraint);

}  // namespace xtree
