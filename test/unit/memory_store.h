// MemoryStore: a PageStore on a vector of pages, for tests and microbenchmarks; MemoryReader: the PageReader on it.
//
// Strict where shared buffers would hang or corrupt: a page locked twice, a change without the exclusive lock, a page
// closed twice, a malformed image are misuse and throw std::logic_error (Close, which may not throw, aborts).
// Single-threaded: a test plays concurrent backends by taking turns between calls. Every Commit is one LSN; like
// Generic WAL it zeroes the hole of a page.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/page_store.h"
#include "page/validate.h"

namespace xtree {

// What FailAt makes a store or a reader throw; stands for ERROR, cancel and out of memory.
class InjectedFault : public std::runtime_error {
 public:
  InjectedFault() : std::runtime_error("injected fault") {}
};

// Counts calls that may fail and throws at the n-th from now (1 = the next); 0 never.
class FaultInjector {
 public:
  void FailAt(int64_t n) { remaining_ = n; }
  int64_t calls() const { return calls_; }
  void Step() {
    ++calls_;
    if (remaining_ > 0 && --remaining_ == 0) throw InjectedFault();
  }

 private:
  int64_t calls_ = 0;
  int64_t remaining_ = 0;
};

class MemoryStore : public PageStore {
 public:
  // Block 0 is zeroes (a test that needs a meta page writes it), block 1 an empty leaf.
  explicit MemoryStore(const KeyLayout& layout) : layout_(&layout) {
    AddPage();
    AddPage();
    NodeEditor(layout, pages_[kRootBlock]->image.bytes).Initialize(0, kNodeLeaf);
    SetLsn(kRootBlock, lsn_);
  }

  // A store in the same state, nothing locked: what a crash right now would leave. Nothing was logged of a page that
  // was allocated and not yet changed: at the end of the file it may be gone.
  std::unique_ptr<MemoryStore> Crash(bool new_pages_survive = true) const {
    auto copy = std::make_unique<MemoryStore>(*layout_);
    copy->pages_.clear();
    size_t count = pages_.size();
    while (!new_pages_survive && reinterpret_cast<const PageHeader*>(pages_[count - 1]->image.bytes)->upper == 0) --count;
    for (size_t i = 0; i < count; ++i) {
      copy->AddPage();
      copy->pages_.back()->image = pages_[i]->image;
    }
    copy->lsn_ = lsn_;
    copy->next_xid = next_xid;
    return copy;
  }

  PageRef Open(BlockNumber block, LockMode mode) override {
    PageRef ref = OpenUnchecked(block, mode);
    if (const char* error = ValidateNode(*layout_, ref.bytes, -1)) {
      Close(&ref);
      throw CorruptPage(block, error);
    }
    return ref;
  }

  PageRef OpenUnchecked(BlockNumber block, LockMode mode) override {
    faults.Step();
    Page& page = At(block);
    Lock(block, &page, mode);
    page.handle = ++last_handle_;
    return {block, page.handle, page.image.bytes};
  }

  void Relock(PageRef* ref, LockMode mode) override {
    Page& page = Held(*ref);
    if (on_unlock) {
      page.lock = kUnlocked;
      ++page.pins;
      on_unlock(ref->block);
      --page.pins;
    }
    page.lock = kPinned;
    page.handle = ref->handle;
    faults.Step();
    Lock(ref->block, &page, mode);
  }

  void Close(PageRef* ref) noexcept override {
    if (ref->block >= pages_.size() || pages_[ref->block]->lock == kUnlocked || pages_[ref->block]->handle != ref->handle) {
      std::fprintf(stderr, "MemoryStore: page %u closed twice or never opened\n", ref->block);
      std::abort();
    }
    pages_[ref->block]->lock = kUnlocked;
    *ref = PageRef{};
  }

