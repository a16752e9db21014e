// Kernels in portable C++: the reference for the others, and what a CPU without vector kernels runs.
//
// Pure functions of a page that the caller holds or has mapped. They read whole blocks, never beyond the last one.
#include <algorithm>

#include "core/filter/kernels.h"

namespace xtree {
namespace {

// Slots of one block that fail the term, as bits. Both bounds are compared, without a branch that depends on the data.
template <typename T>
uint32_t Failing(const uint8_t* array, int capacity, const FilterTerm& term) {
  const T* values = reinterpret_cast<const T*>(array);
  const T min = term.test_min ? static_cast<T>(term.min) : std::numeric_limits<T>::min();
  const T max = term.test_max ? static_cast<T>(term.max) : std::numeric_limits<T>::max();
  uint32_t failing = 0;
  for (int i = 0; i < capacity; ++i) {
    failing |= static_cast<uint32_t>((values[i] < min) | (values[i] > max)) << i;
  }
  return failing;
}

int Filter(const uint8_t* first_block, const BlockLayout& block, int entries, const FilterTerm* terms, int term_count, uint16_t* slots) {
  int count = 0;
  const uint8_t* at = first_block;
  for (int base = 0; base < entries; base += block.capacity, at += block.bytes) {
    const int in_block = std::min<int>(entries - base, block.capacity);
    uint32_t passing = (1u << in_block) - 1;
    for (const FilterTerm* t = terms; t != terms + term_count && passing != 0; ++t) {
      const uint8_t* array = at + t->offset;
      passing &= ~(t->width == 8 ? Failing<int64_t>(array, block.capacity, *t) : Failing<int32_t>(array, block.capacity, *t));
    }
    for (; passing != 0; passing &= passing - 1) {
      slots[count++] = static_cast<uint16_t>(base + std::countr_zero(passing));
    }
  }
  return count;
}

// DoubleFromOrdinal without its special case: the ordinal of NaN is the bit pattern of a NaN.
double Decode64(const uint8_t* array, int slot) {
  int64_t bits;
  memcpy(&bits, array + slot * sizeof(bits), sizeof(bits));
  return std::bit_cast<double>(bits >= 0 ? bits : bits ^ kOrdinalMax);
}

double Decode32(const uint8_t* array, int slot) {
  int32_t bits;
  memcpy(&bits, array + slot * sizeof(bits), sizeof(bits));
  return std::bit_cast<float>(bits >= 0 ? bits : bits ^ std::numeric_limits<int32_t>::max());
}

double Decode(const uint8_t* array, int slot, bool narrow) { return narrow ? Decode32(array, slot) : Decode64(array, slot); }

// The greater one; `b` where either is NaN (as the vector instruction has it).
double Greater(double a, double b) { return a > b ? a : b; }

double SquaredDistance(const uint8_t* block, int slot, const DistanceArrays& arrays, const double* query) {
  double sum = 0;
  for (int d = 0; d < arrays.dimensions; ++d) {
    const double lo = Decode(block + arrays.dimension[d].lo[arrays.directory], slot, arrays.narrow);
    double delta = lo - query[d];
    if (arrays.extended) {
      const double hi = Decode(block + arrays.dimension[d].hi[arrays.directory], slot, arrays.narrow);
      delta = Greater(query[d] - hi, Greater(delta, 0));
    }
    sum += delta * delta;
  }
  if (std::isnan(sum)) return std::numeric_limits<double>::infinity();
  return Greater(std::min(sum, kLargestSquare) * arrays.shrink - kSmallestSquare, 0);
}

void SquaredDistances(const NodeView& node, int first, int dimensions, const double* query, double* out) {
  const DistanceArrays arrays = FindDistanceArrays(node, first, dimensions);
  const uint8_t* at = node.first_block();
  for (int base = 0; base < arrays.entries; base += arrays.capacity, at += arrays.block_bytes) {
    for (int slot = 0; slot < arrays.capacity; ++slot) out[base + slot] = SquaredDistance(at, slot, arrays, query);
  }
}

int AtMost(const double* values, int count, double most, uint16_t* at) {
  int found = 0;
  for (int i = 0; i < count; ++i) {
    at[found] = static_cast<uint16_t>(i);
    found += values[i] <= most;
  }
  return found;
}

}  // namespace

// Flags and count are read once and clamped, because a mapped page may change meanwhile.
DistanceArrays FindDistanceArrays(const NodeView& node, int first, int dimensions) {
  const NodeOpaque opaque = node.opaque();
  const bool leaf = opaque.flags & kNodeLeaf;
  const BlockLayout& block = node.layout().Block(leaf, opaque.flags & kNodeHasMarks);
  const DimensionLayout* dimension = &node.layout().dimension[first];
  const int entries = std::min(opaque.entries, block.max_entries);
  // Each term is rounded three times and each sum once, by at most half of epsilon; the rest is for the exact side's
  // own rounding.
  const double shrink = 1 - std::max(1e-14, (dimensions + 8) * std::numeric_limits<double>::epsilon());
  return {dimension, dimensions, entries, block.capacity, block.bytes, !leaf, !leaf || dimension->extended, dimension->width == 4, shrink};
}

constinit const Kernels kScalarKernels = {"scalar", Filter, SquaredDistances, AtMost};

}  // namespace xtree
