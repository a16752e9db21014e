// See nearest_order.h.
#include "join/nearest_order.h"

#include <boost/sort/pdqsort/pdqsort.hpp>
#include <cmath>

#include "core/scan/hilbert_key.h"

namespace xtree {

namespace {

// Where most origins are in a dimension; a few far ones do not matter.
struct Extent {
  double from;
  double side;
};

Extent ExtentOf(const double* origin, size_t count, size_t stride) {
  constexpr size_t kSample = 64;
  const size_t step = std::max<size_t>(count / kSample, 1);
  double sample[2 * kSample];
  size_t taken = 0;
  for (size_t i = 0; i < count && taken < 2 * kSample; i += step)
    if (std::isfinite(origin[i * stride])) sample[taken++] = origin[i * stride];
  if (taken == 0) return {0, 1};
  std::sort(sample, sample + taken);
  const size_t far = taken / 20;
  const double from = sample[far], to = sample[taken - 1 - far], margin = (to - from) / 8;
  return {from - margin, to - from + 2 * margin};
}

uint64_t PlaceFromCorner(const DistanceKey& key, const Box& tree) {
  const Ordinal *lo = tree.lo + key.first, *hi = tree.hi + key.first;
  if (key.lower_bound == nullptr || *lo > *hi) return 0;
  const auto place = static_cast<uint64_t>(RankFromBound(key.lower_bound(key.context, lo, lo)));
  return place ^ uint64_t { 1 } << 63;  // in the order of unsigned numbers
}

}  // namespace

void NearestOrigins::Clear() {
  dimensions_ = 0;
  origin_.Clear();
  place_.Clear();
}

void NearestOrigins::Add(PageReader& memory, const DistanceKey& key, const Box& tree) {
  if (place_.empty() && key.query != nullptr) dimensions_ = std::min(key.dimensions, kHilbertDimensions);
  place_.Append(memory, key.query == nullptr ? PlaceFromCorner(key, tree) : 0);
  // One without a query among them, of NULL say, is anywhere.
  for (int d = 0; d < dimensions_; d++) origin_.Append(memory, key.query != nullptr ? key.query[d] : 0.0);
}

void NearestOrigins::PlaceOnCurve() {
  const size_t count = place_.size(), stride = static_cast<size_t>(dimensions_);
  Extent extent[kHilbertDimensions];
  for (int d = 0; d < dimensions_; d++) extent[d] = ExtentOf(origin_.data() + d, count, stride);
  for (size_t i = 0; i < count; i++) {
    double place[kHilbertDimensions];
    for (int d = 0; d < dimensions_; d++) place[d] = (origin_[i * stride + static_cast<size_t>(d)] - extent[d].from) / extent[d].side;
    place_[i] = HilbertKey(place, dimensions_);
  }
}

void NearestOrigins::Arrange(PageReader& memory, Scratch<uint32_t>* sequence) {
  const size_t count = place_.size();
  if (dimensions_ > 0) PlaceOnCurve();
  sequence->Clear();
  sequence->Reserve(memory, count);
  for (size_t i = 0; i < count; i++) sequence->AppendReserved(static_cast<uint32_t>(i));
  const uint64_t* place = place_.data();
  boost::sort::pdqsort_branchless(sequence->data(), sequence->data() + count,
                                  [place](uint32_t a, uint32_t b) { return place[a] < place[b]; });
}

}  // namespace xtree
