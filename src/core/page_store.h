// The seams between the X-tree and where its pages live. The same algorithms run on a vector of pages (tests, fuzzing), on shared
// buffers with WAL (src/storage) and, for reading, on a mapping.
//
// Writers use PageStore: locks, allocation, and Commit, the only way to change a page. Its functions throw on failure (TreeError or
// what the store throws); PageLock releases in its destructor.
// Readers use PageReader: its functions may leave by longjmp, so scans keep trivially destructible frames only.
#pragma once

#include <setjmp.h>

#include <memory>
#include <span>
#include <stdexcept>
#include <utility>

#include "page/node.h"

namespace xtree {

// A damaged or foreign page, met on a write path. The access method turns it into ERRCODE_INDEX_CORRUPTED.
class CorruptPage : public std::runtime_error {
 public:
  CorruptPage(BlockNumber block, const char* what) : std::runtime_error(what), block_(block) {}
  BlockNumber block() const { return block_; }

 private:
  BlockNumber block_;
};

enum class LockMode { kShare, kExclusive, kCleanup };

// A pinned and locked page. `handle` is the store's own (a Buffer).
struct PageRef {
  BlockNumber block = kInvalidBlock;
  int handle = 0;
  const uint8_t* bytes = nullptr;
};

// Private copy of a page; on the stack or made by new, because palloc() does not align so.
struct alignas(64) PageImage {
  uint8_t bytes[kPageSize];
};

// One page of an atomic change: the page, exclusively locked, and its new content (pd_lsn and checksum are the store's).
struct PageChange {
  const PageRef* page;
  const PageImage* image;
  bool fresh;  // just allocated: nothing of the old content is of use
  // Of a small change: what it writes beside header and special space, ascending and disjoint. Nothing else of the image is looked at then. Empty:
  // the image is whole.
  std::span<const ByteRange> touched = {};
};

inline constexpr int kMaxPagesPerChange = 4;  // Generic WAL's limit for one record

class PageStore {
 public:
  virtual ~PageStore() = default;

  virtual PageRef Open(BlockNumber block, LockMode mode) = 0;           // a page that a link leads to: throws unless ValidateNode agrees
  virtual PageRef OpenUnchecked(BlockNumber block, LockMode mode) = 0;  // VACUUM's sweep: may be new (all zeroes), deleted or damaged
  virtual void Relock(PageRef* page, LockMode mode) = 0;  // unlock and lock again, keeping the pin: others may have come between
  virtual void Close(PageRef* page) noexcept = 0;
  // The caller will open these pages next, in this order, others perhaps in between. May ignore it.
  virtual void WillOpen(std::span<const BlockNumber>) {}

  // A page that nobody can reach yet, exclusively locked, its content to be given by a fresh PageChange.
  virtual PageRef Allocate() = 0;

  // pd_lsn, read safely under the lock that is held.
  virtual Lsn PageLsn(const PageRef& page) = 0;

  // A number that is >= the LSN of every change so far and < the LSN of every change to come. Taken under the locks of the pages
  // that split (src/README.md, "Splits").
  virtual Lsn CurrentNsn() = 0;

  // Applies 1 to 4 pages as one crash-atomic, WAL-logged change; all or nothing. Locks stay held.
  virtual void Commit(std::span<const PageChange> changes) = 0;

  // A page that was unlinked and may be given out again by Allocate once delete_xid is old enough.
  virtual void RecordFree(BlockNumber block) = 0;
  virtual uint64_t NextTransactionId() = 0;          // stamp for MarkDeleted
  virtual bool Recyclable(uint64_t delete_xid) = 0;  // can no scan or insert still be on its way to a page with this stamp?

  // Before entries that scans found dead to every transaction are removed from a leaf: lets queries of a standby that may still see
  // the rows give way.
  virtual void WillRemoveKilled(const PageRef& leaf, std::span<const TupleId> tuples) = 0;

  // SERIALIZABLE: before a page is enlarged or inserted into, under its exclusive lock (may throw); and before a split moves
  // entries of `from` to `to`, or a box of `from` grows so that `to` answers for what was `from`'s alone.
  virtual void CheckConflict(const PageRef& page) = 0;
  virtual void PredicateSplit(BlockNumber from, BlockNumber to) = 0;
};

// Owns an open page.
class PageLock {
 public:
  PageLock() = default;
  PageLock(PageStore& store, BlockNumber block, LockMode mode) : store_(&store), ref_(store.Open(block, mode)) {}
  PageLock(PageStore& store, PageRef ref) : store_(&store), ref_(ref) {}
  PageLock(PageLock&& o) noexcept : store_(std::exchange(o.store_, nullptr)), ref_(o.ref_) {}
  PageLock& operator=(PageLock&& o) noexcept {
    if (this != &o) {
      Reset();
      store_ = std::exchange(o.store_, nullptr);
      ref_ = o.ref_;
    }
    return *this;
  }
  ~PageLock() { Reset(); }

