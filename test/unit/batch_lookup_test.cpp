// BatchLookup against brute force: layouts, distributions, marks, alternatives, lookups that match nothing or everything, trees of all heights and
// with supernodes, and trees that grow meanwhile; through readers that do not hold their pages.
// Seen to fail with: what has split off a node not read; lists of tasks that wait overwritten; matches of a discarded node kept.
#include "core/join/batch_lookup.h"

#include <gtest/gtest.h>

#include "doubtful_reader.h"
#include "growing_tree.h"
#include "scan_fixture.h"

namespace xtree::test {
namespace {

using Found = std::vector<std::pair<size_t, size_t>>;  // lookup, row

// Windows of all sizes, some of all that there is and some of nothing.
std::vector<Constraint> RandomLookups(const KeyLayout& layout, size_t count, Random* random) {
  std::vector<Constraint> lookups;
  for (size_t i = 0; i < count; ++i) {
    std::vector<double> lo(layout.dimensions, -10), hi(layout.dimensions, 10);
    const double side = random->Below(5) == 0 ? 0.5 : random->Uniform(0, 0.1);
    for (int d = 0; d < layout.dimensions; ++d) {
      if (random->Below(layout.dimensions) >= 3) continue;
      lo[d] = random->Below(3) == 0 ? random->Below(5) * 0.25 : random->Uniform(-0.1, 1);
      hi[d] = lo[d] + side;
    }
    lookups.push_back(random->Below(50) == 0 ? Everything(layout) : Overlapping(layout, lo, hi));
    if (random->Below(20) == 0) lookups.back().Require(0, MarkRule::kNever);
  }
  return lookups;
}

Found BruteForceLookups(const RowSet& rows, const std::vector<Constraint>& lookups) {
  Found found;
  for (size_t i = 0; i < lookups.size(); ++i) {
    for (const size_t row : BruteForce(rows, lookups[i])) found.emplace_back(i, row);
  }
  return found;
}

class Looker {
 public:
  explicit Looker(BatchLookup::Options options = {}) : options_(options), lookup_(std::make_unique<BatchLookup>()) {}

  template <class Reader>
  void Begin(Reader& reader, const KeyLayout& layout, const std::vector<Constraint>& lookups) {
    lookup_->Begin(layout, options_);
    for (const Constraint& constraint : lookups) lookup_->Add(reader, constraint);
  }
  template <class Reader>
  bool Step(Reader& reader, Found* found) {
    const bool more = lookup_->Step(reader);
    EXPECT_EQ(reader.OpenPages(), 0);
    EXPECT_EQ(more, lookup_->count() > 0);
    for (size_t i = 0; i < lookup_->count(); ++i) found->emplace_back(lookup_->matches()[i].lookup, RowOf(lookup_->matches()[i].tuple));
    return more;
  }
  template <class Reader>
  Found Run(Reader& reader, const KeyLayout& layout, const std::vector<Constraint>& lookups) {
    Begin(reader, layout, lookups);
    Found found;
    while (Step(reader, &found)) {
    }
    EXPECT_FALSE(lookup_->Step(reader)) << "the end stays the end";
    std::sort(found.begin(), found.end());
    return found;
  }
  const BatchLookup& lookup() const { return *lookup_; }

