// The bytes of a fuzzer's input, taken one after the other; zeroes beyond the end. A failed gtest expectation ends the run as a crash does.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace xtree {

class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : data_(data), size_(size) {}

  bool empty() const { return at_ == size_; }
  uint8_t Byte() { return empty() ? 0 : data_[at_++]; }
  uint16_t Word() {
    const uint16_t low = Byte();
    return static_cast<uint16_t>(low | Byte() << 8);
  }
  void Copy(uint8_t* to, size_t bytes) {
    const size_t count = std::min(bytes, size_ - at_);
    memcpy(to, data_ + at_, count);
    at_ += count;
  }

 private:
  const uint8_t* data_;
  size_t size_;
  size_t at_ = 0;
};

}  // namespace xtree

extern "C" int LLVMFuzzerInitialize(int* argc, char*** argv) {
  testing::GTEST_FLAG(throw_on_failure) = true;
  testing::InitGoogleTest(argc, *argv);
  return 0;
}