  void Reset() {
    if (store_ != nullptr) std::exchange(store_, nullptr)->Close(&ref_);
  }
  void Relock(LockMode mode) { store_->Relock(&ref_, mode); }

  explicit operator bool() const { return store_ != nullptr; }
  const PageRef& ref() const { return ref_; }
  BlockNumber block() const { return ref_.block; }
  const uint8_t* bytes() const { return ref_.bytes; }

 private:
  PageStore* store_ = nullptr;
  PageRef ref_;
};

// For scans. Slot 0 holds the node, slot 1 the follower of a supernode whose head stays open in slot 0.
//
// A reader holds pages by locks, or it does not hold them at all (a mapping, which others write to): then it finds out when a page
// is closed whether it was the same all the time, and until then nothing that was read of it is more than a guess. VisitNode is the
// only caller for whom that may happen; it reads such a node a second time, which the reader then serves by locks.
class PageReader {
 public:
  // The page until Close. The view is well-formed and stays so, but the entries' bytes may change. Reports a damaged page itself
  // (does not return), unless it knows of the block only from a page that it does not hold (slot 1): then the view may be
  // invalid, with nothing open in this slot.
  virtual NodeView Open(int slot, BlockNumber block, int expected_level) = 0;
  virtual Lsn PageLsn(int slot) = 0;
  // Was all that was read of the page since Open of one and the same state of it? If not, the node counts for nothing; when slot 0
  // is not open either, it is opened again at once, and until slot 0 is closed that time, pages are held by locks. The answer for
  // slot 0 is the one for a supernode as a whole.
  [[nodiscard]] virtual bool Close(int slot) = 0;

  // May what is open still prove inconsistent when it is closed?
  virtual bool Doubtful() const { return false; }
  // What is open has proved inconsistent, impossible (while doubtful) or unreadable (a fault): closes it, and then as after a Close
  // of slot 0 that said no.
  virtual void GiveUp() {}
  // Where a fault ends up that reading a page raises between Open and Close (siglongjmp by the reader's signal handler), set anew
  // for every node; nullptr: this reader's pages cannot fault. Frames in between own nothing.
  sigjmp_buf* fault_jump() const { return fault_jump_; }

  [[noreturn]] virtual void Corrupt(BlockNumber block, const char* what) = 0;
  // Memory of the scan: realloc semantics, never fails by returning nullptr.
  virtual void* Reallocate(void* old, size_t bytes) = 0;
  // The same for what stays as large as it is until the scan ends; aligned for any plain data. A reader may have it left from a scan before.
  virtual void* AllocateFrame(size_t bytes) { return Reallocate(nullptr, bytes); }
  // Is there a point in telling what will be read? Cheap.
  virtual bool ReadsAhead() { return true; }
  // Children (blocks, count) that the scan will visit, for prefetching: `next`, in this order, or sometime, or perhaps. May ignore them.
  enum class ReadOrder { kNext, kAny };
  virtual void WillRead(const BlockNumber*, int, ReadOrder) {}
  // The page that the scan will visit next: for the processor's caches. May ignore it.
  virtual void Approach(BlockNumber) {}
  // The same of one of which every byte will be read.
  virtual void ApproachWhole(BlockNumber block) { Approach(block); }

 protected:
  ~PageReader() = default;
  void SetFaultJump(sigjmp_buf* jump) { fault_jump_ = jump; }

 private:
  sigjmp_buf* fault_jump_ = nullptr;
};

// Named pauses and failures for tests (STOP_POINTS=1 builds only). Only sources that name one are compiled twice (Makefile), so nothing else in a
// header may depend on them.
#ifdef XTREE_STOP_POINTS
extern void (*stop_point_hook)(const char* name);
#define XTREE_STOP_POINT(name)                                               \
  do {                                                                       \
    if (::xtree::stop_point_hook != nullptr) ::xtree::stop_point_hook(name); \
  } while (0)
#else
#define XTREE_STOP_POINT(name) \
  do {                         \
  } while (0)
#endif

}  // namespace xtree
