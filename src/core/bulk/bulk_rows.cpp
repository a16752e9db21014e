// Packing of bulk load records.
#include "core/bulk/bulk_rows.h"

namespace xtree {

namespace {

KeyKind KindOf(const DimensionLayout& dimension, bool both) {
  const bool wide = dimension.width == 8;
  if (!both) return wide ? KeyKind::kOrdinal8 : KeyKind::kOrdinal4;
  switch (dimension.scalar) {
    case Scalar::kFloat64:
      return KeyKind::kCentreFloat64;
    case Scalar::kFloat32:
      return KeyKind::kCentreFloat32;
    case Scalar::kInteger:
      break;
  }
  return wide ? KeyKind::kCentreInteger8 : KeyKind::kCentreInteger4;
}

void StoreOrdinal(Ordinal value, uint8_t width, uint8_t* at) {
  if (width == 8) {
    memcpy(at, &value, 8);
  } else {
    const int32_t narrow = static_cast<int32_t>(value);
    memcpy(at, &narrow, 4);
  }
}

Ordinal LoadOrdinal(const uint8_t* at, uint8_t width) {
  return width == 8 ? RecordFormat::Load<int64_t>(at) : RecordFormat::Load<int32_t>(at);
}

}  // namespace

RecordFormat::RecordFormat(const KeyLayout& layout, bool leaf)
    : layout_(&layout), leaf_(leaf), point_like_(leaf), axis_(layout.dimensions) {
  uint32_t offset = 0;
  for (int d = 0; d < dimensions(); d++)
    if (layout.dimension[d].width == 8) PlaceDimension(d, &offset);
  for (int d = 0; d < dimensions(); d++)
    if (layout.dimension[d].width == 4) PlaceDimension(d, &offset);
  AddLengths();
  payload_ = offset;
  if (payload()) offset += sizeof(uint64_t);
  history_ = offset;
  if (!leaf) offset += layout.history_width;
  reference_ = offset;
  offset += leaf ? sizeof(TupleId) : sizeof(BlockNumber);
  marks_ = offset;
  offset += layout.marks_width;
  stride_ = (offset + 7) / 8 * 8;
}

void RecordFormat::PlaceDimension(int d, uint32_t* offset) {
  const DimensionLayout& from = layout_->dimension[d];
  const bool both = !leaf_ || from.extended;
  if (both) point_like_ = false;
  RecordAxis& to = axis_[d];
  to = {*offset, *offset + (both ? from.width : 0u), from.width, KindOf(from, both), from.column, static_cast<uint8_t>(d), from.scalar};
  *offset = to.hi + from.width;
}

void RecordFormat::AddLengths() {
  for (int d = 0; d < dimensions(); d++) {
    RecordAxis axis = axis_[d];
    if (axis.lo == axis.hi) continue;
    constexpr int kShift = static_cast<int>(KeyKind::kLengthFloat64) - static_cast<int>(KeyKind::kCentreFloat64);
    axis.kind = static_cast<KeyKind>(static_cast<int>(axis.kind) + kShift);
    axis_.push_back(axis);
  }
}

void RecordFormat::SetBox(const Box& box, uint8_t* record) const {
  for (int d = 0; d < dimensions(); d++) {
    const RecordAxis& dimension = axis_[d];
    const bool value = box.lo[d] <= box.hi[d];
    const uint8_t width = dimension.width;
    if (dimension.hi != dimension.lo) StoreOrdinal(value ? box.hi[d] : InvertedHi(width), width, record + dimension.hi);
    StoreOrdinal(value ? box.lo[d] : InvertedLo(width), width, record + dimension.lo);
  }
  memcpy(record + marks_, &box.marks, layout_->marks_width);
}

void RecordFormat::GetBox(const uint8_t* record, Box* box) const {
  for (int d = 0; d < dimensions(); d++) {
    const RecordAxis& dimension = axis_[d];
    box->lo[d] = LoadOrdinal(record + dimension.lo, dimension.width);
    box->hi[d] = LoadOrdinal(record + dimension.hi, dimension.width);
  }
  box->marks = Marks(record);
  const uint64_t absent = layout_->Absent(box->marks);
  if (absent == 0 || !leaf_) return;
  for (int d = 0; d < dimensions(); d++) {  // where one ordinal is stored it cannot be inverted
    if (((absent >> (2 * axis_[d].column)) & 3) == 0) continue;
    box->lo[d] = InvertedLo(axis_[d].width);
    box->hi[d] = InvertedHi(axis_[d].width);
  }
}

void RecordFormat::SetChild(BlockNumber child, const SplitHistory& history, uint8_t* record) const {
  memcpy(record + reference_, &child, sizeof child);
  memcpy(record + history_, history.bits, layout_->history_width);
}

SplitHistory RecordFormat::History(const uint8_t* record) const {
  SplitHistory history;
  memcpy(history.bits, record + history_, layout_->history_width);
  return history;
}

int64_t RecordFormat::Key(const uint8_t* record, int axis) const {
  const RecordAxis& a = axis_[axis];
  switch (a.kind) {
    case KeyKind::kOrdinal8:
      return KeyOf<KeyKind::kOrdinal8>(record, a.lo, a.hi);
    case KeyKind::kOrdinal4:
      return KeyOf<KeyKind::kOrdinal4>(record, a.lo, a.hi);
    case KeyKind::kCentreFloat64:
      return KeyOf<KeyKind::kCentreFloat64>(record, a.lo, a.hi);
    case KeyKind::kCentreFloat32:
      return KeyOf<KeyKind::kCentreFloat32>(record, a.lo, a.hi);
    case KeyKind::kCentreInteger8:
      return KeyOf<KeyKind::kCentreInteger8>(record, a.lo, a.hi);
    case KeyKind::kCentreInteger4:
      return KeyOf<KeyKind::kCentreInteger4>(record, a.lo, a.hi);
    case KeyKind::kLengthFloat64:
      return KeyOf<KeyKind::kLengthFloat64>(record, a.lo, a.hi);
    case KeyKind::kLengthFloat32:
      return KeyOf<KeyKind::kLengthFloat32>(record, a.lo, a.hi);
    case KeyKind::kLengthInteger8:
      return KeyOf<KeyKind::kLengthInteger8>(record, a.lo, a.hi);
    case KeyKind::kLengthInteger4:
      break;
  }
  return KeyOf<KeyKind::kLengthInteger4>(record, a.lo, a.hi);
}

double RecordFormat::KeyValue(int axis, int64_t key) const {
  switch (axis_[axis].kind) {
    case KeyKind::kOrdinal8:
    case KeyKind::kOrdinal4:
      return DecodeFinite(axis_[axis].scalar, key);
    case KeyKind::kCentreFloat64:
    case KeyKind::kCentreFloat32:
    case KeyKind::kLengthFloat64:
    case KeyKind::kLengthFloat32:
      return DoubleFromOrdinal(key);
    case KeyKind::kCentreInteger8:
    case KeyKind::kCentreInteger4:
      break;
    case KeyKind::kLengthInteger8:
    case KeyKind::kLengthInteger4:
      return 2 * static_cast<double>(key);
  }
  return static_cast<double>(key);
}

}  // namespace xtree
