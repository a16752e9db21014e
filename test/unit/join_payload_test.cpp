// What a join keeps of entries of which key and payload are all that has to be known, in joins of all goals, of pages that may change while they
// are read.
// Seen to fail with: payloads of a discarded node kept; where they end counted from the node instead of from all of them.
#include "doubtful_reader.h"
#include "growing_tree.h"
#include "join_fixture.h"

namespace xtree::test {
namespace {

std::string PayloadOf(size_t row) {
  return row % 5 == 0 ? std::string() : std::string(row * 31 % 90 + 2, static_cast<char>('a' + row % 23));
}

// Every third row is known.
void LookAtRows(void*, const TupleId* tuples, size_t count, uint8_t* known) {
  for (size_t i = 0; i < count; ++i) known[i] = RowOf(tuples[i]) % 3 == 0;
}

size_t ExpectPayload(const TreeJoin& join, JoinSide side, uint32_t entry, size_t row, const RowSet& rows) {
  EXPECT_EQ(join.Known(side, entry), row % 3 == 0);
  if (!join.Known(side, entry)) return 0;
  uint16_t length;
  const uint8_t* bytes = join.GetPayload(side, entry, &length);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes), length), PayloadOf(row));
  Box key;
  join.GetKey(side, entry, &key);
  EXPECT_EQ(key.lo[0], rows.Lo(row)[0]);
  return length;
}

template <class Left, class Right>
size_t Check(Left& left, Right& right, const KeyLayout& layout, const RowSet& rows, JoinGoal goal) {
  const Constraint everything = Everything(layout);
  const JoinClause clause = Clause(JoinRelation::kMeets, 2);
  const JoinInput input = {&layout, &everything, false, false, LookAtRows, nullptr, true};
  TreeJoin join;
  join.Begin(input, input, &clause, 1, nullptr, goal);
  size_t pairs = 0, bytes = 0;
  while (join.Step(left, right)) {
    for (size_t i = 0; goal != JoinGoal::kPairs && i < join.leaf_size(); ++i)
      bytes += ExpectPayload(join, JoinSide::kLeft, static_cast<uint32_t>(i), RowOf(join.leaf_tuple(i)), rows);
    for (size_t i = 0; i < join.count(); ++i, ++pairs) {
      const JoinedRows& pair = join.rows()[i];
      bytes += ExpectPayload(join, JoinSide::kLeft, pair.left_entry, RowOf(pair.left), rows);
      bytes += ExpectPayload(join, JoinSide::kRight, pair.right_entry, RowOf(pair.right), rows);
    }
  }
  EXPECT_GT(bytes, 10000u);
  return pairs;
}

TEST(JoinPayload, OfKnownRows) {
  const KeyLayout layout = MakeLayout({{2, 8, true, Scalar::kFloat64}}, true);
  const RowSet rows = RandomRows(layout, 4000, Distribution::kClustered, 41);
  GrowingTree tree(layout, rows, {}, PayloadOf);
  tree.InsertUntil(2000);
  const auto old = tree.store.Crash();
  tree.InsertUntil(rows.size());
  const auto same = tree.store.Crash();
  const size_t pairs = BruteForceJoin(rows, rows, {{Clause(JoinRelation::kMeets, 2)}}).size();
  const Trouble kinds[] = {Trouble::kTorn, Trouble::kScribbled, Trouble::kFault, Trouble::kRefused, Trouble::kNone};
  for (const JoinGoal goal : {JoinGoal::kPairs, JoinGoal::kPairsByLeaf, JoinGoal::kAllLeft}) {
    MemoryReader plain(*same), other(*same);
    EXPECT_EQ(Check(plain, other, layout, rows, goal), pairs);
    for (const bool left : {true, false}) {
      Random random(42);
      DoubtfulReader doubtful(tree.store, old.get(), 43);
      doubtful.trouble = [&](int, BlockNumber) { return kinds[random.Below(5)]; };
      EXPECT_EQ(left ? Check(doubtful, plain, layout, rows, goal) : Check(plain, doubtful, layout, rows, goal), pairs);
      EXPECT_GT(doubtful.faults, 5);
    }
  }
}

}  // namespace
}  // namespace xtree::test
