// Fuzzing of the tree against a model: the input chooses a layout, options and kinds of rows, and then operations: insert rows, delete and VACUUM,
// fail in the midst of an insert and go on with what a crash leaves, search windows and nearest rows. Answers must be brute force's, and every
// invariant hold (core/tree_check.h). Seen to fail: with boxes that inserts do not let grow.
#include "fuzz_input.h"
#include "nearest_fixture.h"
#include "tree_fixture.h"

namespace xtree::test {
namespace {

constexpr size_t kRows = 1500;

class Run {
 public:
  explicit Run(FuzzInput input) : input_(input) {
    const int dimensions[] = {1, 2, 3, 8, 16, 40};
    const uint8_t shape = input_.Byte();
    layout_ = FloatLayout(dimensions[shape % std::size(dimensions)], shape & 64);
    const uint8_t options = input_.Byte();
    options_.max_overlap = (options & 3) * 0.1;
    options_.min_fanout = options & 4 ? 0.5 : 0.35;
    options_.max_supernode_pages = 1 + (options >> 3) % 5;
    const Kind kind = static_cast<Kind>(input_.Byte() % 8);
    rows_ = std::make_unique<RowSet>(MakeRows(layout_, kind, kRows, input_.Byte()));
    tree_ = std::make_unique<ModelTree>(*rows_, options_);
  }

  void Execute() {
    for (int steps = 0; !input_.empty() && steps < 200; steps++) Operation(input_.Byte());
    tree_->Check();
    tree_->CheckWindows(3, 1);
  }

 private:
  void Operation(uint8_t code) {
    switch (code % 8) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Insert(1 + code / 8);
      case 4:
        return Vacuum(input_.Byte());
      case 5:
        return tree_->CheckWindows(2, code);
      case 6:
        return Interrupt(1 + code / 8);
      case 7:
        return Nearest(input_.Byte());
    }
  }

  // The next rows that are not there, from a place that the input chooses.
  void Insert(size_t count) {
    size_t row = input_.Word() % kRows;
    for (size_t looked_at = 0; looked_at < kRows && count > 0; looked_at++, row = (row + 1) % kRows) {
      if (tree_->present()[row]) continue;
      tree_->Insert(row);
      count--;
    }
  }

  void Vacuum(uint8_t which) {
    std::vector<char> dead(kRows);
    for (size_t row = 0; row < kRows; row++) dead[row] = tree_->present()[row] && (row * 37 + which) % 256 < which;
    tree_->Vacuum(dead);
    tree_->Remove(dead);
    tree_->store().next_xid++;
    tree_->Check();
  }

  // An insert fails at a call to the store, or the server crashes there: the row is in the index or not, and all else holds.
  void Interrupt(int call) {
    const size_t row = input_.Word() % kRows;
    if (tree_->present()[row]) return;
    tree_->store().faults.FailAt(call);
    bool failed = false;
    try {
      tree_->InsertOnly(row);
    } catch (const InjectedFault&) {
      failed = true;
    }
    tree_->store().faults.FailAt(0);
    tree_->present()[row] = !failed;
    std::vector<char> perhaps(kRows);
    perhaps[row] = 1;
    tree_->Check(&perhaps);
    tree_->CheckStore(tree_->store().Crash(call % 2).get(), &perhaps);
    std::vector<char> none(kRows);
    none[row] = failed;
    tree_->Vacuum(none);
  }

  void Nearest(uint8_t place) {
    Euclidean metric{std::vector<double>(layout_.dimensions, place / 255.0), 0};
    const std::vector<DistanceKey> keys = {EuclideanKey(layout_, 0, &metric)};
    const Result result = Search(tree_->store(), Everything(layout_), keys);
    EXPECT_EQ(result.rows.size(), tree_->count());
    for (size_t i = 1; i < result.ranks.size(); i++) EXPECT_LE(result.ranks[i - 1], result.ranks[i]);
  }

  FuzzInput input_;
  KeyLayout layout_;
  TreeOptions options_;
  std::unique_ptr<RowSet> rows_;
  std::unique_ptr<ModelTree> tree_;
};

}  // namespace
}  // namespace xtree::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  xtree::test::Run(xtree::FuzzInput(data, size)).Execute();
  return 0;
}
