// The walker reports each invariant of core/tree_check.h that is broken by hand, and nothing on a healthy tree.
#include "core/tree_check.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tree_fixture.h"

namespace xtree::test {
namespace {

// Three levels of nodes; with supernodes on the middle one.
class TreeCheckTest : public testing::Test {
 protected:
  TreeCheckTest()
      : layout_(MakeLayout({{40, 8, true, Scalar::kFloat64}, {3, 8, true, Scalar::kFloat64}})),
        rows_(MakeRows(layout_, Kind::kUniform, 1200, 3)),
        tree_(rows_, {.max_overlap = 0, .min_fanout = 0.5, .max_supernode_pages = 3}) {
    tree_.InsertRange(0, rows_.size());
    node_ = store().view(kRootBlock).Child(0);
    while (store().view(node_).level() > 1) node_ = store().view(node_).Child(0);
    leaf_ = store().view(node_).Child(0);
    supernode_ = kInvalidBlock;
    for (BlockNumber block = kRootBlock; block < store().size(); ++block) {
      if (block != kRootBlock && store().view(block).followers() > 1) supernode_ = block;
    }
  }
  void SetUp() override {
    ASSERT_GE(store().view(kRootBlock).level(), 2);
    ASSERT_NE(supernode_, kInvalidBlock);
    ASSERT_NO_THROW(Check());
  }

  MemoryStore& store() { return tree_.store(); }
  NodeEditor Edit(BlockNumber block) { return store().editor(block); }

