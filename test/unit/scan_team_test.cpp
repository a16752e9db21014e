// Several scans that share a tree (core/scan/scan_team.h): each row comes from one of them, in order where there is one, however they take turns and
// whatever happens to the tree meanwhile. Seen to fail: with a nearer node left in the pool.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "growing_tree.h"
#include "nearest_fixture.h"
#include "team_fixture.h"
#include "window_fixture.h"

namespace xtree::test {
namespace {

struct Windows {
  Windows(MemoryStore& store, const Constraint& constraint, int members, size_t room) : team(room, false) {
    for (int i = 0; i < members; ++i) {
      readers.push_back(std::make_unique<MemoryReader>(store));
      scans.push_back(std::make_unique<WindowScan>());
      scans.back()->Begin(store.layout(), constraint, {.team = &team});
      over.push_back(false);
      found.push_back(0);
    }
  }

  // One step of a member; what it finds goes to `seen`.
  void Step(size_t member, std::vector<int>* seen) {
    const auto batch = std::make_unique<LeafBatch>();
    over[member] = !scans[member]->Step(*readers[member], batch.get());
    for (int i = 0; i < batch->count; ++i) ++(*seen)[RowOf(batch->tuples[i])];
    found[member] += batch->count;
  }
  bool Over() const {
    return std::all_of(over.begin(), over.end(), [](bool over) { return over; });
  }

  Team team;
  std::vector<std::unique_ptr<MemoryReader>> readers;
  std::vector<std::unique_ptr<WindowScan>> scans;
  std::vector<bool> over;
  std::vector<int> found;
};

Constraint Half(const KeyLayout& layout) {
  Constraint constraint = Everything(layout);
  constraint.lo[0].max = OrdinalFromDouble(0.5);
  return constraint;
}

TEST(ScanTeam, EachRowOfAWindowComesOnce) {
  const KeyLayout layout = FloatLayout(2, true);
  const RowSet rows = RandomRows(layout, 3000, Distribution::kUniform, 5);
  Random random(3);
  for (const PackOptions options : {PackOptions{20, 10, 1}, PackOptions{20, 5, 3}, PackOptions{200, 200, 1}}) {
    const auto store = PackTree(rows, options);
    for (const Constraint& constraint : {Everything(layout), Half(layout)}) {
      const std::vector<size_t> expected = BruteForce(rows, constraint);
      for (const int members : {1, 2, 5}) {
        for (const size_t room : {size_t{1}, size_t{7}, size_t{1000}}) {
          Windows windows(*store, constraint, members, room);
          std::vector<int> seen(rows.size());
          while (!windows.Over()) {
            const auto member = static_cast<size_t>(random.Uniform() * members);
            if (!windows.over[member]) windows.Step(member, &seen);
          }
          std::vector<size_t> all;
          for (size_t row = 0; row < rows.size(); ++row) {
            ASSERT_LE(seen[row], 1) << "row " << row;
            if (seen[row] > 0) all.push_back(row);
          }
          ASSERT_EQ(all, Sorted(expected));
          EXPECT_LE(windows.team.most(), room);
          if (room > 100 && options.leaf_entries < 100) {
            EXPECT_GT(*std::min_element(windows.found.begin(), windows.found.end()), 0) << "everybody gets something to do";
          }
        }
      }
    }
  }
}

TEST(ScanTeam, NothingIsVisitedForWhatCannotBe) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 100, Distribution::kUniform, 5);
  const auto store = PackTree(rows, {20, 10, 1});
  Constraint never = Everything(layout);
  never.lo[0].min = OrdinalFromDouble(0.7);
  never.lo[0].max = OrdinalFromDouble(0.3);
  Windows windows(*store, never, 2, 100);
  std::vector<int> seen(rows.size());
  windows.Step(0, &seen);
  windows.Step(1, &seen);
  EXPECT_TRUE(windows.Over());
}

