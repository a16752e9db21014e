// The operator class parameter `read_whole`: whether keys are made from whole values, also of large ones.
//
// For the operator classes of geometry_box.h. No locks, no WAL.
#pragma once

#include <cstddef>

#include "pg/postgres_api.h"

extern "C" {
#include "access/reloptions.h"
}

#include "types/stored_geometry.h"
#include "xtree.h"

namespace xtree {

struct GeometryOptions {
  int32 vl_len_;
  bool read_whole;
};

// For support function XTREE_OPTIONS_PROC.
inline void DefineGeometryOptions(local_relopts* options) {
  init_local_reloptions(options, sizeof(GeometryOptions));
  add_local_bool_reloption(options, "read_whole", "look for NaN also in large values", false, offsetof(GeometryOptions, read_whole));
}

inline GeometryRead ReadForKey(const XtreeColumn* column) {
  const auto* options = static_cast<const GeometryOptions*>(column->options);
  return options != nullptr && options->read_whole ? GeometryRead::kWhole : GeometryRead::kSmall;
}

}  // namespace xtree
