// VACUUM: what it removes, unlinks, gives out again and counts; splits beside it; leaked pages; repeated and at random.
#include "core/write/tree_vacuum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tree_fixture.h"

namespace xtree::test {
namespace {

// Notes which pages were locked for cleanup.
class CleanupStore : public MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  void Relock(PageRef* ref, LockMode mode) override {
    if (mode == LockMode::kCleanup) cleaned.insert(ref->block);
    MemoryStore::Relock(ref, mode);
  }
  std::set<BlockNumber> cleaned;
};

class TreeVacuumTest : public testing::Test {
 protected:
  // 2-D points, or with `high` boxes of 40 dimensions, most of whose nodes are supernodes.
  void Grow(size_t count, bool high = false) {
    layout_ = FloatLayout(high ? 40 : 2, high);
    rows_ = std::make_unique<RowSet>(MakeRows(layout_, Kind::kUniform, count + 5000, 17));
    const TreeOptions options = high ? TreeOptions{.max_overlap = 0, .min_fanout = 0.5, .max_supernode_pages = 4} : TreeOptions{};
    tree_ = std::make_unique<ModelTree>(*rows_, std::make_unique<CleanupStore>(layout_), options);
    tree_->InsertRange(0, count);
    dead_.assign(rows_->size(), 0);
    next_ = count;
  }
  CleanupStore& store() { return static_cast<CleanupStore&>(tree_->store()); }

  VacuumResult Vacuum() {
    const size_t before = tree_->count();
    const VacuumResult result = tree_->Vacuum(dead_);
    tree_->Remove(dead_);
    EXPECT_EQ(result.entries_left, tree_->count());
    EXPECT_EQ(result.entries_removed, before - tree_->count());
    return result;
  }
  void KillWhere(const std::function<bool(size_t)>& dead) {
    for (size_t row = 0; row < next_; ++row) dead_[row] = tree_->present()[row] && dead(row);
  }
  double X(size_t row) const { return DoubleFromOrdinal(rows_->Lo(row)[0]); }

  int CountPages(const std::function<bool(const NodeView&)>& is) {
    int count = 0;
    for (BlockNumber block = kRootBlock; block < store().size(); ++block) count += is(store().view(block));
    return count;
  }
  int Deleted() {
    return CountPages([](const NodeView& page) { return page.deleted(); });
  }

