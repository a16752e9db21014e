// Node pages against a plain model: whatever is appended, changed and removed is what a view reads back.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "page/validate.h"
#include "random_nodes.h"

namespace xtree {
namespace {

class NodeTest : public testing::Test {
 protected:
  void Start(const KeyLayout& layout, int level) {
    layout_ = layout;
    memset(page_->bytes, 0xA5, kPageSize);
    editor().Initialize(level, 0);
    model_.clear();
  }

  NodeEditor editor() { return NodeEditor(layout_, page_->bytes); }
  NodeView node() const { return NodeView(layout_, page_->bytes); }
  bool directory() const { return !node().leaf(); }

  bool TryAppend(bool marks) {
    const ModelEntry entry = random_.Entry(layout_, directory(), marks);
    if (!HasRoom(node(), entry)) return false;
    Append(editor(), entry);
    model_.push_back(entry);
    return true;
  }

  void TrySetBox() {
    if (model_.empty()) return;
    const int e = static_cast<int>(random_.Between(0, node().entries() - 1));
    const Box box = random_.RandomBox(layout_, directory(), random_.OneIn(4));
    if (box.marks != 0 && !editor().HasRoomForMarks()) return;
    editor().SetBox(e, box);
    model_[e].box = box;
    if (!directory()) return;
    model_[e].history.Add(static_cast<int>(random_.Between(0, layout_.dimensions - 1)));
    editor().SetHistory(e, model_[e].history);
  }

  // The model's own version of "the last survivors move into the gaps".
  void RemoveSome(int one_in) {
    bool drop[kMaxEntriesPerPage];
    for (size_t e = 0; e < model_.size(); ++e) drop[e] = random_.OneIn(one_in);
    editor().Remove(drop);
    const size_t kept = std::count(drop, drop + model_.size(), false);
    size_t from = kept;
    for (size_t e = 0; e < kept; ++e) {
      if (!drop[e]) continue;
      while (drop[from]) ++from;
      unplaced_[model_[from].child] = model_[from];
      ++from;
      model_[e].child = 0;
    }
    model_.resize(kept);
    for (size_t e = 0; e < kept; ++e) PlaceMoved(static_cast<int>(e));
    EXPECT_TRUE(unplaced_.empty()) << "an entry is lost";
    unplaced_.clear();
  }

  // Any of the entries that had to move may fill a gap.
  void PlaceMoved(int e) {
    if (model_[e].child != 0) return;
    const TupleId tuple = directory() ? TupleId{} : node().Tuple(e);
    const uint32_t id = directory() ? node().Child(e) : static_cast<uint32_t>(tuple.block_high) << 16 | tuple.block_low;
    const auto found = unplaced_.find(id);
    ASSERT_NE(unplaced_.end(), found) << "an entry that was not to move, or of nobody";
    model_[e] = found->second;
    unplaced_.erase(found);
  }

  void SetSomeFollowers() {
    followers_.resize(random_.Between(0, 9));
    const int room = node().header().special - node().header().lower;
    if (static_cast<int>(followers_.size()) * 4 > room) return;
    for (BlockNumber& block : followers_) block = static_cast<BlockNumber>(random_.Between(2, 1000));
    editor().SetFollowers(followers_.data(), static_cast<int>(followers_.size()));
  }

  void Check() {
    ASSERT_STREQ(nullptr, ValidateNode(layout_, page_->bytes, -1));
    ASSERT_EQ(model_.size(), static_cast<size_t>(node().entries()));
    Box bounds;
    MakeEmpty(layout_, &bounds);
    for (int e = 0; e < node().entries(); ++e) {
      ASSERT_NO_FATAL_FAILURE(CheckEntry(e)) << "entry " << e;
      Extend(layout_, model_[e].box, &bounds);
    }
    Box found;
    node().Bounds(&found);
    EXPECT_TRUE(Equal(layout_, bounds, found));
    CheckUnused();
  }

  void CheckEntry(int e) {
    const ModelEntry& entry = model_[e];
    Box box;
    node().GetBox(e, &box);
    ASSERT_TRUE(Equal(layout_, entry.box, box));
    ASSERT_EQ(entry.box.marks, node().Marks(e));
    for (int d = 0; d < layout_.dimensions; ++d) {
      if (box.lo[d] <= box.hi[d]) {
        ASSERT_EQ(box.hi[d], node().Hi(e, d));
      }
      ASSERT_EQ(box.lo[d], node().Lo(e, d));
    }
    if (directory()) {
      ASSERT_EQ(entry.child, node().Child(e));
      ASSERT_EQ(entry.history, node().History(e));
      return;
    }
    ASSERT_EQ(entry.tuple, node().Tuple(e));
    if (!layout_.include) return;
    uint16_t length;
    const uint8_t* payload = node().Payload(e, &length);
    ASSERT_NE(nullptr, payload);
    ASSERT_EQ(0, (payload - page_->bytes) % 2);
    ASSERT_EQ(entry.payload, std::vector<uint8_t>(payload, payload + length));
  }

