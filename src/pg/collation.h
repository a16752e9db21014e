// Sort keys and versions of ICU's collations, by the server's own collators.
//
// For types/text_order.cpp. What differs between the server's versions is in compat_collation.h. May ereport.
#pragma once

#include "pg/postgres_api.h"

// ICU's headers come with the server's, and are to declare what C has of it; servers before the minors of 2025 do not say so.
#ifndef U_SHOW_CPLUSPLUS_API
#define U_SHOW_CPLUSPLUS_API 0
#endif

extern "C" {
#include "catalog/pg_collation.h"
#include "utils/pg_locale.h"
}

namespace pg {

// Does the collation order texts by their bytes, as C and all collations of the builtin provider do?
bool OrdersByBytes(Oid collation);

// Of a collation other than C: is it one of ICU's?
bool IsIcu(Oid collation);

// `locale`: of a collation other than C; nullptr is the C library's default.
inline bool IsDeterministic(pg_locale_t locale) { return locale == nullptr || locale->deterministic; }

// Writes the first bytes of the sort key, at most `size`, and returns how many. Two texts whose keys differ in them are ordered by them.
// REQUIRES: IsIcu.
Size BeginningOfSortKey(pg_locale_t locale, const char* bytes, int length, char* key, Size size);

// The whole sort key, palloc()ed: equal texts have equal ones. REQUIRES: IsIcu.
char* SortKey(pg_locale_t locale, const char* bytes, int length, Size* size);

// As ICU gives it for the collator; nullptr where it gives none. REQUIRES: IsIcu.
const char* VersionOfIcu(pg_locale_t locale);

}  // namespace pg