TEST(ScanTeam, RowsStayVisibleWhileTheTreeGrows) {
  const KeyLayout layout = FloatLayout(2, true);
  const RowSet rows = RandomRows(layout, 12000, Distribution::kClustered, 41);
  GrowingTree tree(layout, rows);
  tree.InsertUntil(2000);
  Random random(8);
  for (int round = 0; round < 5; ++round) {
    const size_t visible = tree.inserted();
    Windows windows(tree.store, Everything(layout), 3, round % 2 == 0 ? 1000 : 5);
    std::vector<int> seen(rows.size());
    while (!windows.Over()) {
      const auto member = static_cast<size_t>(random.Uniform() * 3);
      if (!windows.over[member]) windows.Step(member, &seen);
      tree.Insert(30);
    }
    ASSERT_NO_FATAL_FAILURE(GrowingTree::ExpectOnce(seen, visible));
  }
  EXPECT_GT(tree.inserted(), 5000u);
}

TEST(ScanTeam, ThreadsShareAWindow) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 20000, Distribution::kUniform, 9);
  const auto store = PackTree(rows, {20, 10, 1});
  for (const size_t room : {size_t{3}, size_t{1000}}) {
    constexpr size_t kThreads = 4;
    Windows windows(*store, Half(layout), kThreads, room);
    std::vector<std::vector<int>> seen(kThreads, std::vector<int>(rows.size()));
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        const auto batch = std::make_unique<LeafBatch>();
        while (windows.scans[i]->Step(*windows.readers[i], batch.get())) {
          for (int b = 0; b < batch->count; ++b) ++seen[i][RowOf(batch->tuples[b])];
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<size_t> all;
    for (size_t row = 0; row < rows.size(); ++row) {
      int times = 0;
      for (const std::vector<int>& one : seen) times += one[row];
      ASSERT_LE(times, 1);
      if (times > 0) all.push_back(row);
    }
    EXPECT_EQ(all, Sorted(BruteForce(rows, Half(layout))));
  }
}

// Takes turns row by row; every member's rows come in order, and all of them together are the answer.
void ExpectShared(MemoryStore& store, const RowSet& rows, const Constraint& constraint, const std::vector<DistanceKey>& keys, int members,
                  size_t room, unsigned seed) {
  Team team(room, true);
  std::vector<std::unique_ptr<MemoryReader>> readers;
  std::vector<std::unique_ptr<NearestScan>> scans;
  for (int i = 0; i < members; ++i) {
    readers.push_back(std::make_unique<MemoryReader>(store));
    scans.push_back(std::make_unique<NearestScan>());
    scans.back()->Begin(store.layout(), constraint, keys.data(), static_cast<int>(keys.size()), {.team = &team});
  }
  Random random(seed);
  std::vector<Result> results(members);
  std::vector<bool> over(members);
  for (int left = members; left > 0;) {
    const auto member = static_cast<size_t>(random.Uniform() * members);
    if (over[member]) continue;
    NearestRow row;
    if (!scans[member]->Next(*readers[member], &row)) {
      over[member] = true;
      --left;
      continue;
    }
    results[member].rows.push_back(RowOf(row.tuple));
    results[member].ranks.push_back(RanksOf(row, keys.size()));
  }
  std::vector<std::pair<std::vector<DistanceRank>, size_t>> merged;
  for (const Result& result : results) {
    ASSERT_TRUE(std::is_sorted(result.ranks.begin(), result.ranks.end()));
    for (size_t i = 0; i < result.rows.size(); ++i) merged.emplace_back(result.ranks[i], result.rows[i]);
  }
  std::sort(merged.begin(), merged.end());
  Result all;
  for (const auto& [ranks, row] : merged) {
    all.rows.push_back(row);
    all.ranks.push_back(ranks);
  }
  ASSERT_EQ(all.rows.size(), BruteForce(rows, constraint).size());
  ExpectNearest(rows, constraint, keys, all);
}

