// ClusterScan: rows of an index of clusters in the order of lower bounds of their distances, for whoever computes the distances themselves.
//
// Used by ordered index scans through a PageReader; locking and concurrency as WindowScan. Trivially destructible; all zeroes is a valid state.
//
// The vector's column has two dimensions in the tree: the number of the cluster, and the distance from its centroid (Yu, Ooi, Tan, Jagadish:
// "Indexing the Distance", VLDB 2001); its code begins the entry's payload. So boxes of nodes give bounds by the triangle inequality, other columns
// prune within clusters, and everything that writes to the tree knows nothing of vectors.
//
// Exact: nodes are visited best first, and a row is returned once no node that waits may hold one before it. Approximate (`probes`): clusters in
// the order of their ranks, so many at once; their rows are returned in order when all of them have been looked at, and when somebody asks for more
// rows, as many further clusters follow, until there are none. So a filter never leaves rows out.
//
// Generations (core/cluster/cluster_models.h): bounds of all of them are bounds of the same distance, so exact searches mix them. Approximate ones
// look at the same share of the clusters of each: a former generation may have one cluster of many rows whose centroid is far from everything. An
// entry whose number is of no generation that the scan knows has the least bound, and is returned with the first clusters.
//
// Memory: a bound and a tuple id for each row that waits, of at most `most_waiting` rows; when there are more, those with the greatest bounds are
// dropped, and looked for again should the scan come to them. An entry's bound is the same wherever a split moves it, so none is lost or comes
// twice. Rows without a vector come last.
#pragma once

#include <type_traits>

#include "core/cluster/cluster_models.h"
#include "core/cluster/vector_code.h"
#include "core/filter/constraint.h"
#include "core/scan/scan_node.h"
#include "core/scan/scan_work.h"
#include "core/scan/window_scan.h"

namespace xtree {

// The dimensions of a vector's column in the tree.
enum VectorDimension { kClusterDimension = 0, kCentroidDistanceDimension = 1, kVectorDimensionsInTree = 2 };

struct ClusterRow {
  TupleId tuple;
  double bound;  // not above the operator's value
  bool null;     // no vector, so no distance
  bool recheck;  // the row is only bounded by the constraint's intervals
};

struct ClusterWork {
  uint64_t clusters;  // that were looked at
  uint64_t codes;     // whose bounds were computed
  uint64_t passes;    // over the tree
};

class ClusterScan {
 public:
  struct Options {
    bool ignore_killed = false;
    uint32_t probes = 0;                       // clusters of the newest generation to be looked at at once; 0: exact
    uint32_t probes_of[kMaxGenerations] = {};  // likewise of the generations before; 0: the same share of their clusters
    // >= 0: approximate; clusters that are not further away than 1 + epsilon of the distance of the nearest centroid of their generation
    double epsilon = -1;
    // A number: rows whose distance is surely above it are left out, and those without one.
    double limit = std::numeric_limits<double>::quiet_NaN();
    size_t most_waiting = 1 << 17;

    bool approximate() const { return probes > 0 || epsilon >= 0; }
  };

  // Starts, or starts again. `column`: of the vectors. Layout, models and queries, whose clusters are ranked, outlive the scan; the constraint is
  // copied. `queries`: one for each generation; nullptr where the distance of each row is NULL.
  void Begin(const KeyLayout& layout, const Constraint& constraint, int column, const ClusterModels& models, const VectorQuery* queries,
             Options options);

  // The next row. Exact: bounds never decrease, rows without a vector are last. False at the end.
  bool Next(PageReader& reader, ClusterRow* row);

  const ScanWork& work() const { return work_; }
  const ClusterWork& cluster_work() const { return cluster_work_; }

 private:
  // A row that waits: in the order of bounds, and of equal ones of tuple ids.
  struct Waiting {
    DistanceRank rank;
    uint64_t tuple;  // packed, above a bit for recheck
    friend bool operator<(const Waiting& a, const Waiting& b) { return a.rank != b.rank ? a.rank < b.rank : a.tuple < b.tuple; }
  };
  static_assert(sizeof(Waiting) == 16);
  static constexpr int kUnknown = -1;  // the place of a cluster of no generation
  static constexpr Waiting kNone = {INT64_MIN, 0};
  static constexpr Waiting kAll = {INT64_MAX, UINT64_MAX};