  // Zero are the hole, but for kill bits, and what follows the last entry in its block.
  void CheckUnused() {
    const PageHeader& header = node().header();
    const int kill = node().leaf() ? KillBytes(node().block().max_entries) : 0;
    for (int i = header.lower; i < header.upper - kill; ++i) ASSERT_EQ(0, page_->bytes[i]) << "byte " << i << " of the hole";
    TestPage copy = *page_;
    NodeEditor editor(layout_, copy.bytes);
    const ModelEntry zero = ZeroEntry();
    while (editor.view().entries() % node().block().capacity != 0) {
      // One more entry finds its slot zero: appended, and removed by the code under test, the page is as before.
      if (!HasRoom(editor.view(), zero)) break;
      Append(editor, zero);
      bool drop[kMaxEntriesPerPage] = {};
      drop[model_.size()] = true;
      editor.Remove(drop);
      ASSERT_EQ(0, memcmp(copy.bytes, page_->bytes, header.lower)) << "a slot that is not in use is not zero";
      break;
    }
  }

  ModelEntry ZeroEntry() {
    ModelEntry entry;
    for (int d = 0; d < layout_.dimensions; ++d) entry.box.lo[d] = entry.box.hi[d] = 0;
    entry.box.marks = 0;
    entry.tuple = {};
    entry.child = 0;
    return entry;
  }

