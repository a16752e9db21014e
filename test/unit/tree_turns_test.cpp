// Concurrency by turns: another backend runs between any two steps of an insertion, a scan or a VACUUM. What shared
// buffers allow is what the store allows: no page that one of them holds is touched by the other.
#include <gtest/gtest.h>

#include <algorithm>

#include "tree_fixture.h"

namespace xtree::test {
namespace {

// Calls `turn` wherever another backend can come between: no page is held, or a page is unlocked to be locked in
// another mode.
class TurnStore : public MemoryStore {
 public:
  explicit TurnStore(MemoryStore& from) : MemoryStore(from.layout()) {
    image(kRootBlock) = from.image(kRootBlock);
    for (BlockNumber block = kRootBlock + 1; block < from.size(); ++block) {
      Append(from.image(block));
      image(block) = from.image(block);
    }
    while (CurrentNsn() < from.CurrentNsn()) AdvanceLsn();
    for (const BlockNumber block : from.free_list()) RecordFree(block);
    next_xid = from.next_xid;
    oldest_xid = from.oldest_xid;
    on_unlock = [this](BlockNumber) { Turn(); };
  }

  PageRef OpenUnchecked(BlockNumber block, LockMode mode) override {
    if (LockedPages() == 0) Turn();
    return MemoryStore::OpenUnchecked(block, mode);
  }

  std::function<void(int)> turn;  // gets the number of the opportunity
  int turns = 0;

 private:
  void Turn() {
    if (!turn || playing_) return;
    playing_ = true;
    turn(++turns);
    playing_ = false;
  }
  bool playing_ = false;
};

struct Case {
  const char* name;
  int dimensions;
  bool extended;
  Kind kind;
  size_t before;   // rows of the tree when the insertion begins
  size_t between;  // that another backend inserts
  TreeOptions options;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const TreeOptions kManySupernodes{.max_overlap = 0, .min_fanout = 0.5, .max_supernode_pages = 4};
const Case kCases[] = {
    {"LeafRootBecomesDirectory", 100, true, Kind::kUniform, 4, 1, {}},
    {"RootGrowsTwice", 100, true, Kind::kUniform, 4, 40, {.max_overlap = 1}},
    {"Leaves", 100, true, Kind::kUniform, 60, 8, {.max_overlap = 1}},
    {"Everything", 100, true, Kind::kUniform, 60, 90, {.max_overlap = 1}},
    {"NodesBecomeSupernodes", 60, true, Kind::kUniform, 40, 60, kManySupernodes},
    {"SupernodesSplit", 100, true, Kind::kUniform, 100, 80, kManySupernodes},
    {"Nulls", 60, true, Kind::kNulls, 60, 60, kManySupernodes},
    {"OnePlace", 60, true, Kind::kOnePlace, 60, 60, {.max_supernode_pages = 2}},
    {"Points2D", 2, false, Kind::kUniform, 1500, 1500, {}},
};

class Turns : public testing::TestWithParam<Case> {
 protected:
  Turns()
      : layout_(FloatLayout(GetParam().dimensions, GetParam().extended)),
        rows_(MakeRows(layout_, GetParam().kind, GetParam().before + GetParam().between + 1, 9)),
        before_(rows_, GetParam().options) {
    before_.InsertRange(0, GetParam().before);
    before_.store().oldest_xid = before_.store().next_xid;  // nothing deleted from now on is given out: somebody is on the way
    row_ = GetParam().before;
  }
  std::unique_ptr<ModelTree> Copy() {
    auto tree = std::make_unique<ModelTree>(rows_, std::make_unique<TurnStore>(before_.store()), GetParam().options);
    tree->present() = before_.present();
    return tree;
  }
  static TurnStore& StoreOf(ModelTree& tree) { return static_cast<TurnStore&>(tree.store()); }

  // Inserts row_, with `play` at every opportunity in turn, a fresh tree each time.
  void InsertWithTurns(const std::function<void(ModelTree&)>& play) {
    bool played = true;
    for (int at = 1; played && !HasFailure(); ++at) {
      played = false;
      const auto tree = Copy();
      StoreOf(*tree).turn = [&](int turn) {
        if (turn != at) return;
        played = true;
        play(*tree);
      };
      tree->Insert(row_);
      StoreOf(*tree).turn = nullptr;
      tree->Check();
      tree->CheckWindows(5, at);
      opportunities_ += played;
    }
    EXPECT_GE(opportunities_, 2);
  }

