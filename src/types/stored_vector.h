// pgvector's vector and halfvec as they are stored: a header and the coordinates, as floats or as halves.
//
// For whoever reads their values. pgvector's own headers are not needed, which Debian does not install. Pure computation, but that
// the constructor detoasts and ereports what is damaged. No locks, no WAL.
#pragma once

#include <cstring>

#include "pg/postgres_api.h"

extern "C" {
#include "fmgr.h"
}

namespace xtree {

// A number of 16 bits (IEEE 754 binary16), as in halfvec.
struct Half {
  uint16 bits;
};

inline float FloatOf(float value) { return value; }

inline float FloatOf(Half half) {
  const uint32 sign = static_cast<uint32>(half.bits & 0x8000) << 16, magnitude = half.bits & 0x7FFF;
  constexpr float kLeast = 1.0f / (1 << 24);
  if (magnitude < 0x0400) return sign != 0 ? -kLeast * static_cast<float>(magnitude) : kLeast * static_cast<float>(magnitude);
  const uint32 bits = sign | (magnitude >= 0x7C00 ? 0x7F800000 | (magnitude & 0x03FF) << 13 : (magnitude << 13) + ((127 - 15) << 23));
  float value;
  memcpy(&value, &bits, sizeof(value));
  return value;
}

// The element with the value of a float that was one.
template <typename Element>
Element ElementOf(float value);

template <>
inline float ElementOf<float>(float value) {
  return value;
}

template <>
inline Half ElementOf<Half>(float value) {
  uint32 bits;
  memcpy(&bits, &value, sizeof(bits));
  const uint32 sign = bits >> 16 & 0x8000, exponent = bits >> 23 & 0xFF, fraction = bits & 0x7FFFFF;
  if (exponent == 0xFF) return {static_cast<uint16>(sign | 0x7C00 | (fraction != 0 ? 0x0200 : 0))};
  if (exponent > 127 - 15) return {static_cast<uint16>(sign | ((exponent - (127 - 15)) << 10) | fraction >> 13)};
  if (exponent <= 127 - 15 - 11) return {static_cast<uint16>(sign)};
  return {static_cast<uint16>(sign | (fraction | 0x800000) >> (13 + 127 - 14 - exponent))};
}

struct VectorHeader {
  int32 vl_len_;
  int16 dimensions;
  int16 unused;
};

template <typename Element>
constexpr Size StoredVectorBytes(int dimensions) {
  return sizeof(VectorHeader) + sizeof(Element) * static_cast<Size>(dimensions);
}

// One that is being made at `header`, where there is room for it. Its elements are for the caller to set.
template <typename Element>
Element* MakeStoredVector(VectorHeader* header, int dimensions) {
  SET_VARSIZE(header, StoredVectorBytes<Element>(dimensions));
  header->dimensions = static_cast<int16>(dimensions);
  header->unused = 0;
  return reinterpret_cast<Element*>(header + 1);
}

template <typename Element>
class StoredVector {
 public:
  explicit StoredVector(Datum value) : given_(value), header_(reinterpret_cast<const VectorHeader*>(PG_DETOAST_DATUM(value))) {
    const Size bytes = VARSIZE(header_);
    if (bytes < sizeof(VectorHeader) || header_->dimensions < 1 || bytes != StoredVectorBytes<Element>(header_->dimensions))
      ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED), errmsg("vector has %zu bytes, which is not what its dimensions take", bytes));
  }

  int dimensions() const { return header_->dimensions; }
  float operator[](int d) const { return FloatOf(reinterpret_cast<const Element*>(header_ + 1)[d]); }
  Datum datum() const { return PointerGetDatum(header_); }  // detoasted

  // Gives back what detoasting made.
  void Free() const {
    if (datum() != given_) pfree(const_cast<VectorHeader*>(header_));
  }

 private:
  Datum given_;
  const VectorHeader* header_;
};

}  // namespace xtree
