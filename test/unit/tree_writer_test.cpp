// Insertion: every kind of data against a model, brute force and boost's R-tree; faults at every call; a crash after
// every change.
#include "core/write/tree_writer.h"

#define BOOST_ALLOW_DEPRECATED_HEADERS  // boost's own use of them
#include <boost/geometry.hpp>
#include <boost/geometry/geometries/box.hpp>
#include <boost/geometry/geometries/point.hpp>
#include <boost/geometry/index/rtree.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tree_fixture.h"

namespace xtree::test {
namespace {

struct Case {
  const char* name;
  std::vector<ColumnShape> columns;
  Kind kind;
  size_t rows;
  uint16_t payload = 0;  // 0: no INCLUDE
  TreeOptions options = {};
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class Insertion : public testing::TestWithParam<Case> {
 protected:
  Insertion() { tree_.VaryPayload(case_.payload); }

  // Inserts rows [begin, end) by `insert`, and looks at the tree: an early mistake is not hidden by what comes after it.
  template <class Insert>
  void InsertAndCheck(size_t begin, size_t end, Insert&& insert) {
    ASSERT_NO_FATAL_FAILURE(insert(begin, std::min(end, case_.rows)));
    tree_.Check();
    tree_.CheckWindows(5, begin);
  }

  void CheckWhole() {
    if (HasFailure()) return;
    EXPECT_GT(tree_.Check().levels.size(), 1u) << "nothing was split: this tests nothing";
    tree_.CheckWindows(30, 5);
    EXPECT_GT(tree_.found(), 0u) << "the windows hit nothing: this tests nothing";
  }

  const Case& case_ = GetParam();
  const KeyLayout layout_ = MakeLayout(case_.columns, case_.payload > 0);
  const RowSet rows_ = MakeRows(layout_, case_.kind, case_.rows, 11);
  ModelTree tree_{rows_, case_.options};
};

TEST_P(Insertion, AgreesWithModel) {
  const size_t step = case_.rows / 8;
  for (size_t begin = 0; begin < case_.rows && !HasFailure(); begin += step)
    InsertAndCheck(begin, begin + step, [this](size_t from, size_t to) { tree_.InsertRange(from, to); });
  CheckWhole();
}

// The same rows in batches of growing size: fewer commits, the same answers.
TEST_P(Insertion, TogetherAgreesWithModel) {
  for (size_t begin = 0, size = 1; begin < case_.rows && !HasFailure(); begin += size, size = size * 3 / 2 + 1)
    InsertAndCheck(begin, begin + size, [this](size_t from, size_t to) { tree_.InsertTogether(from, to); });
  CheckWhole();
}

// An error at each of its calls: what the batch says is done is in the tree, nothing else is, and the rest can follow.
TEST_P(Insertion, TogetherInterrupted) {
  const size_t before = case_.rows / 4, end = std::min(case_.rows, before + 300);
  tree_.InsertTogether(0, before);
  const std::unique_ptr<MemoryStore> trial = tree_.store().Crash(true);
  RowBatch all = tree_.Batch(before, end);
  tree_.InsertBatchInto(trial.get(), &all);
  const int64_t calls = trial->faults.calls();
  bool some_done = false;
  for (int64_t at = 1; at <= calls && !HasFailure(); at += 1 + calls / 40) {
    const std::unique_ptr<MemoryStore> store = tree_.store().Crash(true);
    RowBatch batch = tree_.Batch(before, end);
    store->faults.FailAt(at);
    EXPECT_THROW(tree_.InsertBatchInto(store.get(), &batch), InjectedFault);
    for (size_t row = before; row < end; ++row) {
      tree_.present()[row] = batch.IsDone(row - before);
      some_done |= batch.IsDone(row - before);
    }
    tree_.CheckStore(store.get());
    tree_.InsertBatchInto(store.get(), &batch);
    std::fill(tree_.present().begin() + static_cast<ptrdiff_t>(before), tree_.present().begin() + static_cast<ptrdiff_t>(end), 1);
    tree_.CheckStore(store.get());
  }
  EXPECT_TRUE(some_done);
}

// Neighbours share a leaf's record.
TEST(TreeWriter, ABatchTakesFewRecords) {
  const KeyLayout layout = MakeLayout({{1, 8, false, Scalar::kInteger}}, false);
  RowSet rows(layout);
  Box box;
  box.marks = 0;
  for (int i = 0; i < 20000; ++i) {
    box.lo[0] = box.hi[0] = i < 10000 ? i * 10 : (i - 10000) * 10 + 5;
    rows.Add(box);
  }
  ModelTree tree(rows);
  tree.InsertRange(0, 10000);
  const int64_t before = tree.store().commits;
  tree.InsertTogether(10000, 20000);
  EXPECT_LT(tree.store().commits - before, 1500);
  tree.Check();
}

constexpr Scalar kFloat = Scalar::kFloat64;
constexpr Scalar kNarrow = Scalar::kFloat32;
constexpr Scalar kInt = Scalar::kInteger;

const Case kCases[] = {
    {"Points1D", {{1, 8, false, kFloat}}, Kind::kUniform, 12000},
    {"Integers1D", {{1, 4, false, kInt}}, Kind::kUniform, 12000},
    {"Intervals1D", {{1, 8, true, kInt}}, Kind::kUniform, 8000},
    {"Points2D", {{2, 8, false, kFloat}}, Kind::kUniform, 16000},
    {"Boxes2D", {{2, 8, true, kFloat}}, Kind::kUniform, 12000},
    {"ClusteredPoints2D", {{2, 8, false, kFloat}}, Kind::kClustered, 12000},
    {"ClusteredBoxes3D", {{3, 4, true, kNarrow}}, Kind::kClustered, 12000},
    {"SortedPoints2D", {{2, 8, false, kFloat}}, Kind::kSorted, 16000},
    {"SortedIntegers1D", {{1, 8, false, kInt}}, Kind::kSorted, 12000},
    {"ThreePlaces2D", {{2, 8, false, kFloat}}, Kind::kDuplicates, 12000},
    {"OnePlace2D", {{2, 8, false, kFloat}}, Kind::kOnePlace, 12000},
    {"OnePlace8D", {{8, 8, true, kFloat}}, Kind::kOnePlace, 6000},
    {"Line2D", {{2, 8, false, kFloat}}, Kind::kLine, 12000},
    {"Line8D", {{8, 8, true, kFloat}}, Kind::kLine, 4000},
    {"NullPoints2D", {{2, 8, false, kFloat}}, Kind::kNulls, 8000},
    {"NullBoxes3D", {{3, 8, true, kFloat}}, Kind::kNulls, 8000},
    {"NullColumns", {{1, 4, false, kInt}, {2, 8, true, kFloat}, {1, 8, false, kInt}, {1, 4, true, kNarrow}}, Kind::kNulls, 8000},
    {"Extremes2D", {{2, 8, false, kFloat}}, Kind::kExtremes, 8000},
    {"ExtremeBoxes2D", {{2, 8, true, kFloat}}, Kind::kExtremes, 8000},
    {"ExtremeColumns", {{1, 4, false, kInt}, {2, 8, true, kFloat}, {1, 8, true, kInt}, {1, 4, true, kNarrow}}, Kind::kExtremes, 6000},
    {"Columns", {{1, 4, false, kInt}, {2, 8, false, kFloat}, {1, 8, false, kInt}}, Kind::kUniform, 12000},
    {"ClusteredColumns", {{1, 4, false, kInt}, {1, 8, false, kInt}, {1, 4, false, kNarrow}}, Kind::kClustered, 12000},
    {"Columns32", std::vector<ColumnShape>(32, ColumnShape{1, 4, false, kInt}), Kind::kNulls, 4000},
    {"Points8D", {{8, 8, false, kFloat}}, Kind::kUniform, 8000},
    {"Boxes8D", {{8, 4, true, kNarrow}}, Kind::kUniform, 6000},
    {"Points16D", {{16, 8, false, kFloat}}, Kind::kUniform, 6000},
    {"Boxes16D", {{16, 8, true, kFloat}}, Kind::kClustered, 3000},
    {"NullBoxes16D", {{8, 8, true, kFloat}, {8, 4, false, kInt}}, Kind::kNulls, 3000, 0, {.max_overlap = 0}},
    {"Points100D", {{100, 4, false, kNarrow}}, Kind::kUniform, 1500},
    {"ClusteredPoints100D", {{100, 8, false, kFloat}}, Kind::kClustered, 1200},
    {"Boxes100D", {{100, 8, true, kFloat}}, Kind::kUniform, 800},
    {"NullBoxes100D", {{50, 8, true, kFloat}, {50, 8, true, kFloat}}, Kind::kNulls, 800},
    {"Payload2D", {{2, 8, false, kFloat}}, Kind::kUniform, 8000, 60},
    {"LargePayload2D", {{2, 8, false, kFloat}}, Kind::kClustered, 2000, 2704},
    {"LargePayloadNulls", {{2, 8, false, kFloat}, {1, 4, true, kInt}}, Kind::kNulls, 2000, 2704},
    {"Payload100D", {{100, 8, true, kFloat}}, Kind::kNulls, 600, 2000},
    {"RStarOnly8D", {{8, 8, true, kFloat}}, Kind::kUniform, 5000, 0, {.max_overlap = 1}},
    {"UnbalancedSplits16D", {{16, 8, true, kFloat}}, Kind::kUniform, 2500, 0, {.min_fanout = 0}},
    {"EvenSplits16D", {{16, 8, true, kFloat}}, Kind::kUniform, 2500, 0, {.max_overlap = 0, .min_fanout = 0.5}},
    {"SupernodesOf2Pages16D", {{16, 8, true, kFloat}}, Kind::kUniform, 2500, 0, {.max_overlap = 0, .max_supernode_pages = 2}},
    {"NoSupernodes16D", {{16, 8, true, kFloat}}, Kind::kUniform, 2500, 0, {.max_overlap = 0, .max_supernode_pages = 1}},
};
INSTANTIATE_TEST_SUITE_P(Cases, Insertion, testing::ValuesIn(kCases), [](const auto& info) { return info.param.name; });

// A leaf of the widest keys takes few entries: payloads up to what two entries leave room for.
TEST(TreeWriter, PayloadsAtTheLimit) {
  for (const int dimensions : {1, 2, 16, 100}) {
    const KeyLayout layout = MakeLayout({{static_cast<uint16_t>(dimensions), 8, true, kFloat}}, true);
    uint16_t most = 4096;
    while (!TwoFitOnLeaf(layout, most)) --most;
    ASSERT_GT(most, 2000);
    EXPECT_FALSE(TwoFitOnLeaf(layout, kPageSize));
    const RowSet rows = MakeRows(layout, Kind::kNulls, 300, 3);
    ModelTree tree(rows);
    tree.VaryPayload(most);
    tree.InsertRange(0, rows.size());
    tree.Check();
  }
}

// A full leaf sheds the entries that scans found dead, and nothing else, before it would split.
TEST(TreeWriter, KilledEntriesMakeRoom) {
  const KeyLayout layout = MakeLayout({{2, 8, false, kFloat}}, true);
  const RowSet rows = MakeRows(layout, Kind::kUniform, 1000, 4);
  ModelTree tree(rows);
  tree.VaryPayload(100);
  size_t next = 0;
  while (tree.store().view(kRootBlock).HasRoom(false, 100)) tree.Insert(next++);
  const int entries = tree.store().view(kRootBlock).entries();
  std::vector<TupleId> killed;
  for (int i = 0; i < entries; i += 3) {
    tree.store().editor(kRootBlock).Kill(i);
    killed.push_back(tree.store().view(kRootBlock).Tuple(i));
  }
  for (const TupleId tuple : killed) tree.present()[RowOf(tuple)] = 0;
  std::vector<char> perhaps(rows.size());
  for (const TupleId tuple : killed) perhaps[RowOf(tuple)] = 1;
  for (size_t i = 0; i < killed.size() / 2; ++i) {
    tree.Insert(next++);
    tree.Check(&perhaps);  // the dead may stay as long as there is room
  }
  EXPECT_EQ(tree.store().view(kRootBlock).level(), 0) << "split, where the dead left room";
  EXPECT_EQ(tree.store().killed_removed, killed.size());
  tree.Check();
}

TEST(TreeWriter, SplitsWhereNothingWasKilled) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = MakeRows(layout, Kind::kUniform, 1000, 4);
  ModelTree tree(rows);
  tree.InsertRange(0, rows.size());
  EXPECT_EQ(tree.store().killed_removed, 0u);
  EXPECT_GT(tree.store().view(kRootBlock).level(), 0);
}

// SERIALIZABLE: a page whose entry grows or that takes the new one is checked, and no other. Whoever searched a node
// searched for what comes to be under a child's grown box as well; a split passes locks on to the new node.
TEST(TreeWriter, ChecksConflictsAndPassesLocksOn) {
  const KeyLayout layout = FloatLayout(100, true);
  const RowSet rows = MakeRows(layout, Kind::kUniform, 300, 4);
  ModelTree tree(rows, {.max_overlap = 0, .min_fanout = 0.5, .max_supernode_pages = 3});
  MemoryStore& store = tree.store();
  std::set<BlockNumber> nodes{kRootBlock};
  int splits = 0;
  for (size_t row = 0; row < rows.size(); ++row) {
    store.conflict_checks.clear();
    store.predicate_splits.clear();
    const std::unique_ptr<MemoryStore> before = store.Crash();
    const int64_t allocations = store.allocations;
    tree.Insert(row);
    std::set<BlockNumber> now, leaf_changed, directory_changed;
    TreeCheck check(store, layout, nullptr);
    check.OnNode([&](const OpenNode& node, BlockNumber) {
      now.insert(node.block());
      for (int p = 0; p < node.pages(); ++p) {
        const BlockNumber page = node.ref(p).block;
        if (page < before->size() && before->LsnOf(page) == store.LsnOf(page)) continue;
        (node.leaf() ? leaf_changed : directory_changed).insert(node.block());
      }
    });
    check.Walk();
    std::set<BlockNumber> born, given_from, given_to;
    std::set_difference(now.begin(), now.end(), nodes.begin(), nodes.end(), std::inserter(born, born.end()));
    for (const auto& [from, to] : store.predicate_splits) {
      given_from.insert(from);
      given_to.insert(to);
    }
    ASSERT_TRUE(std::includes(given_to.begin(), given_to.end(), born.begin(), born.end())) << row;
    nodes = now;
    if (store.allocations > allocations) {
      ++splits;
      continue;
    }
    ASSERT_EQ(given_from, directory_changed) << row;
    std::set<BlockNumber> changed = leaf_changed;
    changed.insert(directory_changed.begin(), directory_changed.end());
    ASSERT_EQ(std::set<BlockNumber>(store.conflict_checks.begin(), store.conflict_checks.end()), changed) << row;
  }
  EXPECT_GT(splits, 50);
}

// Against boost.

namespace bg = boost::geometry;

template <int kDimensions>
class BoostTree {
 public:
  using Point = bg::model::point<double, kDimensions, bg::cs::cartesian>;
  using BoostBox = bg::model::box<Point>;

