// NearestOrigins: where a batch's outer rows are, so that they are searched for in an order in which neighbours follow each other: of Euclidean
// distances by a Hilbert curve through the space in which most of them are; of others by how far at least they are from a corner of the index, which
// puts numbers in their order.
//
// Plain data in the memory of the scan's reader.
#pragma once

#include "core/scan/distance_key.h"
#include "core/scan/scratch.h"

namespace xtree {

class NearestOrigins {
 public:
  void Clear();
  // `tree`: bounds of the index.
  void Add(PageReader& memory, const DistanceKey& key, const Box& tree);
  size_t bytes() const { return origin_.size() * sizeof(double) + place_.size() * (sizeof(uint64_t) + sizeof(uint32_t)); }

  // Fills `sequence` with the numbers of all origins, in the order of Add.
  void Arrange(PageReader& memory, Scratch<uint32_t>* sequence);

 private:
  void PlaceOnCurve();

  int dimensions_ = 0;       // of origins; 0: they have none
  Scratch<double> origin_;   // of each
  Scratch<uint64_t> place_;  // of each
};
static_assert(std::is_trivially_destructible_v<NearestOrigins>);

}  // namespace xtree
