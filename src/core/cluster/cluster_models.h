// ClusterModels: the models of an index of clusters, each with the range of cluster numbers that is its own.
//
// A build makes one model; VACUUM makes another when the table has outgrown it (am/vacuum_clusters.h), for the rows that come from then on. Rows
// stay in the clusters that they were put into: an entry's cluster number says which model its code is relative to. A model is a generation.
//
// Numbers are never given twice, and those of the newest generation are the greatest. A number of none is one of a generation that is newer than
// this copy (or damage): nothing is known of such an entry's code. Plain data, a view of bytes that outlive it; nothing is locked.
#pragma once

#include <type_traits>

#include "core/cluster/vector_model.h"
#include "page/ordinal.h"

namespace xtree {

class ClusterModels {
 public:
  // REQUIRES: fewer than kMaxGenerations; numbers above all that there are.
  void Add(int first_cluster, const VectorModel& model) {
    model_[count_] = model;
    first_[count_] = first_cluster;
    start_[count_ + 1] = start_[count_] + model.clusters();
    ++count_;
  }

  int count() const { return count_; }
  const VectorModel& model(int generation) const { return model_[generation]; }
  int first_cluster(int generation) const { return first_[generation]; }
  int newest() const { return count_ - 1; }

  // The generation that has this cluster; -1: none.
  int GenerationOf(Ordinal cluster) const {
    for (int g = count_ - 1; g >= 0; --g)
      if (cluster >= first_[g]) return cluster - first_[g] < model_[g].clusters() ? g : -1;
    return -1;
  }

  // All clusters in the order of their numbers have places 0 .. clusters() - 1, those of generation g from StartOf(g) on.
  int clusters() const { return start_[count_]; }
  int StartOf(int generation) const { return start_[generation]; }
  int GenerationAt(int place) const {
    int g = 0;
    while (place >= start_[g + 1]) ++g;
    return g;
  }
  // How many clusters have numbers less than this one.
  int Before(Ordinal cluster) const {
    for (int g = count_ - 1; g >= 0; --g)
      if (cluster > first_[g])
        return start_[g] + static_cast<int>(cluster - first_[g] < model_[g].clusters() ? cluster - first_[g] : model_[g].clusters());
    return 0;
  }

 private:
  int count_ = 0;
  VectorModel model_[kMaxGenerations];
  int first_[kMaxGenerations] = {};
  int start_[kMaxGenerations + 1] = {};
};

static_assert(std::is_trivially_destructible_v<ClusterModels>);

}  // namespace xtree
