// See index_only.h; and which columns an index can return.
#include "am/index_only.h"

#include "am/entry_points.h"
#include "index/key_box.h"
#include "index/payload.h"

extern "C" {
#include "access/tupmacs.h"
#include "access/xlog.h"
}

namespace xtree {

namespace {

constexpr Size kTupleData = MAXALIGN(sizeof(IndexTupleData));  // of a tuple without NULL
constexpr Size kTupleDataAfterNulls = MAXALIGN(sizeof(IndexTupleData) + sizeof(IndexAttributeBitMapData));

// The payload is laid out as if it began a tuple. So it is within one where that place is as well aligned.
int AlignmentOf(TupleDesc include) {
  int alignment = 1;
  for (int i = 0; i < include->natts; i++)
    alignment = std::max(alignment, static_cast<int>(att_align_nominal(1, TupleDescAttr(include, i)->attalign)));
  return alignment;
}

// Of the INCLUDE columns, which may lie at any even address.
uint16 InfoOf(const uint8_t* payload) {
  uint16 info;
  memcpy(&info, payload + offsetof(IndexTupleData, t_info), sizeof(info));
  return info;
}

}  // namespace

IndexTupleForm::IndexTupleForm(Relation index, const IndexState* state, MemoryContext rows)
    : state_(state), all_(RelationGetDescr(index)), include_(IncludeDescriptor(index)), rows_(rows) {
  LayOut();
}

void IndexTupleForm::LayOut() {
  const int columns = state_->layout.columns;
  place_ = static_cast<Place*>(palloc(sizeof(Place) * static_cast<Size>(columns)));
  bool nulls = false;
  for (int i = 0; i < columns; i++) nulls |= !state_->column[i].routine->exact;
  Size offset = nulls ? kTupleDataAfterNulls : kTupleData;
  for (int i = 0; i < columns; i++) {
    if (!state_->column[i].routine->exact) continue;
    const Form_pg_attribute attribute = TupleDescAttr(all_, i);
    if (attribute->attlen <= 0) return;
    offset = att_align_nominal(offset, attribute->attalign);
    place_[places_++] = {i, attribute->attlen, attribute->attbyval, static_cast<uint16>(offset)};
    marks_ |= ColumnMarks(i, kMarkNull | kMarkEmpty);
    offset += static_cast<Size>(attribute->attlen);
  }
  if (include_ != nullptr && offset % static_cast<Size>(AlignmentOf(include_)) != 0) return;
  payload_offset_ = static_cast<uint16>(offset);
  buffer_ = static_cast<char*>(palloc0(MAXALIGN(offset) + BLCKSZ));
  auto* tuple = reinterpret_cast<IndexTuple>(buffer_);
  if (nulls) {
    tuple->t_info = INDEX_NULL_MASK;
    auto* bitmap = reinterpret_cast<uint8*>(buffer_ + sizeof(IndexTupleData));
    for (int i = 0; i < all_->natts; i++)
      if (i >= columns || state_->column[i].routine->exact) bitmap[i / 8] |= static_cast<uint8>(1 << (i % 8));
  }
  fast_ = true;
}

IndexTuple IndexTupleForm::FormFast(const Box& box, const uint8_t* payload, uint16_t length) {
  for (int i = 0; i < places_; i++) {
    const Place& place = place_[i];
    bool isnull;
    const Datum value = ReconstructKey(*state_, place.column, box, &isnull);
    if (place.by_value)
      store_att_byval(buffer_ + place.offset, value, place.length);
    else
      memcpy(buffer_ + place.offset, DatumGetPointer(value), static_cast<Size>(place.length));
  }
  auto* tuple = reinterpret_cast<IndexTuple>(buffer_);
  Size size = payload_offset_;
  int variable = 0;  // a bit that says whether there are such columns
  if (payload != nullptr) {
    memcpy(buffer_ + payload_offset_, payload + kTupleData, length - kTupleData);
    size += length - kTupleData;
    variable = InfoOf(payload) & INDEX_VAR_MASK;
  }
  tuple->t_info = static_cast<uint16>((tuple->t_info & INDEX_NULL_MASK) | variable | MAXALIGN(size));
  return tuple;
}

IndexTuple IndexTupleForm::FormAny(const Box& box, const uint8_t* payload, uint16_t length) {
  Datum values[INDEX_MAX_KEYS];
  bool isnull[INDEX_MAX_KEYS];
  const int keys = state_->layout.columns;
  for (int i = 0; i < keys; i++) {
    isnull[i] = true;  // a column whose key is lossy is never asked for
    values[i] = state_->column[i].routine->exact ? ReconstructKey(*state_, i, box, &isnull[i]) : Datum{0};
  }
  if (payload != nullptr) DeformPayload(include_, payload, length, values + keys, isnull + keys);
  return index_form_tuple(all_, values, isnull);
}

IndexTuple IndexTupleForm::Form(const NodeView& page, int entry) {
  Box box;
  page.GetBox(entry, &box);
  Payload part{nullptr, 0};
  if (include_ != nullptr) part.bytes = page.Payload(entry, &part.length);
  if (part.bytes != nullptr) part = IncludePart(*state_, box.marks, part);
  const uint8_t* payload = part.bytes;
  const uint16_t length = part.length;
  const bool fast =
      fast_ && (box.marks & marks_) == 0 && (payload == nullptr || (length >= kTupleData && (InfoOf(payload) & INDEX_NULL_MASK) == 0));
  if (!fast) MemoryContextReset(rows_);
  const MemoryContext old = MemoryContextSwitchTo(rows_);
  IndexTuple tuple = fast ? FormFast(box, payload, length) : FormAny(box, payload, length);
  MemoryContextSwitchTo(old);
  return tuple;
}

}  // namespace xtree

extern "C" bool xtreecanreturn(Relation index, int column) {
  // A pin holds nothing back on a standby: Generic WAL is replayed without cleanup locks. There the rows themselves must be looked at.
  if (RecoveryInProgress()) return false;
  if (column > IndexRelationGetNumberOfKeyAttributes(index)) return true;
  return xtree::GetIndexState(index, xtree::MetaUse::kNone)->column[column - 1].routine->exact;
}
