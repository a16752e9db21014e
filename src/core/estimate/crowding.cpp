// See crowding.h.
#include "core/estimate/crowding.h"

#include "core/write/open_node.h"

namespace xtree {

namespace {

size_t ChildrenOf(const OpenNode& node) { return static_cast<size_t>(node.entries()); }

template <class Visit>
void ForEachChild(const OpenNode& node, Visit visit) {
  Box box;
  size_t child = 0;
  for (int p = 0; p < node.pages(); p++) {
    const NodeView page = node.page(p);
    for (int i = 0; i < page.entries(); i++) {
      page.GetBox(i, &box);
      visit(child++, box, page.Child(i));
    }
  }
}

double CrowdingOf(const OpenNode& node, const KeyLayout& layout) {
  return CrowdingOfNode(layout, ChildrenOf(node),
                        [&](auto&& visit) { ForEachChild(node, [&](size_t child, const Box& box, BlockNumber) { visit(child, box); }); });
}

}  // namespace

void Crowding::AddPlace(const Box& box) {
  for (int d = 0; d < dimensions_; d++)
    if (box.lo[d] > box.hi[d]) return;  // without a value
  for (int d = 0; d < dimensions_; d++) middle_.push_back((box.lo[d] & box.hi[d]) + ((box.lo[d] ^ box.hi[d]) >> 1));
  places_++;
}

void Crowding::AddBox(const Box& box) {
  for (int place = 0; place < places_; place++) {
    const Ordinal* at = middle_.data() + static_cast<size_t>(place) * dimensions_;
    int d = 0;
    while (d < dimensions_ && box.lo[d] <= at[d] && at[d] <= box.hi[d]) d++;
    met_ += d == dimensions_;
  }
}

double Crowding::Mean() const { return places_ == 0 ? 0 : static_cast<double>(met_) / places_; }

// A child that is none any more was unlinked since the root was read.
double CrowdingOfTop(PageStore& store, const KeyLayout& layout) {
  constexpr size_t kChildren = 8;
  std::vector<BlockNumber> looked_at;
  double of_root = 0;
  int level = 0;
  {
    const OpenNode root(store, layout, kRootBlock, LockMode::kShare);
    if (root.leaf()) return 0;
    level = root.level() - 1;
    of_root = CrowdingOf(root, layout);
    const size_t children = ChildrenOf(root), step = std::max<size_t>((children + kChildren - 1) / kChildren, 1);
    ForEachChild(root, [&](size_t child, const Box&, BlockNumber block) {
      if (level > 0 && child % step == 0) looked_at.push_back(block);
    });
  }
  TopCrowding top(of_root);
  for (const BlockNumber block : looked_at) {
    const OpenNode node(store, layout, block, LockMode::kShare);
    if (node.view().deleted() || node.level() != level) continue;
    top.AddChild(CrowdingOf(node, layout));
  }
  return top.Value();
}

}  // namespace xtree
