// DistinctCount estimates within its error, whatever the order, the repetitions and the processes that count.
// Seen to fail: with ranks one too low (estimates), and with hashes that leave out the upper bounds (what a box consists of).
#include <gtest/gtest.h>

#include "core/bulk/distinct_count.h"

namespace xtree {
namespace {

// Hashes of boxes of one point column of four bytes; value i of `distinct`.
class Values {
 public:
  Values() {
    const ColumnShape shape{1, 8, true, Scalar::kInteger};
    EXPECT_EQ(nullptr, KeyLayout::Make(&shape, 1, false, &layout_));
  }
  uint64_t Hash(uint64_t value) const {
    Box box;
    box.marks = 0;
    box.lo[0] = static_cast<Ordinal>(value);
    box.hi[0] = static_cast<Ordinal>(value);
    return HashOf(layout_, box);
  }
  const KeyLayout& layout() const { return layout_; }

 private:
  KeyLayout layout_;
};

TEST(DistinctCount, EstimatesWithinTenPercent) {
  const Values values;
  for (const uint64_t distinct : {0, 1, 2, 10, 100, 1000, 4000, 6000, 10000, 300000}) {
    DistinctCount count;
    for (uint64_t i = 0; i < 2 * distinct; i++) count.Add(values.Hash(i % std::max<uint64_t>(distinct, 1)));
    EXPECT_NEAR(static_cast<double>(distinct), count.Estimate(), 0.1 * static_cast<double>(distinct)) << distinct;
  }
}

TEST(DistinctCount, MergesToTheCountOfBoth) {
  const Values values;
  DistinctCount all, left, right;
  for (uint64_t i = 0; i < 20000; i++) {
    all.Add(values.Hash(i));
    if (i < 12000) left.Add(values.Hash(i));
    if (i >= 8000) right.Add(values.Hash(i));
  }
  left.Merge(right);
  EXPECT_EQ(all.Estimate(), left.Estimate());
}

TEST(DistinctCount, TellsApartWhatABoxConsistsOf) {
  const Values values;
  Box box;
  box.lo[0] = box.hi[0] = 7;
  box.marks = 0;
  const uint64_t point = HashOf(values.layout(), box);
  EXPECT_EQ(point, values.Hash(7));
  box.hi[0] = 8;
  const uint64_t longer = HashOf(values.layout(), box);
  box.marks = 1;
  EXPECT_NE(point, longer);
  EXPECT_NE(longer, HashOf(values.layout(), box));
}

}  // namespace
}  // namespace xtree
