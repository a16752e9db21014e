// Scans under changes of the tree between their steps: what was in the index all the time comes exactly once.
#include <gtest/gtest.h>

#include <algorithm>

#include "growing_tree.h"
#include "nearest_fixture.h"
#include "window_fixture.h"

namespace xtree::test {
namespace {

// The scan has read the root; then the tree changes.

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
              SplitByHand(store_.get(), kRootBlock, 5);                                       // the left half again
              SplitByHand(store_.get(), kRootBlock, store_->view(kRootBlock).entries() - 2);  // the first right half
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
              right.opaque().flags ^= kNodeSupernodeFollower | kNodeSupernodeHead;
              right.opaque().nsn = store_->view(left).opaque().nsn;
              right.opaque().link = store_->view(left).opaque().link;
              right.SetFollowers(&follower, 1);
              store_->editor(follower).opaque().link = new_head;
              NodeEditor head = store_->editor(left);
              head.SetFollowers(nullptr, 0);
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
    GrowingTree tree(layout, rows, TreeOptions{.max_overlap = supernodes ? 0 : 0.2, .min_fanout = supernodes ? 0.5 : 0.35});
    tree.InsertUntil(supernodes ? 600 : 2000);
    MemoryReader reader(tree.store);
    auto scan = std::make_unique<WindowScan>();
    auto batch = std::make_unique<LeafBatch>();
    std::vector<int> seen;
    for (int round = 0; round < 4; ++round) {
      const size_t visible = tree.inserted();
      seen.assign(rows.size(), 0);
      scan->Begin(layout, Everything(layout), {});
      while (scan->Step(reader, batch.get())) {
        for (int i = 0; i < batch->count; ++i) ++seen[RowOf(batch->tuples[i])];
        tree.Insert(supernodes ? 8 : 40);
      }
      ASSERT_NO_FATAL_FAILURE(GrowingTree::ExpectOnce(seen, visible));
    }
    size_t supernode_pages = 0;
    for (BlockNumber block = 1; block < tree.store.size(); ++block) supernode_pages += tree.store.view(block).supernode_follower();
    EXPECT_EQ(supernode_pages > 0, supernodes);
    EXPECT_GT(tree.inserted(), supernodes ? 1200u : 4000u);
  }
}

// Concurrent splits: rows in the order of their distances, each once, whatever happens after any of them.
TEST(NearestScan, HalfVisibleSplitAfterAnyRow) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 200, Distribution::kUniform, 31);
  Euclidean metric{{0.4, 0.4}};
  const DistanceKey key = EuclideanKey(layout, 0, &metric);
  for (size_t after = 1; after < rows.size(); after += 7) {
    const auto store = PackTree(rows, {5, 10, 1});
    ASSERT_EQ(store->view(kRootBlock).level(), 2);
    MemoryReader reader(*store);
    auto scan = std::make_unique<NearestScan>();
    scan->Begin(layout, Everything(layout), &key, 1, {});
    Result result = Collect(reader, scan.get(), 1, after);
    for (int child = store->view(kRootBlock).entries(); child-- > 0;) {
      const BlockNumber block = store->view(kRootBlock).Child(child);
      if (child < 3) SplitByHand(store.get(), kRootBlock, child);
      for (int leaf = store->view(block).entries(); leaf-- > 0;) SplitByHand(store.get(), block, leaf);
    }
    const Result rest = Collect(reader, scan.get(), 1);
    result.rows.insert(result.rows.end(), rest.rows.begin(), rest.rows.end());
    result.ranks.insert(result.ranks.end(), rest.ranks.begin(), rest.ranks.end());
    ASSERT_EQ(result.rows.size(), rows.size());
    ASSERT_NO_FATAL_FAILURE(ExpectNearest(rows, Everything(layout), {key}, result));
  }
}

// Insertions between rows, so that leaves, directory nodes and the root split: what was there when the scan began comes
// once, in order.
TEST(NearestScan, RowsStayVisibleWhileTheTreeGrows) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 40000, Distribution::kClustered, 41);
  GrowingTree tree(layout, rows);
  tree.InsertUntil(300);
  Random random(6);
  for (int round = 0; round < 6; ++round) {
    const size_t visible = tree.inserted();
    Euclidean metric{{random.Uniform(), random.Uniform()}};
    const DistanceKey key = EuclideanKey(layout, 0, &metric);
    MemoryReader reader(tree.store);
    auto scan = std::make_unique<NearestScan>();
    scan->Begin(layout, Everything(layout), &key, 1, {});
    NearestRow row;
    std::vector<int> seen(rows.size());
    double last = 0;
    for (size_t count = 0; scan->Next(reader, &row); ++count) {
      const size_t number = RowOf(row.tuple);
      ++seen[number];
      if (number < visible) {
        ASSERT_LE(last, row.distance[0]);
        last = row.distance[0];
      }
      if (count % 8 == 0) tree.Insert(20);
    }
    ASSERT_NO_FATAL_FAILURE(GrowingTree::ExpectOnce(seen, visible));
  }
  EXPECT_GT(tree.inserted(), 20000u);
}

}  // namespace
}  // namespace xtree::test
