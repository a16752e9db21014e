// See page_delta.h. Most of a page is equal, so the loop first rules out 64 bytes at a time; only where they differ does it look
// for the single bytes, as a mask of 16.
#include "storage/page_delta.h"

#include <algorithm>
#include <bit>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace xtree {
namespace {

constexpr int kFirstByte = offsetof(PageHeader, flags);  // after pd_lsn and pd_checksum
constexpr int kStride = 16;

const PageHeader& HeaderOf(const uint8_t* page) { return *reinterpret_cast<const PageHeader*>(page); }

uint64_t Load64(const uint8_t* from) {
  uint64_t value;
  memcpy(&value, from, sizeof(value));
  return value;
}

// How bytes of the two pages are compared: `kHole` compares both with zero, else with each other.
struct PortableCompare {
  template <bool kHole>
  static uint64_t Word(const uint8_t* a, const uint8_t* b) {
    return kHole ? Load64(a) | Load64(b) : Load64(a) ^ Load64(b);
  }

  template <bool kHole>
  static bool Differ64(const uint8_t* a, const uint8_t* b) {
    uint64_t any = 0;
    for (int i = 0; i < 64; i += 8) any |= Word<kHole>(a + i, b + i);
    return any != 0;
  }

  // Bit i: byte i differs.
  template <bool kHole>
  static uint32_t Mask16(const uint8_t* a, const uint8_t* b) {
    uint32_t mask = 0;
    for (int i = 0; i < kStride; i++) mask |= uint32_t{(kHole ? a[i] | b[i] : a[i] ^ b[i]) != 0} << i;
    return mask;
  }
};

#ifdef __SSE2__
struct VectorCompare {
  template <bool kHole>
  static __m128i Difference(const uint8_t* a, const uint8_t* b) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a));
    const __m128i y = _mm_loadu_si128(reinterpret_cast<const __m128i*>(b));
    return kHole ? _mm_or_si128(x, y) : _mm_xor_si128(x, y);
  }

  static uint32_t NonZeroBytes(__m128i difference) {
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(difference, _mm_setzero_si128()))) ^ 0xFFFF;
  }

  template <bool kHole>
  static bool Differ64(const uint8_t* a, const uint8_t* b) {
    const __m128i first = _mm_or_si128(Difference<kHole>(a, b), Difference<kHole>(a + 16, b + 16));
    const __m128i second = _mm_or_si128(Difference<kHole>(a + 32, b + 32), Difference<kHole>(a + 48, b + 48));
    return NonZeroBytes(_mm_or_si128(first, second)) != 0;
  }

  template <bool kHole>
  static uint32_t Mask16(const uint8_t* a, const uint8_t* b) {
    return NonZeroBytes(Difference<kHole>(a, b));
  }
};
using BestCompare = VectorCompare;
#else
using BestCompare = PortableCompare;
#endif

// Collects differing ranges, in ascending order, into fragments: ranges are joined when the gap costs no more than a header.
class FragmentWriter {
 public:
  FragmentWriter(const uint8_t* page, uint8_t* delta) : page_(page), delta_(delta) {}

  void Add(int begin, int end) {
    if (begin - end_ > kFragmentHeaderSize) {
      Flush();
      begin_ = begin;
    }
    end_ = end;
  }

  // What lies between what was added and what will be is not part of the change, or not known.
  void Break() {
    Flush();
    begin_ = end_ = kFarBefore;
  }

  int Finish() {
    Flush();
    return size_;
  }

 private:
  void Flush() {
    const int length = end_ - begin_;
    if (length == 0) return;
    const uint16_t header[2] = {static_cast<uint16_t>(begin_), static_cast<uint16_t>(length)};
    memcpy(delta_ + size_, header, kFragmentHeaderSize);
    memcpy(delta_ + size_ + kFragmentHeaderSize, page_ + begin_, length);
    size_ += kFragmentHeaderSize + length;
  }

  const uint8_t* page_;
  uint8_t* delta_;
  int size_ = 0;
  static constexpr int kFarBefore = -kFragmentHeaderSize - 1;
  int begin_ = kFarBefore;  // [begin_, end_) is not yet written; empty, and far from any range, at first
  int end_ = kFarBefore;
};

void AddMask(uint32_t mask, int base, FragmentWriter* writer) {
  while (mask != 0) {
    const int begin = std::countr_zero(mask);
    const int end = begin + std::countr_one(mask >> begin);
    writer->Add(base + begin, base + end);
    mask &= ~uint32_t{0} << end;
  }
}