  KeyLayout layout_;
  RowSet rows_;
  ModelTree before_;
  size_t row_;  // the one to be inserted
  int opportunities_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Cases, Turns, testing::ValuesIn(kCases), [](const auto& info) { return info.param.name; });

TEST_P(Turns, InsertionBesideInsertions) {
  InsertWithTurns([&](ModelTree& tree) { tree.InsertRange(row_ + 1, rows_.size()); });
}

TEST_P(Turns, InsertionBesideVacuumOfEverything) {
  const std::vector<char> dead(rows_.size(), 1);
  InsertWithTurns([&](ModelTree& tree) {
    tree.Vacuum(dead);
    tree.Remove(dead);
  });
}

// Leaves go and come: the place that was chosen is deleted, and other nodes split.
TEST_P(Turns, InsertionBesideVacuumAndInsertions) {
  std::vector<char> dead(rows_.size());
  for (size_t row = 0; row < row_; ++row) dead[row] = row % 10 != 0;
  InsertWithTurns([&](ModelTree& tree) {
    tree.Vacuum(dead);
    tree.Remove(dead);
    tree.InsertRange(row_ + 1, rows_.size());
    tree.Vacuum(dead);
  });
}

// The box has grown for the key; then, as the very next change, the leaf splits without it: its nsn is that change's
// LSN, no greater.
TEST(TurnsOfOneChange, SplitRightAfterABoxHasGrown) {
  const KeyLayout layout = FloatLayout(1, false);
  RowSet rows(layout);
  for (int i = 0; i < 5000; ++i) rows.AddPoint({i * 1e-4});
  rows.AddPoint({7});     // beyond all
  rows.AddPoint({0.06});  // within the last leaf
  const size_t beyond = rows.size() - 2, within = rows.size() - 1;
  ModelTree before(rows);
  size_t next = 0;
  while (before.store().view(kRootBlock).leaf()) before.Insert(next++);
  const BlockNumber last = before.store().view(kRootBlock).Child(1);
  while (before.store().view(last).HasRoom(false, 0)) before.Insert(next++);

  ModelTree tree(rows, std::make_unique<TurnStore>(before.store()));
  tree.present() = before.present();
  auto& store = static_cast<TurnStore&>(tree.store());
  Lsn grown = 0;
  store.turn = [&](int) {
    if (store.commits != 1) return;  // not yet, or no more
    grown = store.CurrentNsn();
    tree.Insert(within);
  };
  tree.Insert(beyond);
  store.turn = nullptr;
  EXPECT_EQ(store.view(last).opaque().nsn, grown) << "the leaf was not split at once: this tests nothing";
  tree.Check();
}

// VACUUM and another backend that inserts at each of its opportunities in turn: all that was dead is gone.
TEST_P(Turns, VacuumBesideInsertions) {
  std::vector<char> dead(rows_.size());
  for (size_t row = 0; row < row_; ++row) dead[row] = row % 3 != 0;
  bool played = true;
  const int step = row_ > 1000 ? 1 : 3;
  for (int at = 1; played && !HasFailure(); at += step) {
    played = false;
    const auto tree = Copy();
    StoreOf(*tree).turn = [&](int turn) {
      if (turn != at) return;
      played = true;
      tree->InsertRange(row_, rows_.size());
    };
    tree->Vacuum(dead);
    StoreOf(*tree).turn = nullptr;
    tree->Remove(dead);
    tree->Check();
    opportunities_ += played;
  }
  EXPECT_GE(opportunities_, 1);
}

// The walker beside insertions and VACUUM: no false alarm, and every row that was there all along.
TEST_P(Turns, CheckBesideWriters) {
  std::vector<char> dead(rows_.size());
  for (size_t row = 0; row < row_; ++row) dead[row] = row % 3 == 0;
  bool played = true;
  for (int at = 1; played && !HasFailure(); at += 1 + at / 4) {
    played = false;
    const auto tree = Copy();
    StoreOf(*tree).turn = [&](int turn) {
      if (turn != at) return;
      played = true;
      tree->InsertRange(row_, rows_.size());
      tree->Vacuum(dead);
    };
    std::vector<int> seen(rows_.size());
    TreeCheck check(tree->store(), layout_, [&](BlockNumber, const NodeView& page, int i) { ++seen[RowOf(page.Tuple(i))]; });
    check.Walk();
    for (size_t row = 0; row < rows_.size(); ++row) {
      ASSERT_LE(seen[row], 1);
      ASSERT_TRUE(seen[row] || dead[row] || row >= row_) << "row " << row << " was not seen";
    }
    opportunities_ += played;
  }
  EXPECT_GE(opportunities_, 1);
}

// Scans that pause.

double FirstCoordinate(void*, const Ordinal* lo, const Ordinal*) { return DoubleFromOrdinal(*lo); }

// Rows that were there all along come once; rows that came or went meanwhile at most once.
class PausedScan : public testing::TestWithParam<bool> {
 protected:
  PausedScan()
      : high_(GetParam()),
        layout_(MakeLayout({{static_cast<uint16_t>(high_ ? 24 : 2), 8, high_, Scalar::kFloat64}}, true)),
        rows_(MakeRows(layout_, Kind::kUniform, 30000, 13)),
        tree_(rows_, high_ ? kManySupernodes : TreeOptions{}),
        dead_(rows_.size()) {
    tree_.VaryPayload(300);  // so that leaves are many
  }

