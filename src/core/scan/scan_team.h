// ScanTeam: how the scans of one query in several processes share a tree. Each leaf entry comes from one of them.
//
// Nodes that are still to be visited lie in a pool. A scan takes one, visits it, and puts its children back; what finds no room there it keeps for
// itself. It waits for others only while they visit a node, never between two calls of its own user, who may stop in the middle (LIMIT) or wait for
// something else: so a scan that finds the pool empty, and nobody at a visit, is over, though others may still have nodes of their own.
//
// In the order of distances a scan takes only nodes that it needs next: before it returns a row, all in the pool that may hold a nearer one. So the
// rows of each scan come in order. Nothing is put back, because another one may have returned rows that lie further away. What begins fills the pool
// with the children of the root.
#pragma once

#include <algorithm>

#include "core/scan/distance_rank.h"
#include "core/scan/scan_node.h"

namespace xtree {

struct TeamNode {
  NodePointer pointer;
  DistanceRank rank;  // a bound, in an ordered scan
};

class ScanTeam {
 public:
  // Whoever calls it first begins: the pool is empty, and it is at a visit. The others wait until that ends. False: somebody else has begun.
  virtual bool Begin() = 0;

  // Takes a node for a visit, the one put in last. False: there is none, and there will be none. Waits meanwhile.
  virtual bool Take(NodePointer* node) = 0;
  // Takes the node with the least rank, if that is at most `most`. Does not wait, and does not count as a visit.
  virtual bool TakeNearest(DistanceRank most, NodePointer* node) = 0;

  // Puts in as many as there is room for, the last ones first; returns how many are left, from the front. In an ordered scan: all or none.
  virtual int Put(const TeamNode* nodes, int count) = 0;
  // The visit that began with Begin or Take is over, and its children are put in.
  virtual void EndVisit() = 0;

 protected:
  ~ScanTeam() = default;
};

// Puts in nodes of a scan without order, the last ones first. Returns how many find no room, from the front.
inline size_t PutNodes(ScanTeam* team, const NodePointer* nodes, size_t count) {
  constexpr size_t kTogether = 64;
  TeamNode together[kTogether];
  for (int left = 0; count > 0 && left == 0;) {
    const size_t some = std::min(kTogether, count);
    const NodePointer* const first = nodes + count - some;
    std::transform(first, first + some, together, [](const NodePointer& pointer) { return TeamNode{pointer, 0}; });
    left = team->Put(together, static_cast<int>(some));
    count -= some - static_cast<size_t>(left);
  }
  return count;
}

}  // namespace xtree
