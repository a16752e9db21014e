#include "core/write/choose_subtree.h"

#include <algorithm>

#include "core/filter/kernels.h"
#include "core/write/measures.h"

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
    const Ordinal lo = page.Lo(entry, d);
    volume.Multiply(DecodeFrom(scalar, lo, page.Hi(entry, d)) - DecodeFrom(scalar, lo, lo));  // inverted: below 0
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

template <Scalar kScalar, typename T>
void DecodeSides(const NodeView& page, const DimensionLayout& d, Ordinal origin, double* lo, double* hi) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const BlockLayout& block = page.block();
  const uint8_t* at = page.first_block();
  for (int left = page.entries(); left > 0; left -= block.capacity, at += block.bytes) {
    const T* from_lo = reinterpret_cast<const T*>(at + d.lo[1]);
    const T* from_hi = reinterpret_cast<const T*>(at + d.hi[1]);
    for (int i = 0; i < std::min<int>(left, block.capacity); i++) {
      const bool value = from_lo[i] <= from_hi[i];
      *lo++ = value ? DecodeFrom(kScalar, origin, from_lo[i]) : kInfinity;
      *hi++ = value ? DecodeFrom(kScalar, origin, from_hi[i]) : -kInfinity;
    }
  }
}

void DecodeSides(const NodeView& page, const DimensionLayout& d, Ordinal origin, double* lo, double* hi) {
  if (d.scalar == Scalar::kFloat64) return DecodeSides<Scalar::kFloat64, int64_t>(page, d, origin, lo, hi);
  if (d.scalar == Scalar::kFloat32) return DecodeSides<Scalar::kFloat32, int32_t>(page, d, origin, lo, hi);
  if (d.width == 8) return DecodeSides<Scalar::kInteger, int64_t>(page, d, origin, lo, hi);
  return DecodeSides<Scalar::kInteger, int32_t>(page, d, origin, lo, hi);
}

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

// The children's boxes and the key, normalised as in NormalizedBoxes, but dimension by dimension, as the pages have
// them: the loops over all children are short. Dimensions in which they have no extent are left out.
class Children {
 public:
  Children(const OpenNode& node, const KeyLayout& layout, const Box& key);

  std::vector<Growth> Growths() const;

  // How much more of its siblings the child would overlap, if it took the key; or more than `limit`, where it is more.
  double OverlapGrowth(int child, double limit);

 private:
  struct Side {
    double* lo;  // of each child
    double* hi;
    Extent key;
    double weight;       // of a normalised length in a margin
    double word_weight;  // the same of a word behind the first; else 0
  };
  void Normalize(Side* side, double from, double scale) const;
  double OverlapGrowthOver(int child, int sibling) const;

  int size_;
  std::vector<double> memory_;
  std::vector<Side> sides_;
  std::vector<int> meeting_;  // siblings that meet a child in the first dimension
};

double Length(double lo, double hi) { return std::max(hi - lo, 0.0); }

Children::Children(const OpenNode& node, const KeyLayout& layout, const Box& key)
    : size_(node.entries()), memory_(size_t{2} * size_ * layout.dimensions) {
  std::vector<double> widest(layout.columns);
  std::vector<int> column;
  double* memory = memory_.data();
  bool spread_before = false;  // in the words before
  for (int d = 0; d < layout.dimensions; d++) {
    const DimensionLayout& dimension = layout.dimension[d];
    spread_before = dimension.minor && spread_before;
    Side side{memory, memory + size_, {HUGE_VAL, -HUGE_VAL}, 0, 0};
    for (int p = 0, n = 0; p < node.pages(); n += node.page(p).entries(), p++)
      DecodeSides(node.page(p), dimension, key.lo[d], side.lo + n, side.hi + n);
    if (key.lo[d] <= key.hi[d])
      side.key = {DecodeFrom(dimension.scalar, key.lo[d], key.lo[d]), DecodeFrom(dimension.scalar, key.lo[d], key.hi[d])};
    const double from = std::min(side.key.lo, *std::min_element(side.lo, side.lo + size_));
    const double length = std::max(side.key.hi, *std::max_element(side.hi, side.hi + size_)) - from;
    const double scale = 1 / length;
    if (!(length > 0 && scale < HUGE_VAL)) continue;
    Normalize(&side, from, scale);
    side.weight = length;
    side.word_weight = !dimension.minor ? 0 : spread_before ? kMinorWeight : 1;
    if (!dimension.minor) widest[dimension.column] = std::max(widest[dimension.column], length);
    spread_before = true;
    column.push_back(dimension.column);
    sides_.push_back(side);
    memory += size_t{2} * size_;
  }
  for (size_t i = 0; i < sides_.size(); i++) {
    Side& side = sides_[i];
    side.weight = side.word_weight > 0 ? side.word_weight : side.weight / widest[column[i]];
  }
}

