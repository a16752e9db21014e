#include "am/held_batch.h"

#include <algorithm>
#include <limits>

namespace xtree {

namespace {

constexpr int kCurveDimensions = 4;

// A batch is as large as a sixteenth of what the index's pages can hold. Where it fills leaves one after the other, it leaves halves of
// splits behind that are half full, as ascending keys do in a B-tree: 400,000 points into an empty index in one batch filled leaves by 54
// %, in such batches by 69 %, as one by one.
constexpr int kShareOfLeaf = 16;

// The bits of a coordinate, `apart` places from each other; `bits` of them.
uint64_t Spread(uint64_t value, int bits, int apart) {
  if (apart == 1) return value;
  if (apart == 2) {
    value = (value | value << 16) & 0x0000FFFF0000FFFF;
    value = (value | value << 8) & 0x00FF00FF00FF00FF;
    value = (value | value << 4) & 0x0F0F0F0F0F0F0F0F;
    value = (value | value << 2) & 0x3333333333333333;
    return (value | value << 1) & 0x5555555555555555;
  }
  uint64_t spread = 0;
  for (int bit = 0; bit < bits; bit++) spread |= (value >> bit & 1) << (bit * apart);
  return spread;
}

// One dimension of the curve: ordinals from `least` on, and how many bits of them are too many.
struct CurveDimension {
  int dimension;
  Ordinal least;
  int excess;
};

// Words behind the first tell apart only what is equal before.
class Curve {
 public:
  explicit Curve(const HeldIndex& held) : held_(held) {
    const KeyLayout& layout = *held.layout;
    for (int d = 0; d < layout.dimensions && count_ < kCurveDimensions; d++) count_ += !layout.dimension[d].minor;
    bits_ = 64 / count_;
    for (int d = 0, n = 0; n < count_; d++)
      if (!layout.dimension[d].minor) dimension_[n++] = Measure(d);
  }

  uint64_t PlaceOf(size_t row) const {
    uint64_t place = 0;
    for (int i = 0; i < count_; i++) {
      const CurveDimension& d = dimension_[i];
      const uint64_t from_least = static_cast<uint64_t>(Lo(row, d.dimension)) - static_cast<uint64_t>(d.least);
      place |= Spread(from_least >> d.excess, bits_, count_) << i;
    }
    return place;
  }

 private:
  Ordinal Lo(size_t row, int dimension) const { return held_.ordinals[row * 2 * held_.layout->dimensions + dimension]; }

  CurveDimension Measure(int dimension) const {
    Ordinal least = Lo(0, dimension), most = least;
    for (size_t row = 1; row < held_.count; row++) {
      least = std::min(least, Lo(row, dimension));
      most = std::max(most, Lo(row, dimension));
    }
    const uint64_t spread = static_cast<uint64_t>(most) - static_cast<uint64_t>(least);
    return {dimension, least, std::max(0, static_cast<int>(std::bit_width(spread)) - bits_)};
  }

  const HeldIndex& held_;
  int count_ = 0;
  int bits_;
  CurveDimension dimension_[kCurveDimensions];
};

// Makes room for `needed` more, at least doubling it.
template <typename T>
T* Grow(MemoryContext memory, T* old, size_t room) {
  const Size bytes = room * sizeof(T);
  return static_cast<T*>(old == nullptr ? MemoryContextAllocHuge(memory, bytes) : repalloc_huge(old, bytes));
}

}  // namespace

HeldIndex* MakeHeldIndex(MemoryContext memory, Relation index, const IndexState& state) {
  auto* held = static_cast<HeldIndex*>(MemoryContextAllocZero(memory, sizeof(HeldIndex)));
  void* layout = MemoryContextAlloc(memory, state.layout.size());
  memcpy(layout, &state.layout, state.layout.size());
  held->index = RelationGetRelid(index);
  held->layout = static_cast<const KeyLayout*>(layout);
  held->options = state.tree_options;
  const size_t per_page = std::max(1, state.layout.Block(true, false).max_entries / kShareOfLeaf);
  held->most = std::min<size_t>(RelationGetNumberOfBlocks(index) * per_page, std::numeric_limits<uint32_t>::max());  // HeldBatch::Place
  return held;
}

void AddHeldEntry(MemoryContext memory, HeldIndex* held, const HeldEntry& entry) {
  const size_t dimensions = held->layout->dimensions;
  if (held->count == held->room) {
    const size_t room = std::max<size_t>(16, held->room * 2);
    held->rows = Grow(memory, held->rows, room);
    held->ordinals = Grow(memory, held->ordinals, room * 2 * dimensions);
    held->room = room;
  }
  if (held->payload_used + entry.payload_length > held->payload_room) {
    held->payload_room = std::max<size_t>(held->payload_used + entry.payload_length, held->payload_room * 2);
    held->payload_bytes = Grow(memory, held->payload_bytes, held->payload_room);
  }
  Ordinal* ordinals = held->ordinals + held->count * 2 * dimensions;
  memcpy(ordinals, entry.box->lo, dimensions * sizeof(Ordinal));
  memcpy(ordinals + dimensions, entry.box->hi, dimensions * sizeof(Ordinal));
  if (entry.payload_length > 0) memcpy(held->payload_bytes + held->payload_used, entry.payload, entry.payload_length);
  held->rows[held->count++] = {entry.box->marks, held->payload_used, entry.tuple, entry.payload_length, false};
  held->payload_used += entry.payload_length;
}

HeldBatch::HeldBatch(HeldIndex* held) : held_(held), order_(held->count) {
  if (held->count == 0) return;
  const Curve curve(*held);
  for (size_t row = 0; row < held->count; row++) order_[row] = {curve.PlaceOf(row), static_cast<uint32_t>(row)};
  std::sort(order_.begin(), order_.end(), [](const Place& a, const Place& b) { return a.on_curve < b.on_curve; });
}

NewEntry HeldBatch::Get(size_t i) {
  const HeldRow& row = held_->rows[order_[i].row];
  const size_t dimensions = held_->layout->dimensions;
  const Ordinal* ordinals = held_->ordinals + order_[i].row * 2 * dimensions;
  memcpy(box_.lo, ordinals, dimensions * sizeof(Ordinal));
  memcpy(box_.hi, ordinals + dimensions, dimensions * sizeof(Ordinal));
  box_.marks = row.marks;
  return {box_, row.tuple, row.payload == 0 && row.payload_length == 0 ? nullptr : held_->payload_bytes + row.payload, row.payload_length};
}

}  // namespace xtree
