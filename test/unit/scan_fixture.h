// What the tests of the scans share: rows, trees packed by hand, splits done by hand, and brute-force answers.
#pragma once

#include <algorithm>
#include <random>
#include <set>
#include <vector>

#include "core/filter/constraint.h"
#include "memory_store.h"

namespace xtree::test {

inline KeyLayout MakeLayout(const std::vector<ColumnShape>& columns, bool include = false) {
  KeyLayout layout;
  if (const char* error = KeyLayout::Make(columns.data(), static_cast<int>(columns.size()), include, &layout)) {
    throw std::logic_error(error);
  }
  return layout;
}

inline KeyLayout FloatLayout(int dimensions, bool extended) {
  return MakeLayout({{static_cast<uint16_t>(dimensions), 8, extended, Scalar::kFloat64}});
}

// Row i of a RowSet has this tuple id.
inline TupleId TupleOf(size_t row) {
  const size_t block = row / 200;
  return {static_cast<uint16_t>(block >> 16), static_cast<uint16_t>(block), static_cast<uint16_t>(row % 200 + 1)};
}
inline size_t RowOf(TupleId tuple) { return ((size_t{tuple.block_high} << 16) + tuple.block_low) * 200 + tuple.offset - 1; }

// The payload of row i.
using PayloadOf = std::function<std::string(size_t row)>;

// Boxes of an index, flat.
class RowSet {
 public:
  explicit RowSet(const KeyLayout& layout) : layout_(&layout) {}

  const KeyLayout& layout() const { return *layout_; }
  size_t size() const { return marks_.size(); }
  const Ordinal* Lo(size_t row) const { return &lo_[row * layout_->dimensions]; }
  const Ordinal* Hi(size_t row) const { return &hi_[row * layout_->dimensions]; }
  uint64_t Marks(size_t row) const { return marks_[row]; }
  bool Marked(size_t row, int column) const { return marks_[row] >> (2 * column) & 3; }

  void Add(const Box& box) {
    lo_.insert(lo_.end(), box.lo, box.lo + layout_->dimensions);
    hi_.insert(hi_.end(), box.hi, box.hi + layout_->dimensions);
    marks_.push_back(box.marks);
  }

  // Float columns only.
  void AddPoint(const std::vector<double>& point) { AddBox(point, point); }
  void AddBox(const std::vector<double>& lo, const std::vector<double>& hi) {
    Box box;
    box.marks = 0;
    for (int d = 0; d < layout_->dimensions; ++d) {
      box.lo[d] = OrdinalFromDouble(lo[d]);
      box.hi[d] = OrdinalFromDouble(hi[d]);
    }
    Add(box);
  }

  void Get(size_t row, Box* box) const {
    std::copy_n(Lo(row), layout_->dimensions, box->lo);
    std::copy_n(Hi(row), layout_->dimensions, box->hi);
    box->marks = marks_[row];
  }

  // The column becomes NULL or empty in this row.
  void Mark(size_t row, int column, uint8_t mark) {
    marks_[row] |= ColumnMarks(column, mark);
    for (int d = layout_->first_dimension[column]; d < layout_->first_dimension[column + 1]; ++d) {
      lo_[row * layout_->dimensions + d] = InvertedLo(layout_->dimension[d].width);
      hi_[row * layout_->dimensions + d] = InvertedHi(layout_->dimension[d].width);
    }
  }

 private:
  const KeyLayout* layout_;
  std::vector<Ordinal> lo_;
  std::vector<Ordinal> hi_;
  std::vector<uint64_t> marks_;
};

struct PackOptions {
  int leaf_entries = kMaxEntriesPerPage;  // at most; or what a page holds
  int page_entries = kMaxEntriesPerPage;  // likewise of a page of a directory node
  int node_pages = 1;                     // of a directory node: more than 1 makes supernodes
};

// Builds a tree over all rows, bottom up: recursive halving by the dimension that comes next, then runs of neighbours.
class Packer {
 public:
  Packer(const RowSet& rows, MemoryStore* store, PackOptions options = {}) : rows_(rows), layout_(rows.layout()), store_(*store) {
    options_ = options;
  }

