// Every kernel against the plain meaning of its terms, and the vector kernels against the scalar one.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/filter/kernels.h"

namespace xtree {
namespace {

std::vector<const Kernels*> AllKernels() {
  std::vector<const Kernels*> all = {&kScalarKernels};
#if defined(__x86_64__)
  all.push_back(&kSse2Kernels);
  if (__builtin_cpu_supports("avx2")) all.push_back(&kAvx2Kernels);
#endif
  return all;
}

// A run of blocks with arrays of both widths, exactly as large as the kernels may read.
struct RandomBlocks {
  BlockLayout block = {};
  int entries;
  std::vector<uint8_t> bytes;
  std::vector<FilterTerm> terms;
};

class KernelsTest : public testing::Test {
 protected:
  int64_t Between(int64_t low, int64_t high) { return std::uniform_int_distribution<int64_t>(low, high)(random_); }

  // Small numbers, so that terms often match exactly at a bound, and the extremes of the width.
  Ordinal RandomOrdinal(uint8_t width) {
    const Ordinal extreme[] = {width == 8 ? kOrdinalMin : INT32_MIN, width == 8 ? kOrdinalMax : INT32_MAX};
    switch (Between(0, 5)) {
      case 0:
        return extreme[Between(0, 1)];
      case 1:
        return extreme[0] + Between(0, 2);
      case 2:
        return extreme[1] - Between(0, 2);
      case 3:
        return width == 8 ? Between(kOrdinalMin, kOrdinalMax) : Between(INT32_MIN, INT32_MAX);
      default:
        return Between(-6, 6);
    }
  }

  FilterTerm RandomTerm(uint16_t offset, uint8_t width) {
    Ordinal min = RandomOrdinal(width);
    Ordinal max = RandomOrdinal(width);
    const int tests = static_cast<int>(Between(1, 3));
    if (min > max && tests == 3) std::swap(min, max);
    return {offset, width, (tests & 1) != 0, (tests & 2) != 0, min, max};
  }

  RandomBlocks Random(int capacity) {
    RandomBlocks r;
    const int wide = static_cast<int>(Between(0, 4));
    const int narrow = static_cast<int>(Between(wide == 0, 4));
    r.block.capacity = static_cast<uint16_t>(capacity);
    r.block.bytes = static_cast<uint16_t>((capacity * (wide * 8 + narrow * 4) + 7) / 8 * 8);
    r.entries = static_cast<int>(Between(0, 5 * capacity + 3));
    const int blocks = (r.entries + capacity - 1) / capacity;
    r.bytes.resize(blocks * r.block.bytes);
    for (int b = 0; b < blocks; ++b) FillBlock(&r.bytes[b * r.block.bytes], capacity, wide, narrow);
    for (int a = 0; a < wide + narrow; ++a) {
      const bool is_wide = a < wide;
      const int offset = capacity * (is_wide ? a * 8 : wide * 8 + (a - wide) * 4);
      const int repeat = static_cast<int>(Between(0, 2));
      for (int i = 0; i < repeat; ++i) r.terms.push_back(RandomTerm(static_cast<uint16_t>(offset), is_wide ? 8 : 4));
    }
    std::shuffle(r.terms.begin(), r.terms.end(), random_);
    return r;
  }

  void FillBlock(uint8_t* at, int capacity, int wide, int narrow) {
    for (int i = 0; i < wide * capacity; ++i, at += 8) {
      const int64_t value = RandomOrdinal(8);
      memcpy(at, &value, 8);
    }
    for (int i = 0; i < narrow * capacity; ++i, at += 4) {
      const int32_t value = static_cast<int32_t>(RandomOrdinal(4));
      memcpy(at, &value, 4);
    }
  }

