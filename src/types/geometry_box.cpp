// See geometry_box.h.
#include "types/geometry_box.h"

#include <cfloat>
#include <cmath>
#include <limits>

extern "C" {
#include "access/htup_details.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/syscache.h"
}

#include "page/ordinal.h"

namespace xtree {

namespace {

// Flags of a stored value.
constexpr uint8 kFlagZ = 0x01;
constexpr uint8 kFlagM = 0x02;
constexpr uint8 kFlagBox = 0x04;
constexpr uint8 kFlagGeodetic = 0x08;
constexpr uint8 kFlagExtended = 0x20;  // of version 2
constexpr uint8 kFlagVersion2 = 0x40;

constexpr uint32 kPoint = 1;
constexpr uint32 kLine = 2;
constexpr uint32 kPolygon = 3;
constexpr uint32 kCircularString = 8;
constexpr uint32 kTriangle = 14;
constexpr uint32 kLastType = 15;  // those between are collections

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr int kFixedBytes = 4;  // spatial reference system and flags

[[noreturn]] void ReportTooShort() {
  ereport(ERROR, errcode(ERRCODE_DATA_CORRUPTED), errmsg("geometry is shorter than it says"));
  pg_unreachable();
}

// The floats nearest to a number that are not above or below it, and not infinite.
float FloatAtMost(double number) {
  if (number > FLT_MAX) return FLT_MAX;
  if (number <= -FLT_MAX) return -FLT_MAX;
  const float nearest = static_cast<float>(number);
  return nearest <= number ? nearest : std::nextafterf(nearest, -FLT_MAX);
}
float FloatAtLeast(double number) { return -FloatAtMost(-number); }

// May PostGIS's arithmetic make nonsense of a coordinate? It forgets points next to a NaN when it computes a box, and
// products with a number next to zero vanish, so that lines far apart meet.
bool IsOdd(double coordinate) { return std::isnan(coordinate) || (coordinate != 0 && std::fabs(coordinate) < 1e-60); }

void PutEmpty(int dimensions, XtreeBounds* out) {
  for (int d = 0; d < dimensions; d++) out->lo[d] = out->hi[d] = xtree_ordinal_from_float4(kInfinity);
}

}  // namespace

// Reads the coordinates of a value, and where `measuring` makes a box of them: of points, lines and collections of them.
// Others have their box stored, unless they are empty.
class GeometryBox::Vertices {
 public:
  Vertices(const uint8* at, const uint8* end, int coordinates, bool geodetic, bool measuring)
      : at_(at), end_(end), coordinates_(coordinates), geodetic_(geodetic), measuring_(measuring) {}

  void Read() {
    const uint32 type = Word(), count = Word();
    if (type == kPolygon) return Rings(count);
    if (type == kPoint || type == kLine || type == kCircularString || type == kTriangle) {
      if (count > 0 && type > kLine) measurable_ = false;
      return Line(count);
    }
    if (type > kLastType) unknown_ = odd_ = true;
    check_stack_depth();
    for (uint32 i = 0; i < count && !unknown_; i++) Read();
  }

  int count() const { return count_; }
  bool measurable() const { return measurable_; }
  bool odd() const { return odd_; }
  bool HasNan(int d) const { return nan_[d]; }
  double Low(int d) const { return low_[d] - bulge_; }
  double High(int d) const { return high_[d] + bulge_; }

 private:
  const uint8* Take(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) ReportTooShort();
    const uint8* taken = at_;
    at_ += bytes;
    return taken;
  }
  uint32 Word() {
    uint32 word;
    memcpy(&word, Take(sizeof word), sizeof word);
    return word;
  }

  // PostGIS takes a line in space that is shorter than its tolerance for no line, and so near everything.
  void Line(uint32 count) {
    constexpr double kTolerance = 1e-11;  // its is 1e-12
    double first[4] = {}, vertex[4];
    bool moves = false, spreads = false;
    for (uint32 i = 0; i < count; i++) {
      Vertex(vertex);
      if (i == 0) memcpy(first, vertex, sizeof first);
      for (int d = 0; d < coordinates_; d++) {
        moves |= vertex[d] != first[d];
        spreads |= !(std::fabs(vertex[d] - first[d]) < kTolerance) && d < 3;
      }
      if (measuring_) Measure(i > 0, vertex);
    }
    odd_ |= coordinates_ > 2 && moves && !spreads;
  }

