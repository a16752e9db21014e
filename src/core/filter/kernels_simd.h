// What the vector kernels have in common: templates over an instruction set, for kernels_sse2.cpp and kernels_avx2.cpp
// only.
//
// Everything is in an unnamed namespace on purpose: an inline function with a linker symbol, compiled for AVX2 in one
// object, could become the copy that the whole library runs. For the same reason nothing of the standard library that
// is not a constant expression is used here.
//
// An instruction set `Isa` provides vectors of kWide 64-bit or kNarrow 32-bit elements (`Vector`), and of doubles
// (`Doubles`), and the functions on them that are called below.
#pragma once

#include "core/filter/kernels.h"

namespace xtree {
namespace {

// For every set of up to 8 slots of half a block: the slots, ascending, and how many.
struct SlotTable {
  uint8_t slots[256][8];
  uint8_t count[256];
};

constexpr SlotTable MakeSlotTable() {
  SlotTable table = {};
  for (int set = 0; set < 256; ++set) {
    for (int slot = 0; slot < 8; ++slot) {
      if (set >> slot & 1) table.slots[set][table.count[set]++] = static_cast<uint8_t>(slot);
    }
  }
  return table;
}

constexpr SlotTable kSlotTable = MakeSlotTable();

// Appends the slots of a set of up to 8, without a branch that depends on the set. Writes 8 slots in any case: there is
// room, because no more slots than entries before these 8 are in use.
inline int AppendEight(uint32_t set, int base, uint16_t* slots, int count) {
  const __m128i narrow = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(kSlotTable.slots[set]));
  const __m128i wide = _mm_unpacklo_epi8(narrow, _mm_setzero_si128());
  const __m128i all = _mm_add_epi16(wide, _mm_set1_epi16(static_cast<int16_t>(base)));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(slots + count), all);
  return count + kSlotTable.count[set];
}

template <int kCapacity>
inline int AppendSlots(uint32_t passing, int base, uint16_t* slots, int count) {
  if (passing == 0) return count;
  count = AppendEight(passing & 0xFF, base, slots, count);
  if (kCapacity > 8) count = AppendEight(passing >> 8, base + 8, slots, count);
  return count;
}

// Which elements of an array have failed a term so far: kVectors vectors, each with kBytes of the array (fewer than a
// vector's only where the array has no more). Not a loop over an array, which the compiler would keep in memory.
template <class Isa, int kVectors, int kBytes>
struct Failures {
  typename Isa::Vector head = Isa::Zero();
  Failures<Isa, kVectors - 1, kBytes> tail;

  template <typename Test>
  void Add(const uint8_t* array, Test test) {
    head = Isa::Or(head, test(Isa::template Load<kBytes>(array)));
    tail.Add(array + kBytes, test);
  }
};

template <class Isa, int kBytes>
struct Failures<Isa, 0, kBytes> {
  template <typename Test>
  void Add(const uint8_t*, Test) {}
};

constexpr int Smaller(int a, int b) { return a < b ? a : b; }

template <class Isa, int kArrayBytes>
struct FailuresOf {
  static constexpr int kBytes = Smaller(kArrayBytes, sizeof(typename Isa::Vector));
  using Type = Failures<Isa, kArrayBytes / kBytes, kBytes>;
};

// Slots of a block that fail one of two terms of 64-bit ordinals, or of 32-bit ones, as bits. By twos, because looking
// at the result in between costs more than the second test, unless the second one is of another width (or missing).
template <class Isa, int kCapacity>
inline uint32_t FailingWide(const uint8_t* block, const FilterTerm*& t, const FilterTerm* end) {
  typename FailuresOf<Isa, kCapacity * 8>::Type failures;
  Isa::AddWide(block + t->offset, *t, &failures);
  if (++t != end && t->width == 8) {
    Isa::AddWide(block + t->offset, *t, &failures);
    ++t;
  }
  return Isa::WideBits(failures);
}

template <class Isa, int kCapacity>
inline uint32_t FailingNarrow(const uint8_t* block, const FilterTerm*& t, const FilterTerm* end) {
  typename FailuresOf<Isa, kCapacity * 4>::Type failures;
  Isa::AddNarrow(block + t->offset, *t, &failures);
  if (++t != end && t->width == 4) {
    Isa::AddNarrow(block + t->offset, *t, &failures);
    ++t;
  }
  return Isa::NarrowBits(failures);
}

// Blocks that the first test fetches ahead: a page is rarely in the processor's caches, and their own guess of what comes next stops
// at the gaps between the arrays that are tested. Beyond the page's end it is only a hint that comes to nothing.
constexpr int kAhead = 3;

template <class Isa, int kCapacity>
int FilterBlocks(const uint8_t* at, uint32_t block_bytes, int entries, const FilterTerm* terms, int term_count, uint16_t* slots) {
  const FilterTerm* const end = terms + term_count;
  const uint32_t ahead = kAhead * block_bytes + (term_count > 0 ? terms->offset : 0);
  int count = 0;
  for (int base = 0; base < entries; base += kCapacity, at += block_bytes) {
    __builtin_prefetch(at + ahead);
    const int left = entries - base;
    uint32_t passing = left < kCapacity ? (1u << left) - 1 : (1u << kCapacity) - 1;
    for (const FilterTerm* t = terms; t != end && passing != 0;) {
      passing &= ~(t->width == 8 ? FailingWide<Isa, kCapacity>(at, t, end) : FailingNarrow<Isa, kCapacity>(at, t, end));
    }
    count = AppendSlots<kCapacity>(passing, base, slots, count);
  }
  return count;
}

