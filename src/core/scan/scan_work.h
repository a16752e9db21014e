// ScanWork: what a scan has done in the tree, over all of its starts. Counted per node once VisitNode has accepted it, never per entry.
#pragma once

#include <algorithm>
#include <cstdint>

#include "page/node.h"

namespace xtree {

struct ScanWork {
  uint64_t roots;       // visits of the root, one a start
  uint64_t nodes;       // visited
  uint64_t leaves;      // of them
  uint64_t supernodes;  // of them
  uint64_t siblings;    // of them: reached from the left, because a split had not been in their parent when that was read
  uint64_t children;    // entries of directory nodes that were tested
  uint64_t entries;     // entries of leaves that were tested
  uint64_t matches;     // of them: satisfy the conditions, as far as keys tell
  uint64_t rechecks;    // of those: the row decides
  uint64_t height;      // of the tree: 1 where the root is a leaf

  bool operator==(const ScanWork&) const = default;

  void Add(const ScanWork& o) {
    roots += o.roots, nodes += o.nodes, leaves += o.leaves, supernodes += o.supernodes, siblings += o.siblings;
    children += o.children, entries += o.entries, matches += o.matches, rechecks += o.rechecks;
    height = std::max(height, o.height);
  }

  // Children that were never visited: excluded by the conditions, further away than the last row that was asked for, or not yet needed.
  uint64_t Pruned() const { return children - (nodes - roots - siblings); }
};

// Of the node that is being visited; its pages are one node's. All zeroes: nothing is known, as of a node that was deleted.
struct NodeWork {
  uint32_t pages;
  uint32_t entries;
  uint16_t level;
  bool supernode;

  void Add(const NodeView& page) {
    pages++;
    entries += static_cast<uint32_t>(page.entries());
    level = static_cast<uint16_t>(page.level());
    supernode |= page.supernode_head();
  }

  // The visit counts. `expected_level`: of the pointer that led there, -1 where that is the root's.
  void AddTo(ScanWork* work, int expected_level) const {
    const bool leaf = pages > 0 && level == 0;
    work->nodes++;
    work->leaves += leaf;
    work->supernodes += supernode;
    (leaf ? work->entries : work->children) += entries;
    if (expected_level >= 0) return;
    work->roots++;
    work->height = level + uint64_t{1};
  }
};

}  // namespace xtree
