// WindowScan against brute force and boost's R-tree, and on damaged trees.
#include "core/scan/window_scan.h"

#define BOOST_ALLOW_DEPRECATED_HEADERS  // boost's own use of them
#include <boost/geometry.hpp>
#include <boost/geometry/geometries/box.hpp>
#include <boost/geometry/geometries/point.hpp>
#include <boost/geometry/index/rtree.hpp>
#include <gtest/gtest.h>

#include <numeric>

#include "window_fixture.h"

namespace xtree::test {
namespace {

// About three dimensions are constrained, or no window would hit anything where there are many.
Constraint RandomWindow(const KeyLayout& layout, Random* random) {
  std::vector<double> lo(layout.dimensions, -10), hi(layout.dimensions, 10);
  const double side = random->Below(4) == 0 ? 1 : random->Uniform(0, 0.4);
  for (int d = 0; d < layout.dimensions; ++d) {
    if (random->Below(layout.dimensions) >= 3) continue;
    lo[d] = random->Below(3) == 0 ? random->Below(5) * 0.25 : random->Uniform(-0.1, 1);
    hi[d] = lo[d] + side;
  }
  return Overlapping(layout, lo, hi);
}

struct Case {
  int dimensions;
  bool extended;
  Distribution distribution;
  PackOptions pack;
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.dimensions << (c.extended ? "-D boxes" : "-D points") << ", distribution " << static_cast<int>(c.distribution) << ", "
       << c.pack.leaf_entries << "/" << c.pack.page_entries << "/" << c.pack.node_pages;
}

class WindowScanData : public testing::TestWithParam<Case> {};

TEST_P(WindowScanData, AgreesWithBruteForce) {
  const Case& c = GetParam();
  const KeyLayout layout = FloatLayout(c.dimensions, c.extended);
  const RowSet rows = RandomRows(layout, 3000, c.distribution, 7);
  const auto store = PackTree(rows, c.pack);
  Random random(8);
  size_t found = 0;
  for (int i = 0; i < 60; ++i) {
    const Constraint window = RandomWindow(layout, &random);
    const std::vector<size_t> expected = BruteForce(rows, window);
    ASSERT_EQ(Search(*store, window), expected);
    found += expected.size();
  }
  EXPECT_GT(found, 0u) << "the windows hit nothing: this tests nothing";
}

const Case kCases[] = {
    {1, false, Distribution::kUniform, {}},           {2, false, Distribution::kUniform, {}},
    {2, false, Distribution::kUniform, {5, 4, 1}},    {2, false, Distribution::kUniform, {5, 4, 3}},
    {2, false, Distribution::kClustered, {9, 7, 1}},  {2, false, Distribution::kDuplicates, {9, 7, 1}},
    {2, false, Distribution::kOnePoint, {9, 7, 2}},   {2, true, Distribution::kUniform, {9, 7, 1}},
    {3, true, Distribution::kClustered, {9, 7, 1}},   {3, false, Distribution::kUniform, {}},
    {8, false, Distribution::kClustered, {20, 8, 2}}, {32, true, Distribution::kDuplicates, {}},
    {100, false, Distribution::kDuplicates, {}},      {100, true, Distribution::kClustered, {4, 3, 4}},
};
INSTANTIATE_TEST_SUITE_P(Cases, WindowScanData, testing::ValuesIn(kCases));

template <int kDimensions>
void CompareWithBoost(uint64_t seed) {
  namespace bg = boost::geometry;
  using Point = bg::model::point<double, kDimensions, bg::cs::cartesian>;
  using BoostBox = bg::model::box<Point>;
  const KeyLayout layout = FloatLayout(kDimensions, true);
  const RowSet rows = RandomRows(layout, 20000, Distribution::kClustered, seed);
  const auto to_point = [](const auto& coordinate) {
    Point point;
    bg::set<0>(point, coordinate(0));
    bg::set<1>(point, coordinate(1));
    if constexpr (kDimensions == 3) bg::set<2>(point, coordinate(2));
    return point;
  };
  bg::index::rtree<std::pair<BoostBox, size_t>, bg::index::rstar<16>> reference;
  for (size_t row = 0; row < rows.size(); ++row) {
    const Point lo = to_point([&](int d) { return DoubleFromOrdinal(rows.Lo(row)[d]); });
    const Point hi = to_point([&](int d) { return DoubleFromOrdinal(rows.Hi(row)[d]); });
    reference.insert({BoostBox(lo, hi), row});
  }
  const auto store = PackTree(rows);
  Random random(seed + 1);
  for (int i = 0; i < 100; ++i) {
    std::vector<double> lo, hi;
    for (int d = 0; d < kDimensions; ++d) {
      lo.push_back(random.Uniform(-0.1, 1));
      hi.push_back(lo[d] + random.Uniform(0, 0.3));
    }
    const BoostBox window(to_point([&](int d) { return lo[d]; }), to_point([&](int d) { return hi[d]; }));
    std::vector<size_t> expected;
    for (auto it = reference.qbegin(bg::index::intersects(window)); it != reference.qend(); ++it) expected.push_back(it->second);
    ASSERT_EQ(Search(*store, Overlapping(layout, lo, hi)), Sorted(expected));
  }
}

TEST(WindowScan, AgreesWithBoost2D) { CompareWithBoost<2>(21); }
TEST(WindowScan, AgreesWithBoost3D) { CompareWithBoost<3>(22); }

TEST(WindowScan, EmptyTree) {
  const KeyLayout layout = FloatLayout(2, false);
  MemoryStore store(layout);
  EXPECT_TRUE(Search(store, Everything(layout)).empty());
}

TEST(WindowScan, ContradictionReadsNothing) {
  const KeyLayout layout = FloatLayout(2, false);
  const auto store = PackTree(RandomRows(layout, 1000, Distribution::kUniform, 1));
  Constraint constraint = Everything(layout);
  constraint.Require(0, MarkRule::kNever);
  MemoryReader reader(*store);
  WindowScan scan;
  scan.Begin(layout, constraint, {});
  EXPECT_TRUE(Collect(reader, &scan).empty());
  EXPECT_EQ(reader.opens, 0);
}

// The pages whose bounds meet the window and no others, siblings in the order of their entries.
TEST(WindowScan, ReadsOnlyPagesThatMayMatch) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 4000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {20, 10, 1});
  const Constraint window = Overlapping(layout, {0.2, 0.3}, {0.5, 0.6});
  std::vector<BlockNumber> expected;
  const std::function<void(BlockNumber)> walk = [&](BlockNumber block) {
    expected.push_back(block);
    const NodeView node = store->view(block);
    for (int i = 0; !node.leaf() && i < node.entries(); ++i) {
      bool meets = true;
      for (int d = 0; d < 2; ++d) meets &= node.Lo(i, d) <= window.lo[d].max && node.Hi(i, d) >= window.hi[d].min;
      if (meets) walk(node.Child(i));
    }
  };
  walk(kRootBlock);

