// The center and the scales of a model, from a sample of its table.
//
// The center is the mean, of values that are not far outside what nearly all are; a scale is such that the largest offset from the center has a code,
// unless that is an outlier which would cost all others more than it gains. Deterministic.
#pragma once

#include <cstdint>
#include <functional>

namespace xtree {

// `order`: the rows of the sample in an order that is as good as random; the first few thousand are looked at. Fills center and scale, of
// float[dimensions].
void FindScales(const float* sample, const uint32_t* order, uint64_t count, int dimensions, const std::function<void()>& check_interrupt,
                float* center, float* scale);

}  // namespace xtree
