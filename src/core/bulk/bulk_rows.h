// Records of a bulk load: what will become entries of leaves (rows) or of directory nodes (downlinks), packed at a
// fixed stride.
//
// For bulk_*.cpp. A record holds the coordinates as a page stores them (one ordinal per dimension where lo == hi by
// nature), the tuple id or child block with its split history, marks, and for INCLUDE where the payload lies. Nothing
// is locked; no WAL.
#pragma once

#include <vector>

#include "core/bulk/bulk_memory.h"
#include "page/key_layout.h"

namespace xtree {

// How a record is ordered along an axis: by an int64 that is monotone in the position, for extended ones the centre; or
// in the length of its interval.
enum class KeyKind : uint8_t {
  kOrdinal8,
  kOrdinal4,
  kCentreFloat64,
  kCentreFloat32,
  kCentreInteger8,
  kCentreInteger4,
  kLengthFloat64,
  kLengthFloat32,
  kLengthInteger8,
  kLengthInteger4,
};

// Sorts after every value: NULL and empty.
inline constexpr int64_t kNoKey = kOrdinalMax;

// Axis d < dimensions is dimension d; those beyond order the extended dimensions by length.
struct RecordAxis {
  uint32_t lo;  // offsets in the record
  uint32_t hi;  // equal to lo where only one ordinal is stored
  uint8_t width;
  KeyKind kind;
  uint8_t column;
  uint8_t dimension;
  Scalar scalar;
};

class RecordFormat {
 public:
  RecordFormat(const KeyLayout& layout, bool leaf);

  const KeyLayout& layout() const { return *layout_; }
  bool leaf() const { return leaf_; }
  bool payload() const { return leaf_ && layout_->include; }
  bool point_like() const { return point_like_; }  // no dimension stores both lo and hi
  int dimensions() const { return layout_->dimensions; }
  size_t stride() const { return stride_; }  // multiple of 8
  int axes() const { return static_cast<int>(axis_.size()); }
  const RecordAxis& axis(int a) const { return axis_[a]; }

  void SetBox(const Box& box, uint8_t* record) const;
  void GetBox(const uint8_t* record, Box* box) const;
  // *box = union with the box of a record without marks, in one dimension.
  void ExtendAlong(int d, const uint8_t* record, Box* box) const {
    const RecordAxis& a = axis_[d];
    const bool wide = a.width == 8;
    box->lo[d] = std::min<Ordinal>(box->lo[d], wide ? Load<int64_t>(record + a.lo) : Load<int32_t>(record + a.lo));
    box->hi[d] = std::max<Ordinal>(box->hi[d], wide ? Load<int64_t>(record + a.hi) : Load<int32_t>(record + a.hi));
  }
  uint64_t Marks(const uint8_t* record) const {
    switch (layout_->marks_width) {
      case 1:
        return record[marks_];
      case 2:
        return Load<uint16_t>(record + marks_);
      case 4:
        return Load<uint32_t>(record + marks_);
      default:
        return Load<uint64_t>(record + marks_);
    }
  }

  void SetTuple(TupleId tuple, uint8_t* record) const { memcpy(record + reference_, &tuple, sizeof tuple); }
  TupleId Tuple(const uint8_t* record) const { return Load<TupleId>(record + reference_); }
  uint32_t tuple_offset() const { return reference_; }
  void SetPayload(uint64_t offset, uint8_t* record) const { memcpy(record + payload_, &offset, sizeof offset); }
  uint64_t Payload(const uint8_t* record) const { return Load<uint64_t>(record + payload_); }

  void SetChild(BlockNumber child, const SplitHistory& history, uint8_t* record) const;
  BlockNumber Child(const uint8_t* record) const { return Load<BlockNumber>(record + reference_); }
  SplitHistory History(const uint8_t* record) const;

  // Position along an axis, as in KeyKind.
  int64_t Key(const uint8_t* record, int axis) const;
  // The number that a key stands for, finite.
  double KeyValue(int axis, int64_t key) const;

