// What an insertion or a VACUUM leaves behind that ends in the middle: by a crash after any change, by an error at any
// call.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "tree_fixture.h"

namespace xtree::test {
namespace {

// Few entries a page and a rule that nearly no split of a directory node passes, so that a small tree shows every kind
// of change.
const TreeOptions kManySupernodes{.max_overlap = 0, .min_fanout = 0.5, .max_supernode_pages = 4};

struct Case {
  const char* name;
  int dimensions;
  Kind kind;
  size_t rows;
  TreeOptions options;
  uint16_t payload;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const Case kCases[] = {
    {"Supernodes40D", 40, Kind::kUniform, 800, kManySupernodes, 0},
    {"Supernodes100D", 100, Kind::kUniform, 220, kManySupernodes, 0},
    {"NullsInSupernodes60D", 60, Kind::kNulls, 300, kManySupernodes, 0},
    {"RStarOnly100D", 100, Kind::kClustered, 250, {.max_overlap = 1}, 0},
    {"OnePlace40D", 40, Kind::kOnePlace, 500, {.max_supernode_pages = 3}, 0},
    {"Payload2D", 2, Kind::kNulls, 250, {}, 1500},
};

class TreeInterrupted : public testing::TestWithParam<Case> {
 protected:
  TreeInterrupted()
      : layout_(MakeLayout({{static_cast<uint16_t>(GetParam().dimensions), 8, true, Scalar::kFloat64}}, GetParam().payload > 0)),
        rows_(MakeRows(layout_, GetParam().kind, GetParam().rows, 5)),
        tree_(rows_, GetParam().options) {
    tree_.VaryPayload(GetParam().payload);
  }

  // Pages that are neither part of the tree, nor deleted, nor free.
  static int Lost(const ModelTree& tree, MemoryStore* store) {
    const std::set<BlockNumber> free(store->free_list().begin(), store->free_list().end());
    const auto free_and_new = std::count_if(free.begin(), free.end(), [&](BlockNumber b) { return store->view(b).header().upper == 0; });
    return static_cast<int>(tree.CheckStore(store).leaked_pages) - static_cast<int>(free_and_new);
  }

  // The image of a crash is a tree; VACUUM finds what the crash leaked; the tree can be written again.
  void ExpectRecovery(bool new_pages_survive, const std::vector<char>& perhaps, size_t next_row) {
    const std::unique_ptr<MemoryStore> image = tree_.store().Crash(new_pages_survive);
    TreeFacts facts = tree_.CheckStore(image.get(), &perhaps);
    leaked_ += facts.leaked_pages;
    tree_.VacuumOf(image.get(), perhaps);
    EXPECT_EQ(Lost(tree_, image.get()), 0);
    ASSERT_NO_FATAL_FAILURE(tree_.InsertInto(image.get(), next_row));
    std::vector<char> with_next(rows_.size());
    with_next[next_row] = 1;
    tree_.CheckStore(image.get(), &with_next);
    ++images_;
  }

  // The insertion fails at its at-th call, leaves nothing locked and a valid tree, and can be repeated.
  void FailInsertion(size_t row, int64_t at) {
    const std::unique_ptr<MemoryStore> store = tree_.store().Crash(true);
    std::vector<char> perhaps(rows_.size());
    perhaps[row] = 1;
    store->faults.FailAt(at);
    EXPECT_THROW(tree_.InsertInto(store.get(), row), InjectedFault);
    EXPECT_EQ(store->LockedPages(), 0);
    tree_.CheckStore(store.get());  // without the row
    tree_.InsertInto(store.get(), row);
    tree_.present()[row] = 1;
    tree_.CheckStore(store.get());
    tree_.present()[row] = 0;
  }

  KeyLayout layout_;
  RowSet rows_;
  ModelTree tree_;
  int images_ = 0;
  int64_t leaked_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Cases, TreeInterrupted, testing::ValuesIn(kCases), [](const auto& info) { return info.param.name; });

TEST_P(TreeInterrupted, InsertionByACrash) {
  std::vector<char> perhaps(rows_.size());
  size_t row = 0;
  int64_t allocations = 0;
  tree_.store().after_commit = [&] {
    if (tree_.store().allocations > allocations || row % 8 == 0) ExpectRecovery(row % 2 == 0, perhaps, row);
  };
  for (; row < rows_.size() && !HasFailure(); ++row) {
    perhaps.assign(rows_.size(), 0);
    perhaps[row] = 1;
    allocations = tree_.store().allocations;
    tree_.Insert(row);
  }
  EXPECT_GT(images_, 20);
  if (GetParam().options.max_overlap == 0) {
    EXPECT_GT(leaked_, 0) << "no crash came in the middle of a supernode's split: this tests nothing";
  }
}

TEST_P(TreeInterrupted, VacuumByACrash) {
  const size_t last = rows_.size() - 1;
  tree_.InsertRange(0, last);
  std::vector<char> dead(rows_.size());
  for (size_t row = 0; row < last; ++row) dead[row] = row % 7 != 0;
  tree_.Remove(dead);
  tree_.store().after_commit = [&] { ExpectRecovery(images_ % 2 == 0, dead, last); };
  const VacuumResult result = tree_.Vacuum(dead);
  EXPECT_EQ(result.entries_removed, static_cast<uint64_t>(std::count(dead.begin(), dead.end(), 1)));
  EXPECT_GT(images_, 10);
  tree_.Check();
}

// Every insertion that changes the tree in a way not seen before (or seen once), with an error at each of its calls.
TEST_P(TreeInterrupted, InsertionByAnError) {
  std::map<std::pair<int64_t, int64_t>, int> seen;
  int faults = 0;
  for (size_t row = 0; row < rows_.size() && !HasFailure(); ++row) {
    const std::unique_ptr<MemoryStore> trial = tree_.store().Crash(true);
    trial->faults.FailAt(0);
    tree_.InsertInto(trial.get(), row);
    const int64_t calls = trial->faults.calls();
    if (seen[{trial->allocations, trial->committed_pages}]++ < 2) {
      for (int64_t at = 1; at <= calls && !HasFailure(); ++at, ++faults) FailInsertion(row, at);
    }
    tree_.Insert(row);
  }
  EXPECT_GT(seen.size(), 4u);
  EXPECT_GT(faults, 100);
}

TEST_P(TreeInterrupted, VacuumByAnError) {
  tree_.InsertRange(0, rows_.size());
  std::vector<char> dead(rows_.size());
  for (size_t row = 0; row < rows_.size(); ++row) dead[row] = row % 5 != 0;
  tree_.Remove(dead);
  const std::unique_ptr<MemoryStore> trial = tree_.store().Crash(true);
  tree_.VacuumOf(trial.get(), dead);
  const int64_t calls = trial->faults.calls();
  for (int64_t at = 1; at <= calls && !HasFailure(); at += 1 + calls / 150) {
    const std::unique_ptr<MemoryStore> store = tree_.store().Crash(true);
    store->faults.FailAt(at);
    EXPECT_THROW(tree_.VacuumOf(store.get(), dead), InjectedFault);
    EXPECT_EQ(store->LockedPages(), 0);
    tree_.CheckStore(store.get(), &dead);
    tree_.VacuumOf(store.get(), dead);
    tree_.CheckStore(store.get());
  }
}

}  // namespace
}  // namespace xtree::test
