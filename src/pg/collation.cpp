// See collation.h.
#include "pg/collation.h"

#include "pg/compat_collation.h"

namespace pg {

bool OrdersByBytes(Oid collation) { return IsC(collation); }
bool IsIcu(Oid collation) { return IsOfIcu(collation); }

char* SortKey(pg_locale_t locale, const char* bytes, int length, Size* size) { return MakeSortKey(locale, bytes, length, size); }

Size BeginningOfSortKey(pg_locale_t locale, const char* bytes, int length, char* key, Size size) {
  return MakeBeginningOfSortKey(locale, bytes, length, key, size);
}

#ifdef USE_ICU
const char* VersionOfIcu(pg_locale_t locale) { return get_collation_actual_version(COLLPROVIDER_ICU, IcuNameOf(locale)); }
#else
const char* VersionOfIcu(pg_locale_t) { return nullptr; }
#endif

}  // namespace pg