  std::vector<BlockNumber> trace, announced;
  MemoryReader reader(*store);
  reader.trace = &trace;
  reader.announced = &announced;
  auto scan = std::make_unique<WindowScan>();
  scan->Begin(layout, window, {});
  Collect(reader, scan.get());
  EXPECT_EQ(trace, expected);
  EXPECT_EQ(std::multiset<BlockNumber>(announced.begin(), announced.end()), std::multiset<BlockNumber>(trace.begin() + 1, trace.end()));
}

TEST(WindowScan, AnnouncesNothingToAReaderThatDoesNotReadAhead) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 4000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {20, 10, 1});
  std::vector<BlockNumber> announced;
  for (const bool reads_ahead : {true, false}) {
    announced.clear();
    MemoryReader reader(*store);
    reader.reads_ahead = reads_ahead;
    reader.announced = &announced;
    auto scan = std::make_unique<WindowScan>();
    scan->Begin(layout, Everything(layout), {});
    EXPECT_EQ(Collect(reader, scan.get()).size(), rows.size());
    EXPECT_EQ(announced.empty(), !reads_ahead);
  }
}

TEST(WindowScan, MarksFollowTheirRules) {
  const KeyLayout layout = MakeLayout({{2, 8, true, Scalar::kFloat64}, {1, 4, false, Scalar::kInteger}, {1, 8, true, Scalar::kInteger}});
  RowSet rows(layout);
  Random random(5);
  for (size_t i = 0; i < 3000; ++i) {
    Box box;
    for (int d = 0; d < 4; ++d) {
      box.lo[d] = d < 2 ? OrdinalFromDouble(random.Uniform()) : random.Below(1000);
      box.hi[d] = d == 2 ? box.lo[d] : d < 2 ? OrdinalFromDouble(DoubleFromOrdinal(box.lo[d]) + 0.1) : box.lo[d] + random.Below(50);
    }
    box.marks = 0;
    rows.Add(box);
    for (int column = 0; column < 3; ++column) {
      if (random.Below(6) == 0) rows.Mark(i, column, column != 1 && random.Below(2) ? kMarkEmpty : kMarkNull);
    }
  }
  const auto store = PackTree(rows, {10, 6, 2});
  const MarkRule rules[] = {MarkRule::kAny,   MarkRule::kValue,   MarkRule::kValueOrEmpty,
                            MarkRule::kEmpty, MarkRule::kNotNull, MarkRule::kNull};
  std::set<size_t> sizes;
  for (int i = 0; i < 300; ++i) {
    Constraint constraint = Everything(layout);
    for (int column = 0; column < 3; ++column) constraint.Require(column, rules[random.Below(6)]);
    if (random.Below(2)) constraint.RequireLo(0, {OrdinalFromDouble(0.2), OrdinalFromDouble(0.8)});
    if (random.Below(2)) constraint.RequireLo(2, {100, 800});
    if (random.Below(2)) constraint.RequireHi(3, {300, kOrdinalMax});
    const std::vector<size_t> expected = BruteForce(rows, constraint);
    ASSERT_EQ(Search(*store, constraint), expected) << "query " << i;
    sizes.insert(expected.size());
  }
  EXPECT_GT(sizes.size(), 50u);
}