// Blocks of one entry: nothing to do in parallel, but most entries fail one of the first terms.
inline int FilterSingles(const uint8_t* at, uint32_t block_bytes, int entries, const FilterTerm* terms, int term_count, uint16_t* slots) {
  const FilterTerm* const end = terms + term_count;
  int count = 0;
  for (int entry = 0; entry < entries; ++entry, at += block_bytes) {
    bool pass = true;
    for (const FilterTerm* t = terms; t != end && pass; ++t) {
      int64_t value;
      int32_t narrow;
      __builtin_memcpy(&narrow, at + t->offset, sizeof(narrow));
      value = narrow;
      if (t->width == 8) __builtin_memcpy(&value, at + t->offset, sizeof(value));
      pass = !((t->test_min & (value < t->min)) | (t->test_max & (value > t->max)));
    }
    slots[count] = static_cast<uint16_t>(entry);
    count += pass;
  }
  return count;
}

template <class Isa>
int Filter(const uint8_t* first_block, const BlockLayout& block, int entries, const FilterTerm* terms, int term_count, uint16_t* slots) {
  switch (block.capacity) {
    case 16:
      return FilterBlocks<Isa, 16>(first_block, block.bytes, entries, terms, term_count, slots);
    case 8:
      return FilterBlocks<Isa, 8>(first_block, block.bytes, entries, terms, term_count, slots);
    case 4:
      return FilterBlocks<Isa, 4>(first_block, block.bytes, entries, terms, term_count, slots);
    default:
      return FilterSingles(first_block, block.bytes, entries, terms, term_count, slots);
  }
}

template <class Isa, bool kNarrow>
inline typename Isa::Doubles DecodeOrdinals(const uint8_t* at) {
  if constexpr (kNarrow) return Isa::DecodeNarrow(at);
  return Isa::Decode(at);
}

// The same sums in the same order as the scalar kernel's, one vector of entries at a time.
template <class Isa, bool kExtended, bool kNarrow>
inline void SquaredDistancesOf(const uint8_t* at, const DistanceArrays& arrays, const double* query, double* out) {
  using Doubles = typename Isa::Doubles;
  const Doubles zero = Isa::Set(0);
  Doubles sum = zero;
  for (int d = 0; d < arrays.dimensions; ++d) {
    const Doubles q = Isa::Set(query[d]);
    Doubles delta = Isa::Sub(DecodeOrdinals<Isa, kNarrow>(at + arrays.dimension[d].lo[arrays.directory]), q);
    if (kExtended) {
      const Doubles hi = DecodeOrdinals<Isa, kNarrow>(at + arrays.dimension[d].hi[arrays.directory]);
      delta = Isa::Max(Isa::Sub(q, hi), Isa::Max(delta, zero));
    }
    sum = Isa::Add(sum, Isa::Mul(delta, delta));
  }
  const Doubles bounded = Isa::Min(sum, Isa::Set(kLargestSquare));
  const Doubles shrunk = Isa::Sub(Isa::Mul(bounded, Isa::Set(arrays.shrink)), Isa::Set(kSmallestSquare));
  Isa::Store(out, Isa::InfinityWhereNan(sum, Isa::Max(shrunk, zero)));
}

template <class Isa, bool kNarrow>
void SquaredDistancesOfPage(const uint8_t* at, const DistanceArrays& arrays, const double* query, double* out) {
  for (int base = 0; base < arrays.entries; base += arrays.capacity, at += arrays.block_bytes) {
    for (int slot = 0; slot < arrays.capacity; slot += Isa::kDoubles) {
      const uint8_t* array = at + slot * (kNarrow ? sizeof(float) : sizeof(double));
      if (arrays.extended) {
        SquaredDistancesOf<Isa, true, kNarrow>(array, arrays, query, out + base + slot);
      } else {
        SquaredDistancesOf<Isa, false, kNarrow>(array, arrays, query, out + base + slot);
      }
    }
  }
}

template <class Isa>
void SquaredDistances(const NodeView& node, int first, int dimensions, const double* query, double* out) {
  const DistanceArrays arrays = FindDistanceArrays(node, first, dimensions);
  if (arrays.capacity < Isa::kDoubles) return kScalarKernels.squared_distance(node, first, dimensions, query, out);
  const uint8_t* at = node.page() + kPageHeaderSize;
  if (arrays.narrow) {
    SquaredDistancesOfPage<Isa, true>(at, arrays, query, out);
  } else {
    SquaredDistancesOfPage<Isa, false>(at, arrays, query, out);
  }
}

template <class Isa>
int AtMost(const double* values, int count, double most, uint16_t* at) {
  const typename Isa::Doubles limit = Isa::Set(most);
  int found = 0;
  for (int base = 0; base < count; base += 8) {
    uint32_t passing = 0;
    for (int i = 0; i < 8; i += Isa::kDoubles) passing |= Isa::AtMostBits(values + base + i, limit) << i;
    if (count - base < 8) passing &= (1u << (count - base)) - 1;
    if (passing != 0) found = AppendEight(passing, base, at, found);
  }
  return found;
}

}  // namespace
}  // namespace xtree
