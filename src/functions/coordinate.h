// The number that an ordinal of an index stands for, as inspection functions show it.
#pragma once

#include "index/index_state.h"

namespace xtree {

// `upper`: of the upper bound of a box.
inline double CoordinateOf(const IndexState& state, int dimension, Ordinal ordinal, bool upper) {
  const DimensionLayout& layout = state.layout.dimension[dimension];
  const XtreeTypeRoutine& routine = *state.column[layout.column].routine;
  return routine.coordinate != nullptr ? routine.coordinate(ordinal, upper) : Decode(layout.scalar, ordinal);
}

}  // namespace xtree