TEST(ScanTeam, NearestRowsOfEachComeInOrder) {
  const KeyLayout layout = FloatLayout(2, true);
  RowSet rows = RandomRows(layout, 1500, Distribution::kUniform, 12);
  for (size_t row = 0; row < rows.size(); row += 97) rows.Mark(row, 0, 1);  // NULL: last
  Euclidean metric{{0.3, 0.6}};
  DistanceKey plain = EuclideanKey(layout, 0, &metric);
  DistanceKey unsquared = plain;
  unsquared.query = nullptr;
  unsquared.lower_bound = &Euclidean::Distance;
  for (const PackOptions options : {PackOptions{10, 10, 1}, PackOptions{10, 5, 3}, PackOptions{200, 200, 1}}) {
    const auto store = PackTree(rows, options);
    for (const DistanceKey& key : {plain, unsquared}) {
      for (const int members : {1, 2, 4}) {
        for (const size_t room : {size_t{1}, size_t{8}, size_t{1000}}) {
          ASSERT_NO_FATAL_FAILURE(ExpectShared(*store, rows, Everything(layout), {key}, members, room, 7));
          ASSERT_NO_FATAL_FAILURE(ExpectShared(*store, rows, Half(layout), {key}, members, room, 8));
        }
      }
    }
  }
}

TEST(ScanTeam, NearestByTwoKeysWithTies) {
  const KeyLayout layout = MakeLayout({{1, 8, false, Scalar::kInteger}, {1, 8, false, Scalar::kInteger}});
  RowSet rows(layout);
  Random random(4);
  for (int i = 0; i < 800; ++i) {
    Box box;
    box.marks = 0;
    for (int d = 0; d < 2; ++d) box.lo[d] = box.hi[d] = static_cast<Ordinal>(random.Uniform() * 12);
    rows.Add(box);
  }
  Absolute first{5}, second{3};
  const std::vector<DistanceKey> keys = {AbsoluteKey(layout, 0, &first), AbsoluteKey(layout, 1, &second)};
  const auto store = PackTree(rows, {10, 6, 1});
  for (const int members : {2, 3}) ASSERT_NO_FATAL_FAILURE(ExpectShared(*store, rows, Everything(layout), keys, members, 1000, 5));
}

TEST(ScanTeam, NearestOfAGrowingTree) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 12000, Distribution::kClustered, 41);
  GrowingTree tree(layout, rows);
  tree.InsertUntil(1500);
  Random random(6);
  for (int round = 0; round < 4; ++round) {
    const size_t visible = tree.inserted();
    Euclidean metric{{random.Uniform(), random.Uniform()}};
    const DistanceKey key = EuclideanKey(layout, 0, &metric);
    Team team(1000, true);
    MemoryReader readers[2] = {MemoryReader(tree.store), MemoryReader(tree.store)};
    std::unique_ptr<NearestScan> scans[2];
    for (auto& scan : scans) {
      scan = std::make_unique<NearestScan>();
      scan->Begin(layout, Everything(layout), &key, 1, {.team = &team});
    }
    std::vector<int> seen(rows.size());
    double last[2] = {0, 0};
    bool over[2] = {false, false};
    for (size_t count = 0; !over[0] || !over[1]; ++count) {
      const int member = random.Uniform() < 0.5 ? 0 : 1;
      if (over[member]) continue;
      NearestRow row;
      if (!scans[member]->Next(readers[member], &row)) {
        over[member] = true;
        continue;
      }
      const size_t number = RowOf(row.tuple);
      ++seen[number];
      if (number < visible) {
        ASSERT_LE(last[member], row.distance[0]);
        last[member] = row.distance[0];
      }
      if (count % 8 == 0) tree.Insert(10);
    }
    ASSERT_NO_FATAL_FAILURE(GrowingTree::ExpectOnce(seen, visible));
  }
  EXPECT_GT(tree.inserted(), 4000u);
}

}  // namespace
}  // namespace xtree::test
