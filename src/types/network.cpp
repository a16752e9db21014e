// Operator class for inet and cidr: core GiST's inet_ops, with its strategy numbers.
//
// The key is the interval from the first to the last address of the network, whole for IPv4, the first 63 bits for IPv6. Of two
// networks one contains the other or they have no address in common, so intervals answer what concerns networks alone; the host
// part, and networks longer than 63 bits, are rechecked. Keys cannot be returned. Called by the access method through
// XtreeTypeRoutine. No locks, no WAL.
#include <sys/socket.h>

#include "types/scalar.h"

extern "C" {
#include "utils/inet.h"
}

namespace xtree {
namespace {

// Strategies, as in core GiST.
constexpr StrategyNumber kOverlaps = 3;
constexpr StrategyNumber kEqual = 18;
constexpr StrategyNumber kNotEqual = 19;
constexpr StrategyNumber kLess = 20;
constexpr StrategyNumber kLessOrEqual = 21;
constexpr StrategyNumber kGreater = 22;
constexpr StrategyNumber kGreaterOrEqual = 23;
constexpr StrategyNumber kSubnet = 24;
constexpr StrategyNumber kSubnetOrEqual = 25;
constexpr StrategyNumber kSupernet = 26;
constexpr StrategyNumber kSupernetOrEqual = 27;

struct Network {
  int64 first;  // ordinals of the first and last address
  int64 last;
  bool whole;   // the ordinals tell exactly which addresses belong to it
  bool alone;   // and no other network has the same
};

// Addresses of IPv4 come first, as ordinals from -2^63 on; those of IPv6 from 0 on.
Network NetworkOf(const inet* address) {
  const bool v4 = ip_family(address) == PGSQL_AF_INET;
  const int kept = v4 ? 32 : 63, bits = Min(ip_bits(address), kept);
  const uint64 number = NumberOfBytes(ip_addr(address), v4 ? 4 : 16, v4 ? 4 : 8) >> (v4 ? 0 : 1);
  const uint64 host = (UINT64CONST(1) << (kept - bits)) - 1;
  const uint64 base = v4 ? UINT64CONST(1) << 63 : 0;
  return {static_cast<int64>((number & ~host) + base), static_cast<int64>((number | host) + base), ip_bits(address) <= kept,
          v4 || ip_bits(address) < kept};
}

Network NetworkOf(Datum value) {
  inet* address = DatumGetInetPP(value);
  const Network network = NetworkOf(address);
  if (PointerGetDatum(address) != value) pfree(address);
  return network;
}

void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) {
  const Network network = NetworkOf(value);
  out->lo[0] = network.first;
  out->hi[0] = network.last;
  out->empty = false;
}

void RequireWithin(const Network& query, XtreeConstraint* out) {
  out->lo_min[0] = query.first;
  out->hi_max[0] = query.last;
}

void RequireAround(const Network& query, XtreeConstraint* out) {
  out->lo_max[0] = query.first;
  out->hi_min[0] = query.last;
}

// Networks are ordered by their first addresses; among those with the same one the larger, and then the host part, decide.
void Constrain(const XtreeColumn*, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const Network query = NetworkOf(argument);
  out->recheck = true;
  switch (strategy) {
    case kOverlaps:
      out->lo_max[0] = query.last;
      out->hi_min[0] = query.first;
      out->recheck = !query.whole;
      return;
    case kEqual:
      RequireWithin(query, out);
      return RequireAround(query, out);
    case kNotEqual:
      return;
    case kLess:
    case kLessOrEqual:
      out->lo_max[0] = query.first;
      return;
    case kGreater:
    case kGreaterOrEqual:
      out->lo_min[0] = query.first;
      return;
    case kSubnetOrEqual:
      out->recheck = !query.whole;
      return RequireWithin(query, out);
    case kSubnet:
      return RequireWithin(query, out);
    case kSupernetOrEqual:
      out->recheck = !query.alone;
      return RequireAround(query, out);
    case kSupernet:
      return RequireAround(query, out);
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

constexpr XtreeTypeRoutine Extended(XtreeTypeRoutine routine) {
  routine.extended = true;
  return routine;
}

constexpr XtreeTypeRoutine kRoutine = Extended(ScalarRoutine(57, 8, XTREE_SCALAR_INTEGER, Bounds, Constrain, nullptr));

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_inet_support, xtree::kRoutine)
