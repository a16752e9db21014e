// Where a bulk load divides a range of records: along which axis, and how much the two halves overlap.
//
// For bulk_*.cpp. Nothing is locked; no WAL. Decided on a sample of the range. Spread is the standard deviation,
// outliers clipped, in units of the column's spread over all the data, so that columns of different units are treated
// alike.
#pragma once

#include <vector>

#include "core/bulk/bulk_rows.h"

namespace xtree {

// Per dimension: its column's spread over all the data, > 0; of words (ColumnShape) each has its own. Plain data, so that the parts of
// one load can share it.
struct ColumnScales {
  double scale[kMaxDimensions];
};

class Partitioner {
 public:
  explicit Partitioner(const RecordFormat& format) : format_(&format) {}

  // REQUIRES: records is not empty.
  ColumnScales MeasureScales(const Records& records);

  // The dimensions, widest spread in [begin, end) first; but a word behind those that the ones before divide no further. With `lengths`,
  // the length of an extended dimension comes before them where it separates long intervals from short ones so well that the halves have
  // smaller boxes. The
  // result is valid until the next call. REQUIRES: begin < end.
  const std::vector<int>& Rank(const Records& records, size_t begin, size_t end, const ColumnScales& scales, bool lengths);

  // Of the last Rank, in the unit of the column's scale.
  double spread(int dimension) const { return spread_[dimension]; }

 private:
  static constexpr size_t kMaxSample = 256;

  void Sample(const Records& records, size_t begin, size_t end, size_t at_most);
  size_t TakeValues(int axis);
  double Spread(int dimension);
  bool IsDivided(int dimension);
  void WeighWords();
  bool Separates(const Records& records, size_t begin, size_t end, int dimension) const;
  int BestLength(const ColumnScales& scales);
  double RelativeLength(int axis, const ColumnScales& scales);
  double MarginOfHalves(int axis, const ColumnScales& scales);
  double MarginOf(size_t begin, size_t end, const ColumnScales& scales) const;

  const RecordFormat* format_;
  size_t sampled_ = 0;
  const uint8_t* sample_[kMaxSample];
  double value_[kMaxSample];
  double spread_[kMaxDimensions];
  double rank_[kMaxDimensions];  // what is ranked by: spread_, less for words whose turn it is not
  std::vector<int> ranked_;
};

// Union of the boxes of records [begin, end).
void BoundsOf(const Records& records, size_t begin, size_t end, Box* box);

// Is there a point along a dimension that parts records [begin, middle) from [middle, end)? Looks at this dimension
// only; false where records may have marks.
bool AreApart(const Records& records, size_t begin, size_t middle, size_t end, int dimension);

// Intersection over union, 0..1, of two boxes; a dimension along which their union has no extent is left out.
double OverlapRatio(const KeyLayout& layout, const Box& a, const Box& b);

}  // namespace xtree
