// The models of indexes of clusters (core/cluster/cluster_models.h): on pages of the index, and as a session keeps them.
//
// A model never changes, and is known by a number that is on each of its pages and in the meta page. Which models an index has does change: VACUUM
// adds one, and takes one away whose clusters are empty. UseModels() asks the meta page each time, so nothing needs to tell sessions of it, on a
// standby neither. That is enough for searches and for statements that insert:
//
// - A search asks after its snapshot was taken. A row that the snapshot sees was inserted before that by somebody who had the model of its code
//   from the meta page, so it is there still, unless the model was taken away; and that happens only once its clusters have no entries and nobody
//   can add any. On a standby, replay has put the model on the meta page before the entry. What comes later the snapshot does not see.
// - A statement that inserts asks when it begins, and may go on for hours with what was the newest generation then. VACUUM takes a generation away
//   only if no snapshot is left that is older than its successor (superseded_xid), found so before the walk that counts its entries as none; such a
//   statement has a snapshot that is.
// - Between the look at the meta page and that at a model's pages these may have been given free: then they are not the pages of that model, and
//   the meta page, which had let go of it before, is asked again.
//
// Reads shared buffers under share locks. Functions ereport.
#pragma once

#include <algorithm>

#include "core/cluster/cluster_models.h"
#include "index/index_state.h"

namespace xtree {

// A model that is not on pages yet. Plain data.
struct NewModel {
  uint64_t id;  // 0: it is made from the scale alone
  float scale;
  const uint8_t* bytes;
  uint32_t size;
};

struct UsedModels {
  VectorFacts facts;  // which generation has what
  ClusterModels models;
};

// The models of the index as they are now, in the memory of `user`, which stay where they are until that is reset or deleted. A session keeps those
// that nobody uses up to some 64 MB. ERRCODE_INDEX_CORRUPTED where pages are damaged. REQUIRES: a column in clusters.
const UsedModels& UseModels(Relation index, MemoryContext user);

// The same, of a new one, in the current memory context.
const VectorModel& ModelOf(const NewModel& model, int dimensions);

// Reads and checks the pages of all models, for xtree_check.
void CheckModels(Relation index);

// From so much drift on clusters are taken not to fit their rows: a search that looks at as many of them finds less. Chosen, not measured.
inline constexpr float kMuchDrift = 1.5F;
// What a row's distance from its centroid counts for drift: one far from everything says nothing of the others.
inline double DistanceForDrift(double distance, const VectorModelHead& head) {
  return std::min(distance, 8 * static_cast<double>(head.spread));
}

inline uint32_t ModelPages(uint32_t bytes) { return (bytes + kModelPageBytes - 1) / kModelPageBytes; }
// Page number `page` of a model. `next`: the block of the one behind it; kInvalidBlock: it is the last.
void FillModelPage(const KeyLayout& layout, const NewModel& model, uint32_t page, BlockNumber next, PageImage* image);

// What the meta page says of a new model: the first one of an index, or the next one with numbers from `first_cluster` on.
// `block`: of its first page, if it has any.
VectorGeneration GenerationOf(const NewModel& model, BlockNumber block, uint32_t first_cluster);

}  // namespace xtree