  void Insert(const RowSet& rows, size_t row) { tree_.insert({BoostBox(At(rows.Lo(row)), At(rows.Hi(row))), row}); }
  std::vector<size_t> Window(const Ordinal* lo, const Ordinal* hi) const {
    std::vector<size_t> rows;
    for (auto it = tree_.qbegin(bg::index::intersects(BoostBox(At(lo), At(hi)))); it != tree_.qend(); ++it) rows.push_back(it->second);
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  std::vector<double> Nearest(const Ordinal* query, unsigned count) const {
    std::vector<double> distances;
    for (auto it = tree_.qbegin(bg::index::nearest(At(query), count)); it != tree_.qend(); ++it)
      distances.push_back(bg::distance(At(query), it->first));
    std::sort(distances.begin(), distances.end());
    return distances;
  }

 private:
  static Point At(const Ordinal* ordinals) {
    Point point;
    bg::set<0>(point, DoubleFromOrdinal(ordinals[0]));
    bg::set<1>(point, DoubleFromOrdinal(ordinals[1]));
    if constexpr (kDimensions == 3) bg::set<2>(point, DoubleFromOrdinal(ordinals[2]));
    return point;
  }
  bg::index::rtree<std::pair<BoostBox, size_t>, bg::index::rstar<16>> tree_;
};

double EuclideanDistance(void* context, const Ordinal* lo, const Ordinal* hi) {
  const auto& query = *static_cast<const std::vector<double>*>(context);
  double sum = 0;
  for (size_t d = 0; d < query.size(); ++d) {
    const double side = std::max({DoubleFromOrdinal(lo[d]) - query[d], query[d] - DoubleFromOrdinal(hi[d]), 0.0});
    sum += side * side;
  }
  return std::sqrt(sum);
}

std::vector<double> NearestDistances(MemoryStore& store, const Ordinal* at, size_t count) {
  const KeyLayout& layout = store.layout();
  std::vector<double> query, distances;
  for (int d = 0; d < layout.dimensions; ++d) query.push_back(DoubleFromOrdinal(at[d]));
  const DistanceKey key{0, layout.dimensions, 0, query.data(), nullptr, &EuclideanDistance, &query};
  MemoryReader reader(store);
  auto scan = std::make_unique<NearestScan>();
  scan->Begin(layout, Everything(layout), &key, 1, {});
  NearestRow row;
  while (distances.size() < count && scan->Next(reader, &row)) distances.push_back(row.distance[0]);
  return distances;
}

template <int kDimensions>
void CompareWithBoost(Kind kind, bool extended) {
  const KeyLayout layout = FloatLayout(kDimensions, extended);
  const RowSet rows = MakeRows(layout, kind, 10000, 21);
  ModelTree tree(rows);
  BoostTree<kDimensions> reference;
  Random random(22);
  Box window;
  for (size_t row = 0; row < rows.size(); ++row) {
    tree.Insert(row);
    reference.Insert(rows, row);
    if (row % 200 != 199) continue;
    rows.Get(random.Below(static_cast<int>(row)), &window);
    std::vector<double> lo, hi;
    for (int d = 0; d < kDimensions; ++d) {
      lo.push_back(DoubleFromOrdinal(window.lo[d]) - random.Uniform(0, 0.1));
      hi.push_back(DoubleFromOrdinal(window.hi[d]) + random.Uniform(0, 0.1));
      window.lo[d] = OrdinalFromDouble(lo[d]);
      window.hi[d] = OrdinalFromDouble(hi[d]);
    }
    MemoryReader reader(tree.store());
    auto scan = std::make_unique<WindowScan>();
    scan->Begin(layout, Overlapping(layout, lo, hi), {});
    ASSERT_EQ(ModelTree::Collect(&reader, scan.get()), reference.Window(window.lo, window.hi));
    const std::vector<double> found = NearestDistances(tree.store(), window.lo, 20);
    const std::vector<double> expected = reference.Nearest(window.lo, 20);
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) ASSERT_NEAR(found[i], expected[i], 1e-12);
  }
  tree.Check();
}

TEST(TreeWriter, AgreesWithBoostPoints2D) { CompareWithBoost<2>(Kind::kUniform, false); }
TEST(TreeWriter, AgreesWithBoostBoxes2D) { CompareWithBoost<2>(Kind::kClustered, true); }
TEST(TreeWriter, AgreesWithBoostDuplicates2D) { CompareWithBoost<2>(Kind::kDuplicates, false); }
TEST(TreeWriter, AgreesWithBoostBoxes3D) { CompareWithBoost<3>(Kind::kUniform, true); }

}  // namespace
}  // namespace xtree::test
