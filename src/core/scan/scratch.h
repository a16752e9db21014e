// Scratch: a growing array in a scan's memory, for plain data only.
//
// For scans: growing may leave by longjmp (out of memory), so an array has no destructor, and all zeroes is a valid
// empty one. Its memory goes with the memory that the scan lives in. Clear keeps it, which makes a rescan cheap.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <type_traits>

#include "core/page_store.h"

namespace xtree {

template <class T>
class Scratch {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }

  void Clear() { size_ = 0; }
  void Truncate(size_t count) { size_ = count; }  // REQUIRES: it had so many once
  void PopBack() { --size_; }

  void Reserve(PageReader& reader, size_t count) {
    if (count <= capacity_) return;
    const size_t capacity = std::max({count, capacity_ * 2, size_t{16}});
    data_ = static_cast<T*>(reader.Reallocate(data_, capacity * sizeof(T)));
    capacity_ = capacity;
    std::atomic_signal_fence(std::memory_order_seq_cst);  // a fault in a page that is read next finds the new array (scan_node.h)
  }

  void Append(PageReader& reader, T value) {
    Reserve(reader, size_ + 1);
    AppendReserved(value);
  }

  // REQUIRES: room (Reserve).
  void AppendReserved(T value) { data_[size_++] = value; }

 private:
  T* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace xtree
