// WindowScan against brute force and boost's R-tree, and under changes of the tree between its steps.
#include "core/window_scan.h"

#define BOOST_ALLOW_DEPRECATED_HEADERS  // boost's own use of them
#include <boost/geometry.hpp>
#include <boost/geometry/geometries/box.hpp>
#include <boost/geometry/geometries/point.hpp>
#include <boost/geometry/index/rtree.hpp>
#include <gtest/gtest.h>

#include "core/tree_writer.h"
#include "scan_fixture.h"

namespace xtree::test {
namespace {

// All rows that a scan returns, in its order.
std::vector<size_t> Collect(MemoryReader& reader, WindowScan* scan) {
  std::vector<size_t> found;
  LeafBatch batch;
  while (scan->Step(reader, &batch)) {
    EXPECT_EQ(reader.OpenPages(), 0);
    EXPECT_GT(batch.count, 0);
    for (int i = 0; i < batch.count; ++i) found.push_back(RowOf(batch.tuples[i]));
  }
  EXPECT_FALSE(scan->Step(reader, &batch)) << "the end stays the end";
  return found;
}

std::vector<size_t> Sorted(std::vector<size_t> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

std::vector<size_t> Search(MemoryStore& store, const Constraint& constraint, WindowScan::Options options = {}) {
  MemoryReader reader(store);
  auto scan = std::make_unique<WindowScan>();
  scan->Begin(store.layout(), constraint, options);
  return Sorted(Collect(reader, scan.get()));
}

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
    {1, false, Distribution::kUniform, {}},
    {2, false, Distribution::kUniform, {}},
    {2, false, Distribution::kUniform, {5, 4, 1}},
    {2, false, Distribution::kUniform, {5, 4, 3}},
    {2, false, Distribution::kClustered, {9, 7, 1}},
    {2, false, Distribution::kDuplicates, {9, 7, 1}},
    {2, false, Distribution::kOnePoint, {9, 7, 2}},
    {2, true, Distribution::kUniform, {9, 7, 1}},
    {3, true, Distribution::kClustered, {9, 7, 1}},
    {3, false, Distribution::kUniform, {}},
    {8, false, Distribution::kClustered, {20, 8, 2}},
    {32, true, Distribution::kDuplicates, {}},
    {100, false, Distribution::kDuplicates, {}},
    {100, true, Distribution::kClustered, {4, 3, 4}},
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
  const MarkRule rules[] = {MarkRule::kAny, MarkRule::kValue, MarkRule::kValueOrEmpty, MarkRule::kEmpty, MarkRule::kNotNull,
                            MarkRule::kNull};
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

// Concurrent splits. The scan has read the root; then the tree changes.

class HalfVisibleSplit : public testing::Test {
 protected:
  HalfVisibleSplit() : layout_(FloatLayout(2, false)), rows_(RandomRows(layout_, 200, Distribution::kUniform, 31)) {
    store_ = PackTree(rows_, {20, 20, 1});
    for (size_t i = 0; i < rows_.size(); ++i) all_.push_back(i);
  }

  // Runs a scan that is interrupted after its first leaf.
  template <class Change>
  std::vector<size_t> ScanWith(Change&& change) {
    MemoryReader reader(*store_);
    auto scan = std::make_unique<WindowScan>();
    scan->Begin(layout_, Everything(layout_), {});
    std::vector<size_t> found;
    LeafBatch batch;
    EXPECT_TRUE(scan->Step(reader, &batch));
    for (int i = 0; i < batch.count; ++i) found.push_back(RowOf(batch.tuples[i]));
    change();
    for (const size_t row : Collect(reader, scan.get())) found.push_back(row);
    return Sorted(found);
  }

  KeyLayout layout_;
  RowSet rows_;
  std::unique_ptr<MemoryStore> store_;
  std::vector<size_t> all_;
};

TEST_F(HalfVisibleSplit, OfALeafToCome) {
  EXPECT_EQ(ScanWith([&] { SplitByHand(store_.get(), kRootBlock, 5); }), all_);
}

TEST_F(HalfVisibleSplit, OfALeafThatIsDone) {
  EXPECT_EQ(ScanWith([&] { SplitByHand(store_.get(), kRootBlock, 0); }), all_);
}

TEST_F(HalfVisibleSplit, TwiceAndOfTheRightHalf) {
  EXPECT_EQ(ScanWith([&] {
              SplitByHand(store_.get(), kRootBlock, 5);
              SplitByHand(store_.get(), kRootBlock, 5);                                            // the left half again
              SplitByHand(store_.get(), kRootBlock, store_->view(kRootBlock).entries() - 2);      // the first right half
            }),
            all_);
}

TEST_F(HalfVisibleSplit, BeforeTheScanIsNotFollowed) {
  SplitByHand(store_.get(), kRootBlock, 5);
  std::vector<BlockNumber> trace;
  MemoryReader reader(*store_);
  reader.trace = &trace;
  auto scan = std::make_unique<WindowScan>();
  scan->Begin(layout_, Everything(layout_), {});
  EXPECT_EQ(Sorted(Collect(reader, scan.get())), all_);
  EXPECT_EQ(trace.size(), 1u + store_->view(kRootBlock).entries());
}

// The emptied left half keeps nsn and link when it is deleted.
TEST_F(HalfVisibleSplit, ThenTheLeftHalfIsDeleted) {
  const BlockNumber child = store_->view(kRootBlock).Child(5);
  std::vector<size_t> expected;
  const std::vector<size_t> found = ScanWith([&] {
    SplitByHand(store_.get(), kRootBlock, 5);
    std::set<size_t> gone;
    for (int i = 0; i < store_->view(child).entries(); ++i) gone.insert(RowOf(store_->view(child).Tuple(i)));
    for (const size_t row : all_) {
      if (!gone.contains(row)) expected.push_back(row);
    }
    store_->editor(child).MarkDeleted(store_->NextTransactionId());
    store_->SetLsn(child, store_->AdvanceLsn());
  });
  EXPECT_LT(expected.size(), all_.size());
  EXPECT_EQ(found, expected);
}

// A directory node splits while the scan is below another.
TEST_F(HalfVisibleSplit, OfADirectoryNode) {
  store_ = PackTree(rows_, {5, 10, 1});
  ASSERT_EQ(store_->view(kRootBlock).level(), 2);
  EXPECT_EQ(ScanWith([&] {
              SplitByHand(store_.get(), kRootBlock, 2);
              const BlockNumber child = store_->view(kRootBlock).Child(2);
              SplitByHand(store_.get(), child, 1);
            }),
            all_);
}

// A supernode splits: its head keeps the block, the new right node owns the old followers.
TEST_F(HalfVisibleSplit, OfASupernode) {
  store_ = PackTree(rows_, {4, 5, 3});
  ASSERT_EQ(store_->view(kRootBlock).level(), 2);
  const BlockNumber left = store_->view(kRootBlock).Child(1);
  ASSERT_EQ(store_->view(left).followers(), 2);
  EXPECT_EQ(ScanWith([&] {
              const BlockNumber new_head = store_->view(left).Follower(0);
              const BlockNumber follower = store_->view(left).Follower(1);
              const Lsn nsn = store_->CurrentNsn();
              NodeEditor right = store_->editor(new_head);
              right.opaque().flags = kNodeSupernodeHead;
              right.opaque().nsn = store_->view(left).opaque().nsn;
              right.opaque().link = store_->view(left).opaque().link;
              right.SetFollowers(&follower, 1);
              store_->editor(follower).opaque().link = new_head;
              NodeEditor head = store_->editor(left);
              head.SetFollowers(nullptr, 0);
              head.opaque().flags = 0;
              head.opaque().nsn = nsn;
              head.opaque().link = new_head;
              Box box;
              store_->view(new_head).Bounds(&box);
              store_->editor(kRootBlock).AppendChild(box, new_head, SplitHistory());
              const Lsn lsn = store_->AdvanceLsn();
              for (const BlockNumber block : {kRootBlock, left, new_head, follower}) store_->SetLsn(block, lsn);
            }),
            all_);
}

// The LSN that counts is that of the page with the downlink, which need not be the head.
TEST_F(HalfVisibleSplit, BelowASupernodesFollower) {
  for (const bool before : {true, false}) {
    store_ = PackTree(rows_, {4, 5, 3});
    const auto split = [&] { SplitByHand(store_.get(), store_->view(store_->view(kRootBlock).Child(1)).Follower(0), 1); };
    if (before) split();
    EXPECT_EQ(ScanWith([&] {
                if (!before) split();
              }),
              all_);
  }
}

// Insertions of many rows between steps: what was there when the scan began comes exactly once.
TEST(WindowScan, RowsStayVisibleWhileTheTreeGrows) {
  for (const bool supernodes : {false, true}) {
    const int dimensions = supernodes ? 16 : 2;
    const KeyLayout layout = FloatLayout(dimensions, true);
    const RowSet rows = RandomRows(layout, 12000, supernodes ? Distribution::kUniform : Distribution::kClustered, 41);
    MemoryStore store(layout);
    TreeWriter writer(store, layout, TreeOptions{.max_overlap = supernodes ? 0 : 0.2, .min_fanout = supernodes ? 0.5 : 0.35});
    size_t inserted = 0;
    const auto insert_until = [&](size_t end) {
      for (Box box; inserted < std::min(end, rows.size()); ++inserted) {
        rows.Get(inserted, &box);
        writer.Insert(box, TupleOf(inserted), nullptr, 0);
      }
    };
    insert_until(supernodes ? 600 : 2000);
    MemoryReader reader(store);
    auto scan = std::make_unique<WindowScan>();
    auto batch = std::make_unique<LeafBatch>();
    std::vector<int> seen;
    for (int round = 0; round < 4; ++round) {
      const size_t visible = inserted;
      seen.assign(rows.size(), 0);
      scan->Begin(layout, Everything(layout), {});
      while (scan->Step(reader, batch.get())) {
        for (int i = 0; i < batch->count; ++i) ++seen[RowOf(batch->tuples[i])];
        insert_until(inserted + (supernodes ? 8 : 40));
      }
      for (size_t row = 0; row < rows.size(); ++row) {
        ASSERT_LE(seen[row], 1) << "row " << row << " came twice";
        ASSERT_TRUE(row >= visible || seen[row] == 1) << "row " << row << " was lost";
      }
    }
    size_t supernode_pages = 0;
    for (BlockNumber block = 1; block < store.size(); ++block) supernode_pages += store.view(block).supernode_follower();
    EXPECT_EQ(supernode_pages > 0, supernodes);
    EXPECT_GT(inserted, supernodes ? 1200u : 4000u);
  }
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
  store_->editor(follower).opaque().flags = 0;
  ExpectCorrupt(follower, "does not belong");
}

TEST_F(DamagedTree, OwnRightSibling) {
  store_->editor(node_).opaque().link = node_;
  store_->editor(node_).opaque().nsn = UINT64_MAX - 1;
  ExpectCorrupt(node_, "own right sibling");
}

}  // namespace
}  // namespace xtree::test
