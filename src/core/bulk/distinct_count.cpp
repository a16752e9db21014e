// See distinct_count.h.
#include "core/bulk/distinct_count.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace xtree {

namespace {

// The finalizer of SplitMix64 (Steele, Lea, Flood, 2014).
uint64_t Mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

}  // namespace

void DistinctCount::Add(uint64_t hash) noexcept {
  const uint64_t rest = hash << kIndexBits | (uint64_t{1} << (kIndexBits - 1));  // a bit that ends the zeros
  uint8_t& rank = rank_[hash >> (64 - kIndexBits)];
  rank = std::max(rank, static_cast<uint8_t>(std::countl_zero(rest) + 1));
}

void DistinctCount::Merge(const DistinctCount& other) noexcept {
  for (int i = 0; i < kRegisters; i++) rank_[i] = std::max(rank_[i], other.rank_[i]);
}

double DistinctCount::Estimate() const {
  double sum = 0;
  int empty = 0;
  for (const uint8_t rank : rank_) {
    sum += std::ldexp(1.0, -rank);
    empty += rank == 0;
  }
  constexpr double kBias = 0.7213 / (1 + 1.079 / kRegisters);
  const double estimate = kBias * kRegisters * kRegisters / sum;
  const bool few = estimate <= 2.5 * kRegisters && empty > 0;
  return few ? kRegisters * std::log(static_cast<double>(kRegisters) / empty) : estimate;
}

uint64_t HashOf(const KeyLayout& layout, const Box& box) {
  uint64_t hash = Mix(box.marks + 0x9E3779B97F4A7C15);
  for (int d = 0; d < layout.dimensions; d++) {
    hash = Mix(hash ^ static_cast<uint64_t>(box.lo[d])) + 0x9E3779B97F4A7C15;
    if (box.hi[d] != box.lo[d]) hash = Mix(hash ^ static_cast<uint64_t>(box.hi[d]));
  }
  return Mix(hash);
}

}  // namespace xtree
