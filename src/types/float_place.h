// Where a number lies among the ordinals of float8 and float4. The two zeros are one number, NaN is above all others.
//
// For operator classes of floats and of vectors. Pure computation.
#pragma once

#include "types/scalar.h"

namespace xtree {

Place PlaceInFloat8(double argument);

// Among float4 values, as they compare with a float8.
Place PlaceInFloat4(double argument);

}  // namespace xtree
