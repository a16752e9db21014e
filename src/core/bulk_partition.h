// Where a bulk load divides a range of records: the dimension of widest spread, and how much the two halves overlap.
//
// For bulk_*.cpp. Spread is that of a sample, without its outermost values, in units of the column's spread over all the data, so
// that columns of different units are treated alike. Nothing is locked; no WAL.
#pragma once

#include <vector>

#include "core/bulk_rows.h"

namespace xtree {

// Per column: its spread over all the data, > 0. Plain data, so that the parts of one load can share it.
struct ColumnScales {
  double scale[kMaxColumns];
};

class Partitioner {
 public:
  explicit Partitioner(const RecordFormat& format) : format_(&format), ranked_(format.dimensions()) {}

  // REQUIRES: records is not empty.
  ColumnScales MeasureScales(const Records& records);

  // All dimensions, widest spread in [begin, end) first. The result is valid until the next call. REQUIRES: begin < end.
  const std::vector<int>& Rank(const Records& records, size_t begin, size_t end, const ColumnScales& scales);

 private:
  static constexpr size_t kMaxSample = 256;

  void Sample(const Records& records, size_t begin, size_t end, size_t at_most);
  double Spread(int dimension);
  bool Separates(const Records& records, size_t begin, size_t end, int dimension) const;

  const RecordFormat* format_;
  size_t sampled_ = 0;
  const uint8_t* sample_[kMaxSample];
  double value_[kMaxSample];
  double spread_[kMaxDimensions];
  std::vector<int> ranked_;
};

// Union of the boxes of records [begin, end).
void BoundsOf(const Records& records, size_t begin, size_t end, Box* box);

// Intersection over union, 0..1, of two boxes; a dimension along which their union has no extent is left out.
double OverlapRatio(const KeyLayout& layout, const Box& a, const Box& b);

}  // namespace xtree
