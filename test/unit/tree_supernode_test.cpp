// Supernodes: where they arise, their life from one page to many and back, and what they are good for.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "bulk_support.h"
#include "tree_fixture.h"

namespace xtree::test {
namespace {

TEST(Supernodes, AriseInHighDimensions) {
  for (const auto& [dimensions, extended] : {std::pair(16, true), {24, true}, {32, false}}) {
    const KeyLayout layout = FloatLayout(dimensions, extended);
    const RowSet rows = MakeRows(layout, Kind::kUniform, 12000, 31);
    ModelTree tree(rows);
    tree.InsertRange(0, rows.size());
    EXPECT_GT(tree.Check().supernodes, 0) << dimensions;
    tree.CheckWindows(20, 1);
  }
}

TEST(Supernodes, DoNotAriseInTwoDimensions) {
  for (const Kind kind : {Kind::kUniform, Kind::kClustered, Kind::kSorted}) {
    for (const bool extended : {false, true}) {
      const KeyLayout layout = FloatLayout(2, extended);
      const RowSet rows = MakeRows(layout, kind, 60000, 31);
      ModelTree tree(rows);
      tree.InsertRange(0, rows.size());
      const TreeFacts facts = tree.Check();
      EXPECT_EQ(facts.supernodes, 0);
      EXPECT_EQ(facts.levels.size(), 3u);
    }
  }
}

// What became of the nodes of a tree, from one look at it to the next.
struct Life {
  int formed = 0;
  int grown = 0;             // beyond two pages
  int split_to_nodes = 0;    // to one page
  int split_to_smaller = 0;  // still a supernode
  int roots_split = 0;       // that were supernodes
  int largest = 0;           // pages
  bool as_root = false;
  bool below_another = false;
  int list_moved_entries = 0;  // a head lost entries to the longer list

  void Look(ModelTree* tree) {
    std::map<BlockNumber, std::pair<int, int>> now;  // pages, entries of the head
    int level = 0;
    TreeCheck check(tree->store(), tree->layout(), nullptr);
    check.OnNode([&](const OpenNode& node, BlockNumber parent) {
      if (node.block() == kRootBlock) level = node.level();
      if (node.leaf()) return;
      now[node.block()] = {node.pages(), node.view().entries()};
      largest = std::max(largest, node.pages());
      as_root |= node.block() == kRootBlock && node.pages() > 1;
      below_another |= parent != kInvalidBlock && node.pages() > 1 && now.contains(parent) && now[parent].first > 1;
    });
    check.Walk();
    for (const auto& [block, is] : now) {
      if (!seen_.contains(block)) continue;
      const auto was = seen_[block];
      const bool root_split = block == kRootBlock && level > level_;
      formed += was.first == 1 && is.first == 2;
      grown += was.first >= 2 && is.first > was.first;
      split_to_nodes += !root_split && was.first > 1 && is.first == 1;
      split_to_smaller += is.first > 1 && is.first < was.first;
      roots_split += root_split && was.first > 1;
      list_moved_entries += was.first > 1 && is.first > was.first && is.second < was.second;
    }
    seen_ = now;
    level_ = level;
  }

