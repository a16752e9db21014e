// The difference between two versions of a page, as Generic WAL's redo applies it: fragments {uint16 offset, uint16 length,
// bytes}, after which redo zeroes the hole between pd_lower and pd_upper. Knows nothing of PostgreSQL; storage/wal.cpp is its
// caller.
//
// What a fragment must cover. pd_lsn and pd_checksum never (redo sets them). Of the used parts of the new page: every byte that
// may differ on the page that redo meets. Outside of the old page's hole that is every byte that differs here. Inside it is every
// byte that is not zero in both: redo meets zeros there, or kill bits that were on the page when it was last written, and this
// process sees all bits that ever were set since the last record, so what it sees as zero is zero in every copy. (Full-page
// images hide the difference while full_page_writes is on; they are not relied upon.)
#pragma once

#include "page/format.h"

namespace xtree {

inline constexpr int kFragmentHeaderSize = 4;
inline constexpr int kNoDelta = -1;

// Writes the fragments that turn old_page into new_page to `delta` and returns their size; or kNoDelta when old_page's header
// makes no sense, so that the page has to be logged as a whole. `delta` has kPageSize bytes of room, which is enough: there is at
// most one fragment for each used part, plus one for every five equal bytes that are left out, and pd_lsn and pd_checksum are
// never in it. REQUIRES: HoleIsSane(new_page).
int ComputePageDelta(const uint8_t* old_page, const uint8_t* new_page, uint8_t* delta);

// The same without vector instructions, for machines that have none of SSE2, and for the test that compares the two.
int ComputePageDeltaPortable(const uint8_t* old_page, const uint8_t* new_page, uint8_t* delta);

// page = image, but for pd_lsn and pd_checksum, and with the hole zeroed. REQUIRES: HoleIsSane(image).
void ApplyPageImage(const uint8_t* image, uint8_t* page);

// Do pd_lower and pd_upper enclose a hole between the page header and the special space?
bool HoleIsSane(const uint8_t* page);

}  // namespace xtree
