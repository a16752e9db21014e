// Sort keys of ICU's collations as each version of the server makes them. For collation.cpp; what else differs is in compat.h.
#pragma once

#include "pg/collation.h"

#if PG_VERSION_NUM >= 190000
extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_database.h"
#include "utils/syscache.h"
}
#elif PG_VERSION_NUM < 180000 && defined(USE_ICU)
extern "C" {
#include "mb/pg_wchar.h"
}
#include <unicode/uiter.h>
#endif

namespace pg {

#if PG_VERSION_NUM >= 180000

// Here collations have methods, and conversions are no longer to be had. 16 and 17 have the same functions, but look for the 0 at the end of
// a text whose beginning of a key is asked for. The server's whole key leaves out the 0 at its end, which is a part of ours.
inline char* MakeSortKey(pg_locale_t locale, const char* bytes, int length, Size* size) {
  *size = pg_strnxfrm(nullptr, 0, bytes, length, locale) + 1;
  char* key = static_cast<char*>(palloc0(*size));
  pg_strnxfrm(key, *size, bytes, length, locale);
  return key;
}

inline Size MakeBeginningOfSortKey(pg_locale_t locale, const char* bytes, int length, char* key, Size size) {
  return pg_strnxfrm_prefix(key, size, bytes, length, locale);
}

#elif defined(USE_ICU)

inline char* MakeSortKey(pg_locale_t locale, const char* bytes, int length, Size* size) {
  UChar* text;
  const int32_t units = icu_to_uchar(&text, bytes, static_cast<size_t>(length));
  const int32_t needed = ucol_getSortKey(locale->info.icu.ucol, text, units, nullptr, 0);
  char* key = static_cast<char*>(palloc(static_cast<Size>(std::max(needed, 1))));
  ucol_getSortKey(locale->info.icu.ucol, text, units, reinterpret_cast<uint8_t*>(key), needed);
  pfree(text);
  *size = static_cast<Size>(needed);
  return key;
}

// In UTF8 it is made piecemeal from the text as it is, elsewhere whole from UTF-16, as the server does.
inline Size MakeBeginningOfSortKey(pg_locale_t locale, const char* bytes, int length, char* key, Size size) {
  if (GetDatabaseEncoding() != PG_UTF8) {
    Size whole;
    char* sorted = MakeSortKey(locale, bytes, length, &whole);
    const Size taken = std::min(whole, size);
    memcpy(key, sorted, taken);
    pfree(sorted);
    return taken;
  }
  UCharIterator text;
  uint32_t state[2] = {0, 0};
  UErrorCode status = U_ZERO_ERROR;
  uiter_setUTF8(&text, bytes, length);
  const int32_t taken =
      ucol_nextSortKeyPart(locale->info.icu.ucol, &text, state, reinterpret_cast<uint8_t*>(key), static_cast<int32_t>(size), &status);
  if (U_FAILURE(status)) ereport(ERROR, errmsg("sort key generation failed: %s", u_errorName(status)));
  return static_cast<Size>(taken);
}

#else  // nothing is a collation of ICU's then

inline char* MakeSortKey(pg_locale_t, const char*, int, Size*) { elog(ERROR, "ICU is not supported in this build"); }
inline Size MakeBeginningOfSortKey(pg_locale_t, const char*, int, char*, Size) { elog(ERROR, "ICU is not supported in this build"); }

#endif

#if PG_VERSION_NUM >= 190000

// Here a collation does not say whose it is: the catalog does, for the database's own that of databases.
inline char ProviderOf(Oid collation) {
  const HeapTuple row = SearchSysCache1(COLLOID, ObjectIdGetDatum(collation));
  if (!HeapTupleIsValid(row)) elog(ERROR, "cache lookup failed for collation %u", collation);
  const char provider = reinterpret_cast<Form_pg_collation>(GETSTRUCT(row))->collprovider;
  ReleaseSysCache(row);
  if (provider != COLLPROVIDER_DEFAULT) return provider;
  const HeapTuple database = SearchSysCache1(DATABASEOID, ObjectIdGetDatum(MyDatabaseId));
  if (!HeapTupleIsValid(database)) elog(ERROR, "cache lookup failed for database %u", MyDatabaseId);
  const char of_database = reinterpret_cast<Form_pg_database>(GETSTRUCT(database))->datlocprovider;
  ReleaseSysCache(database);
  return of_database;
}

// Asked for each value, mostly about one collation. The server keeps what it knows of a collation for the session, too.
inline bool IsOfIcu(Oid collation) {
  static Oid known = InvalidOid;
  static bool of_icu = false;
  if (collation == known) return of_icu;
  of_icu = ProviderOf(collation) == COLLPROVIDER_ICU;
  known = collation;
  return of_icu;
}

#else

// Before 18, nullptr is the C library's default.
inline bool IsOfIcu(Oid collation) {
  const pg_locale_t locale = pg_newlocale_from_collation(collation);
  return locale != nullptr && locale->provider == COLLPROVIDER_ICU;
}

#endif

#ifdef USE_ICU
inline const char* IcuNameOf(pg_locale_t locale) {
#if PG_VERSION_NUM >= 190000
  return locale->icu.locale;
#else
  return locale->info.icu.locale;
#endif
}
#endif

// From 18 on a collation knows it itself.
inline bool IsC(Oid collation) {
#if PG_VERSION_NUM >= 180000
  return pg_newlocale_from_collation(collation)->collate_is_c;
#else
  return lc_collate_is_c(collation);
#endif
}

}  // namespace pg