  // The rings' lengths, to a full eight bytes, and then their vertices.
  void Rings(uint32 rings) {
    const uint8* lengths = Take(sizeof(uint32) * (size_t{rings} + rings % 2));
    for (uint32 i = 0; i < rings; i++) {
      uint32 length;
      memcpy(&length, lengths + sizeof length * i, sizeof length);
      if (length > 0) measurable_ = false;
      Line(length);
    }
  }

  void Vertex(double* vertex) {
    memcpy(vertex, Take(sizeof(double) * coordinates_), sizeof(double) * coordinates_);
    for (int d = 0; d < coordinates_; d++) odd_ |= IsOdd(vertex[d]);
  }

  void Measure(bool goes_on, double* vertex) {
    if (geodetic_) ToSphere(goes_on, vertex);
    for (int d = 0; d < (geodetic_ ? 3 : coordinates_); d++) {
      nan_[d] |= std::isnan(vertex[d]);
      low_[d] = count_ == 0 ? vertex[d] : std::fmin(low_[d], vertex[d]);
      high_[d] = count_ == 0 ? vertex[d] : std::fmax(high_[d], vertex[d]);
    }
    count_++;
  }

  // Longitude and latitude become a point of the unit sphere. A line between two of them is an arc, nowhere further from
  // the straight one than in its middle. What PostGIS computes may differ in the last bits.
  void ToSphere(bool goes_on, double* vertex) {
    constexpr double kRadian = 3.14159265358979323846 / 180, kImprecise = 2.5e-7;
    const double longitude = vertex[0] * kRadian, latitude = vertex[1] * kRadian;
    const double point[3] = {std::cos(latitude) * std::cos(longitude), std::cos(latitude) * std::sin(longitude), std::sin(latitude)};
    double chord = 0;
    for (int d = 0; d < 3; d++) {
      chord += (point[d] - last_[d]) * (point[d] - last_[d]);
      last_[d] = vertex[d] = point[d];
    }
    const double sagitta = goes_on ? 1 - std::sqrt(std::fmax(0, 1 - chord / 4)) : 0;
    bulge_ = std::fmax(bulge_, sagitta + kImprecise);
  }

  const uint8* at_;
  const uint8* end_;
  int coordinates_;
  bool geodetic_;
  bool measuring_;
  bool measurable_ = true;
  bool unknown_ = false;
  bool odd_ = false;
  int count_ = 0;
  bool nan_[4] = {};
  double low_[4] = {};
  double high_[4] = {};
  double last_[3] = {};
  double bulge_ = 0;
};

GeometryBox::GeometryBox(Datum value) {
  const varlena* stored = PG_DETOAST_DATUM(value);
  const auto* bytes = reinterpret_cast<const uint8*>(VARDATA(stored));
  const uint8* end = bytes + VARSIZE(stored) - VARHDRSZ;
  if (end - bytes < kFixedBytes) ReportTooShort();
  srid_ = (static_cast<int>((bytes[0] << 16 | bytes[1] << 8 | bytes[2]) << 11)) >> 11;  // 21 bits, signed
  const uint8 flags = bytes[3];
  const bool has_z = flags & kFlagZ, has_m = flags & kFlagM, geodetic = flags & kFlagGeodetic;
  const uint8* at = bytes + kFixedBytes;
  if ((flags & kFlagVersion2) && (flags & kFlagExtended)) at += 8;
  const size_t box = (geodetic ? 3 : 2 + has_z + has_m) * 2 * sizeof(float);
  if (end < at || ((flags & kFlagBox) && static_cast<size_t>(end - at) < box)) ReportTooShort();
  const bool stored_box = flags & kFlagBox;
  if (stored_box) at += box;
  if (static_cast<size_t>(end - at) < sizeof type_) ReportTooShort();
  memcpy(&type_, at, sizeof type_);
  Vertices vertices(at, end, 2 + has_z + has_m, geodetic, !stored_box);
  vertices.Read();
  known_ = !vertices.odd() && (stored_box || vertices.measurable());
  if (stored_box)
    ReadStored(at - box, has_z, has_m, geodetic);
  else
    Measure(vertices, has_z, has_m, geodetic);
}

