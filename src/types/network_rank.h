// NetworkTree: all values of inet of one family (addresses with a mask) in B-tree's order, numbered without gaps.
//
// That order (network, then length of the mask, then host) is the preorder of the tree of networks: a network's own
// addresses, those with its mask, come before the values of its first half, and these before those of its second half.
// So all subnets of a network are one run of numbers, and the addresses of each network above it another. Used by the
// operator class of inet only. Pure computation, no locks, no WAL.
#pragma once

#include <array>
#include <cstdint>

namespace xtree {

inline constexpr int kV4Bits = 32;
inline constexpr int kV6Bits = 128;

// A number of a value, or of values: 33 * 2^32 are there for IPv4, 129 * 2^128 for IPv6.
struct Rank {
  uint64_t high;
  unsigned __int128 low;

  friend constexpr Rank operator+(Rank a, Rank b) {
    const unsigned __int128 low = a.low + b.low;
    return {a.high + b.high + (low < a.low), low};
  }
  friend constexpr Rank operator-(Rank a, Rank b) { return {a.high - b.high - (a.low < b.low), a.low - b.low}; }
  friend constexpr bool operator<(Rank a, Rank b) { return a.high != b.high ? a.high < b.high : a.low < b.low; }
};

inline constexpr Rank kOneRank{0, 1};

// number * 2^power. REQUIRES: number < 2^16, power < 136.
constexpr Rank Scaled(uint32_t number, int power) {
  if (power >= 128) return {uint64_t{number} << (power - 128), 0};
  const unsigned __int128 wide = number;
  return {power == 0 ? 0 : static_cast<uint64_t>(wide >> (128 - power)), wide << power};
}

class NetworkTree {
 public:
  explicit constexpr NetworkTree(int bits) : bits_(bits) {}

  int bits() const { return bits_; }

  // Values with this mask in one network.
  Rank Own(int masklen) const { return Scaled(1, bits_ - masklen); }

  // And with this or a longer one.
  Rank All(int masklen) const { return Scaled(static_cast<uint32_t>(bits_ - masklen + 1), bits_ - masklen); }

  // Of the network's first value: those with shorter masks above it, and for each bit that is 1 the whole half to its
  // left.
  Rank FirstOf(unsigned __int128 address, int masklen) const {
    Rank rank = Scaled(1, bits_ + 1) - Scaled(1, bits_ + 1 - masklen);
    const unsigned __int128 network = address & ~HostMask(masklen);
    for (int byte = 0; 8 * byte < masklen; byte++) {
      const auto value = static_cast<uint8_t>(network >> (bits_ - 8 - 8 * byte));
      rank = rank + Scaled(static_cast<uint32_t>(bits_ - 8 * byte) * value - kPlaces[value], bits_ - 8 - 8 * byte);
    }
    return rank;
  }

  Rank RankOf(unsigned __int128 address, int masklen) const { return FirstOf(address, masklen) + Rank{0, address & HostMask(masklen)}; }

  // The inverse.
  unsigned __int128 AddressAt(Rank rank, int* masklen) const {
    unsigned __int128 network = 0;
    int depth = 0;
    for (; depth < bits_ && !(rank < Own(depth)); depth++) {
      rank = rank - Own(depth);
      if (rank < All(depth + 1)) continue;
      rank = rank - All(depth + 1);
      network |= static_cast<unsigned __int128>(1) << (bits_ - 1 - depth);
    }
    *masklen = depth;
    return network | (rank.low & HostMask(depth));
  }

 private:
  unsigned __int128 HostMask(int masklen) const {
    return masklen == 0 ? ~static_cast<unsigned __int128>(0) >> (128 - bits_)
                        : (static_cast<unsigned __int128>(1) << (bits_ - masklen)) - 1;
  }

  // Of a byte: the sum of its bits' values, each times its place from the left. A bit at place k of an address stands
  // for a half of (bits - k) * 2^(bits - 1 - k) values; of a byte's bits that is summed up at once.
  static constexpr std::array<uint16_t, 256> kPlaces = [] {
    std::array<uint16_t, 256> places{};
    for (unsigned byte = 0; byte < places.size(); byte++)
      for (unsigned bit = 0; bit < 8; bit++)
        if (byte >> (7 - bit) & 1) places[byte] = static_cast<uint16_t>(places[byte] + bit * (1u << (7 - bit)));
    return places;
  }();

  int bits_;
};

}  // namespace xtree
