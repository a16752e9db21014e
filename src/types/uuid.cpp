// Operator class for uuid: its sixteen bytes are two words, which say all of it.
//
// Called by the access method through XtreeTypeRoutine. No locks, no WAL.
#include "types/words.h"

extern "C" {
#include "utils/uuid.h"
}

namespace xtree {
namespace {

constexpr int kWords = UUID_LEN / 8;

void SetWords(Datum value, int64* words) {
  const uint8* bytes = DatumGetUUIDP(value)->data;
  for (int i = 0; i < kWords; i++) words[i] = FromUnsigned64(NumberOfBytes(bytes + 8 * i, 8, 8));
}

void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) {
  SetWords(value, out->lo);
  SetWords(value, out->hi);
  out->empty = false;
}

void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  int64 words[kWords];
  SetWords(argument, words);
  ConstrainByWords(column, strategy, words, Tie::kEqual, out);
}

Datum Reconstruct(const XtreeColumn*, const int64* lo, const int64*, bool) {
  auto* value = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
  for (int i = 0; i < kWords; i++) {
    uint64 number = ToUnsigned64(lo[i]);
    for (int byte = 8 * i + 7; byte >= 8 * i; byte--, number >>= 8) value->data[byte] = static_cast<uint8>(number);
  }
  return UUIDPGetDatum(value);
}

constexpr XtreeTypeRoutine UuidRoutine() {
  XtreeTypeRoutine routine = ScalarRoutine(Encoding::kUuid, 8, XTREE_SCALAR_INTEGER, Bounds, Constrain, Reconstruct);
  routine.encoding_version = 2;
  routine.dimensions = kWords;
  routine.words = true;
  routine.in_btree_order = true;
  return routine;
}

constexpr XtreeTypeRoutine kUuid = UuidRoutine();

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_uuid_support, xtree::kUuid)
