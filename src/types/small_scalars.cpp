// Operator classes for oid, money, time, bool, "char", macaddr, macaddr8 and the types of contrib/isn: the ordinal is the value, moved down
// where the type is unsigned.
//
// Called by the access method through XtreeTypeRoutine. No locks, no WAL.
#include "types/scalar_order.h"

extern "C" {
#include "utils/cash.h"
#include "utils/date.h"
#include "utils/inet.h"
}

namespace xtree {
namespace {

// The bytes of an address, first byte first.
template <int kLength>
uint64 BytesOf(Datum value) {
  return NumberOfBytes(DatumGetPointer(value), kLength, kLength);
}

template <int kLength>
Datum AddressOf(uint64 number) {
  auto* bytes = static_cast<uint8*>(palloc(kLength));
  for (int i = kLength - 1; i >= 0; i--, number >>= 8) bytes[i] = static_cast<uint8>(number);
  return PointerGetDatum(bytes);
}
static_assert(sizeof(macaddr) == 6 && sizeof(macaddr8) == 8, "addresses are arrays of bytes");

int64 OrdinalOfOid(Datum value) { return FromUnsigned32(DatumGetObjectId(value)); }
Datum OidOf(int64 ordinal) { return ObjectIdGetDatum(ToUnsigned32(ordinal)); }
int64 OrdinalOfMoney(Datum value) { return DatumGetCash(value); }
Datum MoneyOf(int64 ordinal) { return CashGetDatum(ordinal); }
int64 OrdinalOfTime(Datum value) { return DatumGetTimeADT(value); }
Datum TimeOf(int64 ordinal) { return TimeADTGetDatum(ordinal); }
int64 OrdinalOfBool(Datum value) { return DatumGetBool(value) ? 1 : 0; }
Datum BoolOf(int64 ordinal) { return BoolGetDatum(ordinal != 0); }
int64 OrdinalOfChar(Datum value) { return static_cast<uint8>(DatumGetChar(value)); }
Datum CharOf(int64 ordinal) { return CharGetDatum(static_cast<char>(ordinal)); }
int64 OrdinalOfMacaddr(Datum value) { return static_cast<int64>(BytesOf<6>(value)); }
Datum MacaddrOf(int64 ordinal) { return AddressOf<6>(static_cast<uint64>(ordinal)); }
int64 OrdinalOfMacaddr8(Datum value) { return FromUnsigned64(BytesOf<8>(value)); }
Datum Macaddr8Of(int64 ordinal) { return AddressOf<8>(ToUnsigned64(ordinal)); }

int64 OrdinalOfIsn(Datum value) { return DatumGetInt64(value); }
Datum IsnOf(int64 ordinal) { return Int64GetDatum(ordinal); }

using FromOrdinal = Datum (*)(int64);

template <ToOrdinal kToOrdinal>
void Constrain(const XtreeColumn*, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const int64 ordinal = kToOrdinal(argument);
  ConstrainExactly(strategy, {ordinal, ordinal}, out);
}

template <FromOrdinal kFromOrdinal>
Datum Reconstruct(const XtreeColumn*, const int64* lo, const int64*, bool) {
  return kFromOrdinal(lo[0]);
}

template <ToOrdinal kToOrdinal, FromOrdinal kFromOrdinal>
constexpr XtreeTypeRoutine Routine(Encoding encoding, uint8 width) {
  return InBtreeOrder(
      ScalarRoutine(encoding, width, XTREE_SCALAR_INTEGER, OrdinalBounds<kToOrdinal>, Constrain<kToOrdinal>, Reconstruct<kFromOrdinal>));
}

double Unsigned32(int64 ordinal, bool) { return ToUnsigned32(ordinal); }
double Unsigned64(int64 ordinal, bool) { return static_cast<double>(ToUnsigned64(ordinal)); }

constexpr XtreeTypeRoutine Displayed(XtreeTypeRoutine routine, double (*coordinate)(int64, bool)) {
  routine.coordinate = coordinate;
  return routine;
}

constexpr XtreeTypeRoutine kOid =
    Ordered(Displayed(Routine<OrdinalOfOid, OidOf>(Encoding::kOid, 4), Unsigned32), DifferenceOrder<OrdinalOfOid>);
constexpr XtreeTypeRoutine kMoney = Ordered(Routine<OrdinalOfMoney, MoneyOf>(Encoding::kMoney, 8), DifferenceOrder<OrdinalOfMoney>);
constexpr XtreeTypeRoutine kTime = Ordered(Routine<OrdinalOfTime, TimeOf>(Encoding::kTime, 8), DifferenceOrder<OrdinalOfTime>);
constexpr XtreeTypeRoutine kBool = Routine<OrdinalOfBool, BoolOf>(Encoding::kBool, 4);
constexpr XtreeTypeRoutine kChar = Routine<OrdinalOfChar, CharOf>(Encoding::kChar, 4);
constexpr XtreeTypeRoutine kMacaddr = Routine<OrdinalOfMacaddr, MacaddrOf>(Encoding::kMacaddr, 8);
constexpr XtreeTypeRoutine kMacaddr8 = Displayed(Routine<OrdinalOfMacaddr8, Macaddr8Of>(Encoding::kMacaddr8, 8), Unsigned64);
constexpr XtreeTypeRoutine kIsn = Routine<OrdinalOfIsn, IsnOf>(Encoding::kIsn, 8);

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_oid_support, xtree::kOid)
XTREE_SUPPORT_FUNCTION(xtree_money_support, xtree::kMoney)
XTREE_SUPPORT_FUNCTION(xtree_time_support, xtree::kTime)
XTREE_SUPPORT_FUNCTION(xtree_bool_support, xtree::kBool)
XTREE_SUPPORT_FUNCTION(xtree_char_support, xtree::kChar)
XTREE_SUPPORT_FUNCTION(xtree_macaddr_support, xtree::kMacaddr)
XTREE_SUPPORT_FUNCTION(xtree_macaddr8_support, xtree::kMacaddr8)
XTREE_SUPPORT_FUNCTION(xtree_isn_support, xtree::kIsn)
