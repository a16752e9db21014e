// What the tests of joins share: brute force, and all pairs that a join returns.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "core/join/tree_join.h"
#include "scan_fixture.h"

namespace xtree::test {

using RowPair = std::pair<size_t, size_t>;

// 400 rows of two columns, a float8 with extents below `extent` and a float4, of which so large a share is NULL or empty.
inline void AddRowsWithMarks(double extent, double share, Random* random, RowSet* rows) {
  for (size_t i = 0; i < 400; ++i) {
    Box box;
    box.marks = 0;
    box.lo[0] = OrdinalFromDouble(random->Uniform());
    box.hi[0] = OrdinalFromDouble(DoubleFromOrdinal(box.lo[0]) + random->Uniform(0, extent));
    box.lo[1] = OrdinalFromFloat(static_cast<float>(random->Below(8)));
    box.hi[1] = box.lo[1] + random->Below(2);
    rows->Add(box);
    for (int column = 0; column < 2; ++column) {
      if (random->Uniform() < share) rows->Mark(i, column, random->Below(2) == 0 ? kMarkNull : kMarkEmpty);
    }
  }
}

// Is the pair of values in the relation, by the words of JoinClause?
inline bool Related(const RowSet& left, size_t l, const RowSet& right, size_t r, const JoinClause& clause) {
  const uint64_t a = left.Marks(l) >> (2 * clause.left_column) & 3, b = right.Marks(r) >> (2 * clause.right_column) & 3;
  if ((a | b) & kMarkNull) return false;
  if (a | b) {
    if (!clause.empties) return false;
    switch (clause.relation) {
      case JoinRelation::kContains:
        return a;
      case JoinRelation::kWithin:
        return b;
      case JoinRelation::kSame:
        return a && b;
      case JoinRelation::kMeets:
        return false;
    }
  }
  for (int d = 0; d < clause.dimensions; ++d) {
    const int i = left.layout().first_dimension[clause.left_column] + d, j = right.layout().first_dimension[clause.right_column] + d;
    const Ordinal l_lo = left.Lo(l)[i], l_hi = left.Hi(l)[i], r_lo = right.Lo(r)[j], r_hi = right.Hi(r)[j];
    const auto at_most = [&](Ordinal edge, bool left_upper, bool right_upper) {
      return clause.reach != nullptr ? clause.reach(edge, left_upper, right_upper, true) : edge;
    };
    const auto at_least = [&](Ordinal edge, bool left_upper, bool right_upper) {
      return clause.reach != nullptr ? clause.reach(edge, left_upper, right_upper, false) : edge;
    };
    bool related = false;
    switch (clause.relation) {
      case JoinRelation::kMeets:
        related = r_lo <= at_most(l_hi, true, false) && r_hi >= at_least(l_lo, false, true);
        break;
      case JoinRelation::kContains:
        related = r_lo <= at_most(l_lo, false, false) && r_hi >= at_least(l_hi, true, true);
        break;
      case JoinRelation::kWithin:
        related = r_lo >= at_least(l_lo, false, false) && r_hi <= at_most(l_hi, true, true) && r_lo <= at_most(l_hi, true, false) &&
                  r_hi >= at_least(l_lo, false, true);
        break;
      case JoinRelation::kSame:
        related = r_lo >= at_least(l_lo, false, false) && r_lo <= at_most(l_lo, false, false) && r_hi >= at_least(l_hi, true, true) &&
                  r_hi <= at_most(l_hi, true, true);
        break;
    }
    if (!related) return false;
  }
  return true;
}

struct JoinQuestion {
  std::vector<JoinClause> clauses;
  const Constraint* left = nullptr;
  const Constraint* right = nullptr;
};

inline std::vector<RowPair> BruteForceJoin(const RowSet& left, const RowSet& right, const JoinQuestion& question) {
  std::vector<size_t> rights;
  for (size_t r = 0; r < right.size(); ++r) {
    if (question.right == nullptr || Satisfies(right, r, *question.right)) rights.push_back(r);
  }
  std::vector<RowPair> pairs;
  for (size_t l = 0; l < left.size(); ++l) {
    if (question.left != nullptr && !Satisfies(left, l, *question.left)) continue;
    for (const size_t r : rights) {
      const auto holds = [&](const JoinClause& clause) { return Related(left, l, right, r, clause); };
      if (std::all_of(question.clauses.begin(), question.clauses.end(), holds)) pairs.emplace_back(l, r);
    }
  }
  return pairs;
}

class Joiner {
 public:
  Joiner(const KeyLayout& left, const KeyLayout& right, const JoinQuestion& question, JoinGoal goal = JoinGoal::kPairs)
      : everything_{Everything(left), Everything(right)}, question_(question), goal_(goal), join_(std::make_unique<TreeJoin>()) {
    Begin(left, right);
  }
  void Begin(const KeyLayout& left, const KeyLayout& right, bool ignore_killed = false) {
    join_->Begin({&left, question_.left != nullptr ? question_.left : &everything_[0], ignore_killed},
                 {&right, question_.right != nullptr ? question_.right : &everything_[1], ignore_killed}, question_.clauses.data(),
                 static_cast<int>(question_.clauses.size()), nullptr, goal_);
  }

  // `between`: called after each step.
  template <class Left, class Right, class Between>
  std::vector<RowPair> Run(Left& left, Right& right, Between&& between) {
    std::vector<RowPair> pairs;
    while (join_->Step(left, right)) {
      EXPECT_EQ(left.OpenPages() + right.OpenPages(), 0);
      if (goal_ == JoinGoal::kPairs) {
        EXPECT_GT(join_->count(), 0u);
      }
      for (size_t i = 0; join_->leaf_begins() && i < join_->leaf_size(); ++i) left_rows_.push_back(RowOf(join_->leaf_tuple(i)));
      for (size_t i = 0; i < join_->count(); ++i) pairs.emplace_back(RowOf(join_->rows()[i].left), RowOf(join_->rows()[i].right));
      between();
    }
    EXPECT_FALSE(join_->Step(left, right)) << "the end stays the end";
    std::sort(pairs.begin(), pairs.end());
    std::sort(left_rows_.begin(), left_rows_.end());
    return pairs;
  }
  template <class Left, class Right>
  std::vector<RowPair> Run(Left& left, Right& right) {
    return Run(left, right, [] {});
  }
  const TreeJoin& join() const { return *join_; }
  const std::vector<size_t>& left_rows() const { return left_rows_; }  // of the left leaves

 private:
  Constraint everything_[2];
  JoinQuestion question_;
  JoinGoal goal_;
  std::vector<size_t> left_rows_;
  std::unique_ptr<TreeJoin> join_;
};

inline std::vector<RowPair> Join(MemoryStore& left, MemoryStore& right, const JoinQuestion& question) {
  MemoryReader left_reader(left), right_reader(right);
  return Joiner(left.layout(), right.layout(), question).Run(left_reader, right_reader);
}

inline JoinClause Clause(JoinRelation relation, int dimensions, JoinReach reach = nullptr, int left_column = 0, int right_column = 0) {
  return {left_column, right_column, dimensions, relation, false, reach};
}

}  // namespace xtree::test
