// SpatialOrder: entries of a node one after another so that neighbours stay together, for a scan that lays rows out
// (CLUSTER).
//
// For WindowScan. Entries are halved again and again along their widest spread, as the bulk load cuts the space, and of
// two halves the one nearer to where the scan is comes first: a curve through the node that goes on where that through
// the last node ended, whatever built the tree. Takes no locks, writes nothing. Its memory is the reader's, which may
// leave by longjmp: trivially destructible, and all zeroes is a valid state.
#pragma once

#include "core/scan/scratch.h"
#include "page/node.h"

namespace xtree {

class SpatialOrder {
 public:
  // Starts anew: the scan is nowhere yet.
  void Begin(const KeyLayout& layout);

  void Clear() { centre_.Clear(); }
  void Add(PageReader& reader, const NodeView& node, int entry);

  // Positions of the entries since Clear, in the order to visit them; valid until the next call.
  const uint32_t* Arrange(PageReader& reader);

  // The scan is at the last entry of what Arrange returned.
  void StayAtLast();

 private:
  const double* Centre(uint32_t entry) const { return centre_.data() + size_t{entry} * dimensions_; }
  void Walk(uint32_t* begin, uint32_t* end);
  int Widest(const uint32_t* begin, const uint32_t* end);
  void MeasureSpread(const uint32_t* begin, const uint32_t* end, double* spread) const;
  void MeasureScales(const uint32_t* begin, const uint32_t* end);
  void GoTo(uint32_t entry) { std::copy_n(Centre(entry), dimensions_, place_); }

  const KeyLayout* layout_ = nullptr;
  int dimensions_ = 0;
  Scratch<double> centre_;  // of each entry, a row of coordinates
  Scratch<uint32_t> order_;
  double at_[kMaxDimensions];     // where the scan is
  double place_[kMaxDimensions];  // where the curve has come to
  double scale_[kMaxColumns];     // of the node: the widest spread among a column's dimensions, so that units do not matter
};

static_assert(std::is_trivially_destructible_v<SpatialOrder>);

}  // namespace xtree