  void Check() {
    TreeCheck check(store(), layout_, nullptr);
    check.Walk();
    check.CheckUnreached(static_cast<BlockNumber>(store().size()));
    leaked_ = check.leaked_pages();
  }
  void ExpectReport(BlockNumber block, const std::string& what) {
    try {
      Check();
      ADD_FAILURE() << "the damage went unnoticed";
    } catch (const CorruptPage& error) {
      EXPECT_EQ(error.block(), block);
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
    EXPECT_EQ(store().LockedPages(), 0);
  }

  // Entry 0 of the node gets another child.
  void Redirect(BlockNumber block, BlockNumber to) {
    NodeEditor page = Edit(block);
    Box box;
    page.view().GetBox(0, &box);
    const SplitHistory history = page.view().History(0);
    bool drop[kMaxEntriesPerPage] = {};
    drop[0] = true;
    page.Remove(drop);
    page.AppendChild(box, to, history);
  }
  void ChangeBox(BlockNumber block, int entry, const std::function<void(Box*)>& change) {
    Box box;
    store().view(block).GetBox(entry, &box);
    change(&box);
    Edit(block).SetBox(entry, box);
  }
  // Past the editor, which stores inverted intervals as extremes.
  void StoreLo(BlockNumber block, int entry, int dimension, Ordinal value) {
    const NodeView page = store().view(block);
    uint8_t* at = const_cast<uint8_t*>(page.first_block()) + entry / page.block().capacity * page.block().bytes +
                  layout_.dimension[dimension].lo[!page.leaf()] + entry % page.block().capacity * sizeof(Ordinal);
    memcpy(at, &value, sizeof value);
  }

  KeyLayout layout_;
  RowSet rows_;
  ModelTree tree_;
  BlockNumber node_;  // above leaves
  BlockNumber leaf_;  // its first child
  BlockNumber supernode_;
  uint32_t leaked_ = 0;
};

// 1. Well-formed, one level below, not deleted.

TEST_F(TreeCheckTest, ForeignPage) {
  Edit(leaf_).opaque().page_id = 0xFF81;
  ExpectReport(leaf_, "does not belong");
}

TEST_F(TreeCheckTest, DownlinkSkipsALevel) {
  Redirect(kRootBlock, leaf_);
  ExpectReport(leaf_, "level");
}

TEST_F(TreeCheckTest, DownlinkToADeletedPage) {
  Edit(leaf_).MarkDeleted(5);
  ExpectReport(leaf_, "deleted");
}

TEST_F(TreeCheckTest, DownlinkToTheMetaPage) {
  Redirect(node_, kMetaBlock);
  ExpectReport(kMetaBlock, "no node");
}

TEST_F(TreeCheckTest, DownlinkToNoBlock) {
  Redirect(node_, kInvalidBlock);
  ExpectReport(kInvalidBlock, "no node");
}

TEST_F(TreeCheckTest, DownlinkToItself) {
  Redirect(node_, node_);
  ExpectReport(node_, "own child");
}

TEST_F(TreeCheckTest, DownlinkToAFollowerOfItsOwn) {
  const BlockNumber follower = store().view(supernode_).Follower(0);
  Redirect(supernode_, follower);
  ExpectReport(follower, "its own child");
}

TEST_F(TreeCheckTest, DownlinkToAFollower) {
  const BlockNumber follower = store().view(supernode_).Follower(0);
  for (BlockNumber block = kRootBlock; block < store().size(); ++block) {
    const NodeView page = store().view(block);
    if (page.level() != store().view(supernode_).level() + 1) continue;
    for (int i = 0; i < page.entries(); ++i) {
      if (page.Child(i) != supernode_) continue;
      Box box;
      page.GetBox(i, &box);
      const SplitHistory history = page.History(i);
      bool drop[kMaxEntriesPerPage] = {};
      drop[i] = true;
      Edit(block).Remove(drop);
      Edit(block).AppendChild(box, follower, history);
      ExpectReport(follower, "middle of a supernode");
      return;
    }
  }
  FAIL() << "the supernode has no parent";
}

TEST_F(TreeCheckTest, DeletedRoot) {
  Edit(kRootBlock).MarkDeleted(5);
  ExpectReport(kRootBlock, "root is deleted");
}

// 2. Boxes and marks contain.

TEST_F(TreeCheckTest, LeafEntryBelowItsBox) {
  ChangeBox(leaf_, 1, [](Box* box) { box->lo[7] = OrdinalFromDouble(-5); });
  ExpectReport(leaf_, "outside of the box");
}

TEST_F(TreeCheckTest, LeafEntryAboveItsBox) {
  ChangeBox(leaf_, 1, [](Box* box) { box->hi[42] = OrdinalFromDouble(5); });
  ExpectReport(leaf_, "outside of the box");
}

TEST_F(TreeCheckTest, DownlinkOutsideOfItsParents) {
  ChangeBox(node_, 0, [](Box* box) { box->hi[0] = OrdinalFromDouble(5); });
  ExpectReport(node_, "outside of the box");
}

TEST_F(TreeCheckTest, FollowersEntryOutsideOfTheBox) {
  BlockNumber follower = store().view(supernode_).Follower(1);
  if (store().view(follower).entries() == 0) follower = store().view(supernode_).Follower(0);
  ChangeBox(follower, 0, [](Box* box) { box->lo[0] = OrdinalFromDouble(-5); });
  ExpectReport(supernode_, "outside of the box");
}

TEST_F(TreeCheckTest, MarkThatTheParentDoesNotHave) {
  ChangeBox(leaf_, 0, [this](Box* box) {
    box->marks = ColumnMarks(1, kMarkNull);
    for (int d = layout_.first_dimension[1]; d < layout_.dimensions; ++d) std::swap(box->lo[d], box->hi[d]);
  });
  ExpectReport(leaf_, "outside of the box");
}

// 3. Entries are boxes.

TEST_F(TreeCheckTest, InvertedBoxOnALeaf) {
  Box box;
  store().view(leaf_).GetBox(0, &box);
  StoreLo(leaf_, 0, 3, box.hi[3] + 1);
  ExpectReport(leaf_, "inverted");
}

TEST_F(TreeCheckTest, MarksOfNoColumn) {
  ChangeBox(leaf_, 0, [](Box* box) { box->marks = ColumnMarks(2, kMarkNull); });
  for (BlockNumber block = kRootBlock; block < store().size(); ++block) {
    if (store().view(block).leaf()) continue;
    for (int i = 0; i < store().view(block).entries(); ++i) ChangeBox(block, i, [](Box* box) { box->marks |= ColumnMarks(2, kMarkNull); });
  }
  ExpectReport(kRootBlock, "has not");
}

// 4. Split histories.

TEST_F(TreeCheckTest, HistoryOfNoDimension) {
  SplitHistory history = store().view(node_).History(1);
  history.Add(43);  // of 43 dimensions the last is 42; stored in 64 bits
  Edit(node_).SetHistory(1, history);
  ExpectReport(node_, "names no dimension");
}

TEST_F(TreeCheckTest, EmptyHistoryBesideSiblings) {
  Edit(node_).SetHistory(1, SplitHistory());
  ExpectReport(node_, "empty split history");
}

// 5. Supernodes.

// Nothing separates it from others.
TEST(TreeCheckOf, EmptyHistoryOfAnOnlyChild) {
  const KeyLayout layout = FloatLayout(1, false);
  MemoryStore store(layout);
  Box box;
  MakeEmpty(layout, &box);
  box.lo[0] = box.hi[0] = 7;
  PageImage image;
  NodeEditor leaf(layout, image.bytes);
  leaf.Initialize(0, kNodeLeaf);
  leaf.AppendTuple(box, TupleOf(1), nullptr, 0);
  NodeEditor root = store.editor(kRootBlock);
  root.Initialize(1, 0);
  root.AppendChild(box, store.Append(image), SplitHistory());
  store.SetLsn(kRootBlock, store.AdvanceLsn());
  TreeCheck check(store, layout, nullptr);
  EXPECT_NO_THROW(check.Walk());
}

TEST_F(TreeCheckTest, SupernodeListsAPageTwice) {
  const BlockNumber follower = store().view(supernode_).Follower(0);
  const BlockNumber twice[] = {follower, follower};
  Edit(supernode_).SetFollowers(twice, 2);
  ExpectReport(supernode_, "twice");
}

TEST_F(TreeCheckTest, SupernodeListsItself) {
  Edit(supernode_).SetFollowers(&supernode_, 1);
  ExpectReport(supernode_, "twice");
}

TEST_F(TreeCheckTest, SupernodeListsAnothersPage) {
  const BlockNumber follower = store().view(supernode_).Follower(0);
  Edit(follower).opaque().link = kRootBlock;
  ExpectReport(follower, "not its own");
}

TEST_F(TreeCheckTest, SupernodeListsANode) {
  Edit(supernode_).SetFollowers(&leaf_, 1);
  ExpectReport(leaf_, "not its own");
}

TEST_F(TreeCheckTest, SupernodeListsAnotherLevel) {
  const BlockNumber follower = store().view(supernode_).Follower(0);
  Edit(follower).opaque().level++;
  ExpectReport(follower, "not its own");
}

TEST_F(TreeCheckTest, SupernodeListsTheMetaPage) {
  const BlockNumber meta = kMetaBlock;
  Edit(supernode_).SetFollowers(&meta, 1);
  ExpectReport(kMetaBlock, "no node");
}

TEST_F(TreeCheckTest, SupernodePageWithoutMarks) {
  const BlockNumber follower = store().view(supernode_).Follower(0);
  NodeEditor page = Edit(follower);
  EntrySet entries(layout_, false);
  entries.Add(page.view());
  const int level = page.view().level();
  page.Initialize(level, kNodeSupernodeFollower);
  page.opaque().link = supernode_;
  for (int i = 0; i < entries.size(); ++i) entries.AppendTo(&page, i);
  ExpectReport(follower, "no marks");
}

TEST_F(TreeCheckTest, LeafAsSupernode) {
  Edit(leaf_).opaque().flags |= kNodeSupernodeHead;
  ExpectReport(leaf_, "leaf");
}

// 6. Entries and tuple ids.

TEST_F(TreeCheckTest, DirectoryNodeWithoutEntries) {
  NodeEditor page = Edit(node_);
  const int level = page.view().level();
  page.Initialize(level, 0);
  ExpectReport(node_, "no entries");
}

TEST_F(TreeCheckTest, TupleIdWithoutOffset) {
  NodeEditor page = Edit(leaf_);
  Box box;
  page.view().GetBox(0, &box);
  bool drop[kMaxEntriesPerPage] = {};
  drop[0] = true;
  page.Remove(drop);
  page.AppendTuple(box, TupleId{0, 5, 0}, nullptr, 0);
  ExpectReport(leaf_, "tuple id");
}

// 7. Reached once.

TEST_F(TreeCheckTest, TwoDownlinksToOnePage) {
  // The other's box contains the whole space, as do those above, so that only the second way is wrong.
  const BlockNumber other = store().view(node_).Child(1);
  for (BlockNumber block = kRootBlock; block < store().size(); ++block) {
    if (store().view(block).leaf()) continue;
    for (int i = 0; i < store().view(block).entries(); ++i)
      ChangeBox(block, i, [&](Box* box) {
        std::fill_n(box->lo, layout_.dimensions, kOrdinalMin);
        std::fill_n(box->hi, layout_.dimensions, kOrdinalMax);
      });
  }
  ASSERT_NO_THROW(Check());
  Redirect(node_, other);
  ExpectReport(other, "two links");
}

TEST_F(TreeCheckTest, NodeThatNothingLeadsTo) {
  const BlockNumber lost = store().view(node_).Child(0);
  bool drop[kMaxEntriesPerPage] = {};
  drop[0] = true;
  Edit(node_).Remove(drop);
  ExpectReport(lost, "no link");
}

TEST_F(TreeCheckTest, DamagedPageThatNothingLeadsTo) {
  PageImage image;
  NodeEditor page(layout_, image.bytes);
  page.Initialize(0, kNodeLeaf);
  page.opaque().page_id = 7;
  ExpectReport(store().Append(image), "does not belong");
}

// A damaged nsn would send every writer back to the root, for ever.
TEST_F(TreeCheckTest, SplitYoungerThanItsDownlinks) {
  Edit(leaf_).opaque().nsn = store().CurrentNsn() + 1;
  ExpectReport(leaf_, "younger");
  Box box;
  store().view(leaf_).GetBox(0, &box);
  EXPECT_THROW(TreeWriter(store(), layout_, {}).Insert(box, TupleOf(5000), nullptr, 0), CorruptPage);
}

TEST_F(TreeCheckTest, InsertionOnTheWayToADeletedPage) {
  Box box;
  store().view(leaf_).GetBox(0, &box);
  Edit(leaf_).MarkDeleted(5);
  EXPECT_THROW(TreeWriter(store(), layout_, {}).Insert(box, TupleOf(5000), nullptr, 0), CorruptPage);
}

TEST_F(TreeCheckTest, LeakedPagesAreCounted) {
  PageImage image;
  memset(image.bytes, 0, kPageSize);
  memset(store().image(store().Append(image)).bytes, 0, kPageSize);
  NodeEditor page(layout_, image.bytes);
  page.Initialize(1, kNodeSupernodeFollower);
  page.opaque().link = supernode_;
  store().Append(image);
  page.Initialize(0, 0);
  page.MarkDeleted(5);
  store().Append(image);
  Check();
  EXPECT_EQ(leaked_, 2u) << "the deleted page is no leak";
}

// What it tells of a healthy tree.

TEST_F(TreeCheckTest, CountsLevels) {
  TreeCheck check(store(), layout_, nullptr);
  int nodes = 0;
  check.OnNode([&](const OpenNode& node, BlockNumber parent) {
    ++nodes;
    EXPECT_EQ(parent == kInvalidBlock, node.block() == kRootBlock);
  });
  check.Walk();
  const std::vector<LevelStatistics>& levels = check.levels();
  ASSERT_EQ(levels.size(), store().view(kRootBlock).level() + size_t{1});
  EXPECT_EQ(levels[0].entries, rows_.size());
  EXPECT_EQ(levels.back().nodes, 1u);
  uint32_t sum = 0;
  for (size_t i = 0; i < levels.size(); ++i) {
    sum += levels[i].nodes;
    if (i > 0) {
      EXPECT_EQ(levels[i].entries, levels[i - 1].nodes);
    }
    EXPECT_EQ(levels[i].pages > levels[i].nodes, levels[i].supernodes > 0);
    EXPECT_TRUE(levels[i].overlap >= 0 && levels[i].overlap <= 1);
  }
  EXPECT_EQ(static_cast<uint32_t>(nodes), sum);
  EXPECT_GT(levels[1].supernodes, 0u);
}

// Whatever bytes a page has: a report or nothing, no crash, no page locked twice, none left locked, no end without end.
TEST_F(TreeCheckTest, RandomDamage) {
  Random random(77);
  const std::unique_ptr<MemoryStore> healthy = store().Crash();
  int reported = 0;
  const auto attempt = [&](MemoryStore* damaged, const std::function<void()>& action) {
    try {
      action();
    } catch (const CorruptPage&) {
      ++reported;
    } catch (const std::logic_error& error) {
      ASSERT_NE(std::string(error.what()).find("past the end"), std::string::npos) << error.what();
    }
    ASSERT_EQ(damaged->LockedPages(), 0);
  };
  for (int i = 0; i < 400 && !HasFatalFailure(); ++i) {
    const std::unique_ptr<MemoryStore> damaged = healthy->Crash();
    for (int j = random.Below(3); j >= 0; --j) {
      const BlockNumber block = kRootBlock + random.Below(static_cast<int>(damaged->size()) - 1);
      PageImage& image = damaged->image(random.Below(4) == 0 ? kRootBlock : block);
      if (random.Below(3) == 0) {
        image = damaged->image(kRootBlock + random.Below(static_cast<int>(damaged->size()) - 1));
      } else {
        const bool special = random.Below(2) == 0;
        image.bytes[special ? kPageSize - 1 - random.Below(32) : random.Below(kPageSize)] = static_cast<uint8_t>(random.Below(256));
      }
    }
    attempt(damaged.get(), [&] {
      TreeCheck check(*damaged, layout_, nullptr);
      check.Walk();
      check.CheckUnreached(static_cast<BlockNumber>(damaged->size()));
    });
    attempt(damaged.get(), [&] {
      for (size_t row = 0; row < 40; ++row) tree_.InsertInto(damaged.get(), row);
    });
    const std::vector<char> dead(rows_.size(), 1);
    attempt(damaged.get(), [&] {
      TreeVacuum vacuum(*damaged, layout_, [](TupleId) { return true; });
      for (BlockNumber block = kRootBlock; block < damaged->size(); ++block) vacuum.Process(block);
      vacuum.Finish();
    });
  }
  EXPECT_GT(reported, 100);
}

}  // namespace
}  // namespace xtree::test
