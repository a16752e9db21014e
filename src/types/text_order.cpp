// See text_order.h. Sort keys are made as the server makes its abbreviated ones (varlena.c), only longer.
#include "types/text_order.h"

#include <algorithm>

#include "pg/collation.h"
#include "types/scalar.h"

extern "C" {
#include "common/hashfn.h"
#include "utils/memutils.h"
}

namespace xtree {
namespace {

int64 HashOf(const void* bytes, Size length) {
  return static_cast<int64>(hash_bytes_extended(static_cast<const unsigned char*>(bytes), static_cast<int>(length), 0));
}

void WordsOf(const char* bytes, int length, int count, int64* words) {
  for (int i = 0; i < count; i++) {
    const int start = std::min(8 * i, length);
    words[i] = FromUnsigned64(NumberOfBytes(bytes + start, length - start, 8));
  }
}

// For the life of the session, as the server keeps its collations.
struct KnownVersion {
  Oid collation;
  const char* version;
  KnownVersion* next;
};

}  // namespace

TextOrder TextOrderOf(Oid collation) {
  if (!OidIsValid(collation) || pg::OrdersByBytes(collation)) return TextOrder::kBytes;
  return pg::IsIcu(collation) ? TextOrder::kSortKey : TextOrder::kUnknown;
}

bool HasEqualBytes(Oid collation) {
  if (TextOrderOf(collation) == TextOrder::kBytes) return true;
  return pg::IsDeterministic(pg_newlocale_from_collation(collation));
}

void TextWords(Oid collation, const char* bytes, int length, int count, int64* words) {
  if (TextOrderOf(collation) == TextOrder::kBytes) return WordsOf(bytes, length, count, words);
  char key[8 * kMostTextWords];
  const Size size = pg::BeginningOfSortKey(pg_newlocale_from_collation(collation), bytes, length, key, static_cast<Size>(8 * count));
  WordsOf(key, static_cast<int>(size), count, words);
}

int64 TextHash(Oid collation, const char* bytes, int length) {
  if (HasEqualBytes(collation)) return HashOf(bytes, static_cast<Size>(length));
  Size size;
  char* key = pg::SortKey(pg_newlocale_from_collation(collation), bytes, length, &size);
  const int64 hash = HashOf(key, size);
  pfree(key);
  return hash;
}

const char* TextOrderVersion(Oid collation) {
  static KnownVersion* known = nullptr;
  if (TextOrderOf(collation) != TextOrder::kSortKey) return nullptr;
  for (const KnownVersion* version = known; version != nullptr; version = version->next)
    if (version->collation == collation) return version->version;
  auto* added = static_cast<KnownVersion*>(MemoryContextAlloc(TopMemoryContext, sizeof(KnownVersion)));
  const char* version = pg::VersionOfIcu(pg_newlocale_from_collation(collation));
  *added = {collation, version != nullptr ? MemoryContextStrdup(TopMemoryContext, version) : nullptr, known};
  known = added;
  return added->version;
}

}  // namespace xtree
