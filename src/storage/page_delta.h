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

#include <span>

#include "page/format.h"

namespace xtree {

inline constexpr int kFragmentHeaderSize = 4;
inline constexpr int kNoDelta = -1;
inline constexpr int kMaxTouched = 250;
inline constexpr int kDeltaRoom = kPageSize + (kMaxTouched + 2) * kFragmentHeaderSize;

// Writes the fragments that turn old_page into new_page to `delta` and returns their size; or kNoDelta when old_page's header
// makes no sense, so that the page has to be logged as a whole. `delta` has kDeltaRoom bytes, which is enough: there is at most one fragment for each
// used part and each touched range, plus one for every five equal bytes that are left out. REQUIRES: HoleIsSane(new_page).
int ComputePageDelta(const uint8_t* old_page, const uint8_t* new_page, uint8_t* delta);

// The same where nothing but the header, the special space and `touched` (ascending, disjoint, at most kMaxTouched) differs: the rest of new_page is
// not looked at.
int ComputePageDelta(const uint8_t* old_page, const uint8_t* new_page, std::span<const ByteRange> touched, uint8_t* delta);

// The same without vector instructions, for machines that have none of SSE2, and for the test that compares the two.
int ComputePageDeltaPortable(const uint8_t* old_page, const uint8_t* new_page, uint8_t* delta);

// page = image, but for pd_lsn and pd_checksum, and with the hole zeroed. REQUIRES: HoleIsSane(image).
void ApplyPageImage(const uint8_t* image, uint8_t* page);
void ApplyPageImage(const uint8_t* image, std::span<const ByteRange> touched, uint8_t* page);

// Do pd_lower and pd_upper enclose a hole between the page header and the special space?
bool HoleIsSane(const uint8_t* page);

}  // namespace xtree