  std::mt19937_64 random_{20240607};
};

std::vector<uint16_t> Expected(const RandomBlocks& r) {
  std::vector<uint16_t> slots;
  for (int e = 0; e < r.entries; ++e) {
    bool pass = true;
    for (const FilterTerm& t : r.terms) {
      const uint8_t* block = &r.bytes[e / r.block.capacity * r.block.bytes];
      const Ordinal value = LoadOrdinal(block + t.offset + e % r.block.capacity * t.width, t.width);
      if ((t.test_min && value < t.min) || (t.test_max && value > t.max)) pass = false;
    }
    if (pass) slots.push_back(static_cast<uint16_t>(e));
  }
  return slots;
}

TEST_F(KernelsTest, FilterMatchesTheMeaningOfItsTerms) {
  int64_t matches = 0;
  int64_t entries = 0;
  for (int round = 0; round < 20000; ++round) {
    const int capacities[] = {16, 8, 4, 1};
    const RandomBlocks r = Random(capacities[round % 4]);
    const std::vector<uint16_t> expected = Expected(r);
    for (const Kernels* kernels : AllKernels()) {
      uint16_t slots[kMaxEntriesPerPage];
      const int count = kernels->filter(r.bytes.data(), r.block, r.entries, r.terms.data(), static_cast<int>(r.terms.size()), slots);
      ASSERT_EQ(expected, std::vector<uint16_t>(slots, slots + count)) << kernels->name << " in round " << round;
    }
    matches += static_cast<int64_t>(expected.size());
    entries += r.entries;
  }
  EXPECT_GT(matches, entries / 10);
  EXPECT_LT(matches, entries * 9 / 10);
}

// The bounds where the subtraction of 64-bit numbers overflows, each against each.
TEST_F(KernelsTest, ComparisonAtTheExtremes) {
  const Ordinal values[] = {kOrdinalMin,       kOrdinalMin + 1, INT64_MIN / 2 - 1, INT64_MIN / 2, -1,        0, 1, INT64_MAX / 2,
                            INT64_MAX / 2 + 1, kOrdinalMax - 1, kOrdinalMax,       INT32_MIN,     INT32_MAX, 2, 3, 4};
  BlockLayout block = {};
  block.capacity = 16;
  block.bytes = sizeof(values);
  for (const Ordinal min : values) {
    for (const Ordinal max : values) {
      for (int tests = 1; tests <= 3; ++tests) {
        const FilterTerm term = {0, 8, (tests & 1) != 0, (tests & 2) != 0, min, max};
        if (tests == 3 && min > max) continue;
        for (const Kernels* kernels : AllKernels()) {
          uint16_t slots[kMaxEntriesPerPage];
          const int count = kernels->filter(reinterpret_cast<const uint8_t*>(values), block, 16, &term, 1, slots);
          int expected = 0;
          for (const Ordinal v : values) expected += (!term.test_min || v >= min) && (!term.test_max || v <= max);
          EXPECT_EQ(expected, count) << kernels->name << ": " << min << " .. " << max << ", tests " << tests;
        }
      }
    }
  }
}

// Nodes of one floating point column, of 64 bits or 32.
class DistanceTest : public KernelsTest {
 protected:
  void Start(int dimensions, bool extended, int level, bool narrow = false) {
    narrow_ = narrow;
    const ColumnShape column = {static_cast<uint16_t>(dimensions), static_cast<uint8_t>(narrow ? 4 : 8), extended,
                                narrow ? Scalar::kFloat32 : Scalar::kFloat64};
    ASSERT_EQ(nullptr, KeyLayout::Make(&column, 1, false, &layout_));
    NodeEditor(layout_, page_->bytes).Initialize(level, 0);
  }
  NodeView node() const { return NodeView(layout_, page_->bytes); }

  void Append(const std::vector<double>& lo, const std::vector<double>& hi) {
    Box box;
    box.marks = 0;
    for (int d = 0; d < layout_.dimensions; ++d) {
      box.lo[d] = OrdinalOf(lo[d]);
      box.hi[d] = OrdinalOf(hi[d]);
    }
    NodeEditor editor(layout_, page_->bytes);
    if (node().leaf()) {
      editor.AppendTuple(box, {0, 1, 1}, nullptr, 0);
    } else {
      editor.AppendChild(box, 7, {});
    }
  }

  Ordinal OrdinalOf(double value) const { return narrow_ ? OrdinalFromFloat(static_cast<float>(value)) : OrdinalFromDouble(value); }

  void FillRandomly(double scale) {
    std::uniform_real_distribution<double> coordinate(-scale, scale);
    while (node().HasRoom(false, 0) && Between(0, 200) != 0) {
      std::vector<double> lo(layout_.dimensions);
      std::vector<double> hi(layout_.dimensions);
      for (int d = 0; d < layout_.dimensions; ++d) {
        lo[d] = coordinate(random_);
        hi[d] = lo[d];
        const bool wide = !node().leaf() || layout_.dimension[d].extended;
        if (wide) hi[d] += std::abs(coordinate(random_)) / 4;
      }
      Append(lo, hi);
    }
  }

  std::vector<double> Run(const Kernels& kernels, const std::vector<double>& query) const {
    const int capacity = node().block().capacity;
    std::vector<double> out((node().entries() + capacity - 1) / capacity * capacity);
    kernels.squared_distance(node(), 0, layout_.dimensions, query.data(), out.data());
    out.resize(node().entries());
    return out;
  }

  double RunOne(const Kernels& kernels, const std::vector<double>& query) const { return Run(kernels, query).at(0); }

  long double ExactSquare(int entry, const std::vector<double>& query) const {
    long double sum = 0;
    for (int d = 0; d < layout_.dimensions; ++d) {
      const long double lo = Decode(layout_.dimension[d].scalar, node().Lo(entry, d));
      const long double hi = Decode(layout_.dimension[d].scalar, node().Hi(entry, d));
      const long double delta = std::max<long double>({0, lo - query[d], query[d] - hi});
      sum += delta * delta;
    }
    return sum;
  }

