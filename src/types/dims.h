// The operator class parameter `dims`: how many dimensions a column of vectors or cubes has in the index.
//
// For operator classes whose values do not all have the same number of dimensions. No locks, no WAL.
#pragma once

#include <cstddef>

#include "pg/postgres_api.h"

extern "C" {
#include "access/reloptions.h"
}

#include "xtree.h"

namespace xtree {

inline constexpr int kMaxDims = 100;         // of a tree
inline constexpr int kMaxVectorDims = 2000;  // of vectors in clusters

struct DimsOptions {
  int32 vl_len_;
  int dims;  // 0: not said
};

// For support function XTREE_OPTIONS_PROC.
inline void DefineDims(local_relopts* options, int most = kMaxDims) {
  init_local_reloptions(options, sizeof(DimsOptions));
  add_local_int_reloption(options, "dims", "number of dimensions that the index keeps", 0, 1, most, offsetof(DimsOptions, dims));
}

// XtreeTypeRoutine.dimensions_of
inline uint16 DimsOption(const XtreeColumn* column) {
  const auto* options = static_cast<const DimsOptions*>(column->options);
  return options != nullptr ? static_cast<uint16>(options->dims) : 0;
}

}  // namespace xtree
