#include "functions/tree_outline.h"

#include <cmath>
#include <limits>

#include "core/write/open_node.h"
#include "functions/coordinate.h"

namespace xtree {

namespace {

// As floats are ordered: NaN above all.
bool Above(double a, double b) { return std::isnan(a) ? !std::isnan(b) : a > b; }

struct OutlinedNode {
  PictureBox box;
  bool absent;  // no row below it has a value in the dimensions that are drawn
};

// Nodes in the order of the tree: all of them, or every n-th once they are more than there is room for.
class NodeSample {
 public:
  explicit NodeSample(size_t room) : room_(room) {}

  void Offer(const OutlinedNode& node) {
    if (offered_++ % stride_ != 0) return;
    kept_.push_back(node);
    if (kept_.size() > room_) Thin();
  }
  std::vector<OutlinedNode>& kept() { return kept_; }
  bool whole() const { return stride_ == 1; }

 private:
  void Thin() {
    size_t end = 0;
    for (size_t i = 0; i < kept_.size(); i += 2) kept_[end++] = kept_[i];
    kept_.resize(end);
    stride_ *= 2;
  }

  size_t room_;
  size_t stride_ = 1;
  size_t offered_ = 0;
  std::vector<OutlinedNode> kept_;
};

class Outline {
 public:
  Outline(PageStore& store, const IndexState& state, const OutlineRequest& request, TreePicture* picture)
      : store_(store), state_(state), request_(request), picture_(picture) {}

  void Walk() {
    NodeSample level = Root();
    while (!level.kept().empty()) level = Below(level);
  }

 private:
  bool Drawn(int level) const { return level >= request_.min_level && level <= request_.max_level; }

  NodeSample NewLevel(int level) {
    picture_->levels.push_back({level, 0, 0, 0});
    return NodeSample(Drawn(level) ? request_.room - picture_->boxes.size() : SIZE_MAX);
  }

  NodeSample Root() {
    const OpenNode root(store_, state_.layout, kRootBlock, LockMode::kShare);
    Box bounds, page;
    MakeEmpty(state_.layout, &bounds);
    for (int i = 0; i < root.pages(); i++) {
      root.page(i).Bounds(&page);
      Extend(state_.layout, page, &bounds);
    }
    picture_->levels.push_back({root.level(), 0, 0, 0});
    OutlinedNode node = NodeOf(kRootBlock, root.level(), bounds);
    node.box.visited = request_.has_window;  // a scan begins there, whatever it looks for
    Count(node);
    Describe(root, &node);
    Draw(node);
    if (!Continues(root.level(), true)) return NodeSample(0);
    NodeSample children = NewLevel(root.level() - 1);
    OfferChildren(root, &children);
    return children;
  }

  bool Continues(int level, bool whole) const {
    const int below = level - 1;
    return whole && below >= request_.min_level && (!Drawn(below) || picture_->boxes.size() < request_.room);
  }

  // Draws the nodes of a level, and returns those of the next one.
  NodeSample Below(NodeSample& nodes) {
    const int level = picture_->levels.back().level;
    std::vector<OutlinedNode>& kept = nodes.kept();
    const size_t first = picture_->boxes.size();
    for (const OutlinedNode& node : kept) Draw(node);
    const bool goes_on = Continues(level, nodes.whole());
    if (level == 0 || (!goes_on && !Drawn(level))) return NodeSample(0);
    NodeSample children = goes_on ? NewLevel(level - 1) : NodeSample(0);
    size_t drawn = first;
    for (OutlinedNode& node : kept) {
      Read(&node, goes_on ? &children : nullptr);
      if (Drawn(level) && !node.absent) picture_->boxes[drawn++] = node.box;
    }
    return children;
  }

  void Draw(const OutlinedNode& node) {
    if (Drawn(node.box.level) && !node.absent) picture_->boxes.push_back(node.box);
  }

  // A node that is none any more of its level is one that was unlinked since its parent was read.
  void Read(OutlinedNode* node, NodeSample* children) {
    const OpenNode open(store_, state_.layout, node->box.block, LockMode::kShare);
    if (open.view().deleted() || open.level() != node->box.level) return;
    Describe(open, node);
    if (children != nullptr) OfferChildren(open, children);
  }

  static void Describe(const OpenNode& open, OutlinedNode* node) {
    node->box.pages = open.pages();
    node->box.entries = open.entries();
  }

  void OfferChildren(const OpenNode& open, NodeSample* children) {
    ::xtree::Box box;
    for (int p = 0; p < open.pages(); p++) {
      const NodeView page = open.page(p);
      for (int i = 0; i < page.entries(); i++) {
        page.GetBox(i, &box);
        const OutlinedNode child = NodeOf(page.Child(i), page.level() - 1, box);
        Count(child);
        children->Offer(child);
      }
    }
  }

  OutlinedNode NodeOf(BlockNumber block, int level, const Box& box) const {
    OutlinedNode node{};
    node.box.block = block;
    node.box.level = level;
    node.box.pages = 1;
    node.box.entries = -1;
    for (int i = 0; i < request_.dimensions; i++) {
      const int d = request_.dimension[i];
      node.absent |= box.lo[d] > box.hi[d];
      node.box.lo[i] = CoordinateOf(state_, d, box.lo[d], false);
      node.box.hi[i] = CoordinateOf(state_, d, box.hi[d], true);
    }
    node.box.visited = request_.has_window && MeetsWindow(box);
    return node;
  }

  bool MeetsWindow(const Box& box) const {
    for (int d = 0; d < state_.layout.dimensions; d++) {
      const double lo = request_.window_lo[d], hi = request_.window_hi[d];
      if (lo == -std::numeric_limits<double>::infinity() && std::isnan(hi)) continue;
      if (box.lo[d] > box.hi[d]) return false;
      if (Above(CoordinateOf(state_, d, box.lo[d], false), hi) || Above(lo, CoordinateOf(state_, d, box.hi[d], true))) return false;
    }
    return true;
  }

  void Count(const OutlinedNode& node) {
    PictureLevel& level = picture_->levels.back();
    (node.absent ? level.absent : level.nodes)++;
    level.visited += node.box.visited;
  }

  PageStore& store_;
  const IndexState& state_;
  const OutlineRequest& request_;
  TreePicture* picture_;
};

}  // namespace

void OutlineTree(PageStore& store, const IndexState& state, const OutlineRequest& request, TreePicture* picture) {
  Outline(store, state, request, picture).Walk();
}

}  // namespace xtree