  struct PageBytes {
    alignas(8) uint8_t bytes[kPageSize];
  };
  KeyLayout layout_;
  std::unique_ptr<PageBytes> page_ = std::make_unique<PageBytes>();
  bool narrow_ = false;
};

TEST_F(DistanceTest, IsATightLowerBoundInEveryKernel) {
  for (const int dimensions : {1, 2, 3, 8, 24, 40, 100}) {
    for (const int shape : {0, 1, 2, 3, 4, 5}) {  // points on a leaf, boxes on a leaf, a directory page; in 64 bits, in 32
      for (const double scale : {1e-3, 1.0, 1e9}) {
        Start(dimensions, shape % 3 == 1, shape % 3 == 2 ? 1 : 0, shape >= 3);
        FillRandomly(scale);
        std::vector<double> query(dimensions);
        for (double& q : query) q = std::uniform_real_distribution<double>(-scale, scale)(random_);
        const std::vector<double> scalar = Run(kScalarKernels, query);
        for (int e = 0; e < node().entries(); ++e) {
          const long double exact = ExactSquare(e, query);
          ASSERT_LE(scalar[e], exact);
          ASSERT_GE(scalar[e], exact * (1 - 1e-13L)) << dimensions << " dimensions";
        }
        for (const Kernels* kernels : AllKernels()) ASSERT_EQ(scalar, Run(*kernels, query)) << kernels->name;
      }
    }
  }
}

constexpr double kInf = std::numeric_limits<double>::infinity();
const double kNan = std::numeric_limits<double>::quiet_NaN();

TEST_F(DistanceTest, NanOnLeavesOfPointsIsInfinitelyFar) {
  for (const bool narrow : {false, true}) {
    Start(2, false, 0, narrow);
    Append({1, kNan}, {1, kNan});
    for (const Kernels* kernels : AllKernels()) {
      EXPECT_EQ(kInf, RunOne(*kernels, {1, 2})) << kernels->name;
    }
  }
  Start(2, false, 0);
  Append({1, 2}, {1, 2});
  for (const Kernels* kernels : AllKernels()) EXPECT_EQ(kInf, RunOne(*kernels, {kNan, 2})) << kernels->name;
}

TEST_F(DistanceTest, NanInABoxLimitsNothing) {
  for (const int level : {0, 1}) {
    Start(2, true, level);
    Append({3, 5}, {4, kNan});
    for (const Kernels* kernels : AllKernels()) {
      EXPECT_NEAR(4, RunOne(*kernels, {1, 9}), 1e-9) << kernels->name;
      EXPECT_NEAR(4 + 9, RunOne(*kernels, {1, 2}), 1e-9) << kernels->name;
      EXPECT_NEAR(9, RunOne(*kernels, {kNan, 2}), 1e-9) << kernels->name;
    }
  }
}

TEST_F(DistanceTest, InfiniteSides) {
  Start(2, true, 1);
  Append({-kInf, 0}, {kInf, kInf});
  for (const Kernels* kernels : AllKernels()) {
    EXPECT_EQ(0, RunOne(*kernels, {5, 5})) << kernels->name;
    EXPECT_EQ(0, RunOne(*kernels, {kInf, kInf})) << kernels->name;
    EXPECT_NEAR(4, RunOne(*kernels, {-kInf, -2}), 1e-9) << kernels->name;
  }
}

// The square overflows where the distance, 3e200, does not: the bound must stay below, hence finite.
TEST_F(DistanceTest, OverflowStaysALowerBound) {
  Start(1, false, 0);
  Append({3e200}, {3e200});
  for (const Kernels* kernels : AllKernels()) {
    const double square = RunOne(*kernels, {0});
    EXPECT_TRUE(std::isfinite(square)) << kernels->name;
    EXPECT_GT(square, 1e300) << kernels->name;
  }
}

// A square among the subnormal numbers may be rounded up by as much as itself.
TEST_F(DistanceTest, UnderflowStaysALowerBound) {
  for (const double delta : {1.6e-162, 1e-160, 1e-154}) {
    Start(1, false, 0);
    Append({delta}, {delta});
    for (const Kernels* kernels : AllKernels()) {
      EXPECT_LE(static_cast<long double>(RunOne(*kernels, {0})), static_cast<long double>(delta) * delta);
    }
  }
}

TEST(ActiveKernelsTest, AreTheBestOrTheOnesAskedFor) {
  const char* wanted = getenv("XTREE_KERNELS");
  const std::string name = ActiveKernels().name;
  if (wanted == nullptr) {
    EXPECT_EQ(AllKernels().back()->name, name);
  } else {
    EXPECT_EQ(wanted, name);
  }
}

}  // namespace
}  // namespace xtree