template <class Compare, bool kHole>
void CompareRange(const uint8_t* a, const uint8_t* b, int begin, int end, FragmentWriter* writer) {
  int i = begin;
  while (i + kStride <= end) {
    if (i + 64 <= end && !Compare::template Differ64<kHole>(a + i, b + i)) {
      i += 64;
      continue;
    }
    const int stop = std::min(i + 64, end - kStride + 1);
    for (; i < stop; i += kStride) AddMask(Compare::template Mask16<kHole>(a + i, b + i), i, writer);
  }
  for (; i < end; i++) {
    if ((kHole ? a[i] | b[i] : a[i] ^ b[i]) != 0) writer->Add(i, i + 1);
  }
}

// Bytes [begin, end), all of them in use on the new page.
template <class Compare>
void CompareUsed(const uint8_t* old_page, const uint8_t* new_page, int begin, int end, FragmentWriter* writer) {
  const int hole_begin = HeaderOf(old_page).lower;
  const int hole_end = HeaderOf(old_page).upper;
  CompareRange<Compare, false>(old_page, new_page, begin, std::min(end, hole_begin), writer);
  CompareRange<Compare, true>(old_page, new_page, std::max(begin, hole_begin), std::min(end, hole_end), writer);
  CompareRange<Compare, false>(old_page, new_page, std::max(begin, hole_end), end, writer);
}

template <class Compare>
int ComputeDelta(const uint8_t* old_page, const uint8_t* new_page, uint8_t* delta) {
  if (!HoleIsSane(old_page)) return kNoDelta;
  FragmentWriter writer(new_page, delta);
  CompareUsed<Compare>(old_page, new_page, kFirstByte, HeaderOf(new_page).lower, &writer);
  CompareUsed<Compare>(old_page, new_page, HeaderOf(new_page).upper, static_cast<int>(kPageSize), &writer);
  return writer.Finish();
}

}  // namespace

int ComputePageDelta(const uint8_t* old_page, const uint8_t* new_page, std::span<const ByteRange> touched, uint8_t* delta) {
  if (!HoleIsSane(old_page)) return kNoDelta;
  const int hole_begin = HeaderOf(new_page).lower;
  const int hole_end = HeaderOf(new_page).upper;
  FragmentWriter writer(new_page, delta);
  CompareUsed<BestCompare>(old_page, new_page, kFirstByte, kPageHeaderSize, &writer);
  for (const ByteRange& range : touched) {
    writer.Break();
    CompareUsed<BestCompare>(old_page, new_page, range.begin, std::min<int>(range.end, hole_begin), &writer);
    CompareUsed<BestCompare>(old_page, new_page, std::max<int>(range.begin, hole_end), range.end, &writer);
  }
  writer.Break();
  CompareUsed<BestCompare>(old_page, new_page, kSpecialOffset, kPageSize, &writer);
  return writer.Finish();
}

int ComputePageDelta(const uint8_t* old_page, const uint8_t* new_page, uint8_t* delta) {
  return ComputeDelta<BestCompare>(old_page, new_page, delta);
}

int ComputePageDeltaPortable(const uint8_t* old_page, const uint8_t* new_page, uint8_t* delta) {
  return ComputeDelta<PortableCompare>(old_page, new_page, delta);
}

void ApplyPageImage(const uint8_t* image, uint8_t* page) {
  const PageHeader& header = HeaderOf(image);
  memcpy(page + kFirstByte, image + kFirstByte, header.lower - kFirstByte);
  memset(page + header.lower, 0, header.upper - header.lower);
  memcpy(page + header.upper, image + header.upper, kPageSize - header.upper);
}

void ApplyPageImage(const uint8_t* image, std::span<const ByteRange> touched, uint8_t* page) {
  const PageHeader& header = HeaderOf(image);
  memcpy(page + kFirstByte, image + kFirstByte, kPageHeaderSize - kFirstByte);
  for (const ByteRange& range : touched) memcpy(page + range.begin, image + range.begin, range.end - range.begin);
  memcpy(page + kSpecialOffset, image + kSpecialOffset, kPageSize - kSpecialOffset);
  memset(page + header.lower, 0, header.upper - header.lower);
}

bool HoleIsSane(const uint8_t* page) {
  const PageHeader& header = HeaderOf(page);
  return header.lower >= kPageHeaderSize && header.lower <= header.upper && header.upper <= kSpecialOffset;
}

}  // namespace xtree