  PageRef Allocate() override {
    faults.Step();
    const BlockNumber block = TakeFree();
    Page& page = At(block);
    Lock(block, &page, LockMode::kExclusive);
    page.fresh = true;
    page.handle = ++last_handle_;
    ++allocations;
    return {block, page.handle, page.image.bytes};
  }

  Lsn PageLsn(const PageRef& ref) override {
    Held(ref);
    return LsnOf(ref.block);
  }

  Lsn CurrentNsn() override {
    faults.Step();
    return lsn_;
  }

  void Commit(std::span<const PageChange> changes) override {
    faults.Step();
    Check(!changes.empty() && changes.size() <= kMaxPagesPerChange, kInvalidBlock, "a change of 0 or of more than 4 pages");
    for (size_t i = 0; i < changes.size(); ++i) {
      CheckChange(changes[i]);
      for (size_t j = 0; j < i; ++j) Check(changes[i].page->block != changes[j].page->block, changes[i].page->block, "changed twice");
    }
    CheckHeadsFirst(changes);
    ++lsn_;
    for (const PageChange& change : changes) Apply(change);
    ++commits;
    committed_pages += changes.size();
    if (after_commit) after_commit();
  }

  void RecordFree(BlockNumber block) override {
    faults.Step();
    At(block);
    free_.push_back(block);
  }

  uint64_t NextTransactionId() override { return next_xid; }
  bool Recyclable(uint64_t delete_xid) override { return delete_xid < oldest_xid; }

  void WillRemoveKilled(const PageRef& ref, std::span<const TupleId> tuples) override {
    Check(Held(ref).lock == kExclusive, ref.block, "WillRemoveKilled without the exclusive lock");
    faults.Step();
    killed_removed += tuples.size();
  }

  void CheckConflict(const PageRef& ref) override {
    Check(Held(ref).lock == kExclusive, ref.block, "CheckConflict without the exclusive lock");
    faults.Step();
    conflict_checks.push_back(ref.block);
  }

  void PredicateSplit(BlockNumber from, BlockNumber to) override {
    faults.Step();
    predicate_splits.emplace_back(from, to);
  }

  // For tests and packers: the bytes themselves, past all locks and checks.
  size_t size() const { return pages_.size(); }
  const KeyLayout& layout() const { return *layout_; }
  PageImage& image(BlockNumber block) { return At(block).image; }
  NodeView view(BlockNumber block) { return NodeView(*layout_, At(block).image.bytes); }
  NodeEditor editor(BlockNumber block) { return NodeEditor(*layout_, At(block).image.bytes); }
  BlockNumber Append(const PageImage& image) {
    const BlockNumber block = AddPage();
    pages_[block]->image = image;
    SetLsn(block, lsn_);
    return block;
  }
  Lsn LsnOf(BlockNumber block) {
    const auto* header = reinterpret_cast<const PageHeader*>(At(block).image.bytes);
    return uint64_t{header->lsn_high} << 32 | header->lsn_low;
  }
  void SetLsn(BlockNumber block, Lsn lsn) {
    auto* header = reinterpret_cast<PageHeader*>(At(block).image.bytes);
    header->lsn_high = static_cast<uint32_t>(lsn >> 32);
    header->lsn_low = static_cast<uint32_t>(lsn);
  }
  Lsn AdvanceLsn() { return ++lsn_; }  // a change that the test applies by hand

  bool Locked(BlockNumber block) { return At(block).lock != kUnlocked; }
  int LockedPages() const {
    int count = 0;
    for (const auto& page : pages_) count += page->lock != kUnlocked;
    return count;
  }
  const std::vector<BlockNumber>& free_list() const { return free_; }

  FaultInjector faults;
  std::function<void()> after_commit;          // e.g. check the tree as a crash at this point would leave it
  std::function<void(BlockNumber)> on_unlock;  // between the two halves of Relock: play another backend
  uint64_t next_xid = 1000;
  uint64_t oldest_xid = UINT64_MAX;  // pages deleted before this are given out again
  int64_t commits = 0;
  int64_t committed_pages = 0;
  int64_t allocations = 0;
  size_t killed_removed = 0;
  std::vector<BlockNumber> conflict_checks;
  std::vector<std::pair<BlockNumber, BlockNumber>> predicate_splits;