  // Inserts, deletes and vacuums at random. Pages that are deleted meanwhile are not given out before the scan ends.
  void Disturb() {
    const int burst = random_.Below(high_ ? 20 : 200);
    for (int i = 0; i < burst && next_ < rows_.size(); ++i) tree_.Insert(next_++);
    if (random_.Below(2) != 0) return;
    // A stripe, so that whole leaves become empty.
    const double from = random_.Uniform(0, 0.9);
    for (size_t row = 0; row < next_; ++row) {
      const double x = DoubleFromOrdinal(rows_.Lo(row)[0]);
      if (tree_.present()[row] && x > from && x < from + 0.1) dead_[row] = 1;
    }
    const VacuumResult result = tree_.Vacuum(dead_);
    deleted_ += result.pages_newly_deleted;
    tree_.Remove(dead_);
  }

  void BeginRound() {
    while (tree_.count() < 1500 && next_ < rows_.size()) tree_.Insert(next_++);
    tree_.store().next_xid++;
    tree_.store().oldest_xid = tree_.store().next_xid;
    old_ = tree_.present();
    seen_.assign(rows_.size(), 0);
  }
  void ExpectSeen() {
    for (size_t row = 0; row < rows_.size(); ++row) {
      ASSERT_LE(seen_[row], 1) << "row " << row << " came twice";
      ASSERT_TRUE(!old_[row] || !tree_.present()[row] || seen_[row]) << "row " << row << " was lost";
    }
    tree_.Check();
  }

  bool high_;
  KeyLayout layout_;
  RowSet rows_;
  ModelTree tree_;
  std::vector<char> dead_, old_, seen_;
  size_t next_ = 0;
  Random random_{14};
  uint64_t deleted_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Dimensions, PausedScan, testing::Bool(), [](const auto& info) { return info.param ? "Supernodes" : "Points2D"; });

TEST_P(PausedScan, WindowScan) {
  MemoryReader reader(tree_.store());
  auto scan = std::make_unique<WindowScan>();
  auto batch = std::make_unique<LeafBatch>();
  for (int round = 0; round < 10 && !HasFailure(); ++round) {
    BeginRound();
    scan->Begin(layout_, Everything(layout_), {});
    while (scan->Step(reader, batch.get())) {
      for (int i = 0; i < batch->count; ++i) ++seen_[RowOf(batch->tuples[i])];
      if (random_.Below(3) == 0) Disturb();
    }
    ExpectSeen();
  }
  EXPECT_GT(deleted_, 10u);
  EXPECT_GT(next_, 4000u);
}

TEST_P(PausedScan, NearestScan) {
  MemoryReader reader(tree_.store());
  auto scan = std::make_unique<NearestScan>();
  const DistanceKey key{0, layout_.dimensions, 0, nullptr, &FirstCoordinate, &FirstCoordinate, nullptr};
  NearestRow row;
  for (int round = 0; round < 10 && !HasFailure(); ++round) {
    BeginRound();
    scan->Begin(layout_, Everything(layout_), &key, 1, {});
    while (scan->Next(reader, &row)) {
      ++seen_[RowOf(row.tuple)];
      if (random_.Below(40) == 0) Disturb();
    }
    ExpectSeen();
  }
  EXPECT_GT(deleted_, 10u);
  EXPECT_GT(next_, 4000u);
}

// Nodes split while the scan is on its way to them, and then become supernodes: these keep nsn and link.
TEST(PausedScanOf, NodesThatSplitAndThenBecomeSupernodes) {
  const KeyLayout layout = FloatLayout(100, true);
  const RowSet rows = MakeRows(layout, Kind::kUniform, 600, 15);
  for (const size_t after : {1, 5, 20}) {
    ModelTree tree(rows, {.max_overlap = 1});
    tree.InsertRange(0, 100);
    MemoryReader reader(tree.store());
    auto scan = std::make_unique<WindowScan>();
    auto batch = std::make_unique<LeafBatch>();
    scan->Begin(layout, Everything(layout), {});
    std::vector<int> seen(rows.size());
    for (size_t leaves = 0; scan->Step(reader, batch.get()); ++leaves) {
      for (int i = 0; i < batch->count; ++i) ++seen[RowOf(batch->tuples[i])];
      if (leaves != after) continue;
      tree.InsertRange(100, 300);
      tree.SetOptions(kManySupernodes);
      tree.InsertRange(300, 600);
      EXPECT_GT(tree.Check().supernodes, 0);
    }
    EXPECT_EQ(std::count(seen.begin(), seen.begin() + 100, 1), 100);
    EXPECT_EQ(std::count_if(seen.begin() + 100, seen.end(), [](int n) { return n > 1; }), 0);
  }
}

}  // namespace
}  // namespace xtree::test
