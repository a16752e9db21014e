// VectorCoder: the codes of vectors that go into an index of clusters.
//
// For whoever forms entries: builds, inserts, xtree_check. Calls the type's callback, which may ereport: only where no C++ object is alive. Plain
// data in the memory context that was current when it was made.
#pragma once

#include "core/cluster/vector_code.h"
#include "index/vector_models.h"

namespace xtree {

class VectorCoder {
 public:
  // nullptr: no column of the index is kept in clusters. `model` outlives the coder, and has the clusters from this number on.
  static VectorCoder* Make(const IndexState& state, const VectorModel& model, int first_cluster);
  // With the newest model of the index.
  static VectorCoder* Make(Relation index, const IndexState& state);

  // From here on code() and place() are those of this value, which is not NULL.
  void Code(Datum value);

  const uint8_t* code() const { return code_; }
  uint16_t bytes() const { return bytes_; }
  const VectorPlace& place() const { return place_; }  // with the cluster's number in the index

 private:
  const VectorModel* model_;
  int first_cluster_;
  const XtreeVectorRoutine* routine_;
  double* coordinates_;
  uint8_t* code_;
  uint16_t bytes_;
  VectorPlace place_;
};

}  // namespace xtree
