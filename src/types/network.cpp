// Operator class for inet and cidr: core GiST's inet_ops, with its strategy numbers.
//
// The key is a value's place in B-tree's order, as a number of three words; all values of a family are numbered without
// gaps (network_rank.h). Every operator is one or more runs of that order, so nothing is rechecked, and values are
// returned from their keys. Called by the access method through XtreeTypeRoutine. No locks, no WAL.
#include <sys/socket.h>

#include <algorithm>

#include "types/network_rank.h"
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

constexpr int kWords = 3;

// Numbers of IPv4 are first, in the first word alone, from -2^38 on; those of IPv6 take 136 bits from the top bit but
// one on, so that the first word tells most of them apart.
struct Key {
  int64 first;
  uint64 second;
  uint64 third;
};

constexpr int64 kFirstOfV4 = -(INT64CONST(1) << 38);
constexpr int kV6InSecond = 9;                // bits of a rank below the second word
constexpr int kV6InFirst = kV6InSecond + 64;  // and below the first
constexpr int kUnused = 64 - kV6InSecond;     // bits of the third

Key KeyOf(const NetworkTree& tree, Rank rank) {
  if (tree.bits() == kV4Bits) return {static_cast<int64>(rank.low) + kFirstOfV4, 0, 0};
  return {static_cast<int64>(rank.high << (128 - kV6InFirst) | static_cast<uint64>(rank.low >> kV6InFirst)),
          static_cast<uint64>(rank.low >> kV6InSecond), static_cast<uint64>(rank.low) << kUnused};
}

// The greatest with this rank.
Key LastKeyOf(const NetworkTree& tree, Rank rank) {
  Key key = KeyOf(tree, rank);
  if (tree.bits() == kV4Bits) return {key.first, ~UINT64CONST(0), ~UINT64CONST(0)};
  key.third |= (UINT64CONST(1) << kUnused) - 1;
  return key;
}

constexpr Key kFirstKey{PG_INT64_MIN, 0, 0};
constexpr Key kLastKey{PG_INT64_MAX, ~UINT64CONST(0), ~UINT64CONST(0)};

Key Before(Key key) {
  if (key.third-- == 0 && key.second-- == 0) key.first--;
  return key;
}

Key After(Key key) {
  if (++key.third == 0 && ++key.second == 0) key.first++;
  return key;
}

const NetworkTree& TreeOf(bool v4) {
  static constexpr NetworkTree kV4(kV4Bits), kV6(kV6Bits);
  return v4 ? kV4 : kV6;
}

// What a Datum says, by value.
struct Address {
  const NetworkTree* tree;
  unsigned __int128 number;  // of the address itself
  int masklen;

  Rank rank() const { return tree->RankOf(number, masklen); }
};

Address AddressOf(Datum value) {
  inet* packed = DatumGetInetPP(value);
  const bool v4 = ip_family(packed) == PGSQL_AF_INET;
  Address address{&TreeOf(v4), 0, ip_bits(packed)};
  for (int i = 0; i < (v4 ? kV4Bits : kV6Bits) / 8; i++) address.number = address.number << 8 | ip_addr(packed)[i];
  if (PointerGetDatum(packed) != value) pfree(packed);
  return address;
}

void SetWords(Key key, int64* word) {
  word[0] = key.first;
  word[1] = FromUnsigned64(key.second);
  word[2] = FromUnsigned64(key.third);
}

void Bounds(const XtreeColumn*, Datum value, XtreeBounds* out) {
  const Address address = AddressOf(value);
  const Key key = KeyOf(*address.tree, address.rank());
  SetWords(key, out->lo);
  SetWords(key, out->hi);
  out->empty = false;
}

Datum Reconstruct(const XtreeColumn*, const int64* lo, const int64*, bool) {
  const bool v4 = lo[0] < 0;
  const uint64 second = ToUnsigned64(lo[1]), third = ToUnsigned64(lo[2]);
  Rank rank{0, static_cast<unsigned __int128>(lo[0] - kFirstOfV4)};
  if (!v4) {
    const auto first = static_cast<uint64>(lo[0]);
    rank = {first >> (128 - kV6InFirst),
            static_cast<unsigned __int128>(first) << kV6InFirst | static_cast<unsigned __int128>(second) << kV6InSecond | third >> kUnused};
  }
  int masklen;
  unsigned __int128 number = TreeOf(v4).AddressAt(rank, &masklen);
  auto* value = static_cast<inet*>(palloc0(sizeof(inet)));
  ip_family(value) = v4 ? PGSQL_AF_INET : PGSQL_AF_INET6;
  ip_bits(value) = static_cast<unsigned char>(masklen);
  for (int i = (v4 ? kV4Bits : kV6Bits) / 8 - 1; i >= 0; i--, number >>= 8) ip_addr(value)[i] = static_cast<unsigned char>(number);
  SET_INET_VARSIZE(value);
  return InetPGetDatum(value);
}