 private:
  std::map<BlockNumber, std::pair<int, int>> seen_;
  int level_ = 0;
};

Life Live(ModelTree* tree, size_t rows) {
  Life life;
  int64_t allocations = 0;
  for (size_t row = 0; row < rows && !testing::Test::HasFailure(); ++row) {
    tree->Insert(row);
    if (std::exchange(allocations, tree->store().allocations) != tree->store().allocations) life.Look(tree);
  }
  tree->Check();
  tree->CheckWindows(40, 3);
  EXPECT_GT(tree->found(), 0u);
  return life;
}

// Five entries a page: a tall tree, all of whose nodes go through everything.
TEST(Supernodes, LiveFromOnePageToManyAndBack) {
  const KeyLayout layout = FloatLayout(100, true);
  const RowSet rows = MakeRows(layout, Kind::kUniform, 1600, 8);
  ModelTree tree(rows, {.max_overlap = 0, .min_fanout = 0.5, .max_supernode_pages = 6});
  const Life life = Live(&tree, rows.size());
  EXPECT_GT(life.formed, 1);
  EXPECT_GT(life.grown, 3);
  EXPECT_GT(life.split_to_smaller, 0);
  EXPECT_GT(life.roots_split, 0);
  EXPECT_EQ(life.largest, 6);
  EXPECT_TRUE(life.as_root);
  EXPECT_TRUE(life.below_another);
}

TEST(Supernodes, SplitIntoNodesOfOnePage) {
  const KeyLayout layout = FloatLayout(100, true);
  const RowSet rows = MakeRows(layout, Kind::kUniform, 800, 8);
  ModelTree tree(rows, {.max_overlap = 0, .min_fanout = 0.5, .max_supernode_pages = 2});
  const Life life = Live(&tree, rows.size());
  EXPECT_GT(life.split_to_nodes, 3);
  EXPECT_EQ(life.split_to_smaller, 0);
  EXPECT_EQ(life.grown, 0);
  EXPECT_EQ(life.largest, 2);
}

TEST(Supernodes, OfOnePageAreNone) {
  const KeyLayout layout = FloatLayout(100, true);
  const RowSet rows = MakeRows(layout, Kind::kUniform, 500, 8);
  ModelTree tree(rows, {.max_overlap = 0, .min_fanout = 0.5, .max_supernode_pages = 1});
  EXPECT_EQ(Live(&tree, rows.size()).largest, 1);
}

// One place: no split ever separates anything. The head's list of pages takes the room of entries.
TEST(Supernodes, ListOfPagesMovesEntries) {
  const KeyLayout layout = FloatLayout(100, true);
  const RowSet rows = MakeRows(layout, Kind::kOnePlace, 400, 8);
  ModelTree tree(rows, {.max_supernode_pages = 20});
  const Life life = Live(&tree, rows.size());
  EXPECT_GT(life.largest, 8);
  EXPECT_GT(life.list_moved_entries, 0);
}

// The child of a full page's last entry splits: to make room beside it, another entry moves to a page that has some.
TEST(Supernodes, SplitBelowTheLastEntryOfAFullPage) {
  const KeyLayout layout = FloatLayout(100, true);
  for (const int split : {0, 2, 4}) {
    const RowSet rows = MakeRows(layout, Kind::kUniform, 30, 8);
    const auto store = PackTree(rows, {5, 5, 2});
    const NodeView root = store->view(kRootBlock);
    ASSERT_EQ(root.entries(), 5);
    ASSERT_EQ(root.followers(), 1);
    ASSERT_FALSE(root.HasRoom(false, 0));
    const BlockNumber leaf = root.Child(split);
    Box key;
    store->view(leaf).GetBox(0, &key);
    TreeWriter(*store, layout, {}).Insert(key, TupleOf(30), nullptr, 0);
    EXPECT_NE(store->view(leaf).opaque().link, kInvalidBlock) << "was not split";
    std::set<BlockNumber> children;
    size_t found = 0;
    const OpenNode node(*store, layout, kRootBlock, LockMode::kShare);
    for (int p = 0; p < node.pages(); ++p) {
      for (int i = 0; i < node.page(p).entries(); ++i) {
        Box box, bounds;
        node.page(p).GetBox(i, &box);
        const NodeView child = store->view(node.page(p).Child(i));
        child.Bounds(&bounds);
        EXPECT_TRUE(Equal(layout, box, bounds));
        EXPECT_TRUE(children.insert(node.page(p).Child(i)).second);
        found += child.entries();
      }
    }
    EXPECT_EQ(children.size(), 7u);
    EXPECT_EQ(found, 31u);
  }
}

// Nulls come late: pages of supernodes have room for marks, whoever wrote them.
TEST(Supernodes, OfABulkLoadTakeNulls) {
  const KeyLayout layout = FloatLayout(16, true);
  constexpr size_t kLoaded = 4000;
  const RowSet rows = [&] {
    RowSet mixed = MakeRows(layout, Kind::kUniform, kLoaded + 500, 12);
    for (size_t row = kLoaded; row < mixed.size(); row += 2) mixed.Mark(row, 0, row % 4 == 0 ? kMarkNull : kMarkEmpty);
    return mixed;
  }();
  CountingEnvironment environment;
  MemorySink sink;
  MemoryFiles files;
  BulkOptions options;
  options.fillfactor = 100;
  options.tree = {.max_overlap = 0, .min_fanout = 0.5, .max_supernode_pages = 64};
  {
    BulkLoader loader(layout, options, size_t{1} << 30, environment, sink, files);
    Box box;
    for (size_t row = 0; row < kLoaded; ++row) {
      rows.Get(row, &box);
      loader.Add(box, TupleOf(row), nullptr, 0);
    }
    loader.Finish();
  }
  auto store = std::make_unique<MemoryStore>(layout);
  for (const auto& [block, image] : sink.pages) {
    if (block == kRootBlock) {
      store->image(kRootBlock) = image;
      store->SetLsn(kRootBlock, store->AdvanceLsn());
    } else {
      ASSERT_EQ(store->Append(image), block);
    }
  }
  ModelTree tree(rows, std::move(store), options.tree);
  std::fill_n(tree.present().begin(), kLoaded, 1);
  EXPECT_GT(tree.Check().supernodes, 0);
  tree.InsertRange(kLoaded, rows.size());
  tree.Check();
  tree.CheckWindows(20, 4);
}

// Pages read by point queries for what is there, and rows found (each its own).
double PagesPerPointQuery(ModelTree* tree, const RowSet& rows) {
  const KeyLayout& layout = tree->layout();
  std::vector<BlockNumber> trace;
  MemoryReader reader(tree->store());
  reader.trace = &trace;
  auto scan = std::make_unique<WindowScan>();
  constexpr size_t kQueries = 100;
  for (size_t row = 0; row < kQueries; ++row) {
    Constraint constraint = Everything(layout);
    for (int d = 0; d < layout.dimensions; ++d) {
      constraint.RequireLo(d, {kOrdinalMin, rows.Lo(row)[d]});
      constraint.RequireHi(d, {rows.Lo(row)[d], kOrdinalMax});
    }
    scan->Begin(layout, constraint, {});
    EXPECT_GE(ModelTree::Collect(&reader, scan.get()).size(), 1u);
  }
  return static_cast<double>(trace.size()) / kQueries;
}

// The paper's effect: the same rows in the X-tree and in the same tree with the R*-tree's splits only.
TEST(Supernodes, ReadNoMorePagesThanRStarSplits) {
  const KeyLayout layout = FloatLayout(16, false);
  const RowSet rows = MakeRows(layout, Kind::kUniform, 20000, 6);
  ModelTree x_tree(rows), r_star(rows, {.max_overlap = 1});
  x_tree.InsertRange(0, rows.size());
  r_star.InsertRange(0, rows.size());
  EXPECT_GT(x_tree.Check().supernodes, 0);
  EXPECT_EQ(r_star.Check().supernodes, 0);
  const double pages = PagesPerPointQuery(&x_tree, rows), r_star_pages = PagesPerPointQuery(&r_star, rows);
  RecordProperty("x_tree", std::to_string(pages));
  RecordProperty("r_star", std::to_string(r_star_pages));
  EXPECT_LT(pages, r_star_pages);
}

}  // namespace
}  // namespace xtree::test
