// The picture of an index: its tree's boxes (functions/tree_outline.h) with what shared memory knows of its pages, as SVG (report/tree_picture.h).
#pragma once

#include "functions/tree_outline.h"
#include "index/index_access.h"

extern "C" {
#include "utils/array.h"
}

namespace xtree {

struct PictureRequest {
  ArrayType* dimensions;  // numbers from 1; nullptr: the first two
  int min_level;
  int max_level;            // INT_MAX: the root's
  ArrayType* window_lower;  // float8, one a dimension of the index, NULL where open; nullptr: open everywhere
  ArrayType* window_upper;
  int width;
  int height;
  int max_boxes;
};

// What a picture of nothing but an index is.
PictureRequest OrdinaryPicture();

// Ereports: what is not within bounds (ERRCODE_INVALID_PARAMETER_VALUE), not the caller's index (OpenXtreeIndex), not built.
text* PictureOfIndex(Oid index, const PictureRequest& request);

// Of the database's encoding, as far as the server can tell; for what src/report makes.
const char* ToUtf8(const char* text);

}  // namespace xtree