  KeyLayout layout_;
  std::unique_ptr<RowSet> rows_;
  std::unique_ptr<ModelTree> tree_;
  std::vector<char> dead_;
  size_t next_ = 0;
};

TEST_F(TreeVacuumTest, EmptyTree) {
  Grow(0);
  const VacuumResult result = Vacuum();
  EXPECT_EQ(result.pages_deleted + result.pages_free, 0u);
  EXPECT_EQ(store().cleaned, std::set<BlockNumber>{kRootBlock});
}

// Nothing is dead: nothing is changed, yet every leaf and the root are locked for cleanup, or TIDs could be reused too
// early.
TEST_F(TreeVacuumTest, RemovesNoneButWaitsForEveryPin) {
  for (const bool high : {false, true}) {
    Grow(2000, high);
    const int64_t commits = store().commits;
    Vacuum();
    EXPECT_EQ(store().commits, commits);
    std::set<BlockNumber> leaves{kRootBlock};
    for (BlockNumber block = kRootBlock; block < store().size(); ++block) {
      if (store().view(block).leaf()) leaves.insert(block);
    }
    EXPECT_TRUE(std::includes(store().cleaned.begin(), store().cleaned.end(), leaves.begin(), leaves.end()));
  }
}

TEST_F(TreeVacuumTest, RemovesSome) {
  for (const bool high : {false, true}) {
    Grow(3000, high);
    KillWhere([](size_t row) { return row % 3 == 0; });
    EXPECT_EQ(Vacuum().entries_removed, 1000u);
    tree_->Check();
    tree_->CheckWindows(20, 1);
  }
}

// Every directory node keeps its last child, so the tree keeps its height, and can be filled again.
TEST_F(TreeVacuumTest, RemovesAll) {
  for (const bool high : {false, true}) {
    Grow(3000, high);
    const size_t levels = tree_->Check().levels.size();
    const int leaves = CountPages([](const NodeView& page) { return page.leaf() && !page.deleted(); });
    KillWhere([](size_t) { return true; });
    const VacuumResult result = Vacuum();
    const TreeFacts facts = tree_->Check();
    ASSERT_EQ(facts.levels.size(), levels);
    EXPECT_EQ(facts.levels[0].nodes, facts.levels[1].nodes) << "one leaf for each of its parents";
    EXPECT_EQ(result.pages_newly_deleted, leaves - facts.levels[0].nodes);
    EXPECT_EQ(Deleted(), static_cast<int>(result.pages_deleted));
    EXPECT_EQ(Vacuum().pages_free, result.pages_deleted);
    const size_t pages = store().size();
    tree_->InsertRange(next_, next_ + 1000);
    EXPECT_EQ(store().size(), pages) << "deleted pages are used again";
    tree_->Check();
    tree_->CheckWindows(20, 2);
  }
}

TEST_F(TreeVacuumTest, UnlinksEmptyLeaves) {
  Grow(6000);
  KillWhere([&](size_t row) { return X(row) < 0.5; });
  const VacuumResult result = Vacuum();
  EXPECT_GT(result.pages_newly_deleted, 3u);
  EXPECT_EQ(Deleted(), static_cast<int>(result.pages_newly_deleted));
  const TreeFacts facts = tree_->Check();
  EXPECT_EQ(facts.levels[0].nodes + result.pages_newly_deleted,
            static_cast<uint32_t>(CountPages([](const NodeView& p) { return p.leaf(); })));
}

// A scan may still have the pin of a page that was deleted meanwhile.
TEST_F(TreeVacuumTest, WaitsForPinsOfDeletedPages) {
  Grow(6000);
  KillWhere([&](size_t row) { return X(row) < 0.5; });
  Vacuum();
  ASSERT_GT(Deleted(), 3);
  store().cleaned.clear();
  Vacuum();
  for (BlockNumber block = kRootBlock; block < store().size(); ++block)
    EXPECT_EQ(store().cleaned.contains(block), store().view(block).leaf() || block == kRootBlock) << block;
}

// A leaf that was empty when the walk met it, and then took an entry, stays.
TEST_F(TreeVacuumTest, LeafThatTookAnEntryMeanwhileStays) {
  Grow(3000);
  KillWhere([](size_t) { return true; });
  TreeVacuum vacuum(store(), layout_, [&](TupleId tuple) { return dead_[RowOf(tuple)] != 0; });
  for (BlockNumber block = kRootBlock; block < store().size(); ++block) vacuum.Process(block);
  tree_->InsertRange(next_, next_ + 200);
  vacuum.Finish();
  tree_->Remove(dead_);
  tree_->Check();
}

TEST_F(TreeVacuumTest, PagesAreUsedAgainOnceNobodyCanBeOnTheirWay) {
  Grow(6000);
  store().oldest_xid = store().next_xid;
  KillWhere([&](size_t row) { return X(row) < 0.5; });
  const uint32_t deleted = Vacuum().pages_newly_deleted;
  EXPECT_EQ(Vacuum().pages_deleted, deleted);
  EXPECT_EQ(Vacuum().pages_free, 0u);
  const size_t pages = store().size();
  tree_->InsertRange(next_, next_ + 2000);
  EXPECT_GT(store().size(), pages) << "a scan may still be on its way to the deleted pages";
  EXPECT_EQ(Deleted(), static_cast<int>(deleted));
  store().oldest_xid = store().next_xid + 1;
  EXPECT_EQ(Vacuum().pages_free, deleted);
  const size_t grown = store().size();
  tree_->InsertRange(next_ + 2000, next_ + 3000);
  EXPECT_EQ(store().size(), grown);
  EXPECT_LT(Deleted(), static_cast<int>(deleted));
  tree_->Check();
}

// A split moves dead entries from a leaf that the walk has yet to meet to a block that it has passed.
TEST_F(TreeVacuumTest, SplitToALowerBlockIsFollowed) {
  Grow(6000);
  KillWhere([&](size_t row) { return X(row) < 0.3; });
  Vacuum();
  Vacuum();  // the deleted pages are free
  ASSERT_GT(store().free_list().size(), 5u);
  std::set<BlockNumber> lower(store().free_list().begin(), store().free_list().end());
  KillWhere([](size_t) { return true; });
  size_t next = next_;
  int moved = 0;
  tree_->Vacuum(dead_, [&](BlockNumber block) {
    while (block > 10 && next < next_ + 4000 && next < next_ + 400 * (block - 10)) tree_->Insert(next++);
  });
  for (const BlockNumber block : lower) moved += !store().view(block).deleted();
  EXPECT_GT(moved, 5) << "no split used a lower block: this tests nothing";
  tree_->Remove(dead_);
  tree_->Check();  // none of the dead is left
  EXPECT_EQ(tree_->count(), next - next_);
}

TEST_F(TreeVacuumTest, StatisticsAreTheWalkers) {
  for (const bool high : {false, true}) {
    Grow(4000, high);
    KillWhere([](size_t row) { return row % 2 == 0; });
    Vacuum();
    const std::vector<LevelStatistics>& counted = tree_->vacuum_levels();
    const std::vector<LevelStatistics> levels = tree_->Check().levels;
    ASSERT_EQ(counted.size(), levels.size());
    for (size_t i = 0; i < levels.size(); ++i) {
      EXPECT_EQ(counted[i].entries, levels[i].entries);
      EXPECT_EQ(counted[i].nodes, levels[i].nodes);
      EXPECT_EQ(counted[i].pages, levels[i].pages);
      EXPECT_EQ(counted[i].supernodes, levels[i].supernodes);
    }
    EXPECT_EQ(high, levels[1].supernodes > 0);
  }
}

// Leaked pages.

class LeakedPages : public TreeVacuumTest {
 protected:
  BlockNumber AppendFollower(BlockNumber head) {
    PageImage image;
    NodeEditor page(layout_, image.bytes);
    page.Initialize(1, kNodeSupernodeFollower | kNodeHasMarks);
    page.opaque().link = head;
    return store().Append(image);
  }
  BlockNumber SomeSupernode() {
    for (BlockNumber block = kRootBlock; block < store().size(); ++block) {
      if (store().view(block).supernode_head()) return block;
    }
    throw std::logic_error("the tree has no supernode");
  }
  // Exactly these become deleted, and can be used again.
  void ExpectSwept(const std::set<BlockNumber>& leaked) {
    const TreeFacts before = tree_->Check();
    EXPECT_EQ(before.leaked_pages, leaked.size());
    const VacuumResult result = Vacuum();
    EXPECT_EQ(result.pages_newly_deleted, leaked.size());
    EXPECT_EQ(result.pages_deleted, leaked.size());
    for (const BlockNumber block : leaked) EXPECT_TRUE(store().view(block).deleted());
    EXPECT_EQ(Deleted(), static_cast<int>(leaked.size()));
    const TreeFacts after = tree_->Check();
    EXPECT_EQ(after.leaked_pages, 0u);
    EXPECT_EQ(after.supernodes, before.supernodes);
    EXPECT_EQ(store().LockedPages(), 0);
  }
};

TEST_F(LeakedPages, FollowerOfASupernodeThatListsOthers) {
  Grow(1500, true);
  const BlockNumber head = SomeSupernode();
  ExpectSwept({AppendFollower(head), AppendFollower(head)});
}

TEST_F(LeakedPages, FollowerOfANodeOfOnePage) {
  Grow(1500);
  ExpectSwept({AppendFollower(kRootBlock), AppendFollower(2)});
}

// The head was allocated and never written. At the end of the file it may not even exist after a crash.
TEST_F(LeakedPages, FollowerOfNoPage) {
  Grow(1500);
  const BlockNumber head = static_cast<BlockNumber>(store().size()) + 5;
  ExpectSwept({AppendFollower(head)});
}

TEST_F(LeakedPages, FollowerOfANewPage) {
  Grow(1500);
  PageImage zeroes;
  memset(zeroes.bytes, 0, kPageSize);
  const BlockNumber follower = AppendFollower(static_cast<BlockNumber>(store().size()) + 1);
  const BlockNumber head = store().Append(zeroes);
  memset(store().image(head).bytes, 0, kPageSize);
  EXPECT_EQ(tree_->Check().leaked_pages, 2u);
  const VacuumResult result = Vacuum();
  EXPECT_TRUE(store().view(follower).deleted());
  EXPECT_EQ(result.pages_newly_deleted, 1u);
  EXPECT_EQ(result.pages_free, 1u);
  EXPECT_EQ(std::count(store().free_list().begin(), store().free_list().end(), head), 1);
}

// Others may have freed or used the page since the walk saw it: then it is none of VACUUM's.
TEST_F(LeakedPages, FollowersThatChangeBeforeTheSweep) {
  Grow(1500);
  const BlockNumber zeroed = AppendFollower(2), damaged = AppendFollower(2), reused = AppendFollower(2), another = AppendFollower(2);
  const BlockNumber last = AppendFollower(2);
  const VacuumResult result = tree_->Vacuum(dead_, [&](BlockNumber block) {
    if (block != last) return;
    memset(store().image(zeroed).bytes, 0, kPageSize);
    store().editor(damaged).opaque().page_id = 7;
    store().editor(reused).Initialize(0, kNodeLeaf);
    store().editor(another).opaque().link = 3;
  });
  EXPECT_EQ(result.pages_newly_deleted, 1u);
  EXPECT_TRUE(store().view(last).deleted());
  for (const BlockNumber block : {damaged, reused, another}) EXPECT_FALSE(store().view(block).deleted());
  EXPECT_EQ(reinterpret_cast<const PageHeader*>(store().image(zeroed).bytes)->upper, 0);
  EXPECT_EQ(store().LockedPages(), 0);
}

TEST_F(LeakedPages, FollowerOfItself) {
  Grow(1500);
  ExpectSwept({AppendFollower(static_cast<BlockNumber>(store().size()))});
}

TEST_F(LeakedPages, DamageIsReported) {
  Grow(1500);
  store().editor(3).opaque().page_id = 7;
  EXPECT_THROW(Vacuum(), CorruptPage);
  EXPECT_EQ(store().LockedPages(), 0);
}

TEST_F(LeakedPages, RightLinksInACircleAreReported) {
  Grow(3000);
  for (const auto& [block, link] : std::map<BlockNumber, BlockNumber>{{3, 4}, {4, 3}, {6, 3}}) {
    ASSERT_TRUE(store().view(block).leaf());
    store().editor(block).opaque().nsn = UINT64_MAX - 1;
    store().editor(block).opaque().link = link;
  }
  EXPECT_THROW(Vacuum(), CorruptPage);
  EXPECT_EQ(store().LockedPages(), 0);
}

// Again and again.

// Rows go in order of their place and come anew elsewhere: the index does not grow without bounds.
TEST_F(TreeVacuumTest, RepeatedBulkDeletes) {
  Grow(5000);
  store().oldest_xid = store().next_xid;
  size_t most = 0;
  for (int round = 0; round < 50; ++round) {
    KillWhere([&](size_t row) { return X(row) * 10 >= round % 10 && X(row) * 10 < round % 10 + 1; });
    Vacuum();
    store().oldest_xid = ++store().next_xid;
    const size_t missing = 5000 - tree_->count();
    for (size_t row = 0, added = 0; row < 5000 && added < missing; ++row) {
      if (tree_->present()[row]) continue;
      tree_->Insert(row);  // its TID is used again
      ++added;
    }
    if (round == 9) most = store().size();
    if (round % 10 == 9) tree_->Check();
  }
  EXPECT_LE(store().size(), most + most / 4);
  tree_->CheckWindows(20, 6);
}

// Insertions, deletions and VACUUM at random, with pages used again as soon as may be.
void Mixed(const KeyLayout& layout, Kind kind, size_t rows_count, int operations, int vacuum_every, const TreeOptions& options) {
  const RowSet rows = MakeRows(layout, kind, rows_count, 23);
  ModelTree tree(rows, options);
  tree.VaryPayload(40);
  tree.store().oldest_xid = tree.store().next_xid;
  std::vector<char> dead(rows_count);
  Random random(24);
  for (int i = 1; i <= operations; ++i) {
    const size_t row = random.Below(static_cast<int>(rows_count));
    if (dead[row]) continue;  // deleted, and not yet vacuumed: its TID is taken
    if (!tree.present()[row]) {
      tree.Insert(row);
    } else if (random.Below(3) == 0) {
      dead[row] = 1;
    }
    if (i % vacuum_every != 0) continue;
    tree.Vacuum(dead);
    tree.Remove(dead);
    std::fill(dead.begin(), dead.end(), 0);
    tree.store().oldest_xid = ++tree.store().next_xid;
    if (i / vacuum_every % 5 == 0) tree.Check();
    tree.CheckWindows(2, i);
    if (testing::Test::HasFailure()) return;
  }
  tree.Check();
  tree.CheckWindows(20, 9);
}

TEST(TreeVacuumMixed, Points2D) { Mixed(MakeLayout({{2, 8, false, Scalar::kFloat64}}, true), Kind::kClustered, 20000, 100000, 2500, {}); }
TEST(TreeVacuumMixed, Duplicates) { Mixed(FloatLayout(2, false), Kind::kDuplicates, 5000, 30000, 1000, {}); }
TEST(TreeVacuumMixed, NullColumns) {
  Mixed(MakeLayout({{1, 4, false, Scalar::kInteger}, {2, 8, true, Scalar::kFloat64}}), Kind::kNulls, 5000, 30000, 1000, {});
}
TEST(TreeVacuumMixed, Supernodes) {
  Mixed(FloatLayout(40, true), Kind::kUniform, 1000, 8000, 300, {.max_overlap = 0, .min_fanout = 0.5, .max_supernode_pages = 4});
}

}  // namespace
}  // namespace xtree::test