TEST(WindowScan, BatchTellsWhereItsRowsLie) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 2000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {30, 10, 1});
  Constraint window = Overlapping(layout, {0.2, 0.3}, {0.5, 0.6});
  window.recheck = true;
  MemoryReader reader(*store);
  auto scan = std::make_unique<WindowScan>();
  scan->Begin(layout, window, {.keep_pages = true});
  LeafBatch batch;
  size_t found = 0;
  while (scan->Step(reader, &batch)) {
    EXPECT_EQ(batch.lsn, store->LsnOf(batch.block));
    EXPECT_TRUE(batch.recheck);
    ASSERT_NE(batch.page, nullptr);
    ASSERT_NE(batch.page, store->image(batch.block).bytes) << "a copy, as the page is not held";
    const NodeView copy(layout, batch.page);
    for (int i = 0; i < batch.count; ++i, ++found) {
      const size_t row = RowOf(batch.tuples[i]);
      EXPECT_EQ(store->view(batch.block).Tuple(batch.slots[i]), batch.tuples[i]);
      EXPECT_EQ(copy.Tuple(batch.slots[i]), batch.tuples[i]);
      EXPECT_EQ(copy.Lo(batch.slots[i], 1), rows.Lo(row)[1]);
    }
  }
  EXPECT_EQ(found, BruteForce(rows, window).size());
}

// Seen to fail: with the mark of a match at its place in the batch instead of its slot, since sorting moves it.
TEST(WindowScan, BatchTellsWhichOfItsRowsAreDoubtful) {
  const KeyLayout layout = FloatLayout(2, true);
  const RowSet rows = RandomRows(layout, 2000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {30, 10, 1});
  Constraint wide = Overlapping(layout, {0.2, 0.3}, {0.5, 0.6}), narrow = Overlapping(layout, {0.25, 0.35}, {0.45, 0.55});
  std::vector<Interval> lo, hi;
  for (const Constraint* one : {&wide, &narrow}) {
    lo.insert(lo.end(), one->lo, one->lo + 2);
    hi.insert(hi.end(), one->hi, one->hi + 2);
  }
  MarkRule rule[] = {MarkRule::kValue, MarkRule::kValue};
  bool recheck[] = {true, false};
  AnyOf group = {0, 2, lo.data(), hi.data(), rule, false, recheck};
  wide.any_of = &group;
  wide.any_of_count = 1;
  MemoryReader reader(*store);
  for (const WindowOrder order : {WindowOrder::kStored, WindowOrder::kHeap, WindowOrder::kSpatial}) {
    auto scan = std::make_unique<WindowScan>();
    scan->Begin(layout, wide, {.order = order});
    LeafBatch batch;
    size_t found = 0, doubtful = 0;
    while (scan->Step(reader, &batch)) {
      for (int i = 0; i < batch.count; ++i, ++found) {
        EXPECT_EQ(batch.MustRecheck(i), !Satisfies(rows, RowOf(batch.tuples[i]), narrow));
        doubtful += batch.MustRecheck(i);
      }
    }
    EXPECT_EQ(found, BruteForce(rows, wide).size());
    EXPECT_EQ(found - doubtful, BruteForce(rows, narrow).size());
  }
}