void Children::Normalize(Side* side, double from, double scale) const {
  for (int i = 0; i < size_; i++) {
    side->lo[i] = (side->lo[i] - from) * scale;
    side->hi[i] = (side->hi[i] - from) * scale;
  }
  side->key = {(side->key.lo - from) * scale, (side->key.hi - from) * scale};
}

std::vector<Growth> Children::Growths() const {
  std::vector<Growth> growths(size_);
  for (int i = 0; i < size_; i++) growths[i] = {1, 0, 1, i};
  for (const Side& side : sides_) {
    for (int i = 0; i < size_; i++) {
      const double length = Length(side.lo[i], side.hi[i]);
      const double grown = Length(std::min(side.lo[i], side.key.lo), std::max(side.hi[i], side.key.hi));
      growths[i].area *= length;
      growths[i].area_growth *= grown;
      growths[i].margin_growth += (grown - length) * side.weight;
    }
  }
  for (Growth& growth : growths) growth.area_growth -= growth.area;
  return growths;
}

double Children::OverlapGrowth(int child, double limit) {
  if (sides_.empty()) return 0;
  meeting_.clear();
  const Side& first = sides_.front();
  const double lo = std::min(first.lo[child], first.key.lo), hi = std::max(first.hi[child], first.key.hi);
  for (int i = 0; i < size_; i++)
    if (first.lo[i] < hi && first.hi[i] > lo && i != child) meeting_.push_back(i);
  double growth = 0;
  for (const int sibling : meeting_) {
    growth += OverlapGrowthOver(child, sibling);
    if (growth > limit) break;
  }
  return growth;
}

double Children::OverlapGrowthOver(int child, int sibling) const {
  double before = 1, after = 1;
  for (const Side& side : sides_) {
    const double lo = side.lo[child], hi = side.hi[child];
    before *= Length(std::max(lo, side.lo[sibling]), std::min(hi, side.hi[sibling]));
    after *= Length(std::max(std::min(lo, side.key.lo), side.lo[sibling]), std::min(std::max(hi, side.key.hi), side.hi[sibling]));
    if (!(after > 0)) return 0;
  }
  return after - before;
}

// Of those whose area grows least. Mostly the very first overlaps nothing new; only else are the others put in order.
int LeastOverlapGrowth(Children* children, std::vector<Growth>* growths) {
  std::iter_swap(growths->begin(), std::min_element(growths->begin(), growths->end()));
  int best = growths->front().child;
  double least = children->OverlapGrowth(best, HUGE_VAL);
  if (!(least > 0)) return best;
  const size_t compared = std::min<size_t>(kOverlapCandidates, growths->size());
  std::partial_sort(growths->begin() + 1, growths->begin() + static_cast<ptrdiff_t>(compared), growths->end());
  for (size_t i = 1; i < compared && least > 0; i++) {
    const double growth = children->OverlapGrowth((*growths)[i].child, least);
    if (growth < least) {
      least = growth;
      best = (*growths)[i].child;
    }
  }
  return best;
}

// The child'th entry of the node, over all its pages.
EntryPosition PositionOf(const OpenNode& node, int child) {
  int page = 0;
  for (; child >= node.page(page).entries(); page++) child -= node.page(page).entries();
  return {page, child};
}

}  // namespace

EntryPosition ChooseSubtree(const OpenNode& node, const KeyLayout& layout, const Box& key) {
  EntryPosition best{0, 0};
  if (SmallestContaining(node, layout, key, &best)) return best;
  if (node.entries() == 0) throw CorruptPage(node.block(), "a directory node has no entries");
  Children children(node, layout, key);
  std::vector<Growth> growths = children.Growths();
  return PositionOf(node,
                    node.level() == 1 ? LeastOverlapGrowth(&children, &growths) : std::min_element(growths.begin(), growths.end())->child);
}

}  // namespace xtree
