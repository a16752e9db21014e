// The models of indexes of clusters (core/cluster/vector_model.h): on pages of the index, and as a session keeps them.
//
// A model never changes, and is known by a number that is on each of its pages and in the meta page; so a session needs nothing to tell it that one
// is out of date. Reads shared buffers under share locks. Functions ereport.
#pragma once

#include "core/cluster/vector_model.h"
#include "index/index_state.h"

namespace xtree {

// A model that is not on pages yet. Plain data.
struct NewModel {
  uint64_t id;  // 0: it is made from the scale alone
  float scale;
  const uint8_t* bytes;
  uint32_t size;
};

// The model of the index, which stays where it is until `user` is reset or deleted. Models that nobody uses are kept up to some 64 MB.
// ERRCODE_INDEX_CORRUPTED where its pages are damaged.
const VectorModel& UseModel(Relation index, const VectorFacts& vectors, MemoryContext user);

// The same, of a new one, in the current memory context.
const VectorModel& ModelOf(const NewModel& model, int dimensions);

// Reads and checks the pages of a model, for xtree_check.
void CheckModel(Relation index, const VectorFacts& vectors);

inline uint32_t ModelPages(uint32_t bytes) { return (bytes + kModelPageBytes - 1) / kModelPageBytes; }
// One page of a model: `bytes` of it, at most kModelPageBytes.
void FillModelPage(const KeyLayout& layout, uint64_t id, const uint8_t* bytes, uint32_t count, PageImage* image);

}  // namespace xtree