 private:
  enum LockState { kUnlocked, kPinned, kShared, kExclusive };
  struct Page {
    PageImage image{};
    LockState lock = kUnlocked;
    bool fresh = false;
    int handle = 0;
    int pins = 0;  // held between the two halves of Relock
  };

  static void Check(bool condition, BlockNumber block, const char* what) {
    if (!condition) throw std::logic_error("MemoryStore: page " + std::to_string(block) + ": " + what);
  }

  BlockNumber AddPage() {
    pages_.push_back(std::make_unique<Page>());
    return static_cast<BlockNumber>(pages_.size() - 1);
  }

  Page& At(BlockNumber block) {
    Check(block < pages_.size(), block, "past the end");
    return *pages_[block];
  }

  Page& Held(const PageRef& ref) {
    Page& page = At(ref.block);
    Check(page.lock != kUnlocked && page.handle == ref.handle, ref.block, "used after it was closed");
    return page;
  }

  void Lock(BlockNumber block, Page* page, LockMode mode) {
    Check(page->lock == kUnlocked || page->lock == kPinned, block, "locked twice: this would wait for ever");
    page->lock = mode == LockMode::kShare ? kShared : kExclusive;
  }

  // As the free space map, the list may name pages twice, or pages that are in use again.
  BlockNumber TakeFree() {
    for (size_t i = 0; i < free_.size(); ++i) {
      const BlockNumber block = free_[i];
      if (pages_[block]->lock != kUnlocked || pages_[block]->pins > 0 || !MayReuse(pages_[block]->image.bytes)) continue;
      free_.erase(free_.begin() + static_cast<ptrdiff_t>(i));
      return block;
    }
    return AddPage();
  }

  bool MayReuse(const uint8_t* page) {
    if (reinterpret_cast<const PageHeader*>(page)->upper == 0) return true;
    const bool deleted = reinterpret_cast<const NodeOpaque*>(page + kSpecialOffset)->flags & kNodeDeleted;
    return deleted && Recyclable(reinterpret_cast<const DeletedContent*>(page + kPageHeaderSize)->delete_xid);
  }

  void CheckChange(const PageChange& change) {
    const BlockNumber block = change.page->block;
    Page& page = Held(*change.page);
    Check(page.lock == kExclusive, block, "changed without the exclusive lock");
    Check(change.fresh || !page.fresh, block, "just allocated, but not changed as fresh");
    if (block == kMetaBlock) return;
    const char* error = ValidateNode(*layout_, change.image->bytes, -1);
    Check(error == nullptr, block, error);
  }

  // Replay locks pages in the order of the record; readers hold a supernode's head while they go through its pages.
  void CheckHeadsFirst(std::span<const PageChange> changes) {
    const auto head = [&](const PageChange& change) {
      const NodeView page(*layout_, change.image->bytes);
      return page.supernode_follower() ? page.opaque().link : change.page->block;
    };
    for (size_t i = 1; i < changes.size(); ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (head(changes[i]) != head(changes[j])) continue;
        Check(changes[0].page->block == head(changes[i]), head(changes[i]), "two pages of a supernode changed, its head not first");
      }
    }
  }

  void Apply(const PageChange& change) {
    const BlockNumber block = change.page->block;
    Page& page = At(block);
    if (change.touched.empty()) {
      page.image = *change.image;
    } else {
      ApplyTouched(change, page.image.bytes);
    }
    page.fresh = false;
    const auto* header = reinterpret_cast<const PageHeader*>(page.image.bytes);
    std::memset(page.image.bytes + header->lower, 0, header->upper - header->lower);
    SetLsn(block, lsn_);
  }

