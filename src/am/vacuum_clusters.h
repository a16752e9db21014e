// What VACUUM does for an index of clusters: it counts the rows of each generation (core/cluster/cluster_models.h) and how far they are from their
// centroids, lets go of generations without rows, and makes a new one where the rows have outgrown the newest.
//
// For vacuum.cpp. Nothing else changes which generations an index has, and VACUUM's lock of the table keeps others out. Rows stay where they are:
// the new generation is for those that come. It is made in the cleanup, when the table's pages are held by nobody and dead rows are gone, as the
// table's owner, which VACUUM is then, in restricted operation.
//
// WAL: the pages of the new model, one by one, from the last to the first, each naming the next; then the meta page. A crash before that leaves
// pages that nothing leads to; the next VACUUM finds and frees them, as it does those of a generation that the one before has let go of.
#pragma once

#include "index/vector_models.h"
#include "storage/buffer_store.h"

extern "C" {
#include "access/genam.h"
}

namespace xtree {

// One walk's view of the generations. Plain data.
class ClusterCounts {
 public:
  // In the current memory context. nullptr: no column is kept in clusters.
  static ClusterCounts* Begin(Relation index, const IndexState& state);

  // Before the walk: which generations nobody can insert into any more, so that what the walk finds of them is all there will be.
  void FindClosed(BufferStore* store);
  void AddLeaf(const NodeView& leaf);
  bool UsesModel(uint64_t id) const;

  // After it: what it counted; and without the generations that are empty for good.
  void Note(MetaContent* meta) const;

 private:
  struct Count {
    uint64_t rows;
    uint64_t finite;  // of them
    double distance;  // of those, from their centroids (DistanceForDrift)
  };
  bool Empty(int generation) const { return closed_[generation] && count_[generation].rows == 0; }
  float DriftOf(int generation) const;

  const UsedModels* used_;
  int column_;
  int dimension_;
  bool closed_[kMaxGenerations];
  Count count_[kMaxGenerations];
};

// In the cleanup, after the last walk: a new generation, if there is to be one. ERRORs of the types' functions and of the index's expressions
// become a WARNING, so that VACUUM does its own work. `index` is built, and not undecided.
void RenewClusters(const IndexVacuumInfo* info, const IndexState& state);

}  // namespace xtree
