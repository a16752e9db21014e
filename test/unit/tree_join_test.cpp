// TreeJoin against brute force: relations, layouts, distributions, marks, windows, trees of all heights, and trees that grow meanwhile.
// Seen to fail with: what has split off a left, or a right, node not read; entries of the leaf before kept.
#include "growing_tree.h"
#include "join_fixture.h"
#include "team_fixture.h"

namespace xtree::test {
namespace {

constexpr JoinRelation kRelations[] = {JoinRelation::kMeets, JoinRelation::kContains, JoinRelation::kWithin, JoinRelation::kSame};

void ExpectSame(const std::vector<RowPair>& found, const std::vector<RowPair>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  ASSERT_TRUE(found == expected);
}

void ExpectJoins(const RowSet& left, const RowSet& right, const JoinQuestion& question, PackOptions left_pages = {},
                 PackOptions right_pages = {}) {
  const auto left_tree = PackTree(left, left_pages), right_tree = PackTree(right, right_pages);
  ExpectSame(Join(*left_tree, *right_tree, question), BruteForceJoin(left, right, question));
}

Ordinal Widen(Ordinal edge, bool, bool, bool most) {
  const double value = DoubleFromOrdinal(edge);
  return OrdinalFromDouble(most ? value + 0.01 : value - 0.01);
}

TEST(TreeJoin, BoxesOfAllDistributions) {
  const KeyLayout layout = FloatLayout(2, true);
  for (const Distribution left : {Distribution::kUniform, Distribution::kClustered, Distribution::kDuplicates, Distribution::kOnePoint}) {
    for (const Distribution right : {Distribution::kUniform, Distribution::kClustered, Distribution::kDuplicates}) {
      const RowSet a = RandomRows(layout, 700, left, 1), b = RandomRows(layout, 500, right, 2);
      for (const JoinRelation relation : kRelations) {
        for (const JoinReach reach : {JoinReach{nullptr}, JoinReach{Widen}}) {
          ASSERT_NO_FATAL_FAILURE(ExpectJoins(a, b, {{Clause(relation, 2, reach)}}, {10, 8, 1}, {7, 5, 1}));
        }
      }
    }
  }
}

TEST(TreeJoin, PointsInBoxes) {
  const KeyLayout boxes = FloatLayout(2, true), points = FloatLayout(2, false);
  const RowSet a = RandomRows(boxes, 800, Distribution::kUniform, 1), b = RandomRows(points, 1500, Distribution::kUniform, 2);
  ASSERT_GT(BruteForceJoin(a, b, {{Clause(JoinRelation::kWithin, 2)}}).size(), 50u);
  for (const JoinRelation relation : kRelations) {
    ASSERT_NO_FATAL_FAILURE(ExpectJoins(a, b, {{Clause(relation, 2)}}, {10, 8, 1}, {7, 5, 1}));
    ASSERT_NO_FATAL_FAILURE(ExpectJoins(b, a, {{Clause(relation, 2)}}, {10, 8, 1}, {7, 5, 1}));
  }
}

// The walk through trees of unlike heights, down to a root that is a leaf.
TEST(TreeJoin, TreesOfAllHeights) {
  const KeyLayout layout = FloatLayout(2, true);
  const RowSet few = RandomRows(layout, 6, Distribution::kUniform, 3), many = RandomRows(layout, 3000, Distribution::kUniform, 4);
  for (const PackOptions pages : {PackOptions{4, 3, 1}, PackOptions{20, 20, 1}, PackOptions{}}) {
    for (const PackOptions others : {PackOptions{4, 3, 1}, PackOptions{3, 4, 3}, PackOptions{20, 20, 1}, PackOptions{}}) {
      ASSERT_NO_FATAL_FAILURE(ExpectJoins(few, many, {{Clause(JoinRelation::kMeets, 2)}}, pages, others));
      ASSERT_NO_FATAL_FAILURE(ExpectJoins(many, few, {{Clause(JoinRelation::kMeets, 2)}}, pages, others));
    }
  }
  const RowSet none(layout);
  ASSERT_NO_FATAL_FAILURE(ExpectJoins(none, many, {{Clause(JoinRelation::kMeets, 2)}}));
  ASSERT_NO_FATAL_FAILURE(ExpectJoins(many, none, {{Clause(JoinRelation::kMeets, 2)}}));
  ASSERT_NO_FATAL_FAILURE(ExpectJoins(few, few, {{Clause(JoinRelation::kSame, 2)}}));
}

TEST(TreeJoin, Supernodes) {
  const KeyLayout layout = FloatLayout(3, true);
  const RowSet a = RandomRows(layout, 900, Distribution::kUniform, 5), b = RandomRows(layout, 900, Distribution::kClustered, 6);
  ASSERT_NO_FATAL_FAILURE(ExpectJoins(a, b, {{Clause(JoinRelation::kMeets, 3, Widen)}}, {4, 5, 3}, {5, 4, 4}));
  ASSERT_NO_FATAL_FAILURE(ExpectJoins(b, a, {{Clause(JoinRelation::kMeets, 1)}}, {4, 5, 3}, {5, 4, 4}));
}

// More dimensions than the join looks at.
TEST(TreeJoin, ManyDimensionsAreLookedAtInPart) {
  const KeyLayout layout = FloatLayout(6, true);
  const RowSet rows = RandomRows(layout, 300, Distribution::kDuplicates, 7);
  const auto tree = PackTree(rows, {10, 10, 1});
  const auto found = Join(*tree, *tree, {{Clause(JoinRelation::kMeets, 6)}});
  ExpectSame(found, BruteForceJoin(rows, rows, {{Clause(JoinRelation::kMeets, kMaxJoinTerms)}}));
}

TEST(TreeJoin, InfinityAndNan) {
  const KeyLayout layout = FloatLayout(1, true);
  RowSet rows(layout);
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const double values[] = {-inf, -1e308, -1, -0.0, 0, 5e-324, 1, 1e308, inf, nan};
  for (const double lo : values) {
    for (const double hi : values) {
      if (OrdinalFromDouble(lo) <= OrdinalFromDouble(hi)) rows.AddBox({lo}, {hi});
    }
  }
  for (const JoinRelation relation : kRelations)
    ASSERT_NO_FATAL_FAILURE(ExpectJoins(rows, rows, {{Clause(relation, 1)}}, {4, 4, 1}, {3, 3, 1}));
}

// NULL, and empty values where they count and where not, beside values and in nodes of their own.
TEST(TreeJoin, MarksOfTwoColumns) {
  const KeyLayout layout = MakeLayout({{1, 8, true, Scalar::kFloat64}, {1, 4, true, Scalar::kFloat32}});
  Random random(8);
  for (const double share : {0.02, 0.3, 1.0}) {
    RowSet sides[2] = {RowSet(layout), RowSet(layout)};
    for (RowSet& rows : sides) AddRowsWithMarks(0.2, share, &random, &rows);
    for (const JoinRelation first : kRelations) {
      for (const JoinRelation second : kRelations) {
        for (const bool empties : {false, true}) {
          JoinClause a = Clause(first, 1), b = Clause(second, 1, nullptr, 1, 1);
          a.empties = empties;
          b.empties = true;
          ASSERT_NO_FATAL_FAILURE(ExpectJoins(sides[0], sides[1], {{a}}, {9, 6, 1}, {8, 5, 2}));
          ASSERT_NO_FATAL_FAILURE(ExpectJoins(sides[0], sides[1], {{a, b}}, {9, 6, 1}, {8, 5, 2}));
        }
      }
    }
  }
}

TEST(TreeJoin, WindowsOfEitherSide) {
  const KeyLayout layout = FloatLayout(2, true);
  const RowSet a = RandomRows(layout, 900, Distribution::kUniform, 9), b = RandomRows(layout, 900, Distribution::kUniform, 10);
  const Constraint left = Overlapping(layout, {0.2, 0.2}, {0.7, 0.9}), right = Overlapping(layout, {0.4, 0}, {1, 0.5});
  for (const JoinRelation relation : {JoinRelation::kMeets, JoinRelation::kWithin}) {
    ASSERT_NO_FATAL_FAILURE(ExpectJoins(a, b, {{Clause(relation, 2, Widen)}, &left, nullptr}, {9, 6, 1}, {8, 5, 1}));
    ASSERT_NO_FATAL_FAILURE(ExpectJoins(a, b, {{Clause(relation, 2, Widen)}, nullptr, &right}, {9, 6, 1}, {8, 5, 1}));
    ASSERT_NO_FATAL_FAILURE(ExpectJoins(a, b, {{Clause(relation, 2, Widen)}, &left, &right}, {9, 6, 1}, {8, 5, 1}));
  }
  Constraint never = Everything(layout);
  never.Require(0, MarkRule::kNever);
  ASSERT_NO_FATAL_FAILURE(ExpectJoins(a, b, {{Clause(JoinRelation::kMeets, 2)}, &never, nullptr}));
  Constraint null = Everything(layout);
  null.Require(0, MarkRule::kNull);
  ASSERT_NO_FATAL_FAILURE(ExpectJoins(a, b, {{Clause(JoinRelation::kMeets, 2)}, nullptr, &null}));
}

// One value of the left side meets all of the right: lists are longer, and rows more, than are taken at a time.
TEST(TreeJoin, EverythingMeetsEverything) {
  const KeyLayout layout = FloatLayout(1, true);
  RowSet wide(layout), many(layout);
  for (int i = 0; i < 12; ++i) wide.AddBox({-1}, {2});
  const RowSet rows = RandomRows(layout, 40000, Distribution::kUniform, 11);
  const auto left = PackTree(wide, {2, 3, 1}), right = PackTree(rows, {2, 40, 1});
  MemoryReader left_reader(*left), right_reader(*right);
  Joiner joiner(layout, layout, {{Clause(JoinRelation::kMeets, 1)}});
  const auto found = joiner.Run(left_reader, right_reader);
  ASSERT_EQ(found.size(), wide.size() * rows.size());
  for (size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], RowPair(i / rows.size(), i % rows.size()));
  EXPECT_LT(left_reader.AllocatedBytes(), 16u << 20);
}

TEST(TreeJoin, KilledEntriesAreLeftOut) {
  const KeyLayout layout = FloatLayout(2, true);
  const RowSet rows = RandomRows(layout, 300, Distribution::kUniform, 12);
  const auto left = PackTree(rows, {10, 10, 1}), right = PackTree(rows, {10, 10, 1});
  std::set<size_t> gone;
  for (BlockNumber block = 1; block < left->size(); ++block) {
    if (!left->view(block).leaf()) continue;
    left->editor(block).Kill(0);
    gone.insert(RowOf(left->view(block).Tuple(0)));
  }
  for (const bool ignore : {false, true}) {
    std::vector<RowPair> expected;
    for (const RowPair& pair : BruteForceJoin(rows, rows, {{Clause(JoinRelation::kMeets, 2)}})) {
      if (!ignore || !gone.contains(pair.first)) expected.push_back(pair);
    }
    MemoryReader a(*left), b(*right);
    Joiner joiner(layout, layout, {{Clause(JoinRelation::kMeets, 2)}});
    joiner.Begin(layout, layout, ignore);
    ExpectSame(joiner.Run(a, b), expected);
  }
}

TEST(TreeJoin, StartsAgainAndCounts) {
  const KeyLayout layout = FloatLayout(2, true);
  const RowSet rows = RandomRows(layout, 1000, Distribution::kUniform, 13);
  const auto left = PackTree(rows, {10, 10, 1}), right = PackTree(rows, {10, 10, 1});
  MemoryReader a(*left), b(*right);
  Joiner joiner(layout, layout, {{Clause(JoinRelation::kMeets, 2)}});
  const auto first = joiner.Run(a, b);
  const JoinWork work = joiner.join().work();
  EXPECT_EQ(work.pairs, first.size());
  EXPECT_EQ(work.left_nodes, left->size() - 1) << "each left node once";
  EXPECT_EQ(work.left_leaves, 100u);
  EXPECT_GT(work.node_pairs, 100u);
  EXPECT_LT(work.right_leaves, 1000u) << "few of 10000 pairs of leaves";
  joiner.Begin(layout, layout);
  EXPECT_TRUE(joiner.Run(a, b) == first);
  EXPECT_EQ(joiner.join().work().pairs, 2 * first.size());
  joiner.Begin(layout, layout);
  ASSERT_TRUE(const_cast<TreeJoin&>(joiner.join()).Step(a, b));
  joiner.Begin(layout, layout);
  EXPECT_TRUE(joiner.Run(a, b) == first);
}

// Within a margin: no pair is left out, and hardly one is too far apart.
TEST(TreeJoin, Margins) {
  for (const bool narrow : {false, true}) {
    const KeyLayout layout = MakeLayout({{2, static_cast<uint8_t>(narrow ? 4 : 8), false, narrow ? Scalar::kFloat32 : Scalar::kFloat64}});
    Random random(19);
    RowSet rows(layout);
    const double inf = std::numeric_limits<double>::infinity();
    const double special[] = {0, -0.0, 1e17, -1e17, inf, -inf, std::numeric_limits<double>::quiet_NaN()};
    for (int i = 0; i < 900; ++i) {
      Box box;
      box.marks = 0;
      for (int d = 0; d < 2; ++d) {
        const double value = i < 40 ? special[random.Below(7)] : random.Uniform(-1, 1);
        box.lo[d] = box.hi[d] = narrow ? OrdinalFromFloat(static_cast<float>(value)) : OrdinalFromDouble(value);
      }
      rows.Add(box);
    }
    const auto tree = PackTree(rows, {10, 10, 1});
    for (const double margin : {1e-300, 0.05, 3.0, 2e17, inf}) {
      JoinClause clause = Clause(JoinRelation::kMeets, 2);
      clause.margin = margin;
      const std::vector<RowPair> found = Join(*tree, *tree, {{clause}});
      size_t near = 0;
      for (size_t l = 0; l < rows.size(); ++l) {
        for (size_t r = 0; r < rows.size(); ++r) {
          bool within = true, far = false;
          for (int d = 0; d < 2; ++d) {
            const double gap =
                std::fabs(Decode(layout.dimension[d].scalar, rows.Lo(l)[d]) - Decode(layout.dimension[d].scalar, rows.Lo(r)[d]));
            within = within && gap <= margin;
            far = far || gap > margin * 1.001 + 1e-5;
          }
          const bool in = std::binary_search(found.begin(), found.end(), RowPair(l, r));
          ASSERT_TRUE(in || !within) << l << " and " << r << " within " << margin;
          ASSERT_FALSE(in && far && std::isfinite(margin)) << l << " and " << r << " not within " << margin;
          near += within;
        }
      }
      EXPECT_GT(near, 800u);
    }
  }
}

// Members of a team take turns, beside insertions: each pair comes from one of them.
TEST(TreeJoin, SharedByATeam) {
  const KeyLayout layout = FloatLayout(2, true);
  const RowSet a = RandomRows(layout, 6000, Distribution::kUniform, 16), b = RandomRows(layout, 6000, Distribution::kUniform, 17);
  const JoinQuestion question{{Clause(JoinRelation::kMeets, 2)}};
  Random random(18);
  for (const size_t room : {size_t{0}, size_t{5}, size_t{1000}}) {
    for (const size_t members : {size_t{1}, size_t{3}}) {
      GrowingTree left(layout, a), right(layout, b);
      left.InsertUntil(2500);
      right.InsertUntil(1500);
      Team team(room, false);
      const Constraint everything = Everything(layout);
      std::vector<std::unique_ptr<MemoryReader>> readers;
      std::vector<std::unique_ptr<TreeJoin>> joins;
      std::vector<size_t> running, pairs_of(members);
      for (size_t i = 0; i < members; ++i) {
        for (MemoryStore* store : {&left.store, &right.store}) readers.push_back(std::make_unique<MemoryReader>(*store));
        joins.push_back(std::make_unique<TreeJoin>());
        joins.back()->Begin({&layout, &everything, false}, {&layout, &everything, false}, question.clauses.data(), 1, &team);
        running.push_back(i);
      }
      std::vector<RowPair> found;
      while (!running.empty()) {
        const size_t turn = static_cast<size_t>(random.Below(static_cast<int>(running.size()))), member = running[turn];
        if (!joins[member]->Step(*readers[2 * member], *readers[2 * member + 1]))
          running.erase(running.begin() + static_cast<ptrdiff_t>(turn));
        pairs_of[member] += joins[member]->count();
        for (size_t i = 0; i < joins[member]->count(); ++i)
          found.emplace_back(RowOf(joins[member]->rows()[i].left), RowOf(joins[member]->rows()[i].right));
        left.Insert(20);
        right.Insert(20);
      }
      std::sort(found.begin(), found.end());
      ASSERT_TRUE(std::adjacent_find(found.begin(), found.end()) == found.end()) << "a pair came twice";
      const auto later = [](const RowPair& pair) { return pair.first >= 2500 || pair.second >= 1500; };
      std::erase_if(found, later);
      std::vector<RowPair> expected = BruteForceJoin(a, b, question);
      std::erase_if(expected, later);
      ASSERT_NO_FATAL_FAILURE(ExpectSame(found, expected));
      if (room > 0 && members > 1) {
        EXPECT_GT(*std::min_element(pairs_of.begin(), pairs_of.end()), 0u);
      }
    }
  }
}

// What was in both trees all the time comes exactly once, whatever is inserted into them between steps.
TEST(TreeJoin, PairsStayVisibleWhileBothTreesGrow) {
  for (const bool supernodes : {false, true}) {
    const int dimensions = supernodes ? 12 : 2;
    const KeyLayout layout = FloatLayout(dimensions, true);
    const size_t count = supernodes ? 3000 : 9000;
    const RowSet a = RandomRows(layout, count, supernodes ? Distribution::kUniform : Distribution::kClustered, 14);
    const RowSet b = RandomRows(layout, count, supernodes ? Distribution::kUniform : Distribution::kClustered, 15);
    const TreeOptions options{.max_overlap = supernodes ? 0 : 0.2, .min_fanout = supernodes ? 0.5 : 0.35};
    GrowingTree left(layout, a, options), right(layout, b, options);
    left.InsertUntil(supernodes ? 500 : 1500);
    right.InsertUntil(supernodes ? 600 : 1200);
    for (int round = 0; round < 3; ++round) {
      const size_t left_rows = left.inserted(), right_rows = right.inserted();
      const JoinQuestion question{{Clause(JoinRelation::kMeets, supernodes ? 1 : 2)}};
      MemoryReader left_reader(left.store), right_reader(right.store);
      Joiner joiner(layout, layout, question);
      std::vector<RowPair> found = joiner.Run(left_reader, right_reader, [&] {
        left.Insert(supernodes ? 20 : 60);
        right.Insert(supernodes ? 30 : 50);
      });
      ASSERT_TRUE(std::adjacent_find(found.begin(), found.end()) == found.end()) << "a pair came twice";
      std::erase_if(found, [&](const RowPair& pair) { return pair.first >= left_rows || pair.second >= right_rows; });
      std::vector<RowPair> expected = BruteForceJoin(a, b, question);
      std::erase_if(expected, [&](const RowPair& pair) { return pair.first >= left_rows || pair.second >= right_rows; });
      ASSERT_GT(expected.size(), 100u);
      ASSERT_NO_FATAL_FAILURE(ExpectSame(found, expected));
    }
    EXPECT_GT(left.inserted(), supernodes ? 1000u : 4000u);
    EXPECT_GT(right.inserted(), supernodes ? 1000u : 4000u);
  }
}

}  // namespace
}  // namespace xtree::test
