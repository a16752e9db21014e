// The two splits of the X-tree (Berchtold, Keim, Kriegel, VLDB 1996) and the rule that chooses between them and a
// supernode.
#pragma once

#include <optional>
#include <vector>

#include "core/write/entry_set.h"
#include "core/write/measures.h"

namespace xtree {

struct TreeOptions {
  double max_overlap = 0.2;  // of the halves of a directory node, intersection over union
  double min_fanout = 0.35;  // share of the entries that the smaller half of an overlap-minimal split keeps
  int max_supernode_pages = 32;
};

struct Partition {
  std::vector<int> left;
  std::vector<int> right;
  int dimension;   // along which the halves were separated
  double overlap;  // OverlapRatio of the halves
};

// R*-tree: the dimension with the least sum of margins, then the distribution with the least overlap, then area. At
// least 40 % of the entries in each half. REQUIRES: at least two entries.
Partition TopologicalSplit(const EntrySet& entries);

// The least overlapping distribution along a dimension of every entry's split history, with at least min_fanout of the
// entries in each half. Nothing where no dimension is common to all histories.
std::optional<Partition> OverlapMinimalSplit(const EntrySet& entries, double min_fanout);

// The split of a directory node, or nothing: then it becomes or grows a supernode. `may_grow` false: always a split.
std::optional<Partition> DirectorySplit(const EntrySet& entries, const TreeOptions& options, bool may_grow);

}  // namespace xtree