  template <typename T>
  static T Load(const uint8_t* at) {
    T value;
    memcpy(&value, at, sizeof value);
    return value;
  }

 private:
  void PlaceDimension(int d, uint32_t* offset);
  void AddLengths();

  const KeyLayout* layout_;
  bool leaf_;
  bool point_like_;
  uint32_t payload_;
  uint32_t reference_;
  uint32_t marks_;
  uint32_t history_;
  size_t stride_;
  std::vector<RecordAxis> axis_;
};

inline constexpr bool IsLength(KeyKind kind) { return kind >= KeyKind::kLengthFloat64; }

// One record's key along an axis; the template lets inner loops be compiled for one kind.
template <KeyKind kind>
inline int64_t KeyOf(const uint8_t* record, uint32_t lo_offset, uint32_t hi_offset) {
  using F = RecordFormat;
  if constexpr (kind == KeyKind::kOrdinal8) return F::Load<int64_t>(record + lo_offset);
  if constexpr (kind == KeyKind::kOrdinal4) {
    const int32_t key = F::Load<int32_t>(record + lo_offset);
    return key == INT32_MAX ? kNoKey : key;
  }
  constexpr bool float64 = kind == KeyKind::kCentreFloat64 || kind == KeyKind::kLengthFloat64;
  constexpr bool wide = float64 || kind == KeyKind::kCentreInteger8 || kind == KeyKind::kLengthInteger8;
  constexpr bool integer = kind == KeyKind::kCentreInteger8 || kind == KeyKind::kCentreInteger4 || kind == KeyKind::kLengthInteger8 ||
                           kind == KeyKind::kLengthInteger4;
  constexpr Scalar scalar = float64 ? Scalar::kFloat64 : Scalar::kFloat32;
  const int64_t lo = wide ? F::Load<int64_t>(record + lo_offset) : F::Load<int32_t>(record + lo_offset);
  const int64_t hi = wide ? F::Load<int64_t>(record + hi_offset) : F::Load<int32_t>(record + hi_offset);
  int64_t key;
  if constexpr (integer && IsLength(kind)) {
    key = static_cast<int64_t>((static_cast<uint64_t>(hi) - static_cast<uint64_t>(lo)) >> 1);
  } else if constexpr (integer) {
    key = (lo & hi) + ((lo ^ hi) >> 1);
  } else {
    const double from = DecodeFinite(scalar, lo), to = DecodeFinite(scalar, hi);
    const int64_t bits = std::bit_cast<int64_t>(IsLength(kind) ? to - from : (from + to) / 2);
    key = bits ^ ((bits >> 63) & kOrdinalMax);
  }
  return lo > hi ? kNoKey : key;
}

// Records in an order of their own: narrow ones are moved themselves, wide ones through (key, position) items.
class Records {
 public:
  struct Item {
    int64_t key;
    uint64_t position;
  };
  static constexpr size_t kMaxMovedStride = 48;
  static bool Indirect(const RecordFormat& format) { return format.stride() > kMaxMovedStride; }
  // Bytes that a record costs while it is being ordered.
  static size_t BytesPerRecord(const RecordFormat& format) { return format.stride() + (Indirect(format) ? sizeof(Item) : 0); }

  // `items` has room for `size` items where Indirect; `marks`: some record may have marks.
  Records(const RecordFormat& format, uint8_t* base, Item* items, size_t size, bool marks);

  const RecordFormat& format() const { return *format_; }
  size_t size() const { return size_; }
  bool marks() const { return marks_; }
  const uint8_t* operator[](size_t i) const { return base_ + (items_ != nullptr ? items_[i].position : i) * format_->stride(); }

  // Reorders [begin, end) along an axis so that no record before `nth` sorts after one from `nth` on.
  void Select(size_t begin, size_t nth, size_t end, int axis);

 private:
  const RecordFormat* format_;
  uint8_t* base_;
  Item* items_;
  size_t size_;
  bool marks_;
};

}  // namespace xtree
