// See collation.h. In UTF8 a sort key's beginning is made piecemeal from the text as it is, elsewhere whole from UTF-16, as the server does.
#include "pg/collation.h"

#include <algorithm>

extern "C" {
#include "mb/pg_wchar.h"
}

#ifdef USE_ICU
#include <unicode/uiter.h>
#endif

namespace pg {

#ifdef USE_ICU

char* SortKey(pg_locale_t locale, const char* bytes, int length, Size* size) {
  UChar* text;
  const int32_t units = icu_to_uchar(&text, bytes, static_cast<size_t>(length));
  const int32_t needed = ucol_getSortKey(locale->info.icu.ucol, text, units, nullptr, 0);
  char* key = static_cast<char*>(palloc(static_cast<Size>(std::max(needed, 1))));
  ucol_getSortKey(locale->info.icu.ucol, text, units, reinterpret_cast<uint8_t*>(key), needed);
  pfree(text);
  *size = static_cast<Size>(needed);
  return key;
}

Size BeginningOfSortKey(pg_locale_t locale, const char* bytes, int length, char* key, Size size) {
  if (GetDatabaseEncoding() != PG_UTF8) {
    Size whole;
    char* sorted = SortKey(locale, bytes, length, &whole);
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

const char* VersionOfIcu(pg_locale_t locale) { return get_collation_actual_version(COLLPROVIDER_ICU, locale->info.icu.locale); }

#else  // nothing is a collation of ICU's then

char* SortKey(pg_locale_t, const char*, int, Size*) { elog(ERROR, "ICU is not supported in this build"); }
Size BeginningOfSortKey(pg_locale_t, const char*, int, char*, Size) { elog(ERROR, "ICU is not supported in this build"); }
const char* VersionOfIcu(pg_locale_t) { return nullptr; }

#endif

}  // namespace pg
