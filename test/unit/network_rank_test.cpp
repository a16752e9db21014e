// Numbers of network addresses against a plain comparison of B-tree's order.
// Seen to fail: with a network's own addresses numbered after its subnets, and with a bit's place counted from the right.
#include "types/network_rank.h"

#include <gtest/gtest.h>

#include <random>
#include <tuple>

namespace xtree {
namespace {

using Number = unsigned __int128;

struct Value {
  Number address;
  int masklen;
};

class NetworkRankTest : public testing::TestWithParam<int> {
 protected:
  int bits() const { return GetParam(); }
  Number All() const { return ~Number{0} >> (128 - bits()); }
  Number NetworkOf(const Value& v) const { return v.masklen == 0 ? 0 : v.address & (All() << (bits() - v.masklen)) & All(); }

  // As inet_cmp orders values of one family.
  std::tuple<Number, int, Number> Order(const Value& v) const { return {NetworkOf(v), v.masklen, v.address}; }

  Value Random() {
    Number address = 0;
    for (int i = 0; i < 4; i++) address = address << 32 | random_();
    if (random_() % 2) address &= All() << (random_() % 40 + bits() - 40);  // few different ones
    if (random_() % 3 == 0) address = random_() % 2 ? 0 : All();
    return {address & All(), static_cast<int>(random_() % (bits() + 1))};
  }

  std::mt19937 random_{7};
};

TEST_P(NetworkRankTest, KeepsTheOrder) {
  const NetworkTree tree(bits());
  for (int i = 0; i < 20000; i++) {
    const Value a = Random();
    Value b = Random();
    if (i % 2) b.address = a.address ^ (Number{1} << (random_() % bits()));
    const Rank x = tree.RankOf(a.address, a.masklen), y = tree.RankOf(b.address, b.masklen);
    ASSERT_EQ(Order(a) < Order(b), x < y) << i;
    ASSERT_EQ(Order(b) < Order(a), y < x) << i;
  }
}

TEST_P(NetworkRankTest, ComesBack) {
  const NetworkTree tree(bits());
  for (int i = 0; i < 5000; i++) {
    const Value value = Random();
    int masklen;
    ASSERT_TRUE(value.address == tree.AddressAt(tree.RankOf(value.address, value.masklen), &masklen)) << i;
    ASSERT_EQ(value.masklen, masklen) << i;
  }
}

TEST_P(NetworkRankTest, HasNoGaps) {
  const NetworkTree tree(bits());
  EXPECT_EQ(0, static_cast<int>(tree.RankOf(0, 0).low));
  const Rank last = tree.RankOf(All(), bits());
  const Rank count = last + kOneRank, all = tree.All(0);
  EXPECT_TRUE(!(count < all) && !(all < count));
  for (int i = 0; i < 5000; i++) {
    const Value value = Random();
    const Rank rank = tree.RankOf(value.address, value.masklen);
    if (rank.high == 0 && rank.low == 0) continue;
    int masklen;
    const Number before = tree.AddressAt(rank - kOneRank, &masklen);
    const Rank again = tree.RankOf(before, masklen) + kOneRank;
    ASSERT_TRUE(!(again < rank) && !(rank < again)) << i;
  }
}

TEST_P(NetworkRankTest, SubnetsAreOneRunAndTheNetworksOwnAddressesItsBeginning) {
  const NetworkTree tree(bits());
  for (int i = 0; i < 20000; i++) {
    const Value network = Random();
    Value value = Random();
    if (i % 2) value.address = network.address ^ (value.address & (All() >> (random_() % bits())));
    const Rank first = tree.FirstOf(network.address, network.masklen), rank = tree.RankOf(value.address, value.masklen);
    const bool within = value.masklen >= network.masklen && NetworkOf({value.address, network.masklen}) == NetworkOf(network);
    ASSERT_EQ(within, !(rank < first) && rank < first + tree.All(network.masklen)) << i;
    ASSERT_EQ(within && value.masklen == network.masklen, !(rank < first) && rank < first + tree.Own(network.masklen)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Families, NetworkRankTest, testing::Values(kV4Bits, kV6Bits));

}  // namespace
}  // namespace xtree
