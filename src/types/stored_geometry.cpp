// See stored_geometry.h.
#include "types/stored_geometry.h"

extern "C" {
#include "access/detoast.h"
#include "fmgr.h"
}

namespace xtree {
namespace {

// Flags of a stored value.
constexpr uint8 kFlagZ = 0x01;
constexpr uint8 kFlagM = 0x02;
constexpr uint8 kFlagBox = 0x04;
constexpr uint8 kFlagGeodetic = 0x08;
constexpr uint8 kFlagExtended = 0x10;  // of version 2: more flags follow, as of a solid
constexpr uint8 kFlagVersion2 = 0x40;

constexpr int kFixedBytes = 4;  // spatial reference system and flags
constexpr int kExtendedFlagBytes = 8;
constexpr int kHeadBytes = kFixedBytes + kExtendedFlagBytes + 8 * sizeof(float);  // with the largest box

constexpr Size kSmallBytes = 2000;

bool ReadsCoordinates(Datum value, GeometryRead read) {
  return read == GeometryRead::kWhole || (read == GeometryRead::kSmall && toast_raw_datum_size(value) <= kSmallBytes);
}

bool HasBox(const varlena* head) { return VARSIZE_ANY_EXHDR(head) >= kFixedBytes && (static_cast<uint8>(VARDATA_ANY(head)[3]) & kFlagBox); }

// A head is one chunk of a value that is out of line, or the first bytes that decompress.
const varlena* Detoast(Datum value, bool whole) {
  const auto* stored = reinterpret_cast<const varlena*>(DatumGetPointer(value));
  if (!VARATT_IS_EXTERNAL(stored) && !VARATT_IS_COMPRESSED(stored)) return stored;
  if (!whole) {
    const varlena* head = PG_DETOAST_DATUM_SLICE(value, 0, kHeadBytes);
    if (HasBox(head)) return head;
  }
  return PG_DETOAST_DATUM(value);
}

}  // namespace

void ReportShortGeometry() {
  ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED), errmsg("geometry is shorter than it says"));
  pg_unreachable();
}

StoredGeometry::StoredGeometry(Datum value, GeometryRead read) {
  const bool reads_coordinates = ReadsCoordinates(value, read);
  const varlena* stored = Detoast(value, reads_coordinates);
  const auto* bytes = reinterpret_cast<const uint8*>(VARDATA_ANY(stored));
  end_ = bytes + VARSIZE_ANY_EXHDR(stored);
  if (end_ - bytes < kFixedBytes) ReportShortGeometry();
  srid_ = (static_cast<int>((bytes[0] << 16 | bytes[1] << 8 | bytes[2]) << 11)) >> 11;  // 21 bits, signed
  const uint8 flags = bytes[3];
  has_z_ = flags & kFlagZ;
  has_m_ = flags & kFlagM;
  geodetic_ = flags & kFlagGeodetic;
  const uint8* at = bytes + kFixedBytes;
  if ((flags & kFlagVersion2) && (flags & kFlagExtended)) at += kExtendedFlagBytes;
  const ptrdiff_t box_bytes = flags & kFlagBox ? (geodetic_ ? 3 : coordinates()) * 2 * sizeof(float) : 0;
  if (end_ - at < box_bytes) ReportShortGeometry();
  if (box_bytes > 0) box_ = at;
  if (box_ == nullptr || reads_coordinates) body_ = at + box_bytes;
}

uint32 StoredGeometry::type() const {
  uint32 type;
  if (end_ - body_ < static_cast<ptrdiff_t>(sizeof type)) ReportShortGeometry();
  memcpy(&type, body_, sizeof type);
  return type;
}

namespace {

// The fixed part, and then what is to be appended.
char* BeginGeometry(int srid, uint8 flags, MadeGeometry* made) {
  char* at = made->bytes + VARHDRSZ;
  for (const int shift : {16, 8, 0}) *at++ = static_cast<char>(srid >> shift & (shift == 16 ? 0x1F : 0xFF));
  *at++ = static_cast<char>(flags);
  return at;
}

template <typename T>
char* Append(T value, char* at) {
  memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

}  // namespace

MadeGeometry GeometryWithBox(float x_low, float x_high, float y_low, float y_high) {
  MadeGeometry made;
  char* at = BeginGeometry(0, kFlagBox, &made);
  for (const float edge : {x_low, x_high, y_low, y_high}) at = Append(edge, at);
  at = Append(uint32{0}, Append(kLineType, at));  // without vertices, which nobody looks at
  SET_VARSIZE(made.bytes, at - made.bytes);
  return made;
}

MadeGeometry PointGeometry(int srid, double x, double y) {
  MadeGeometry made;
  char* at = BeginGeometry(srid, 0, &made);
  at = Append(y, Append(x, Append(uint32{1}, Append(kPointType, at))));
  SET_VARSIZE(made.bytes, at - made.bytes);
  return made;
}

MadeGeometry EmptyGeometry() {
  MadeGeometry made;
  char* at = BeginGeometry(0, 0, &made);
  at = Append(uint32{0}, Append(kPointType, at));
  SET_VARSIZE(made.bytes, at - made.bytes);
  return made;
}

}  // namespace xtree
