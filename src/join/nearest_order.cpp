// See nearest_order.h. Of Euclidean distances by a curve through the space in which most origins are; of others by how far from a corner of the index
// an origin is at least, which puts numbers in their order.
#include "join/nearest_order.h"

#include <boost/sort/pdqsort/pdqsort.hpp>
#include <cmath>

#include "core/scan/hilbert_key.h"

namespace xtree {

namespace {

// Where most origins are, in each dimension; a few far ones do not matter.
struct Space {
  double from[kHilbertDimensions];
  double side[kHilbertDimensions];
};

Space SpaceOf(OpenNearest* open, int dimensions) {
  constexpr size_t kSample = 64;
  const size_t count = open->query.size(), step = std::max<size_t>(count / kSample, 1);
  Space space = {};
  for (int d = 0; d < dimensions; d++) {
    double sample[2 * kSample];
    size_t taken = 0;
    for (size_t i = 0; i < count && taken < 2 * kSample; i += step) {
      const double* origin = open->query[i]->order.key.query;
      if (origin != nullptr && std::isfinite(origin[d])) sample[taken++] = origin[d];
    }
    if (taken == 0) continue;
    std::sort(sample, sample + taken);
    const size_t far = taken / 20;
    const double from = sample[far], to = sample[taken - 1 - far], margin = (to - from) / 8;
    space.from[d] = from - margin;
    space.side[d] = to - from + 2 * margin;
  }
  return space;
}

uint64_t PlaceInSpace(const Space& space, const double* origin, int dimensions) {
  double place[kHilbertDimensions];
  for (int d = 0; d < dimensions; d++) place[d] = (origin[d] - space.from[d]) / space.side[d];
  return HilbertKey(place, dimensions);
}

uint64_t PlaceFromCorner(const OpenNearest& open, const DistanceKey& key) {
  const Ordinal *lo = open.tree.lo + key.first, *hi = open.tree.hi + key.first;
  if (key.lower_bound == nullptr || *lo > *hi) return 0;
  const auto place = static_cast<uint64_t>(RankFromBound(key.lower_bound(key.context, lo, lo)));
  return place ^ uint64_t{1} << 63;  // in the order of unsigned numbers
}

}  // namespace

void ArrangeQueries(OpenNearest* open) {
  PageReader& reader = open->side->reader();
  const size_t count = open->query.size();
  if (count == 0) return open->sequence.Clear();
  const int dimensions = std::min<int>(open->query[0]->order.key.dimensions, kHilbertDimensions);
  const Space space = SpaceOf(open, dimensions);
  open->curve.Clear();
  open->curve.Reserve(reader, count);
  open->sequence.Clear();
  open->sequence.Reserve(reader, count);
  for (size_t i = 0; i < count; i++) {
    const DistanceKey& key = open->query[i]->order.key;
    open->curve.AppendReserved(key.query != nullptr ? PlaceInSpace(space, key.query, dimensions) : PlaceFromCorner(*open, key));
    open->sequence.AppendReserved(static_cast<uint32_t>(i));
  }
  const uint64_t* curve = open->curve.data();
  boost::sort::pdqsort_branchless(open->sequence.data(), open->sequence.data() + count,
                                  [curve](uint32_t a, uint32_t b) { return curve[a] < curve[b]; });
}

}  // namespace xtree
