#include "index/payload.h"

#include "core/write/tree_writer.h"

namespace xtree {

namespace {

// As nbtree's, so that what could be included there can be included here; two such entries fit a leaf of all but the widest keys.
constexpr uint16_t kMaxPayload = 2704;

[[noreturn]] void ReportTooLong(Relation index, Size length) {
  ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                  errmsg("index row payload of %zu bytes exceeds xtree's maximum for index \"%s\"", length, RelationGetRelationName(index)),
                  errdetail("The INCLUDE columns of one row may take up to %u bytes, less where keys have many dimensions.", kMaxPayload),
                  errhint("Values larger than 1/3 of a buffer page cannot be included in an index.")));
  pg_unreachable();
}

}  // namespace

TupleDesc IncludeDescriptor(Relation index) {
  const int keys = IndexRelationGetNumberOfKeyAttributes(index);
  const int count = IndexRelationGetNumberOfAttributes(index) - keys;
  if (count == 0) return nullptr;
  TupleDesc include = CreateTemplateTupleDesc(count);
  for (int i = 0; i < count; i++)
    TupleDescCopyEntry(include, static_cast<AttrNumber>(i + 1), RelationGetDescr(index), static_cast<AttrNumber>(keys + i + 1));
  return include;
}

Payload FormPayload(Relation index, const IndexState& state, const VectorCoder* coder, TupleDesc include, const Datum* values,
                    const bool* isnull) {
  const Size code = coder != nullptr && !isnull[state.vectors.column] ? coder->bytes() : 0;
  if (include == nullptr) return {code > 0 ? coder->code() : nullptr, static_cast<uint16_t>(code)};
  const int keys = state.layout.columns;
  IndexTuple tuple = index_form_tuple(include, const_cast<Datum*>(values) + keys, const_cast<bool*>(isnull) + keys);
  const Size length = IndexTupleSize(tuple);
  const Size all = code + length;
  if (length > kMaxPayload || all > kPageSize || (all > kSmallPayload && !TwoFitOnLeaf(state.layout, static_cast<uint16_t>(all))))
    ReportTooLong(index, length);
  if (code == 0) return {reinterpret_cast<const uint8_t*>(tuple), static_cast<uint16_t>(length)};
  auto* both = static_cast<uint8_t*>(palloc(all));
  memcpy(both, coder->code(), code);
  memcpy(both + code, tuple, length);
  return {both, static_cast<uint16_t>(all)};
}

Payload IncludePart(const IndexState& state, uint64_t marks, Payload payload) {
  if (state.vectors.dimensions == 0 || (marks & ColumnMarks(state.vectors.column, kMarkNull)) != 0) return payload;
  const auto code = static_cast<uint16_t>(VectorCodeBytes(state.vectors.dimensions));
  if (payload.bytes == nullptr || payload.length < code) return {nullptr, 0};
  return {payload.bytes + code, static_cast<uint16_t>(payload.length - code)};
}

void DeformPayload(TupleDesc include, const uint8_t* bytes, uint16_t length, Datum* values, bool* isnull) {
  void* copy = palloc(length);
  memcpy(copy, bytes, length);
  index_deform_tuple(static_cast<IndexTuple>(copy), include, values, isnull);
}

}  // namespace xtree
