// Kernels of codes: each against plain sums, at every number of dimensions.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "core/cluster/vector_kernels.h"

namespace xtree {
namespace {

std::vector<const VectorKernels*> AllKernels() {
  std::vector<const VectorKernels*> all = {&kScalarVectorKernels};
#if defined(__x86_64__)
  all.push_back(&kSse2VectorKernels);
  if (__builtin_cpu_supports("avx2")) all.push_back(&kAvx2VectorKernels);
  if (HasAvx512ForVectors()) all.push_back(&kAvx512VectorKernels);
#endif
  return all;
}

class VectorKernelsTest : public testing::Test {
 protected:
  int Between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  // Of a whole code, and not a byte more, so that a sanitizer sees what a kernel reads.
  std::vector<uint8_t> Code(int dimensions) {
    std::vector<uint8_t> code(16 + static_cast<size_t>(dimensions));
    for (uint8_t& byte : code) byte = static_cast<uint8_t>(Between(0, 255));
    return code;
  }
  static int K(const std::vector<uint8_t>& code, int d) { return static_cast<int8_t>(code[16 + static_cast<size_t>(d)]); }

  // Weights of `sets` sets, as large as they may be altogether.
  std::vector<int16_t> Weights(int dimensions, int sets) {
    std::vector<int16_t> weights(static_cast<size_t>(sets * KernelSlots(dimensions)));
    const int most = std::min<int>(INT16_MAX, kLargestWeightSum / dimensions);
    for (int set = 0; set < sets; ++set) {
      const bool extreme = Between(0, 3) == 0;
      for (int d = 0; d < dimensions; ++d) {
        weights[static_cast<size_t>(set * KernelSlots(dimensions) + KernelSlot(d, dimensions))] =
            static_cast<int16_t>(extreme ? -most : Between(-most, most));
      }
    }
    return weights;
  }
  static int64_t Sum(const std::vector<int16_t>& weights, int set, const std::vector<uint8_t>& code, int dimensions) {
    int64_t sum = 0;
    for (int d = 0; d < dimensions; ++d) {
      sum += K(code, d) * weights[static_cast<size_t>(set * KernelSlots(dimensions) + KernelSlot(d, dimensions))];
    }
    return sum;
  }

  std::mt19937 random_{17};
};

TEST_F(VectorKernelsTest, EveryDimensionHasASlotOfItsOwn) {
  for (int dimensions = 1; dimensions <= 300; ++dimensions) {
    std::vector<int> used(static_cast<size_t>(KernelSlots(dimensions)));
    for (int d = 0; d < dimensions; ++d) EXPECT_EQ(0, used.at(static_cast<size_t>(KernelSlot(d, dimensions)))++);
  }
}

TEST_F(VectorKernelsTest, WholeSumsAreExact) {
  for (int dimensions = 1; dimensions <= 2000; dimensions += dimensions < 200 ? 1 : 37) {
    const std::vector<int16_t> weights = Weights(dimensions, 4);
    std::vector<uint8_t> code = Code(dimensions);
    if (Between(0, 3) == 0) std::fill(code.begin() + 16, code.end(), 0x80);
    for (const VectorKernels* kernels : AllKernels()) {
      EXPECT_EQ(Sum(weights, 0, code, dimensions), kernels->dot(weights.data(), code.data(), dimensions))
          << kernels->name << " " << dimensions;
      int32_t pair[2];
      kernels->dot_pair(weights.data(), weights.data() + KernelSlots(dimensions), code.data(), dimensions, pair);
      for (int set = 0; set < 2; ++set) EXPECT_EQ(Sum(weights, set, code, dimensions), pair[set]) << kernels->name << " " << dimensions;
    }
  }
}

TEST_F(VectorKernelsTest, GridsAreTheSameSums) {
  for (int dimensions = 1; dimensions <= 1200; dimensions += dimensions < 100 ? 1 : 61) {
    const std::vector<int16_t> weights = Weights(dimensions, 4);
    const int count = Between(1, 5);
    const size_t stride = 16 + static_cast<size_t>(dimensions + Between(0, 3));
    std::vector<uint8_t> codes;
    std::vector<int64_t> expected;
    for (int c = 0; c < count; ++c) {
      const std::vector<uint8_t> code = Code(dimensions);
      for (int set = 0; set < 4; ++set) expected.push_back(Sum(weights, set, code, dimensions));
      codes.insert(codes.end(), code.begin(), code.end());
      if (c + 1 < count) codes.resize(stride * static_cast<size_t>(c + 1));
    }
    for (const VectorKernels* kernels : AllKernels()) {
      std::vector<int32_t> out(4 * static_cast<size_t>(count));
      kernels->dot_grid(weights.data(), codes.data(), stride, count, dimensions, out.data());
      EXPECT_EQ(expected, std::vector<int64_t>(out.begin(), out.end())) << kernels->name << " " << dimensions;
    }
  }
}

TEST_F(VectorKernelsTest, SumsOfFloatsAreAlikeInEveryKernel) {
  std::normal_distribution<float> normal;
  for (int dimensions = 1; dimensions <= 2000; dimensions += dimensions < 200 ? 1 : 37) {
    std::vector<float> place(static_cast<size_t>(KernelSlots(dimensions))), scale(place.size());
    const std::vector<uint8_t> code = Code(dimensions);
    long double exact = 0;
    for (int d = 0; d < dimensions; ++d) {
      const auto slot = static_cast<size_t>(KernelSlot(d, dimensions));
      place[slot] = normal(random_);
      scale[slot] = std::fabs(normal(random_)) / 100;
      exact += std::fabs(static_cast<long double>(place[slot]) - static_cast<long double>(scale[slot]) * K(code, d));
    }
    const float scalar = kScalarVectorKernels.taxicab(place.data(), scale.data(), code.data(), dimensions);
    EXPECT_NEAR(1, scalar / exact, 1e-5) << dimensions;
    for (const VectorKernels* kernels : AllKernels()) {
      EXPECT_EQ(scalar, kernels->taxicab(place.data(), scale.data(), code.data(), dimensions)) << kernels->name << " " << dimensions;
    }
  }
}

}  // namespace
}  // namespace xtree