  struct Node {
    DistanceRank rank;
    NodePointer pointer;
  };

  // What the tree says of an entry's vector, or of those below it.
  struct Clusters {
    int begin;  // places of those that are known (ClusterModels)
    int end;
    bool unknown;  // there are others
    double near;   // distances from the centroids
    double far;
  };

  bool approximate() const { return options_.approximate(); }
  void StartPass(PageReader& reader);
  bool ChooseClusters(PageReader& reader);
  void ListClusters(PageReader& reader);
  double RankOf(int place) const;
  int EndOfNext(int generation) const;
  void Select(const int* end);
  bool NextWithoutVector(PageReader& reader, ClusterRow* row);
  bool RowIsNext() const;
  bool PassIsOver() const;
  void VisitNext(PageReader& reader);
  static void Approach(PageReader& reader, const NodePointer& next);
  void VisitPage(PageReader& reader, const NodeView& node, Lsn lsn);
  void CollectChildren(PageReader& reader, const NodeView& node, Lsn lsn);
  void CollectRows(PageReader& reader, const NodeView& leaf);
  int KeepSelected(const NodeView& node, int count);
  Clusters ClustersOf(const NodeView& node, int slot) const;
  double BoundOfCluster(int place, double near, double far) const;
  double BoundOfNode(const Clusters& of) const;
  int PlaceOfCluster(Ordinal cluster) const;
  bool IsSelected(int place) const;
  int CollectCodes(PageReader& reader, const NodeView& leaf, int count);
  void BoundCodes(int count);
  void TakeVisited(PageReader& reader);
  void DropVisited();
  void DropFarthest();
  void PushNode(PageReader& reader, const Node& node);
  void Announce(PageReader& reader);

  const KeyLayout* layout_ = nullptr;
  const ClusterModels* models_ = nullptr;
  const VectorQuery* queries_ = nullptr;
  Options options_;
  int column_ = 0;
  bool started_ = false;
  bool over_ = false;  // no rows with vectors are left
  bool all_ = false;   // clusters are selected
  DistanceRank limit_ = 0;
  BlockNumber visiting_ = kInvalidBlock;
  PageFilter filter_;
  Constraint without_vector_;  // the same conditions, for rows without one
  WindowScan null_rows_;
  LeafBatch null_batch_;
  bool null_rows_begun_ = false;
  int null_next_ = 0;

  Scratch<uint32_t> clusters_;           // places: of each generation in the order of their ranks
  Scratch<uint32_t> selected_;           // selected_[p]: how many of those with places less than p are selected, of clusters() + 1
  int looked_at_[kMaxGenerations] = {};  // of its clusters, in their order
  int choices_ = 0;                      // of clusters to look at; those that are unknown belong to the first
  Waiting floor_ = kNone;                // of this selection, rows before it have been returned by passes before
  Waiting cut_ = kAll;                   // from here on they were dropped by this one
  Scratch<Node> nodes_;                  // to be visited: exact: a heap; else next on top
  Scratch<Waiting> rows_;                // that wait: exact: a heap
  Scratch<Node> children_;               // of the node being visited
  Scratch<Waiting> found_;               // likewise
  Scratch<BlockNumber> blocks_;          // for WillRead
  NodeWork visit_ = {};
  uint64_t codes_ = 0;  // of the node being visited
  ScanWork work_ = {};
  ClusterWork cluster_work_ = {};
  uint16_t slots_[kMaxEntriesPerPage];
  const uint8_t* code_[kMaxEntriesPerPage];
  uint16_t code_slot_[kMaxEntriesPerPage];
  int code_place_[kMaxEntriesPerPage];       // of the cluster, or kUnknown
  float code_distance_[kMaxEntriesPerPage];  // from its centroid
  double bound_[kMaxEntriesPerPage];
};

static_assert(std::is_trivially_destructible_v<ClusterScan>);

}  // namespace xtree