  static void ApplyTouched(const PageChange& change, uint8_t* page) {
    const uint8_t* image = change.image->bytes;
    std::memcpy(page, image, kPageHeaderSize);
    for (uint32_t end = 0; const ByteRange& range : change.touched) {
      Check(range.begin >= end && range.begin < range.end, change.page->block, "ranges of a change are not ascending");
      end = range.end;
      std::memcpy(page + range.begin, image + range.begin, range.end - range.begin);
    }
    std::memcpy(page + kSpecialOffset, image + kSpecialOffset, kPageSize - kSpecialOffset);
  }

  const KeyLayout* layout_;
  std::vector<std::unique_ptr<Page>> pages_;
  std::vector<BlockNumber> free_;
  Lsn lsn_ = 1;
  int last_handle_ = 0;
};

// Reads a MemoryStore as a scan's backend does. Its memory lives as long as it does, like a memory context: a scan that
// an exception cut short frees nothing itself.
class MemoryReader final : public PageReader {
 public:
  explicit MemoryReader(MemoryStore& store) : store_(&store) {}
  MemoryReader(const MemoryReader&) = delete;
  MemoryReader& operator=(const MemoryReader&) = delete;
  ~MemoryReader() {
    ReleaseAll();
    for (const auto& [memory, bytes] : memory_) std::free(memory);
  }

  NodeView Open(int slot, BlockNumber block, int expected_level) override {
    faults.Step();
    if (slot < 0 || slot > 1) throw std::logic_error("MemoryReader: no such slot");
    if (open_[slot].bytes != nullptr) throw std::logic_error("MemoryReader: slot in use");
    if (block == kMetaBlock || block >= store_->size()) Corrupt(block, "no such node");
    open_[slot] = store_->OpenUnchecked(block, LockMode::kShare);
    ++opens;
    if (trace != nullptr) trace->push_back(block);
    if (const char* error = ValidateNode(store_->layout(), open_[slot].bytes, expected_level)) Corrupt(block, error);
    return NodeView(store_->layout(), open_[slot].bytes);
  }

  Lsn PageLsn(int slot) override { return store_->PageLsn(open_[slot]); }

  bool Close(int slot) override {
    if (open_[slot].bytes == nullptr) throw std::logic_error("MemoryReader: slot closed twice");
    store_->Close(&open_[slot]);
    return true;
  }

  [[noreturn]] void Corrupt(BlockNumber block, const char* what) override { throw CorruptPage(block, what); }

  void* Reallocate(void* old, size_t bytes) override {
    faults.Step();
    ++reallocations;
    if (old != nullptr && memory_.erase(old) == 0) throw std::logic_error("MemoryReader: memory of another scan");
    void* memory = std::realloc(old, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    memory_[memory] = bytes;
    return memory;
  }

  bool ReadsAhead() override { return reads_ahead; }
  void WillRead(const BlockNumber* blocks, int count, ReadOrder) override {
    if (announced != nullptr) announced->insert(announced->end(), blocks, blocks + count);
  }

  int OpenPages() const { return (open_[0].bytes != nullptr) + (open_[1].bytes != nullptr); }
  size_t AllocatedBytes() const {
    size_t sum = 0;
    for (const auto& [memory, bytes] : memory_) sum += bytes;
    return sum;
  }

  // What a resource owner does after an error.
  void ReleaseAll() {
    for (PageRef& ref : open_) {
      if (ref.bytes != nullptr) store_->Close(&ref);
    }
  }

  FaultInjector faults;
  int64_t opens = 0;
  int64_t reallocations = 0;
  bool reads_ahead = true;
  std::vector<BlockNumber>* trace = nullptr;      // every block opened, in order
  std::vector<BlockNumber>* announced = nullptr;  // every block given to WillRead

 private:
  MemoryStore* store_;
  PageRef open_[2];
  std::unordered_map<void*, size_t> memory_;
};

}  // namespace xtree
