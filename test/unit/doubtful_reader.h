// DoubtfulReader: a PageReader that holds no page, as one on a mapping of files that other processes write to: what a
// test wants to go wrong between Open and Close goes wrong, and Close tells. A second attempt is served by the locks of
// a MemoryReader.
//
// Strict: misuse by the core (a node not read again at once, a page left open, blocks of a page that was never
// accepted) throws std::logic_error.
#pragma once

#include <signal.h>
#include <sys/mman.h>

#include <atomic>
#include <map>
#include <thread>

#include "scan_fixture.h"

namespace xtree::test {

enum class Trouble {
  kNone,
  kTorn,       // parts of the page, or its ends, are those of another page or of this one some time ago
  kScribbled,  // all is random bytes, once its ends have been read
  kFault,      // reading a part of the page, or any of it, raises SIGSEGV
  kLive,       // another thread goes on writing random bytes over it
  kRefused,    // nothing is wrong with it, but Close says so
};

class DoubtfulReader final : public PageReader {
 public:
  // `old`: the store as it was some time ago, for kTorn; may be nullptr.
  DoubtfulReader(MemoryStore& store, MemoryStore* old, uint64_t seed) : store_(store), old_(old), locks_(store), random_(seed) {
    SetFaultJump(&jump_);
    for (Slot& slot : slots_) {
      slot.bytes = static_cast<uint8_t*>(mmap(nullptr, kPageSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
      if (slot.bytes == MAP_FAILED) throw std::bad_alloc();
    }
    struct sigaction action {};
    action.sa_sigaction = &OnFault;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    sigaction(SIGSEGV, &action, &before_);
    current_ = this;
  }
  DoubtfulReader(const DoubtfulReader&) = delete;
  ~DoubtfulReader() {
    scribbler_ = {};  // joined
    sigaction(SIGSEGV, &before_, nullptr);
    current_ = nullptr;
    for (Slot& slot : slots_) munmap(slot.bytes, kPageSize);
  }

  std::function<Trouble(int slot, BlockNumber block)> trouble;
  std::function<void(int slot, BlockNumber block)> during;  // another backend's turn, once the page's ends have been read

  NodeView Open(int slot, BlockNumber block, int expected_level) override {
    Check(!slots_[slot].open, "slot in use");
    if (slot == 0) Check(!retry_ || again_ == block, "a node that failed is not read again at once");
    if (retry_) return OpenLocked(slot, block, expected_level);
    if (block == kMetaBlock || block >= store_.size()) {
      Check(slot == 1, "a child that no accepted page names");
      return NodeView();
    }
    Slot& s = slots_[slot];
    s.block = block;
    s.trouble = trouble ? trouble(slot, block) : Trouble::kNone;
    s.seen = store_.image(block);
    std::memcpy(s.bytes, s.seen.bytes, kPageSize);
    if (s.trouble == Trouble::kTorn) Tear(&s, expected_level);
    s.frame.Read(s.bytes);
    if (ValidateNode(store_.layout(), s.frame, expected_level) != nullptr) {
      if (slot == 1) return NodeView();
      retry_ = true;
      again_ = block;
      return OpenLocked(slot, block, expected_level);
    }
    s.open = true;
    if (slot == 0) again_ = block;
    ++met[s.trouble];
    Begin(&s);
    return NodeView(store_.layout(), s.bytes, &s.frame.header, &s.frame.opaque);
  }

  Lsn PageLsn(int slot) override {
    const Slot& s = slots_[slot];
    Check(s.open, "slot not open");
    if (s.locked) return locks_.PageLsn(slot);
    if (during) during(slot, s.block);
    return uint64_t{s.frame.header.lsn_high} << 32 | s.frame.header.lsn_low;
  }

  bool Close(int slot) override {
    Slot& s = slots_[slot];
    Check(s.open, "slot closed twice");
    Check(slot == 1 || !slots_[1].open, "the head is closed before its follower");
    s.open = false;
    if (s.locked) {
      if (slot == 0) retry_ = false;
      return locks_.Close(slot);
    }
    End(&s);
    if (s.trouble == Trouble::kNone && std::memcmp(s.seen.bytes, store_.image(s.block).bytes, kPageSize) == 0) return true;
    if (slot == 0) retry_ = true;
    return false;
  }

  bool Doubtful() const override { return (slots_[0].open && !slots_[0].locked) || (slots_[1].open && !slots_[1].locked); }

  void GiveUp() override {
    ++given_up;
    Check(slots_[0].open && Doubtful(), "given up without need");
    for (Slot& s : slots_) {
      if (std::exchange(s.open, false)) End(&s);
    }
    retry_ = true;
  }

  [[noreturn]] void Corrupt(BlockNumber block, const char* what) override {
    Check(!Doubtful(), "damage reported that is only a doubt");
    locks_.Corrupt(block, what);
  }
  void* Reallocate(void* old, size_t bytes) override { return locks_.Reallocate(old, bytes); }
  void WillRead(const BlockNumber* blocks, int count, ReadOrder) override {
    for (int i = 0; i < count; ++i) Check(blocks[i] < store_.size(), "announces a block that no accepted page names");
  }

  int OpenPages() const { return slots_[0].open + slots_[1].open; }
  size_t AllocatedBytes() const { return locks_.AllocatedBytes(); }

  std::map<Trouble, int64_t> met;
  int64_t faults = 0;
  int64_t given_up = 0;

 private:
  struct Slot {
    uint8_t* bytes = nullptr;  // the mapping
    PageImage seen;            // the page in the store when it was opened
    PageFrame frame;
    BlockNumber block = kInvalidBlock;
    Trouble trouble = Trouble::kNone;
    bool open = false;
    bool locked = false;
  };

  static void Check(bool condition, const char* what) {
    if (!condition) throw std::logic_error(std::string("DoubtfulReader: ") + what);
  }

  static void OnFault(int, siginfo_t* info, void*) {
    DoubtfulReader* self = current_;
    const auto* at = static_cast<const uint8_t*>(info->si_addr);
    for (const Slot& s : self->slots_) {
      if (!s.open || s.trouble != Trouble::kFault || at < s.bytes || at >= s.bytes + kPageSize) continue;
      ++self->faults;
      siglongjmp(self->jump_, 1);
    }
    signal(SIGSEGV, SIG_DFL);  // a fault of the test's own: dies of it as soon as it is repeated
  }

  NodeView OpenLocked(int slot, BlockNumber block, int expected_level) {
    const NodeView view = locks_.Open(slot, block, expected_level);
    slots_[slot].open = slots_[slot].locked = true;
    return view;
  }

  // Two versions, mixed by runs of 32 bytes. The ends are those of either, if they pass; other ends would be noticed.
  void Tear(Slot* s, int expected_level) {
    BlockNumber other = s->block;
    if (old_ == nullptr || other >= old_->size() || random_.Below(4) == 0) {
      other = static_cast<BlockNumber>(1 + random_.Below(static_cast<int>(store_.size()) - 1));
      Mix(s, store_.image(other), expected_level);
    } else {
      Mix(s, old_->image(other), expected_level);
    }
  }

  void Mix(Slot* s, const PageImage& other, int expected_level) {
    PageFrame frame;
    frame.Read(other.bytes);
    const bool ends = ValidateNode(store_.layout(), frame, expected_level) == nullptr && random_.Below(2) == 0;
    for (size_t at = 0; at < kPageSize; at += 32) {
      const bool end = at < 32 || at + 32 >= kPageSize;
      if (end ? ends : random_.Below(2) == 0) std::memcpy(s->bytes + at, other.bytes + at, 32);
    }
  }

  void Begin(Slot* s) {
    s->locked = false;
    switch (s->trouble) {
      case Trouble::kScribbled:
        for (size_t at = 0; at < kPageSize; ++at) s->bytes[at] = static_cast<uint8_t>(random_.Below(256));
        break;
      case Trouble::kFault: {
        const int part = random_.Below(3);  // the first half, the second or both
        mprotect(s->bytes + (part == 1 ? kPageSize / 2 : 0), part == 2 ? kPageSize : kPageSize / 2, PROT_NONE);
        break;
      }
      case Trouble::kLive:
        if (!scribbler_.joinable()) scribbler_ = std::jthread([this](std::stop_token stop) { Scribble(stop); });
        scribbled_.store(s->bytes);
        break;
      default:
        break;
    }
  }

  void End(Slot* s) {
    mprotect(s->bytes, kPageSize, PROT_READ | PROT_WRITE);
    scribbled_.store(nullptr);
    while (scribbling_.load()) std::this_thread::yield();
  }

  void Scribble(std::stop_token stop) {
    uint64_t state = 88172645463325252u;
    while (!stop.stop_requested()) {
      scribbling_.store(true);
      volatile uint8_t* bytes = scribbled_.load();
      for (int i = 0; bytes != nullptr && i < 500; ++i) {
        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
        bytes[state % kPageSize] = static_cast<uint8_t>(state >> 32);
      }
      scribbling_.store(false);
      if (bytes == nullptr) std::this_thread::yield();
    }
  }

  static inline DoubtfulReader* current_ = nullptr;

  MemoryStore& store_;
  MemoryStore* old_;
  MemoryReader locks_;
  Random random_;
  sigjmp_buf jump_;
  struct sigaction before_ {};
  Slot slots_[2];
  bool retry_ = false;  // by locks, until slot 0 is closed
  BlockNumber again_ = kInvalidBlock;
  std::atomic<volatile uint8_t*> scribbled_ = nullptr;
  std::atomic<bool> scribbling_ = false;
  std::jthread scribbler_;
};

}  // namespace xtree::test
