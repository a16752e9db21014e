// What the tests of insertion, VACUUM and the walker share: rows of every kind of layout, a tree beside a model of what
// it must hold, and the comparison of the two.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/scan/nearest_scan.h"
#include "core/tree_check.h"
#include "core/write/tree_vacuum.h"
#include "core/scan/window_scan.h"
#include "scan_fixture.h"

namespace xtree::test {

// Rows.

enum class Kind { kUniform, kClustered, kSorted, kDuplicates, kOnePlace, kLine, kNulls, kExtremes };

// 0 .. 1 as an ordinal of the dimension, in order.
inline Ordinal Encode(const DimensionLayout& dimension, double value) {
  switch (dimension.scalar) {
    case Scalar::kFloat64:
      return OrdinalFromDouble(value);
    case Scalar::kFloat32:
      return OrdinalFromFloat(static_cast<float>(value));
    case Scalar::kInteger:
      break;
  }
  return static_cast<Ordinal>(value * (dimension.width == 8 ? 1e15 : 1e9));
}

// What tests of type-independent code must survive: the ends of the range, infinities and NaN, zeroes of both signs.
inline Ordinal ExtremeOrdinal(const DimensionLayout& dimension, Random* random) {
  constexpr double kFloats[] = {0.0, -0.0, 1e300, -1e300, 5e-324, INFINITY, -INFINITY, NAN};
  constexpr int64_t kWide[] = {0, 1, kOrdinalMin, kOrdinalMax, kOrdinalMax - 1, (int64_t{1} << 53) + 1};
  constexpr int64_t kNarrow[] = {0, 1, INT32_MIN, INT32_MAX, INT32_MAX - 1, 1 << 24};
  if (dimension.scalar != Scalar::kInteger) return Encode(dimension, kFloats[random->Below(std::size(kFloats))]);
  return dimension.width == 8 ? kWide[random->Below(std::size(kWide))] : kNarrow[random->Below(std::size(kNarrow))];
}

// One value's lo in a dimension; `row` of `rows`.
inline double KindCoordinate(Kind kind, int dimension, double place, int cluster, Random* random) {
  switch (kind) {
    case Kind::kClustered:
      return 0.1 * ((cluster * 7 + dimension * 3) % 10) + random->Uniform(0, 0.004);
    case Kind::kSorted:
      return dimension == 0 ? place : random->Uniform();
    case Kind::kDuplicates:
      return 0.25 * cluster;
    case Kind::kOnePlace:
      return 0.5;
    case Kind::kLine:
      return dimension == 0 ? random->Uniform() : 0.25;
    default:
      return random->Uniform();
  }
}

inline RowSet MakeRows(const KeyLayout& layout, Kind kind, size_t count, uint64_t seed) {
  RowSet rows(layout);
  Random random(seed);
  Box box;
  for (size_t i = 0; i < count; ++i) {
    const int cluster = random.Below(kind == Kind::kDuplicates ? 3 : 10);
    box.marks = 0;
    for (int d = 0; d < layout.dimensions; ++d) {
      const DimensionLayout& dimension = layout.dimension[d];
      const double lo = KindCoordinate(kind, d, static_cast<double>(i) / static_cast<double>(count), cluster, &random);
      const bool wide = dimension.extended && kind != Kind::kOnePlace && kind != Kind::kDuplicates;
      box.lo[d] = Encode(dimension, lo);
      box.hi[d] = wide ? Encode(dimension, lo + random.Uniform(0, 0.05)) : box.lo[d];
      if (kind != Kind::kExtremes || random.Below(2) == 0) continue;
      box.lo[d] = ExtremeOrdinal(dimension, &random);
      box.hi[d] = dimension.extended ? ExtremeOrdinal(dimension, &random) : box.lo[d];
      if (box.lo[d] > box.hi[d]) std::swap(box.lo[d], box.hi[d]);
    }
    rows.Add(box);
    for (int c = 0; kind == Kind::kNulls && c < layout.columns; ++c) {
      if (random.Below(3) == 0) rows.Mark(i, c, random.Below(2) == 0 ? kMarkNull : kMarkEmpty);
    }
  }
  return rows;
}

// Around a row, so that it hits something; three dimensions at most are constrained.
inline Constraint WindowAround(const RowSet& rows, size_t row, Random* random) {
  const KeyLayout& layout = rows.layout();
  Constraint constraint = Everything(layout);
  for (int i = 0; i < 3; ++i) {
    const int d = random->Below(layout.dimensions);
    const DimensionLayout& dimension = layout.dimension[d];
    if (rows.Marked(row, dimension.column)) {
      constraint.Require(dimension.column, rows.Marks(row) >> (2 * dimension.column) & kMarkNull ? MarkRule::kNull : MarkRule::kEmpty);
      continue;
    }
    const double at = Decode(dimension.scalar, rows.Lo(row)[d]) / (dimension.scalar != Scalar::kInteger ? 1 : Encode(dimension, 1));
    if (!(at >= 0 && at <= 1)) continue;
    const double side = random->Uniform(0, 0.2);
    constraint.RequireLo(d, {InvertedHi(dimension.width), std::max(Encode(dimension, at + side), rows.Lo(row)[d])});
    constraint.RequireHi(d, {Encode(dimension, at - side), InvertedLo(dimension.width)});
  }
  return constraint;
}

// Trees.

// What the walker saw.
struct TreeFacts {
  std::vector<LevelStatistics> levels;
  uint32_t leaked_pages = 0;
  int supernodes = 0;
  int largest_supernode = 0;  // pages
  int child_supernodes = 0;   // whose parent is one
  bool root_is_supernode = false;
};

// Rows [begin, end), inserted together.
class RowBatch final : public EntryBatch {
 public:
  RowBatch(const RowSet& rows, size_t begin, size_t end, std::function<std::string(size_t)> payload)
      : rows_(rows), begin_(begin), payload_of_(std::move(payload)), done_(end - begin) {}