  // Returns the height.
  int Pack() {
    std::vector<size_t> order(rows_.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    const int capacity = Capacity(true, options_.leaf_entries);
    Tile(order.begin(), order.end(), capacity, 0);
    std::vector<Child> nodes = Leaves(order, capacity);
    int level = 0;
    while (nodes.size() > 1) nodes = Directory(nodes, ++level);
    return level + 1;
  }

 private:
  struct Child {
    Box box;
    BlockNumber block;
  };
  using Iterator = std::vector<size_t>::iterator;

  int Capacity(bool leaf, int limit) const { return std::min<int>(layout_.Block(leaf, true).max_entries, limit); }

  void Tile(Iterator begin, Iterator end, int capacity, int dimension) {
    const auto count = end - begin;
    if (count <= capacity) return;
    const auto leaves = (count + capacity - 1) / capacity;
    const auto middle = begin + leaves / 2 * capacity;
    std::nth_element(begin, middle, end,
                     [&](size_t a, size_t b) { return std::pair(rows_.Lo(a)[dimension], a) < std::pair(rows_.Lo(b)[dimension], b); });
    const int next = (dimension + 1) % layout_.dimensions;
    Tile(begin, middle, capacity, next);
    Tile(middle, end, capacity, next);
  }

  std::vector<Child> Leaves(const std::vector<size_t>& order, size_t capacity) {
    std::vector<Child> nodes;
    const bool root = order.size() <= capacity;
    for (size_t from = 0; from < order.size(); from += capacity) {
      PageImage image{};
      NodeEditor editor(layout_, image.bytes);
      editor.Initialize(0, kNodeLeaf);
      Box box;
      for (size_t i = from; i < std::min(order.size(), from + capacity); ++i) {
        rows_.Get(order[i], &box);
        editor.AppendTuple(box, TupleOf(order[i]), nullptr, 0);
      }
      Place(image, root, &nodes);
    }
    return nodes;
  }

  void Place(const PageImage& image, bool root, std::vector<Child>* nodes) {
    BlockNumber block = kRootBlock;
    if (root) {
      store_.image(block) = image;
      store_.SetLsn(block, store_.AdvanceLsn());
    } else {
      block = store_.Append(image);
    }
    nodes->emplace_back();
    NodeView(layout_, image.bytes).Bounds(&nodes->back().box);
    nodes->back().block = block;
  }

  std::vector<Child> Directory(const std::vector<Child>& children, int level) {
    const size_t per_page = Capacity(false, options_.page_entries);
    const size_t capacity = per_page * options_.node_pages;
    std::vector<Child> nodes;
    for (size_t from = 0; from < children.size(); from += capacity) {
      const size_t end = std::min(children.size(), from + capacity);
      Node(children, from, end, level, per_page, children.size() <= capacity, &nodes);
    }
    return nodes;
  }

  void Node(const std::vector<Child>& children, size_t from, size_t end, int level, size_t per_page, bool root, std::vector<Child>* nodes) {
    const bool supernode = end - from > per_page;
    const size_t on_head = std::min(end - from, per_page);
    std::vector<BlockNumber> followers;
    PageImage head = DirectoryPage(children, from, from + on_head, level, supernode ? kNodeHasMarks : 0);
    for (size_t at = from + on_head; at < end; at += per_page) {
      followers.push_back(
          store_.Append(DirectoryPage(children, at, std::min(end, at + per_page), level, kNodeSupernodeFollower | kNodeHasMarks)));
    }
    if (supernode) NodeEditor(layout_, head.bytes).SetFollowers(followers.data(), static_cast<int>(followers.size()));
    Place(head, root, nodes);
    for (const BlockNumber follower : followers) store_.editor(follower).opaque().link = nodes->back().block;
    for (size_t i = from + on_head; i < end; ++i) Extend(layout_, children[i].box, &nodes->back().box);
  }

  PageImage DirectoryPage(const std::vector<Child>& children, size_t from, size_t end, int level, uint8_t flags) {
    PageImage image{};
    NodeEditor editor(layout_, image.bytes);
    editor.Initialize(level, flags);
    for (size_t i = from; i < end; ++i) editor.AppendChild(children[i].box, children[i].block, SplitHistory());
    return image;
  }

  const RowSet& rows_;
  const KeyLayout& layout_;
  MemoryStore& store_;
  PackOptions options_;
};

inline std::unique_ptr<MemoryStore> PackTree(const RowSet& rows, PackOptions options = {}) {
  auto store = std::make_unique<MemoryStore>(rows.layout());
  if (rows.size() > 0) Packer(rows, store.get(), options).Pack();
  return store;
}

// Splits the node `child` (one page) that entry `position` of `parent` (one page with room) names: every second entry
// moves right. One change, as a writer does it. Returns the right sibling.
inline BlockNumber SplitByHand(MemoryStore* store, BlockNumber parent, int position) {
  const KeyLayout& layout = store->layout();
  PageLock parent_lock(*store, parent, LockMode::kExclusive);
  const BlockNumber child = NodeView(layout, parent_lock.bytes()).Child(position);
  PageLock left_lock(*store, child, LockMode::kExclusive);
  PageLock right_lock(*store, store->Allocate());

  PageImage parent_image, left_image, right_image;
  std::memcpy(parent_image.bytes, parent_lock.bytes(), kPageSize);
  std::memcpy(left_image.bytes, left_lock.bytes(), kPageSize);
  std::memcpy(right_image.bytes, left_lock.bytes(), kPageSize);
  NodeEditor parent_editor(layout, parent_image.bytes);
  NodeEditor left(layout, left_image.bytes), right(layout, right_image.bytes);

  bool drop[kMaxEntriesPerPage], keep[kMaxEntriesPerPage];
  for (int i = 0; i < left.view().entries(); ++i) {
    drop[i] = i % 2 == 1;
    keep[i] = i % 2 == 0;
  }
  left.Remove(drop);
  right.Remove(keep);
  left.opaque().nsn = store->CurrentNsn();
  left.opaque().link = right_lock.block();

  Box box;
  left.view().Bounds(&box);
  parent_editor.SetBox(position, box);
  right.view().Bounds(&box);
  parent_editor.AppendChild(box, right_lock.block(), SplitHistory());
  const PageChange changes[] = {
      {&parent_lock.ref(), &parent_image, false}, {&left_lock.ref(), &left_image, false}, {&right_lock.ref(), &right_image, true}};
  store->Commit(changes);
  return right_lock.block();
}

// One interval of a row's column, by the words of MarkRule.
inline bool Satisfies(const RowSet& rows, size_t row, int column, const Constraint& constraint) {
  const KeyLayout& layout = rows.layout();
  const uint64_t mark = rows.Marks(row) >> (2 * column) & 3;
  bool constrained = false;
  bool inside = true;
  for (int d = layout.first_dimension[column]; d < layout.first_dimension[column + 1]; ++d) {
    const Interval lo = constraint.lo[d];
    const Interval hi = constraint.hi[d];
    constrained |= !lo.Full() || !hi.Full();
    inside &= lo.min <= rows.Lo(row)[d] && rows.Lo(row)[d] <= lo.max && hi.min <= rows.Hi(row)[d] && rows.Hi(row)[d] <= hi.max;
  }
  switch (constraint.rule[column]) {
    case MarkRule::kAny:
      return !constrained || (mark == 0 && inside);
    case MarkRule::kNotNull:
      return constrained ? mark == 0 && inside : !(mark & kMarkNull);
    case MarkRule::kValue:
      return mark == 0 && inside;
    case MarkRule::kValueOrEmpty:
      return mark == 0 ? inside : (mark & kMarkEmpty) != 0;
    case MarkRule::kEmpty:
      return mark & kMarkEmpty;
    case MarkRule::kNull:
      return mark & kMarkNull;
    case MarkRule::kNever:
      break;
  }
  return false;
}

inline bool Satisfies(const RowSet& rows, size_t row, const Constraint& constraint) {
  for (int column = 0; column < rows.layout().columns; ++column) {
    if (!Satisfies(rows, row, column, constraint)) return false;
  }
  return true;
}

inline std::vector<size_t> BruteForce(const RowSet& rows, const Constraint& constraint) {
  std::vector<size_t> found;
  for (size_t row = 0; row < rows.size(); ++row) {
    if (Satisfies(rows, row, constraint)) found.push_back(row);
  }
  return found;
}

// Boxes that overlap [lo, hi] in every dimension of the layout.
inline Constraint Overlapping(const KeyLayout& layout, const std::vector<double>& lo, const std::vector<double>& hi) {
  Constraint constraint;
  constraint.Initialize(layout);
  for (int d = 0; d < layout.dimensions; ++d) {
    constraint.RequireLo(d, {kOrdinalMin, OrdinalFromDouble(hi[d])});
    constraint.RequireHi(d, {OrdinalFromDouble(lo[d]), kOrdinalMax});
  }
  return constraint;
}

inline Constraint Everything(const KeyLayout& layout) {
  Constraint constraint;
  constraint.Initialize(layout);
  return constraint;
}

enum class Distribution { kUniform, kClustered, kDuplicates, kOnePoint };

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  double Uniform(double from = 0, double to = 1) { return std::uniform_real_distribution<double>(from, to)(engine_); }
  int Below(int bound) { return std::uniform_int_distribution<int>(0, bound - 1)(engine_); }
  double Normal(double mean, double deviation) { return std::normal_distribution<double>(mean, deviation)(engine_); }

  double Coordinate(Distribution distribution, int cluster) {
    switch (distribution) {
      case Distribution::kUniform:
        return Uniform();
      case Distribution::kClustered:
        return Normal(cluster * 0.1, 0.003);
      case Distribution::kDuplicates:
        return Below(5) * 0.25;
      case Distribution::kOnePoint:
        break;
    }
    return 0.5;
  }

 private:
  std::mt19937_64 engine_;
};

// Rows of a one-column float layout.
inline RowSet RandomRows(const KeyLayout& layout, size_t count, Distribution distribution, uint64_t seed) {
  RowSet rows(layout);
  Random random(seed);
  const bool extended = layout.dimension[0].extended;
  for (size_t i = 0; i < count; ++i) {
    std::vector<double> lo, hi;
    const int cluster = random.Below(10);
    for (int d = 0; d < layout.dimensions; ++d) {
      lo.push_back(random.Coordinate(distribution, cluster));
      hi.push_back(extended && distribution != Distribution::kOnePoint ? lo.back() + random.Uniform(0, 0.02) : lo.back());
    }
    rows.AddBox(lo, hi);
  }
  return rows;
}

}  // namespace xtree::test