TEST(WindowScan, MatchesAscendByTupleIfAsked) {
  const KeyLayout layout = FloatLayout(2, false);
  const auto store = PackTree(RandomRows(layout, 2000, Distribution::kUniform, 3), {100, 10, 1});
  MemoryReader reader(*store);
  auto scan = std::make_unique<WindowScan>();
  scan->Begin(layout, Everything(layout), {.order = WindowOrder::kHeap});
  LeafBatch batch;
  std::vector<size_t> found;
  while (scan->Step(reader, &batch)) {
    for (int i = 0; i < batch.count; ++i) {
      EXPECT_EQ(store->view(batch.block).Tuple(batch.slots[i]), batch.tuples[i]);
      if (i > 0) {
        EXPECT_LT(batch.tuples[i - 1].Packed(), batch.tuples[i].Packed());
      }
      found.push_back(RowOf(batch.tuples[i]));
    }
  }
  std::vector<size_t> all(2000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(Sorted(found), all);
}

TEST(WindowScan, PayloadComesWithThePage) {
  const KeyLayout layout = MakeLayout({{2, 8, false, Scalar::kFloat64}}, true);
  MemoryStore store(layout);
  Box box;
  box.marks = 0;
  for (int i = 0; i < 50; ++i) {
    box.lo[0] = box.hi[0] = box.lo[1] = box.hi[1] = OrdinalFromDouble(i);
    const std::string payload = "row " + std::to_string(i);
    store.editor(kRootBlock)
        .AppendTuple(box, TupleOf(i), reinterpret_cast<const uint8_t*>(payload.data()), static_cast<uint16_t>(payload.size()));
  }
  MemoryReader reader(store);
  auto scan = std::make_unique<WindowScan>();
  scan->Begin(layout, Overlapping(layout, {10, 10}, {12, 12}), {.keep_pages = true});
  LeafBatch batch;
  ASSERT_TRUE(scan->Step(reader, &batch));
  ASSERT_EQ(batch.count, 3);
  uint16_t length;
  const uint8_t* payload = NodeView(layout, batch.page).Payload(batch.slots[1], &length);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(payload), length), "row 11");
}

TEST(WindowScan, LeavesOutKilledEntriesIfAsked) {
  const KeyLayout layout = FloatLayout(2, false);
  const auto store = PackTree(RandomRows(layout, 500, Distribution::kUniform, 3), {50, 50, 1});
  std::vector<size_t> alive;
  for (BlockNumber block = 2; block < store->size(); ++block) {
    for (int i = 0; store->view(block).leaf() && i < store->view(block).entries(); ++i) {
      if (i % 3 == 0 || block == 4) {
        store->editor(block).Kill(i);
      } else {
        alive.push_back(RowOf(store->view(block).Tuple(i)));
      }
    }
  }
  EXPECT_EQ(Search(*store, Everything(layout), {.ignore_killed = true}), Sorted(alive));
  EXPECT_EQ(Search(*store, Everything(layout)).size(), 500u);
}

TEST(WindowScan, StartsAgainWithoutNewMemory) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 3000, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {10, 10, 1});
  MemoryReader reader(*store);
  auto scan = std::make_unique<WindowScan>();
  scan->Begin(layout, Everything(layout), {.keep_pages = true});
  Collect(reader, scan.get());
  const int64_t before = reader.reallocations;
  LeafBatch batch;
  for (int i = 0; i < 20; ++i) {
    const Constraint window = Overlapping(layout, {0.04 * i, 0.1}, {0.04 * i + 0.3, 0.9});
    scan->Begin(layout, window, {.keep_pages = true});
    if (i % 2 == 0) {
      scan->Step(reader, &batch);  // given up after the first leaf
    } else {
      EXPECT_EQ(Sorted(Collect(reader, scan.get())), BruteForce(rows, window));
    }
  }
  EXPECT_EQ(reader.reallocations, before);
}