  size_t size() const override { return done_.size(); }
  NewEntry Get(size_t i) override {
    rows_.Get(begin_ + i, &box_);
    payload_ = payload_of_(begin_ + i);
    return {box_, TupleOf(begin_ + i), reinterpret_cast<const uint8_t*>(payload_.data()), static_cast<uint16_t>(payload_.size())};
  }
  bool IsDone(size_t i) const override { return done_[i] != 0; }
  void SetDone(size_t i) noexcept override { done_[i]++; }
  const std::vector<char>& done() const { return done_; }

 private:
  const RowSet& rows_;
  size_t begin_;
  std::function<std::string(size_t)> payload_of_;
  std::vector<char> done_;
  Box box_;
  std::string payload_;
};

// A tree, and the rows that it must hold. Each row's payload (where the layout has any) follows from its number.
class ModelTree {
 public:
  ModelTree(const RowSet& rows, TreeOptions options = {}) : ModelTree(rows, std::make_unique<MemoryStore>(rows.layout()), options) {}
  ModelTree(const RowSet& rows, std::unique_ptr<MemoryStore> store, TreeOptions options = {})
      : rows_(rows), store_(std::move(store)), options_(options), present_(rows.size()) {}

  MemoryStore& store() { return *store_; }
  const KeyLayout& layout() const { return rows_.layout(); }
  void SetOptions(const TreeOptions& options) { options_ = options; }
  std::vector<char>& present() { return present_; }
  size_t count() const { return static_cast<size_t>(std::count(present_.begin(), present_.end(), 1)); }

  // Bytes of the payload of each row, 0 .. most.
  void VaryPayload(uint16_t most) { most_payload_ = most; }
  std::string Payload(size_t row) const {
    if (!layout().include) return {};
    return std::string(row * 7919 % (most_payload_ + 1), static_cast<char>('a' + row % 26));
  }

  // Without the model: by another backend, or to be interrupted.
  void InsertOnly(size_t row) { InsertInto(store_.get(), row); }
  void InsertInto(MemoryStore* store, size_t row) const {
    Box box;
    rows_.Get(row, &box);
    const std::string payload = Payload(row);
    ASSERT_TRUE(TwoFitOnLeaf(layout(), static_cast<uint16_t>(payload.size())));
    TreeWriter(*store, layout(), options_)
        .Insert(box, TupleOf(row), reinterpret_cast<const uint8_t*>(payload.data()), static_cast<uint16_t>(payload.size()));
  }
  void Insert(size_t row) {
    InsertOnly(row);
    present_[row] = 1;
  }
  void InsertRange(size_t begin, size_t end) {
    for (size_t row = begin; row < end; ++row) Insert(row);
  }

  RowBatch Batch(size_t begin, size_t end) const {
    return RowBatch(rows_, begin, end, [this](size_t row) { return Payload(row); });
  }
  void InsertBatchInto(MemoryStore* store, RowBatch* batch) const { TreeWriter(*store, layout(), options_).Insert(batch); }
  void InsertTogether(size_t begin, size_t end) {
    RowBatch batch = Batch(begin, end);
    InsertBatchInto(store_.get(), &batch);
    for (size_t row = begin; row < end; ++row) {
      EXPECT_EQ(batch.done()[row - begin], 1);
      present_[row] = 1;
    }
  }