 private:
  BatchLookup::Options options_;
  std::unique_ptr<BatchLookup> lookup_;
};

// A batch is gone through at once, in small parts, and with a lookup at a time.
const BatchLookup::Options kOptions[] = {{}, {.visit_lookups = 3, .descents = 10}, {.visit_lookups = 1, .descents = 1}};

void ExpectFound(const RowSet& rows, const std::vector<Constraint>& lookups, PackOptions pages = {}) {
  const auto store = PackTree(rows, pages);
  const Found expected = BruteForceLookups(rows, lookups);
  for (const BatchLookup::Options& options : kOptions) {
    MemoryReader reader(*store);
    Looker looker(options);
    for (int start = 0; start < 2; ++start) {
      const Found found = looker.Run(reader, rows.layout(), lookups);
      ASSERT_EQ(found.size(), expected.size());
      ASSERT_TRUE(found == expected);
    }
  }
}

TEST(BatchLookup, AllDistributions) {
  Random random(1);
  for (const bool extended : {false, true}) {
    for (const int dimensions : {1, 2, 5}) {
      const KeyLayout layout = FloatLayout(dimensions, extended);
      for (const Distribution distribution :
           {Distribution::kUniform, Distribution::kClustered, Distribution::kDuplicates, Distribution::kOnePoint}) {
        const RowSet rows = RandomRows(layout, 1500, distribution, 2);
        const std::vector<Constraint> lookups = RandomLookups(layout, 300, &random);
        ASSERT_NO_FATAL_FAILURE(ExpectFound(rows, lookups, {9, 7, 1}));
        ASSERT_NO_FATAL_FAILURE(ExpectFound(rows, lookups, {5, 4, 3}));
      }
    }
  }
}

TEST(BatchLookup, TreesOfAllHeightsAndAnyNumberOfLookups) {
  const KeyLayout layout = FloatLayout(2, true);
  Random random(3);
  for (const size_t count : {0, 1, 6, 3000}) {
    const RowSet rows = RandomRows(layout, count, Distribution::kUniform, 4);
    for (const size_t lookups : {0, 1, 2, 400}) {
      for (const PackOptions pages : {PackOptions{4, 3, 1}, PackOptions{20, 20, 2}, PackOptions{}})
        ASSERT_NO_FATAL_FAILURE(ExpectFound(rows, RandomLookups(layout, lookups, &random), pages));
    }
  }
}

// Rules for NULL and empty values, of each lookup its own.
TEST(BatchLookup, Marks) {
  const KeyLayout layout = MakeLayout({{1, 8, true, Scalar::kFloat64}, {1, 8, true, Scalar::kFloat64}});
  RowSet rows = RandomRows(layout, 1000, Distribution::kUniform, 5);
  for (size_t row = 0; row < rows.size(); ++row) {
    if (row % 3 == 0) rows.Mark(row, 0, row % 2 == 0 ? kMarkNull : kMarkEmpty);
    if (row % 7 == 0) rows.Mark(row, 1, kMarkNull);
  }
  Random random(6);
  std::vector<Constraint> lookups = RandomLookups(layout, 200, &random);
  constexpr MarkRule kRules[] = {MarkRule::kAny,   MarkRule::kValue,   MarkRule::kValueOrEmpty,
                                 MarkRule::kEmpty, MarkRule::kNotNull, MarkRule::kNull};
  for (size_t i = 0; i < lookups.size(); ++i) {
    Constraint& lookup = lookups[i];
    if (i % 3 != 0) lookup.Initialize(layout), lookup.RequireLo(0, {OrdinalFromDouble(0.2), OrdinalFromDouble(0.5)});
    if (i % 3 == 1) lookup.Initialize(layout);
    lookup.Require(0, kRules[i % 6]);
    lookup.Require(1, i % 5 == 0 ? MarkRule::kNull : MarkRule::kAny);
  }
  size_t marked = 0;
  for (const auto& [lookup, row] : BruteForceLookups(rows, lookups)) marked += rows.Marked(row, 0);
  ASSERT_GT(marked, 1000u);
  ASSERT_NO_FATAL_FAILURE(ExpectFound(rows, lookups, {9, 6, 1}));
}

// Each lookup has alternatives of its own, and what they say of recheck.
TEST(BatchLookup, Alternatives) {
  const KeyLayout layout = FloatLayout(1, false);
  const RowSet rows = RandomRows(layout, 1000, Distribution::kUniform, 7);
  constexpr size_t kLookups = 100;
  struct Two {
    Interval lo[2], hi[2];
    MarkRule rule[2] = {MarkRule::kValue, MarkRule::kValue};
    bool recheck[2] = {false, true};
    AnyOf group;
  };
  std::vector<Two> two(kLookups);
  std::vector<Constraint> lookups;
  for (size_t i = 0; i < kLookups; ++i) {
    const double at = static_cast<double>(i) / kLookups;
    two[i].lo[0] = two[i].hi[0] = {OrdinalFromDouble(at), OrdinalFromDouble(at + 0.05)};
    two[i].lo[1] = two[i].hi[1] = {OrdinalFromDouble(1 - at), OrdinalFromDouble(1 - at + 0.01)};
    two[i].group = {0, 2, two[i].lo, two[i].hi, two[i].rule, false, two[i].recheck};
    lookups.push_back(Everything(layout));
    lookups.back().any_of = &two[i].group;
    lookups.back().any_of_count = 1;
  }
  const auto store = PackTree(rows, {9, 6, 1});
  MemoryReader reader(*store);
  Looker looker;
  looker.Begin(reader, layout, lookups);
  std::vector<std::vector<int>> seen(kLookups, std::vector<int>(rows.size(), 0));  // 1: certain, 2: to be rechecked
  Found found;
  while (looker.Step(reader, &found)) {
    for (size_t i = 0; i < looker.lookup().count(); ++i) {
      const LookupMatch& match = looker.lookup().matches()[i];
      seen[match.lookup][RowOf(match.tuple)] += match.recheck ? 2 : 1;
    }
  }
  for (size_t i = 0; i < kLookups; ++i) {
    for (size_t row = 0; row < rows.size(); ++row) {
      const Ordinal value = rows.Lo(row)[0];
      const auto within = [&](int alternative) { return two[i].lo[alternative].min <= value && value <= two[i].lo[alternative].max; };
      ASSERT_EQ(seen[i][row], within(0) ? 1 : within(1) ? 2 : 0);
    }
  }
}

// Keys that are kept, of rows that are known; entries of the leaf have numbers.
TEST(BatchLookup, KeysOfKnownRows) {
  const KeyLayout layout = FloatLayout(2, true);
  RowSet rows = RandomRows(layout, 800, Distribution::kUniform, 8);
  for (size_t row = 0; row < rows.size(); row += 5) rows.Mark(row, 0, kMarkNull);
  Random random(9);
  const std::vector<Constraint> lookups = RandomLookups(layout, 100, &random);
  const auto store = PackTree(rows, {9, 6, 1});
  MemoryReader reader(*store);
  BatchLookup::Options options;
  options.look = [](void*, const TupleId* tuples, size_t count, uint8_t* known) {
    for (size_t i = 0; i < count; ++i) known[i] = RowOf(tuples[i]) % 3 == 0;
  };
  Looker looker(options);
  looker.Begin(reader, layout, lookups);
  Found found;
  size_t known = 0;
  Box key, box;
  while (looker.Step(reader, &found)) {
    for (size_t i = 0; i < looker.lookup().count(); ++i) {
      const LookupMatch& match = looker.lookup().matches()[i];
      const size_t row = RowOf(match.tuple);
      ASSERT_EQ(match.known, row % 3 == 0);
      known += match.known;
      looker.lookup().GetKey(i, &key);
      rows.Get(row, &box);
      ASSERT_EQ(key.marks, box.marks);
      if (box.marks == 0) {
        ASSERT_TRUE(Equal(layout, key, box));
      }
    }
  }
  ASSERT_GT(known, 100u);
}

// Each node is read once for all lookups that come to it, as far as they come at once.
TEST(BatchLookup, NodesAreShared) {
  const KeyLayout layout = FloatLayout(2, false);
  const RowSet rows = RandomRows(layout, 2000, Distribution::kUniform, 10);
  const auto store = PackTree(rows, {20, 20, 1});
  const std::vector<Constraint> lookups(30, Everything(layout));
  MemoryReader reader(*store);
  Looker looker;
  ASSERT_EQ(looker.Run(reader, layout, lookups).size(), 30 * rows.size());
  const LookupWork work = looker.lookup().work();
  EXPECT_EQ(work.leaves, 100u);
  EXPECT_EQ(work.nodes, 106u);
  EXPECT_EQ(work.matches, 30 * rows.size());
}

// Rows that were there when the batch began come once for each lookup; others at most once.
TEST(BatchLookup, GrowingTree) {
  for (const bool supernodes : {false, true}) {
    const KeyLayout layout = FloatLayout(supernodes ? 12 : 2, true);
    const TreeOptions tree_options{.max_overlap = supernodes ? 0 : 0.2, .min_fanout = supernodes ? 0.5 : 0.35};
    const RowSet rows = RandomRows(layout, supernodes ? 2500 : 12000, Distribution::kUniform, 11);
    const size_t visible = rows.size() / 3;
    Random random(12);
    const std::vector<Constraint> lookups = RandomLookups(layout, 60, &random);
    for (const BatchLookup::Options& options : kOptions) {
      GrowingTree tree(layout, rows, tree_options);
      tree.InsertUntil(visible);
      MemoryReader reader(tree.store);
      Looker looker(options);
      looker.Begin(reader, layout, lookups);
      Found found;
      while (looker.Step(reader, &found)) tree.Insert(40);
      std::sort(found.begin(), found.end());
      ASSERT_TRUE(std::adjacent_find(found.begin(), found.end()) == found.end()) << "a row came twice";
      for (size_t i = 0; i < lookups.size(); ++i) {
        for (const size_t row : BruteForce(rows, lookups[i])) {
          if (row >= visible) break;
          ASSERT_TRUE(std::binary_search(found.begin(), found.end(), std::pair(i, row))) << "a row was lost";
        }
      }
      for (const auto& [lookup, row] : found) ASSERT_TRUE(Satisfies(rows, row, lookups[lookup]));
    }
  }
}

TEST(BatchLookup, WhateverIsWrongWithPages) {
  const std::vector<Trouble> kinds = {Trouble::kTorn, Trouble::kScribbled, Trouble::kFault, Trouble::kRefused};
  for (const bool supernodes : {false, true}) {
    const KeyLayout layout = FloatLayout(supernodes ? 12 : 2, true);
    const TreeOptions tree_options{.max_overlap = supernodes ? 0 : 0.2, .min_fanout = supernodes ? 0.5 : 0.35};
    RowSet rows = RandomRows(layout, supernodes ? 900 : 4000, Distribution::kUniform, 13);
    for (size_t row = 0; row < rows.size(); row += 7) rows.Mark(row, 0, kMarkNull);
    GrowingTree tree(layout, rows, tree_options);
    tree.InsertUntil(rows.size() / 2);
    const auto old = tree.store.Crash();
    tree.InsertUntil(rows.size());
    Random random(14);
    const std::vector<Constraint> lookups = RandomLookups(layout, 200, &random);
    const Found expected = BruteForceLookups(rows, lookups);
    for (const double share : {0.2, 0.7}) {
      for (const BatchLookup::Options& options : kOptions) {
        DoubtfulReader reader(tree.store, old.get(), 15);
        auto chance = std::make_shared<Random>(16);
        reader.trouble = [=](int, BlockNumber) {
          return chance->Uniform() < share ? kinds[static_cast<size_t>(chance->Below(static_cast<int>(kinds.size())))] : Trouble::kNone;
        };
        const Found found = Looker(options).Run(reader, layout, lookups);
        ASSERT_EQ(found.size(), expected.size());
        ASSERT_TRUE(found == expected);
        for (const Trouble kind : kinds) ASSERT_GT(reader.met[kind], 0);
      }
    }
  }
}

}  // namespace
}  // namespace xtree::test