// As an AM's zero-filled allocation: no constructor runs.
TEST(WindowScan, AllZeroesIsAValidState) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 300, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {10, 10, 1});
  MemoryReader reader(*store);
  void* memory = std::calloc(1, sizeof(WindowScan));
  auto* scan = static_cast<WindowScan*>(memory);
  scan->Begin(layout, Everything(layout), {.keep_pages = true});
  EXPECT_EQ(Collect(reader, scan).size(), 300u);
  std::free(memory);
}

// An error at any call leaves the scan in a state from which it can start again.
TEST(WindowScan, SurvivesAFaultAtEveryCall) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 400, Distribution::kUniform, 3);
  const auto store = PackTree(rows, {10, 3, 3});
  int faults = 0;
  for (int at = 1;; ++at) {
    MemoryReader reader(*store);
    auto scan = std::make_unique<WindowScan>();
    scan->Begin(layout, Everything(layout), {.keep_pages = true});
    reader.faults.FailAt(at);
    try {
      Collect(reader, scan.get());
      break;
    } catch (const InjectedFault&) {
      ++faults;
    }
    reader.ReleaseAll();
    scan->Begin(layout, Everything(layout), {.keep_pages = true});
    ASSERT_EQ(Collect(reader, scan.get()).size(), rows.size());
  }
  EXPECT_GT(faults, 50);
}

// Damage.

class DamagedTree : public testing::Test {
 protected:
  DamagedTree() : layout_(FloatLayout(2, false)) {
    store_ = PackTree(RandomRows(layout_, 400, Distribution::kUniform, 31), {8, 5, 3});
    EXPECT_EQ(store_->view(kRootBlock).level(), 2);
    node_ = store_->view(kRootBlock).Child(1);
  }

  void ExpectCorrupt(BlockNumber block, const std::string& what) {
    MemoryReader reader(*store_);
    auto scan = std::make_unique<WindowScan>();
    scan->Begin(layout_, Everything(layout_), {});
    try {
      Collect(reader, scan.get());
      ADD_FAILURE() << "the damage went unnoticed";
    } catch (const CorruptPage& error) {
      EXPECT_EQ(error.block(), block);
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  }

  // Lets the downlink `position` of `block` point elsewhere.
  void Redirect(BlockNumber block, int position, BlockNumber to) {
    NodeEditor editor = store_->editor(block);
    Box box;
    editor.view().GetBox(position, &box);
    bool drop[kMaxEntriesPerPage] = {};
    drop[position] = true;
    editor.Remove(drop);
    editor.AppendChild(box, to, SplitHistory());
  }

  KeyLayout layout_;
  std::unique_ptr<MemoryStore> store_;
  BlockNumber node_;
};

TEST_F(DamagedTree, DownlinkToAFollower) {
  const BlockNumber follower = store_->view(node_).Follower(0);
  Redirect(kRootBlock, 1, follower);
  ExpectCorrupt(follower, "has a downlink");
}

TEST_F(DamagedTree, DownlinkToAnotherLevel) {
  const BlockNumber leaf = store_->view(node_).Child(0);
  Redirect(kRootBlock, 1, leaf);
  ExpectCorrupt(leaf, "level");
}

TEST_F(DamagedTree, DownlinkPastTheEnd) {
  Redirect(kRootBlock, 1, 1000000);
  ExpectCorrupt(1000000, "no such node");
}

TEST_F(DamagedTree, FollowerOfAnother) {
  const BlockNumber follower = store_->view(node_).Follower(0);
  store_->editor(follower).opaque().link = store_->view(kRootBlock).Child(0);
  ExpectCorrupt(follower, "does not belong");
}

TEST_F(DamagedTree, ListedFollowerIsANode) {
  const BlockNumber follower = store_->view(node_).Follower(1);
  store_->editor(follower).opaque().flags &= static_cast<uint8_t>(~kNodeSupernodeFollower);
  ExpectCorrupt(follower, "does not belong");
}

TEST_F(DamagedTree, OwnRightSibling) {
  store_->editor(node_).opaque().link = node_;
  store_->editor(node_).opaque().nsn = UINT64_MAX - 1;
  ExpectCorrupt(node_, "own right sibling");
}

}  // namespace
}  // namespace xtree::test
