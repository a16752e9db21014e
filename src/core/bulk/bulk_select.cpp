// Selection of the n-th record along an axis: the inner loop of a bulk load.
//
// Floyd and Rivest's idea: two pivots from a sample enclose the wanted rank, so that 1.5 passes leave a small rest.
// Partition is Lomuto's without branches, compiled for every stride and kind of key.
#include <algorithm>

#include "core/bulk/bulk_rows.h"

namespace xtree {

namespace {

template <int words>
struct Record {
  uint64_t word[words];
};

template <int words, KeyKind kind>
class Selector {
 public:
  using R = Record<words>;

  Selector(uint32_t lo, uint32_t hi) : lo_(lo), hi_(hi) {}

  // REQUIRES: nth < count.
  void Select(R* records, size_t count, size_t nth) {
    while (count > kSmall) {
      const Pivots pivots = ChoosePivots(records, count, nth);
      const size_t before = count;
      if (2 * nth > count) {
        TrimBelow(pivots.below, &records, &count, &nth);
        TrimAbove(pivots.above, &records, &count, &nth);
      } else {
        TrimAbove(pivots.above, &records, &count, &nth);
        TrimBelow(pivots.below, &records, &count, &nth);
      }
      if (pivots.below == pivots.above && Key(records[nth]) == pivots.below) return;  // only ties are left
      if (count > before - before / 8) break;
    }
    std::nth_element(records, records + nth, records + count, [this](const R& a, const R& b) { return Key(a) < Key(b); });
  }

 private:
  static constexpr size_t kSmall = 48;
  static constexpr size_t kMaxSample = 512;

  struct Pivots {
    int64_t below;
    int64_t above;
  };

  int64_t Key(const R& record) const { return KeyOf<kind>(reinterpret_cast<const uint8_t*>(&record), lo_, hi_); }

  Pivots ChoosePivots(const R* records, size_t count, size_t nth) {
    int64_t sample[kMaxSample];
    const size_t size = count < 512 ? 15 : count < 8192 ? 63 : count < 131072 ? 255 : kMaxSample - 1;
    for (size_t i = 0; i < size; i++) sample[i] = Key(records[random_.Below(count)]);
    std::sort(sample, sample + size);
    const size_t margin = size < 32 ? 2 : size < 128 ? 5 : size < 256 ? 10 : 14;  // about 1.3 standard deviations of a rank
    const size_t rank = static_cast<size_t>(static_cast<double>(nth) / static_cast<double>(count) * static_cast<double>(size));
    return {sample[rank > margin ? rank - margin : 0], sample[std::min(rank + margin, size - 1)]};
  }

  // Moves the records that pass to the front; their number.
  template <typename Pass>
  size_t Partition(R* records, size_t count, Pass pass) {
    size_t front = 0;
    for (size_t i = 0; i < count; i++) {
      const R record = records[i];
      records[i] = records[front];
      records[front] = record;
      front += pass(Key(record));
    }
    return front;
  }

  // Keeps the side of `key < pivot | pivot <= key` that holds rank nth.
  void TrimBelow(int64_t pivot, R** records, size_t* count, size_t* nth) {
    const size_t front = Partition(*records, *count, [pivot](int64_t key) { return key < pivot; });
    Keep(front, records, count, nth);
  }

  // Likewise of `key <= pivot | pivot < key`.
  void TrimAbove(int64_t pivot, R** records, size_t* count, size_t* nth) {
    const size_t front = Partition(*records, *count, [pivot](int64_t key) { return key <= pivot; });
    Keep(front, records, count, nth);
  }

  void Keep(size_t front, R** records, size_t* count, size_t* nth) {
    if (*nth < front) {
      *count = front;
    } else {
      *records += front;
      *count -= front;
      *nth -= front;
    }
  }

  uint32_t lo_;
  uint32_t hi_;
  BulkRandom random_{0x5EED};
};

template <int words, KeyKind kind>
void SelectMoved(uint8_t* base, size_t count, size_t nth, const RecordAxis& by) {
  Selector<words, kind>(by.lo, by.hi).Select(reinterpret_cast<Record<words>*>(base), count, nth);
}

template <int words>
void SelectWords(uint8_t* base, size_t count, size_t nth, const RecordAxis& by) {
  switch (by.kind) {
    case KeyKind::kOrdinal8:
      return SelectMoved<words, KeyKind::kOrdinal8>(base, count, nth, by);
    case KeyKind::kOrdinal4:
      return SelectMoved<words, KeyKind::kOrdinal4>(base, count, nth, by);
    case KeyKind::kCentreFloat64:
      return SelectMoved<words, KeyKind::kCentreFloat64>(base, count, nth, by);
    case KeyKind::kCentreFloat32:
      return SelectMoved<words, KeyKind::kCentreFloat32>(base, count, nth, by);
    case KeyKind::kCentreInteger8:
      return SelectMoved<words, KeyKind::kCentreInteger8>(base, count, nth, by);
    case KeyKind::kCentreInteger4:
      return SelectMoved<words, KeyKind::kCentreInteger4>(base, count, nth, by);
    case KeyKind::kLengthFloat64:
      return SelectMoved<words, KeyKind::kLengthFloat64>(base, count, nth, by);
    case KeyKind::kLengthFloat32:
      return SelectMoved<words, KeyKind::kLengthFloat32>(base, count, nth, by);
    case KeyKind::kLengthInteger8:
      return SelectMoved<words, KeyKind::kLengthInteger8>(base, count, nth, by);
    case KeyKind::kLengthInteger4:
      return SelectMoved<words, KeyKind::kLengthInteger4>(base, count, nth, by);
  }
}

}  // namespace

Records::Records(const RecordFormat& format, uint8_t* base, Item* items, size_t size, bool marks)
    : format_(&format), base_(base), items_(Indirect(format) ? items : nullptr), size_(size), marks_(marks) {
  if (items_ == nullptr) return;
  for (size_t i = 0; i < size; i++) items_[i].position = i;
}

void Records::Select(size_t begin, size_t nth, size_t end, int axis) {
  if (nth <= begin || nth >= end) return;
  const RecordAxis& by = format_->axis(axis);
  if (items_ != nullptr) {
    for (size_t i = begin; i < end; i++) items_[i].key = format_->Key((*this)[i], axis);
    Selector<2, KeyKind::kOrdinal8>(0, 0).Select(reinterpret_cast<Record<2>*>(items_ + begin), end - begin, nth - begin);
    return;
  }
  uint8_t* base = base_ + begin * format_->stride();
  switch (format_->stride() / 8) {
    case 2:
      return SelectWords<2>(base, end - begin, nth - begin, by);
    case 3:
      return SelectWords<3>(base, end - begin, nth - begin, by);
    case 4:
      return SelectWords<4>(base, end - begin, nth - begin, by);
    case 5:
      return SelectWords<5>(base, end - begin, nth - begin, by);
    case 6:
      return SelectWords<6>(base, end - begin, nth - begin, by);
  }
}

}  // namespace xtree