  RandomNodes random_{20240608};
  KeyLayout layout_;
  std::unique_ptr<TestPage> page_ = std::make_unique<TestPage>();
  std::vector<ModelEntry> model_;
  std::vector<BlockNumber> followers_;
  std::map<uint32_t, ModelEntry> unplaced_;
};

TEST_F(NodeTest, RandomChangesMatchTheModel) {
  for (int round = 0; round < 60; ++round) {
    Start(random_.Layout(round % 4 == 0), round % 2 == 0 ? 0 : static_cast<int>(random_.Between(1, 5)));
    const bool marks = random_.OneIn(2);
    for (int step = 0; step < 60; ++step) {
      switch (random_.Between(0, 9)) {
        case 0:
          RemoveSome(random_.OneIn(3) ? 2 : 10);
          break;
        case 1:
          TrySetBox();
          break;
        case 2:
          if (directory()) SetSomeFollowers();
          break;
        default:
          for (int i = 0; i < 20; ++i) TryAppend(marks && random_.OneIn(10));
      }
      ASSERT_NO_FATAL_FAILURE(Check()) << "round " << round << ", step " << step;
    }
  }
}

TEST_F(NodeTest, FullPagesHoldWhatTheLayoutSays) {
  for (int round = 0; round < 100; ++round) {
    for (const bool marks : {false, true}) {
      Start(random_.Layout(false), round % 2);
      const int most = layout_.Block(node().leaf(), marks).max_entries;
      ModelEntry entry = ZeroEntry();
      entry.box.marks = marks ? 1 : 0;
      while (HasRoom(node(), entry)) Append(editor(), entry);
      EXPECT_EQ(most, node().entries());
      EXPECT_STREQ(nullptr, ValidateNode(layout_, page_->bytes, round % 2));
      if (marks) continue;
      EXPECT_EQ(layout_.Block(node().leaf(), true).max_entries >= most, editor().HasRoomForMarks());
    }
  }
}

TEST_F(NodeTest, InitializeLeavesTheLsn) {
  RandomNodes random(1);
  const KeyLayout layout = random.Layout(false);
  memset(page_->bytes, 0x77, kPageSize);
  NodeEditor(layout, page_->bytes).Initialize(3, 0);
  const NodeView view(layout, page_->bytes);
  EXPECT_EQ(0x77777777u, view.header().lsn_high);
  EXPECT_EQ(0u, view.header().checksum);
  EXPECT_EQ(kInvalidBlock, view.opaque().link);
  EXPECT_EQ(3, view.level());
  EXPECT_FALSE(view.leaf());
}

TEST_F(NodeTest, InsertChangesFewBytes) {
  const ColumnShape point = {2, 8, false, Scalar::kFloat64};
  KeyLayout layout;
  ASSERT_EQ(nullptr, KeyLayout::Make(&point, 1, false, &layout));
  Start(layout, 0);
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(TryAppend(false));
  const TestPage before = *page_;
  ASSERT_TRUE(TryAppend(false));
  int changed = 0;
  for (uint32_t i = 0; i < kPageSize; ++i) changed += before.bytes[i] != page_->bytes[i];
  EXPECT_LE(changed, 2 * 8 + 6 + 2) << "two ordinals, a tuple id and the count";
}

TEST_F(NodeTest, RemoveLeavesTheOthersInPlace) {
  Start(random_.Layout(false), 0);
  while (TryAppend(false)) {
  }
  bool drop[kMaxEntriesPerPage] = {};
  drop[0] = true;
  const TupleId last = model_.back().tuple;
  const TupleId second = node().Tuple(1);
  editor().Remove(drop);
  EXPECT_EQ(last, node().Tuple(0));
  EXPECT_EQ(second, node().Tuple(1));
}

TEST_F(NodeTest, RemoveOfNothingChangesNothing) {
  Start(random_.Layout(true), 0);
  for (int i = 0; i < 5; ++i) TryAppend(true);
  const TestPage before = *page_;
  const bool drop[kMaxEntriesPerPage] = {};
  editor().Remove(drop);
  EXPECT_EQ(0, memcmp(before.bytes, page_->bytes, kPageSize));
}

TEST_F(NodeTest, RemoveOfAllLeavesAnEmptyNode) {
  Start(random_.Layout(true), 0);
  while (TryAppend(false)) {
  }
  TestPage empty;
  memcpy(empty.bytes, page_->bytes, kPageSize);
  NodeEditor(layout_, empty.bytes).Initialize(0, 0);
  bool drop[kMaxEntriesPerPage];
  std::fill_n(drop, kMaxEntriesPerPage, true);
  editor().Remove(drop);
  EXPECT_EQ(0, memcmp(empty.bytes, page_->bytes, kPageSize));
}

TEST_F(NodeTest, KillBits) {
  for (int round = 0; round < 50; ++round) {
    Start(random_.Layout(round % 2 == 0), 0);
    while (TryAppend(random_.OneIn(5))) {
    }
    std::vector<bool> killed(model_.size());
    for (size_t e = 0; e < killed.size(); ++e) {
      killed[e] = random_.OneIn(3);
      if (killed[e]) editor().Kill(static_cast<int>(e));
    }
    for (size_t e = 0; e < killed.size(); ++e) EXPECT_EQ(killed[e], node().Killed(static_cast<int>(e)));
    EXPECT_EQ(node().AnyKilled(), std::count(killed.begin(), killed.end(), true) > 0);
    ASSERT_NO_FATAL_FAILURE(Check());
    editor().SetBox(0, model_[0].box);  // any change of the used part
    for (size_t e = 0; e < killed.size(); ++e) ASSERT_FALSE(node().Killed(static_cast<int>(e)));
    EXPECT_FALSE(node().AnyKilled());
  }
}

TEST_F(NodeTest, AppendedEntriesClearKillBits) {
  Start(random_.Layout(false), 0);
  ASSERT_TRUE(TryAppend(false));
  editor().Kill(0);
  ASSERT_TRUE(node().Killed(0));
  ASSERT_TRUE(TryAppend(true));
  EXPECT_FALSE(node().Killed(0));
  ASSERT_NO_FATAL_FAILURE(Check());
}

// One alone is seen wherever it is.
TEST_F(NodeTest, AnyKillBit) {
  Start(random_.Layout(true), 0);
  while (TryAppend(false)) {
  }
  for (int e = 0; e < node().entries(); ++e) {
    ASSERT_FALSE(node().AnyKilled());
    editor().Kill(e);
    ASSERT_TRUE(node().AnyKilled()) << "entry " << e;
    editor().SetBox(0, model_[0].box);
  }
}

// What loops over entries look up once a page leads to the same bytes.
TEST_F(NodeTest, ArraysLeadToTheirElements) {
  for (int round = 0; round < 50; ++round) {
    Start(random_.Layout(round % 2 == 0), round % 3 == 0);
    while (TryAppend(random_.OneIn(5))) {
    }
    for (int d = 0; d < layout_.dimensions; ++d) {
      const NodeView::Array edges = node().LowerEdges(d);
      for (int e = 0; e < node().entries(); ++e) ASSERT_EQ(LoadOrdinal(edges.At(e), layout_.dimension[d].width), node().Lo(e, d));
    }
    if (directory() || !layout_.include) continue;
    const NodeView::Array offsets = node().PayloadOffsets();
    for (int e = 0; e < node().entries(); ++e) {
      uint16_t length[2];
      ASSERT_EQ(node().Payload(offsets.At(e), &length[0]), node().Payload(e, &length[1]));
      ASSERT_EQ(length[0], length[1]);
    }
  }
}

// On a full leaf with payload nothing but the room of the kill bits is left.
TEST_F(NodeTest, KillBitsKeepTheirRoomBesidePayload) {
  const ColumnShape column = {1, 8, false, Scalar::kInteger};
  KeyLayout layout;
  ASSERT_EQ(nullptr, KeyLayout::Make(&column, 1, true, &layout));
  Start(layout, 0);
  while (TryAppend(false)) {
  }
  const int gap = node().header().upper - node().header().lower;
  EXPECT_GE(gap, KillBytes(node().block().max_entries));
  editor().Kill(node().entries() - 1);
  EXPECT_TRUE(node().Killed(node().entries() - 1));
}

TEST_F(NodeTest, NoRoomNoKillBits) {
  const ColumnShape column = {1, 8, false, Scalar::kInteger};
  KeyLayout layout;
  ASSERT_EQ(nullptr, KeyLayout::Make(&column, 1, true, &layout));
  Start(layout, 0);
  ASSERT_TRUE(TryAppend(false));
  reinterpret_cast<PageHeader*>(page_->bytes)->upper = node().header().lower;  // as an older version might leave it
  const TestPage before = *page_;
  editor().Kill(0);
  EXPECT_EQ(0, memcmp(before.bytes, page_->bytes, kPageSize));
  EXPECT_FALSE(node().Killed(0));
}

TEST_F(NodeTest, PayloadLimitOfAnEmptyLeaf) {
  const ColumnShape column = {1, 8, false, Scalar::kInteger};
  KeyLayout layout;
  ASSERT_EQ(nullptr, KeyLayout::Make(&column, 1, true, &layout));
  Start(layout, 0);
  int most = 0;
  while (node().HasRoom(true, static_cast<uint16_t>(most + 1))) ++most;
  EXPECT_GT(most, 7000);
  ModelEntry entry = random_.Entry(layout_, false, false);
  entry.payload.assign(most, 0x5A);
  Append(editor(), entry);
  model_.push_back(entry);
  ASSERT_NO_FATAL_FAILURE(Check());
  EXPECT_FALSE(node().HasRoom(false, 2000));
}

TEST_F(NodeTest, FollowersOfASupernode) {
  Start(random_.Layout(false), 2);
  EXPECT_EQ(0, node().followers());
  std::vector<BlockNumber> blocks(kMaxSupernodePages - 1);
  for (size_t i = 0; i < blocks.size(); ++i) blocks[i] = static_cast<BlockNumber>(100 + i);
  editor().SetFollowers(blocks.data(), static_cast<int>(blocks.size()));
  EXPECT_TRUE(node().supernode_head());
  ASSERT_EQ(blocks.size(), static_cast<size_t>(node().followers()));
  for (size_t i = 0; i < blocks.size(); ++i) EXPECT_EQ(blocks[i], node().Follower(static_cast<int>(i)));
  ASSERT_NO_FATAL_FAILURE(Check());
  editor().SetFollowers(blocks.data(), 1);
  EXPECT_EQ(1, node().followers());
  ASSERT_NO_FATAL_FAILURE(Check());
  editor().SetFollowers(nullptr, 0);
  EXPECT_FALSE(node().supernode_head());
  ASSERT_NO_FATAL_FAILURE(Check());
}

TEST_F(NodeTest, DeletedPage) {
  for (const int level : {0, 3}) {
    Start(random_.Layout(false), level);
    while (TryAppend(true)) {
    }
    editor().opaque().nsn = 77;
    editor().opaque().link = 9;
    editor().MarkDeleted(0x123456789ABC);
    EXPECT_TRUE(node().deleted());
    EXPECT_EQ(0, node().entries());
    EXPECT_EQ(77u, node().opaque().nsn);
    EXPECT_EQ(9u, node().opaque().link);
    EXPECT_EQ(level, node().level());
    EXPECT_FALSE(node().HasRoom(false, 0));
    DeletedContent content;
    memcpy(&content, page_->bytes + kPageHeaderSize, sizeof(content));
    EXPECT_EQ(0x123456789ABCu, content.delete_xid);
    EXPECT_STREQ(nullptr, ValidateNode(layout_, page_->bytes, level));
  }
}

// A box that is inverted in memory by any numbers is stored as the identity of union.
TEST_F(NodeTest, InvertedIntervalsAreNormalised) {
  const ColumnShape column = {1, 4, true, Scalar::kInteger};
  KeyLayout layout;
  ASSERT_EQ(nullptr, KeyLayout::Make(&column, 1, false, &layout));
  Start(layout, 1);
  Box box;
  box.lo[0] = 5;
  box.hi[0] = 4;
  box.marks = ColumnMarks(0, kMarkNull);
  editor().AppendChild(box, 2, {});
  EXPECT_EQ(INT32_MAX, node().Lo(0, 0));
  EXPECT_EQ(INT32_MIN, node().Hi(0, 0));
}

}  // namespace
}  // namespace xtree