  // A whole vacuum that removes these rows. `between` is called before each block.
  VacuumResult Vacuum(const std::vector<char>& dead, std::function<void(BlockNumber)> between = nullptr) {
    return VacuumOf(store_.get(), dead, between);
  }
  VacuumResult VacuumOf(MemoryStore* store, const std::vector<char>& dead, std::function<void(BlockNumber)> between = nullptr) {
    TreeVacuum vacuum(*store, layout(), [&](TupleId tuple) { return dead[RowOf(tuple)] != 0; });
    for (BlockNumber block = kRootBlock; block < store->size(); ++block) {
      if (between) between(block);
      vacuum.Process(block);
    }
    vacuum.Finish();
    levels_ = vacuum.levels();
    return vacuum.result();
  }
  void Remove(const std::vector<char>& dead) {
    for (size_t row = 0; row < dead.size(); ++row) {
      if (dead[row]) present_[row] = 0;
    }
  }
  const std::vector<LevelStatistics>& vacuum_levels() const { return levels_; }

  // Every invariant; each row of the model once, with its box and payload; no other but those of `perhaps`.
  TreeFacts Check(const std::vector<char>* perhaps = nullptr) { return CheckStore(store_.get(), perhaps); }
  TreeFacts CheckStore(MemoryStore* store, const std::vector<char>* perhaps = nullptr) const {
    TreeFacts facts;
    std::vector<char> seen(rows_.size());
    TreeCheck check(*store, layout(), [&](BlockNumber, const NodeView& page, int i) { CheckEntry(page, i, perhaps, &seen); });
    std::vector<char> supernode(store->size());
    check.OnNode([&](const OpenNode& node, BlockNumber parent) {
      if (node.pages() == 1) return;
      supernode[node.block()] = 1;
      ++facts.supernodes;
      facts.largest_supernode = std::max(facts.largest_supernode, node.pages());
      facts.root_is_supernode |= node.block() == kRootBlock;
      facts.child_supernodes += parent != kInvalidBlock && supernode[parent];
    });
    check.Walk();
    check.CheckUnreached(static_cast<BlockNumber>(store->size()));
    EXPECT_EQ(store->LockedPages(), 0);
    size_t missing = 0;
    for (size_t row = 0; row < rows_.size(); ++row) missing += present_[row] && !seen[row];
    EXPECT_EQ(missing, 0u) << "rows are missing";
    facts.levels = check.levels();
    facts.leaked_pages = check.leaked_pages();
    return facts;
  }

  // Windows around rows, against brute force.
  void CheckWindows(int count, uint64_t seed) {
    Random random(seed);
    MemoryReader reader(*store_);
    auto scan = std::make_unique<WindowScan>();
    for (int i = 0; i < count && rows_.size() > 0; ++i) {
      const Constraint window = WindowAround(rows_, random.Below(static_cast<int>(rows_.size())), &random);
      std::vector<size_t> expected;
      for (const size_t row : BruteForce(rows_, window)) {
        if (present_[row]) expected.push_back(row);
      }
      scan->Begin(layout(), window, {});
      ASSERT_EQ(Collect(&reader, scan.get()), expected);
      found_ += expected.size();
    }
  }
  size_t found() const { return found_; }  // rows of all windows so far

  static std::vector<size_t> Collect(MemoryReader* reader, WindowScan* scan) {
    auto batch = std::make_unique<LeafBatch>();
    std::vector<size_t> found;
    while (scan->Step(*reader, batch.get())) {
      for (int i = 0; i < batch->count; ++i) found.push_back(RowOf(batch->tuples[i]));
    }
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  void CheckEntry(const NodeView& page, int i, const std::vector<char>* perhaps, std::vector<char>* seen) const {
    const size_t row = RowOf(page.Tuple(i));
    ASSERT_LT(row, rows_.size());
    ASSERT_TRUE(present_[row] || (perhaps != nullptr && (*perhaps)[row])) << "row " << row << " should not be there";
    ASSERT_EQ((*seen)[row]++, 0) << "row " << row << " is there twice";
    Box stored, expected;
    page.GetBox(i, &stored);
    rows_.Get(row, &expected);
    ASSERT_TRUE(Equal(layout(), stored, expected)) << "row " << row << " has another box";
    if (!layout().include) return;
    uint16_t length;
    const uint8_t* bytes = page.Payload(i, &length);
    ASSERT_EQ(std::string(reinterpret_cast<const char*>(bytes), length), Payload(row));
  }

  const RowSet& rows_;
  std::unique_ptr<MemoryStore> store_;
  TreeOptions options_;
  std::vector<char> present_;
  std::vector<LevelStatistics> levels_;
  uint16_t most_payload_ = 0;
  size_t found_ = 0;
};

}  // namespace xtree::test
