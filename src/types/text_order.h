// What sorts as a text does under its collation: the bytes themselves, the collation's sort key, or nothing that could be stored.
//
// For the operator classes of strings, and whoever else keeps texts by their order. Words are the first bytes of what sorts, eight to an
// ordinal, the first most significant, zeros where there are no more: where the words of two texts differ, they say which is less. May
// read the catalog. No locks, no WAL.
#pragma once

#include "pg/postgres_api.h"

namespace xtree {

enum class TextOrder : uint8 {
  kBytes,    // of the collation C, and where there is no collation
  kSortKey,  // of ICU's collations
  kUnknown,  // the C library's: its strxfrm() and strcoll() have disagreed, and its orders change without notice
};

TextOrder TextOrderOf(Oid collation);

// Are texts equal under the collation only if their bytes are?
bool HasEqualBytes(Oid collation);

// The first `count` words. REQUIRES: an order that is known.
inline constexpr int kMostTextWords = 3;
void TextWords(Oid collation, const char* bytes, int length, int count, int64* words);

// Of the whole text; texts that are equal under the collation share one.
int64 TextHash(Oid collation, const char* bytes, int length);

// The version of the collation's order as its library gives it; nullptr where it has none that matters. Lives as long as the session.
const char* TextOrderVersion(Oid collation);

}  // namespace xtree