// The runs of the order that an operator lets through, as boxes. A run whose ends differ in the first word alone, as
// those of IPv4 do, is one; else there is one for what lies between the words of its ends, and one for each word that
// follows in either end. The first box is the constraint itself, the others its alternatives.
class Runs {
 public:
  Runs(const XtreeColumn* column, XtreeConstraint* out) : column_(column), out_(out) {
    out->match = XTREE_MATCH_NEVER;  // until there is one
  }

  void Add(Key first, Key last) {
    int64 from[kWords], to[kWords];
    SetWords(first, from);
    SetWords(last, to);
    int word = 0;  // the first that differs
    while (word < kWords - 1 && from[word] == to[word]) word++;
    const bool cut_below = !HasExtremes(from, word + 1, PG_INT64_MIN), cut_above = !HasExtremes(to, word + 1, PG_INT64_MAX);
    AddBox(from, word, from[word] + cut_below, to[word] - cut_above);
    if (cut_below) AddAbove(from, word + 1);
    if (cut_above) AddBelow(to, word + 1);
  }

 private:
  // Are the words from `word` on all the extreme, so that an end there cuts nothing off?
  static bool HasExtremes(const int64* words, int word, int64 extreme) {
    return std::all_of(words + word, words + kWords, [extreme](int64 w) { return w == extreme; });
  }

  // What has the end's words before `word`, and lies above the end, or at it, in those that follow.
  void AddAbove(const int64* end, int word) {
    for (bool cut = true; cut; word++) {
      cut = !HasExtremes(end, word + 1, PG_INT64_MIN);
      if (!cut || end[word] < PG_INT64_MAX) AddBox(end, word, end[word] + cut, PG_INT64_MAX);
    }
  }
  void AddBelow(const int64* end, int word) {
    for (bool cut = true; cut; word++) {
      cut = !HasExtremes(end, word + 1, PG_INT64_MAX);
      if (!cut || end[word] > PG_INT64_MIN) AddBox(end, word, PG_INT64_MIN, end[word] - cut);
    }
  }

  void AddBox(const int64* words, int word, int64 min, int64 max) {
    if (min > max) return;
    XtreeConstraint* box = out_->match == XTREE_MATCH_NEVER ? out_ : xtree_add_alternative(column_, out_);
    box->match = XTREE_MATCH_VALUE;
    for (int w = 0; w < word; w++) box->lo_min[w] = box->lo_max[w] = words[w];
    box->lo_min[word] = min;
    box->lo_max[word] = max;
  }

  const XtreeColumn* column_;
  XtreeConstraint* out_;
};

// The run from one rank to another, both included.
void AddRanks(const NetworkTree& tree, Rank first, Rank last, Runs* runs) {
  if (!(last < first)) runs->Add(KeyOf(tree, first), LastKeyOf(tree, last));
}

void AddSubnets(const Address& of, bool itself, Runs* runs) {
  const NetworkTree& tree = *of.tree;
  const Rank first = tree.FirstOf(of.number, of.masklen), last = first + tree.All(of.masklen) - kOneRank;
  AddRanks(tree, itself ? first : first + tree.Own(of.masklen), last, runs);
}

// With masks shorter than `end`.
void AddSupernets(const Address& of, int end, Runs* runs) {
  for (int masklen = 0; masklen < end; masklen++) {
    const Rank first = of.tree->FirstOf(of.number, masklen);
    AddRanks(*of.tree, first, first + of.tree->Own(masklen) - kOneRank, runs);
  }
}

void Constrain(const XtreeColumn* column, StrategyNumber strategy, Oid, Datum argument, XtreeConstraint* out) {
  const Address query = AddressOf(argument);
  const Key first = KeyOf(*query.tree, query.rank()), last = LastKeyOf(*query.tree, query.rank());
  Runs runs(column, out);
  switch (strategy) {
    case kEqual:
      return runs.Add(first, last);
    case kNotEqual:
      runs.Add(kFirstKey, Before(first));
      return runs.Add(After(last), kLastKey);
    case kLess:
      return runs.Add(kFirstKey, Before(first));
    case kLessOrEqual:
      return runs.Add(kFirstKey, last);
    case kGreater:
      return runs.Add(After(last), kLastKey);
    case kGreaterOrEqual:
      return runs.Add(first, kLastKey);
    case kOverlaps:
      AddSubnets(query, true, &runs);
      return AddSupernets(query, query.masklen, &runs);
    case kSubnet:
      return AddSubnets(query, false, &runs);
    case kSubnetOrEqual:
      return AddSubnets(query, true, &runs);
    case kSupernet:
      return AddSupernets(query, query.masklen, &runs);
    case kSupernetOrEqual:
      return AddSupernets(query, query.masklen + 1, &runs);
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

constexpr XtreeTypeRoutine InWords(XtreeTypeRoutine routine) {
  routine.encoding_version = 2;
  routine.dimensions = kWords;
  routine.words = true;
  routine.in_btree_order = true;
  return routine;
}

constexpr XtreeTypeRoutine kRoutine = InWords(ScalarRoutine(Encoding::kInet, 8, XTREE_SCALAR_INTEGER, Bounds, Constrain, Reconstruct));

}  // namespace
}  // namespace xtree

XTREE_SUPPORT_FUNCTION(xtree_inet_support, xtree::kRoutine)
