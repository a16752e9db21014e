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
  Crowding crowding(layout);
  ForEachChild(node, [&](size_t child, const Box& box, BlockNumber) {
    if (Crowding::IsPlace(child, ChildrenOf(node))) crowding.AddPlace(box);
  });
  ForEachChild(node, [&](size_t, const Box& box, BlockNumber) { crowding.AddBox(box); });
  return crowding.Mean();
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
  double top = 0;
  int level = 0;
  {
    const OpenNode root(store, layout, kRootBlock, LockMode::kShare);
    if (root.leaf()) return 0;
    level = root.level() - 1;
    top = CrowdingOf(root, layout);
    const size_t children = ChildrenOf(root), step = std::max<size_t>((children + kChildren - 1) / kChildren, 1);
    ForEachChild(root, [&](size_t child, const Box&, BlockNumber block) {
      if (level > 0 && child % step == 0) looked_at.push_back(block);
    });
  }
  double sum = 0;
  int nodes = 0;
  for (const BlockNumber block : looked_at) {
    const OpenNode node(store, layout, block, LockMode::kShare);
    if (node.view().deleted() || node.level() != level) continue;
    const double mean = CrowdingOf(node, layout);
    sum += mean;
    nodes += mean > 0;
  }
  return nodes == 0 ? top : top * sum / nodes;
}

}  // namespace xtree
