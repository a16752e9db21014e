// TreeJoin that goes from left leaf to left leaf, as outer, semi and anti joins have it: all pairs of a leaf's rows while that is at hand, and of
// all left rows, where that is asked for, each once, whatever they have for a key and whether they have a partner.
// Seen to fail with: left nodes without a list left out; rows whose key is NULL left out; lists cut into parts; what has split off a left leaf not
// read; rows that were settled paired again.
#include "growing_tree.h"
#include "join_fixture.h"
#include "team_fixture.h"

namespace xtree::test {
namespace {

constexpr JoinRelation kRelations[] = {JoinRelation::kMeets, JoinRelation::kContains, JoinRelation::kWithin, JoinRelation::kSame};

struct ByLeaf {
  std::vector<RowPair> pairs;
  std::vector<size_t> lefts;  // rows of leaves

  void Sort() {
    std::sort(pairs.begin(), pairs.end());
    std::sort(lefts.begin(), lefts.end());
  }
};

// What one call of Step has found.
void Collect(const TreeJoin& join, ByLeaf* out) {
  if (join.leaf_begins()) {
    for (size_t i = 0; i < join.leaf_size(); ++i) out->lefts.push_back(RowOf(join.leaf_tuple(i)));
  }
  for (size_t i = 0; i < join.count(); ++i) {
    const JoinedRows& pair = join.rows()[i];
    ASSERT_LT(pair.left_entry, join.leaf_size());
    ASSERT_TRUE(join.leaf_tuple(pair.left_entry) == pair.left) << "a pair is of the leaf at hand";
    out->pairs.emplace_back(RowOf(pair.left), RowOf(pair.right));
  }
}

template <class Between>
ByLeaf Walk(MemoryStore& left, MemoryStore& right, const JoinQuestion& question, JoinGoal goal, Between&& between,
            bool right_nothing = false) {
  const Constraint everything[2] = {Everything(left.layout()), Everything(right.layout())};
  MemoryReader left_reader(left), right_reader(right);
  TreeJoin join;
  join.Begin({&left.layout(), question.left != nullptr ? question.left : &everything[0], false},
             {&right.layout(), question.right != nullptr ? question.right : &everything[1], false, right_nothing}, question.clauses.data(),
             static_cast<int>(question.clauses.size()), nullptr, goal);
  ByLeaf found;
  bool at_end = true;
  while (join.Step(left_reader, right_reader)) {
    EXPECT_EQ(left_reader.OpenPages() + right_reader.OpenPages(), 0);
    EXPECT_EQ(join.leaf_begins(), at_end) << "leaves come one after the other";
    at_end = join.leaf_ends();
    Collect(join, &found);
    between();
  }
  EXPECT_TRUE(at_end);
  EXPECT_FALSE(join.Step(left_reader, right_reader)) << "the end stays the end";
  if (right_nothing) {
    EXPECT_EQ(join.work().right_nodes, 0u);
  }
  found.Sort();
  return found;
}

std::vector<size_t> RowsWithin(const RowSet& rows, const Constraint* constraint) {
  std::vector<size_t> within;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (constraint == nullptr || Satisfies(rows, i, *constraint)) within.push_back(i);
  }
  return within;
}

void ExpectAll(const RowSet& left, const RowSet& right, const JoinQuestion& question, PackOptions left_pages = {},
               PackOptions right_pages = {}) {
  const auto left_tree = PackTree(left, left_pages), right_tree = PackTree(right, right_pages);
  const std::vector<RowPair> pairs = BruteForceJoin(left, right, question);
  const ByLeaf all = Walk(*left_tree, *right_tree, question, JoinGoal::kAllLeft, [] {});
  ASSERT_TRUE(all.pairs == pairs) << all.pairs.size() << " pairs instead of " << pairs.size();
  ASSERT_TRUE(all.lefts == RowsWithin(left, question.left));
  const ByLeaf some = Walk(*left_tree, *right_tree, question, JoinGoal::kPairsByLeaf, [] {});
  ASSERT_TRUE(some.pairs == pairs);
  ASSERT_TRUE(std::adjacent_find(some.lefts.begin(), some.lefts.end()) == some.lefts.end());
  ASSERT_TRUE(std::all_of(pairs.begin(), pairs.end(),
                          [&](const RowPair& pair) { return std::binary_search(some.lefts.begin(), some.lefts.end(), pair.first); }));
}

TEST(LeftLeaves, TreesOfAllHeightsAndShapes) {
  const KeyLayout layout = FloatLayout(2, true);
  const RowSet few = RandomRows(layout, 6, Distribution::kUniform, 1), many = RandomRows(layout, 2000, Distribution::kClustered, 2),
               others = RandomRows(layout, 1500, Distribution::kUniform, 3), none(layout);
  for (const PackOptions pages : {PackOptions{4, 3, 1}, PackOptions{3, 4, 3}, PackOptions{20, 20, 1}, PackOptions{}}) {
    for (const PackOptions right_pages : {PackOptions{4, 3, 1}, PackOptions{20, 20, 1}, PackOptions{}}) {
      for (const JoinRelation relation : kRelations) {
        ASSERT_NO_FATAL_FAILURE(ExpectAll(few, many, {{Clause(relation, 2)}}, pages, right_pages));
        ASSERT_NO_FATAL_FAILURE(ExpectAll(many, few, {{Clause(relation, 2)}}, pages, right_pages));
        ASSERT_NO_FATAL_FAILURE(ExpectAll(many, others, {{Clause(relation, 2)}}, pages, right_pages));
      }
      ASSERT_NO_FATAL_FAILURE(ExpectAll(many, none, {{Clause(JoinRelation::kMeets, 2)}}, pages, right_pages));
      ASSERT_NO_FATAL_FAILURE(ExpectAll(none, many, {{Clause(JoinRelation::kMeets, 2)}}, pages, right_pages));
    }
  }
}

TEST(LeftLeaves, MarksAndWindows) {
  const KeyLayout layout = MakeLayout({{1, 8, true, Scalar::kFloat64}, {1, 4, true, Scalar::kFloat32}});
  Random random(4);
  for (const double share : {0.1, 0.6, 1.0}) {
    RowSet sides[2] = {RowSet(layout), RowSet(layout)};
    for (RowSet& rows : sides) AddRowsWithMarks(0.1, share, &random, &rows);
    Constraint left = Everything(layout), right = Everything(layout), never = Everything(layout);
    left.RequireLo(0, {kOrdinalMin, OrdinalFromDouble(0.5)});
    right.Require(1, MarkRule::kValueOrEmpty);
    never.Require(0, MarkRule::kNever);
    for (const JoinRelation relation : kRelations) {
      for (const bool empties : {false, true}) {
        JoinClause a = Clause(relation, 1), b = Clause(JoinRelation::kWithin, 1, nullptr, 1, 1);
        a.empties = b.empties = empties;
        ASSERT_NO_FATAL_FAILURE(ExpectAll(sides[0], sides[1], {{a}}, {9, 6, 1}, {8, 5, 2}));
        ASSERT_NO_FATAL_FAILURE(ExpectAll(sides[0], sides[1], {{b}}, {9, 6, 1}, {8, 5, 2}));
        ASSERT_NO_FATAL_FAILURE(ExpectAll(sides[0], sides[1], {{a, b}, &left, &right}, {9, 6, 1}, {8, 5, 2}));
        ASSERT_NO_FATAL_FAILURE(ExpectAll(sides[0], sides[1], {{a, b}, nullptr, &never}, {9, 6, 1}, {8, 5, 2}));
        ASSERT_NO_FATAL_FAILURE(ExpectAll(sides[0], sides[1], {{a, b}, &never, nullptr}, {9, 6, 1}, {8, 5, 2}));
      }
    }
  }
}

TEST(LeftLeaves, ARightSideThatIsNotRead) {
  const KeyLayout layout = FloatLayout(2, true);
  const RowSet rows = RandomRows(layout, 900, Distribution::kUniform, 5);
  const auto left = PackTree(rows, {7, 5, 1}), right = PackTree(rows, {7, 5, 1});
  const ByLeaf all = Walk(
      *left, *right, {{Clause(JoinRelation::kMeets, 2)}}, JoinGoal::kAllLeft, [] {}, true);
  EXPECT_EQ(all.lefts.size(), rows.size());
  EXPECT_TRUE(all.pairs.empty());
  EXPECT_TRUE(Walk(
                  *left, *right, {{Clause(JoinRelation::kMeets, 2)}}, JoinGoal::kPairsByLeaf, [] {}, true)
                  .lefts.empty());
}

// Lists that lead to more nodes than are taken at a time are not cut.
TEST(LeftLeaves, EverythingMeetsEverything) {
  const KeyLayout layout = FloatLayout(1, true);
  RowSet wide(layout);
  for (int i = 0; i < 12; ++i) wide.AddBox({-1}, {2});
  const RowSet many = RandomRows(layout, 40000, Distribution::kUniform, 6);
  for (const PackOptions pages : {PackOptions{2, 3, 1}, PackOptions{5, 5, 1}}) {
    const auto left = PackTree(wide, pages);
    for (const PackOptions right_pages : {PackOptions{2, 40, 1}, PackOptions{2, 3, 1}}) {
      const auto right = PackTree(many, right_pages);
      for (const JoinGoal goal : {JoinGoal::kAllLeft, JoinGoal::kPairsByLeaf}) {
        const ByLeaf found = Walk(*left, *right, {{Clause(JoinRelation::kMeets, 1)}}, goal, [] {});
        ASSERT_EQ(found.lefts, RowsWithin(wide, nullptr));
        ASSERT_EQ(found.pairs.size(), wide.size() * many.size());
        for (size_t i = 0; i < found.pairs.size(); ++i) ASSERT_EQ(found.pairs[i], RowPair(i / many.size(), i % many.size()));
      }
    }
  }
}

// What is settled is paired no more, and a leaf of which everything is reads no more.
TEST(LeftLeaves, SettledRows) {
  const KeyLayout layout = FloatLayout(1, true);
  RowSet wide(layout);
  for (int i = 0; i < 40; ++i) wide.AddBox({i % 4 == 0 ? 5.0 : -1.0}, {6});
  const RowSet many = RandomRows(layout, 20000, Distribution::kUniform, 7);
  const auto left = PackTree(wide, {10, 10, 1}), right = PackTree(many, {50, 50, 1});
  const Constraint everything = Everything(layout);
  const JoinClause clause = Clause(JoinRelation::kMeets, 1);
  for (const bool settle : {false, true}) {
    MemoryReader left_reader(*left), right_reader(*right);
    TreeJoin join;
    join.Begin({&layout, &everything, false}, {&layout, &everything, false}, &clause, 1, nullptr, JoinGoal::kAllLeft);
    std::vector<uint8_t> settled;
    std::vector<size_t> pairs_of(wide.size());
    size_t leaves = 0;
    while (join.Step(left_reader, right_reader)) {
      if (join.leaf_begins()) settled.assign(join.leaf_size(), 0), ++leaves;
      for (size_t i = 0; i < join.count(); ++i) {
        const JoinedRows& pair = join.rows()[i];
        ASSERT_FALSE(settled[pair.left_entry]);
        ++pairs_of[RowOf(pair.left)];
      }
      if (!settle) continue;
      for (size_t i = 0; i < join.count(); ++i) settled[join.rows()[i].left_entry] = 1;
      join.Settle(settled.data());
    }
    EXPECT_EQ(leaves, 4u);
    for (size_t row = 0; row < wide.size(); ++row) {
      EXPECT_EQ(pairs_of[row] > 0, row % 4 != 0);
      if (settle) {
        EXPECT_LT(pairs_of[row], many.size() / 2);
      } else if (row % 4 != 0) {
        EXPECT_EQ(pairs_of[row], many.size());
      }
    }
    if (settle) {
      EXPECT_LT(join.work().right_leaves, 4 * 400u / 2) << "the rest of a leaf's list is not read";
    }
  }
}

// Members of a team, beside insertions: each left row that was there all the time comes from one of them, with all of its pairs.
TEST(LeftLeaves, SharedByATeamWhileBothTreesGrow) {
  const KeyLayout layout = FloatLayout(2, true);
  RowSet a = RandomRows(layout, 6000, Distribution::kUniform, 8), b = RandomRows(layout, 6000, Distribution::kClustered, 9);
  for (size_t row = 0; row < a.size(); row += 9) a.Mark(row, 0, row % 2 == 0 ? kMarkNull : kMarkEmpty);
  const JoinQuestion question{{Clause(JoinRelation::kMeets, 2)}};
  Random random(10);
  for (const size_t room : {size_t{0}, size_t{5}, size_t{1000}}) {
    GrowingTree left(layout, a), right(layout, b);
    left.InsertUntil(2500);
    right.InsertUntil(1500);
    Team team(room, false);
    const Constraint everything = Everything(layout);
    std::vector<std::unique_ptr<MemoryReader>> readers;
    std::vector<std::unique_ptr<TreeJoin>> joins;
    std::vector<size_t> running;
    for (size_t i = 0; i < 3; ++i) {
      for (MemoryStore* store : {&left.store, &right.store}) readers.push_back(std::make_unique<MemoryReader>(*store));
      joins.push_back(std::make_unique<TreeJoin>());
      joins.back()->Begin({&layout, &everything, false}, {&layout, &everything, false}, question.clauses.data(), 1, &team,
                          JoinGoal::kAllLeft);
      running.push_back(i);
    }
    ByLeaf found;
    while (!running.empty()) {
      const size_t turn = static_cast<size_t>(random.Below(static_cast<int>(running.size()))), member = running[turn];
      if (joins[member]->Step(*readers[2 * member], *readers[2 * member + 1])) {
        ASSERT_NO_FATAL_FAILURE(Collect(*joins[member], &found));
      } else {
        running.erase(running.begin() + static_cast<ptrdiff_t>(turn));
      }
      left.Insert(20);
      right.Insert(20);
    }
    found.Sort();
    ASSERT_TRUE(std::adjacent_find(found.pairs.begin(), found.pairs.end()) == found.pairs.end()) << "a pair came twice";
    ASSERT_TRUE(std::adjacent_find(found.lefts.begin(), found.lefts.end()) == found.lefts.end()) << "a row came twice";
    std::erase_if(found.lefts, [](size_t row) { return row >= 2500; });
    ASSERT_EQ(found.lefts.size(), 2500u);
    const auto later = [](const RowPair& pair) { return pair.first >= 2500 || pair.second >= 1500; };
    std::erase_if(found.pairs, later);
    std::vector<RowPair> expected = BruteForceJoin(a, b, question);
    std::erase_if(expected, later);
    ASSERT_TRUE(found.pairs == expected);
    EXPECT_GT(left.inserted(), 2700u);
  }
}

TEST(LeftLeaves, BothTreesGrow) {
  const KeyLayout layout = FloatLayout(2, true);
  RowSet a = RandomRows(layout, 9000, Distribution::kClustered, 11), b = RandomRows(layout, 9000, Distribution::kUniform, 12);
  for (size_t row = 0; row < a.size(); row += 5) a.Mark(row, 0, kMarkNull);
  const JoinQuestion question{{Clause(JoinRelation::kMeets, 2)}};
  GrowingTree left(layout, a), right(layout, b);
  left.InsertUntil(1500);
  right.InsertUntil(1200);
  for (int round = 0; round < 3; ++round) {
    const size_t left_rows = left.inserted(), right_rows = right.inserted();
    ByLeaf found = Walk(left.store, right.store, question, JoinGoal::kAllLeft, [&] {
      left.Insert(60);
      right.Insert(50);
    });
    ASSERT_TRUE(std::adjacent_find(found.lefts.begin(), found.lefts.end()) == found.lefts.end()) << "a row came twice";
    std::erase_if(found.lefts, [&](size_t row) { return row >= left_rows; });
    ASSERT_EQ(found.lefts.size(), left_rows);
    const auto later = [&](const RowPair& pair) { return pair.first >= left_rows || pair.second >= right_rows; };
    std::erase_if(found.pairs, later);
    std::vector<RowPair> expected = BruteForceJoin(a, b, question);
    std::erase_if(expected, later);
    ASSERT_TRUE(found.pairs == expected);
  }
  EXPECT_GT(left.inserted(), 3000u);
}

}  // namespace
}  // namespace xtree::test
