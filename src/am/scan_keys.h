// From the executor's ScanKeys to the core's Constraint and DistanceKeys. Calls the types' callbacks (palloc, may ereport).
#pragma once

#include "index/index_state.h"
#include "core/scan/nearest_scan.h"

extern "C" {
#include "access/skey.h"
}

namespace xtree {

// The conjunction of all keys but limits of distance. What the callbacks palloc goes to the current memory context.
void ConstraintFromKeys(Relation index, const IndexState& state, const ScanKeyData* keys, int count, Constraint* out);

// The same of `base` and the keys together.
void ExtendConstraint(Relation index, const IndexState& state, const Constraint& base, const ScanKeyData* keys, int count, Constraint* out);

// The bounds of everything in the tree, by its root.
void BoundsOfTree(PageReader& reader, const KeyLayout& layout, Box* tree);

// Drops alternatives that the other conditions exclude; where one is left, the kernels test it. To be called before the scan begins.
// `mvcc`: it sees no row that was inserted later, so those are dropped too that have no place in the tree as it is now, by its root.
void NarrowAlternatives(PageReader& reader, const KeyLayout& layout, bool mvcc, Constraint* constraint);

// One ORDER BY operator, adapted for NearestScan.
struct OrderKey {
  XtreeOrder order;
  bool null_argument;  // ORDER BY col <-> NULL: every distance is NULL
  DistanceKey key;
};

// Finds out by looking at the root how far the kernels' bounds can be off, or has them not used. To be called before the scan begins;
// `mvcc`: it sees no row that was inserted later.
void SettleSlack(PageReader& reader, const KeyLayout& layout, bool mvcc, OrderKey* orders, int count);

// The same for one order, of a tree within these bounds.
void SettleSlackWithin(const Box& tree, OrderKey* order);

// REQUIRES: `key` and `out` stay where they are while the DistanceKeys are in use.
void OrderFromKey(Relation index, const IndexState& state, ScanKeyData* key, OrderKey* out);

}  // namespace xtree
