// Memory of a bulk load: everything that grows with the data comes from BulkEnvironment, within one limit.
//
// For bulk_*.cpp and the access method that supplies the environment. Nothing is locked; no WAL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace xtree {

enum class BulkPhase { kRows, kDistribute, kBuild };

// What the bulk load needs from its surroundings. Functions may throw.
class BulkEnvironment {
 public:
  virtual ~BulkEnvironment() = default;

  // realloc semantics for large blocks (any of `old` may be null); throws instead of returning nullptr. In place or by
  // remapping where possible: the limit counts the new size only.
  virtual void* Reallocate(void* old, size_t bytes) = 0;
  virtual void Free(void* memory) noexcept = 0;

  // Called every few thousand rows and for every node.
  virtual void CheckInterrupts() = 0;

  // `done` of `total` rows of the phase; total 0: not known yet.
  virtual void Progress(BulkPhase phase, uint64_t done, uint64_t total) = 0;
};

// The environment's memory and how much of it a load may have; bulk_load.cpp shares it out among those who grow.
class MemoryBudget {
 public:
  MemoryBudget(BulkEnvironment& environment, size_t limit) : environment_(&environment), limit_(limit) {}
  BulkEnvironment& environment() const { return *environment_; }
  size_t limit() const { return limit_; }

 private:
  BulkEnvironment* environment_;
  size_t limit_;
};

// A contiguous buffer that grows by doubling.
class BulkBuffer {
 public:
  explicit BulkBuffer(MemoryBudget& budget) : budget_(&budget) {}
  BulkBuffer(BulkBuffer&& o) noexcept
      : budget_(o.budget_), data_(std::exchange(o.data_, nullptr)), capacity_(std::exchange(o.capacity_, 0)) {}
  BulkBuffer& operator=(BulkBuffer&& o) noexcept {
    std::swap(budget_, o.budget_);
    std::swap(data_, o.data_);
    std::swap(capacity_, o.capacity_);
    return *this;
  }
  ~BulkBuffer() { Reset(); }

  uint8_t* data() const { return data_; }
  size_t capacity() const { return capacity_; }

  // Makes room for `bytes`, at most `most`; false when that is not enough. Grows by doubling within `most`.
  bool Grow(size_t bytes, size_t most) {
    if (bytes <= capacity_) return true;
    if (bytes > most) return false;
    size_t wanted = capacity_ < 4096 ? 8192 : 2 * capacity_;
    if (wanted > most) wanted = most;
    Resize(wanted < bytes ? bytes : wanted);
    return true;
  }

  void Resize(size_t bytes) {
    data_ = static_cast<uint8_t*>(budget_->environment().Reallocate(data_, bytes));
    capacity_ = bytes;
  }

  void Reset() {
    if (data_ == nullptr) return;
    budget_->environment().Free(data_);
    data_ = nullptr;
    capacity_ = 0;
  }

 private:
  MemoryBudget* budget_;
  uint8_t* data_ = nullptr;
  size_t capacity_ = 0;
};

// Deterministic pseudo-random numbers (splitmix64): the same rows in the same order give the same index.
class BulkRandom {
 public:
  explicit BulkRandom(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
  }
  // Uniform in [0, bound), bound > 0.
  uint64_t Below(uint64_t bound) { return static_cast<uint64_t>((static_cast<unsigned __int128>(Next()) * bound) >> 64); }

 private:
  uint64_t state_;
};

}  // namespace xtree
