#include "core/choose_subtree.h"

#include <algorithm>

#include "core/kernels.h"
#include "core/measures.h"

namespace xtree {

namespace {

// How many of the children with the least area growth are compared by overlap (the R*-tree paper's 32).
constexpr int kOverlapCandidates = 32;

// Kernel terms that pass the directory entries whose box contains the key's values (marks are not looked at).
int ContainmentTerms(const KeyLayout& layout, const Box& key, FilterTerm* terms) {
  int count = 0;
  for (int d = 0; d < layout.dimensions; d++) {
    if (key.lo[d] > key.hi[d]) continue;  // no value: any box will do
    const DimensionLayout& dimension = layout.dimension[d];
    terms[count++] = {dimension.lo[1], dimension.width, false, true, kOrdinalMin, key.lo[d]};
    terms[count++] = {dimension.hi[1], dimension.width, true, false, key.hi[d], kOrdinalMax};
  }
  return count;
}

Volume VolumeOf(const KeyLayout& layout, const NodeView& page, int entry) {
  Volume volume;
  for (int d = 0; d < layout.dimensions; d++) {
    const Scalar scalar = layout.dimension[d].scalar;
    volume.Multiply(DecodeFinite(scalar, page.Hi(entry, d)) -
                    DecodeFinite(scalar, page.Lo(entry, d)));  // inverted: below 0
  }
  return volume;
}

bool SmallestContaining(const OpenNode& node, const KeyLayout& layout, const Box& key, EntryPosition* best) {
  FilterTerm terms[2 * kMaxDimensions];
  const int count = ContainmentTerms(layout, key, terms);
  uint16_t slots[kMaxEntriesPerPage];
  bool found = false;
  Volume least;
  for (int p = 0; p < node.pages(); p++) {
    const NodeView page = node.page(p);
    const int matches = ActiveKernels().filter(page.first_block(), page.block(), page.entries(), terms, count, slots);
    for (int i = 0; i < matches; i++) {
      const Volume volume = VolumeOf(layout, page, slots[i]);
      if (found && !(volume < least)) continue;
      found = true;
      least = volume;
      *best = {p, slots[i]};
      if (least.flat() == layout.dimensions) return true;  // a place: none is smaller
    }
  }
  return found;
}

// Children and the key as normalised boxes; the key is the last row.
struct Candidates {
  NormalizedBoxes boxes;
  std::vector<EntryPosition> position;

  Candidates(const OpenNode& node, const KeyLayout& layout, const Box& key) : boxes(layout, node.entries() + 1) {
    Box box;
    for (int p = 0; p < node.pages(); p++) {
      const NodeView page = node.page(p);
      for (int i = 0; i < page.entries(); i++) {
        page.GetBox(i, &box);
        boxes.Add(box);
        position.push_back({p, i});
      }
    }
    boxes.Add(key);
    boxes.Normalize();
  }
  const Extent* key() const { return boxes.row(boxes.size() - 1); }
};

struct Growth {
  double area_growth;
  double margin_growth;
  double area;
  int child;
  bool operator<(const Growth& o) const {
    if (area_growth != o.area_growth) return area_growth < o.area_growth;
    if (margin_growth != o.margin_growth) return margin_growth < o.margin_growth;
    return area < o.area;
  }
};

std::vector<Growth> Growths(const Candidates& candidates) {
  const NormalizedBoxes& boxes = candidates.boxes;
  std::vector<Growth> growths;
  std::vector<Extent> grown(boxes.dimensions());
  for (int i = 0; i < boxes.size() - 1; i++) {
    std::copy_n(boxes.row(i), boxes.dimensions(), grown.begin());
    boxes.Unite(candidates.key(), grown.data());
    const double area = boxes.Area(boxes.row(i));
    growths.push_back(
        {boxes.Area(grown.data()) - area, boxes.Margin(grown.data()) - boxes.Margin(boxes.row(i)), area, i});
  }
  return growths;
}

// Or more than `limit`, where it is more.
double OverlapGrowth(const Candidates& candidates, int child, double limit) {
  const NormalizedBoxes& boxes = candidates.boxes;
  std::vector<Extent> grown(boxes.row(child), boxes.row(child) + boxes.dimensions());
  boxes.Unite(candidates.key(), grown.data());
  double growth = 0;
  for (int i = 0; i < boxes.size() - 1 && growth <= limit; i++) {
    if (i == child) continue;
    const double after = boxes.OverlapArea(grown.data(), boxes.row(i));
    if (after > 0) growth += after - boxes.OverlapArea(boxes.row(child), boxes.row(i));
  }
  return growth;
}

int LeastOverlapGrowth(const Candidates& candidates, std::vector<Growth>* growths) {
  const size_t compared = std::min<size_t>(kOverlapCandidates, growths->size());
  std::partial_sort(growths->begin(), growths->begin() + static_cast<ptrdiff_t>(compared), growths->end());
  int best = growths->front().child;
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < compared && least > 0; i++) {
    const double growth = OverlapGrowth(candidates, (*growths)[i].child, least);
    if (growth < least) {
      least = growth;
      best = (*growths)[i].child;
    }
  }
  return best;
}

}  // namespace

EntryPosition ChooseSubtree(const OpenNode& node, const KeyLayout& layout, const Box& key) {
  EntryPosition best{0, 0};
  if (SmallestContaining(node, layout, key, &best)) return best;
  const Candidates candidates(node, layout, key);
  std::vector<Growth> growths = Growths(candidates);
  if (growths.empty()) throw CorruptPage(node.block(), "a directory node has no entries");
  const int child = node.level() == 1 ? LeastOverlapGrowth(candidates, &growths)
                                      : std::min_element(growths.begin(), growths.end())->child;
  return candidates.position[child];
}

}  // namespace xtree