// Low and high edge of each dimension that there is, in the order x, y, z, m.
void GeometryBox::ReadStored(const uint8* floats, bool has_z, bool has_m, bool geodetic) {
  const bool has[4] = {true, true, has_z || geodetic, has_m && !geodetic};
  for (int d = 0; d < 4; d++) {
    has_[d] = has[d];
    if (!has[d]) continue;
    memcpy(&low_[d], floats, sizeof(float));
    memcpy(&high_[d], floats + sizeof(float), sizeof(float));
    floats += 2 * sizeof(float);
  }
}

void GeometryBox::Measure(const Vertices& vertices, bool has_z, bool has_m, bool geodetic) {
  empty_ = known_ && vertices.count() == 0;
  const bool has[4] = {true, true, has_z || geodetic, has_m && !geodetic};
  int coordinate = 0;
  for (int d = 0; d < 4; d++) {
    has_[d] = has[d];
    if (!has[d]) continue;
    const bool nan = vertices.HasNan(coordinate);
    low_[d] = nan ? std::numeric_limits<float>::quiet_NaN() : FloatAtMost(vertices.Low(coordinate));
    high_[d] = nan ? std::numeric_limits<float>::quiet_NaN() : FloatAtLeast(vertices.High(coordinate));
    coordinate++;
  }
}

bool GeometryBox::IsPoint() const { return type_ == kPoint && !empty_; }

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
  at = Append(uint32{0}, Append(kLine, at));  // without vertices, which nobody looks at
  SET_VARSIZE(made.bytes, at - made.bytes);
  return made;
}

MadeGeometry PointGeometry(int srid, double x, double y) {
  MadeGeometry made;
  char* at = BeginGeometry(srid, 0, &made);
  at = Append(y, Append(x, Append(uint32{1}, Append(kPoint, at))));
  SET_VARSIZE(made.bytes, at - made.bytes);
  return made;
}

bool GeometryBox::Ordinary(int dimensions) const {
  if (!known_ || empty_) return false;
  for (int d = 0; d < dimensions; d++)
    if (has_[d] && !(low_[d] <= high_[d] && low_[d] >= -FLT_MAX && high_[d] <= FLT_MAX)) return false;
  return true;
}

void PutStrange(int dimensions, XtreeBounds* out) {
  for (int d = 0; d < dimensions; d++) {
    out->lo[d] = xtree_ordinal_from_float4(-kInfinity);
    out->hi[d] = xtree_ordinal_from_float4(kInfinity);
  }
}

void PutBox(Datum value, int dimensions, XtreeBounds* out) {
  const GeometryBox box(value);
  out->empty = false;
  if (box.Empty()) return PutEmpty(dimensions, out);
  if (!box.Ordinary(dimensions)) return PutStrange(dimensions, out);
  for (int d = 0; d < dimensions; d++) {
    out->lo[d] = LowOrdinal(box.Low(d));
    out->hi[d] = HighOrdinal(box.High(d));
  }
}

void RequireEmpty(int dimensions, XtreeConstraint* out) {
  for (int d = 0; d < dimensions; d++) out->lo_min[d] = xtree_ordinal_from_float4(kInfinity);
}

void ExcludeEmpty(int dimensions, XtreeConstraint* out) {
  for (int d = 0; d < dimensions; d++) out->lo_max[d] = std::min(out->lo_max[d], xtree_ordinal_from_float4(FLT_MAX));
}

void AddStrange(const XtreeColumn* column, XtreeConstraint* out) {
  XtreeConstraint* strange = xtree_add_alternative(column, out);
  strange->recheck = true;
  for (int d = 0; d < column->dimensions; d++) {
    strange->lo_max[d] = xtree_ordinal_from_float4(-kInfinity);
    strange->hi_min[d] = xtree_ordinal_from_float4(kInfinity);
  }
}

Oid PeerFamily(Oid type, const char* name) {
  const HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
  if (!HeapTupleIsValid(tuple)) return InvalidOid;
  const Oid schema = reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typnamespace;
  ReleaseSysCache(tuple);
  return GetSysCacheOid3(OPFAMILYAMNAMENSP, Anum_pg_opfamily_oid, ObjectIdGetDatum(GIST_AM_OID), CStringGetDatum(name),
                         ObjectIdGetDatum(schema));
}

}  // namespace xtree
