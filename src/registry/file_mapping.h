// FileMapping: the main fork of a relation, mapped for reading, segment by segment. Plain data; Unmap it yourself.
//
// Who maps: backends that scan, through the registry; the worker, to pin and to measure. The caller holds a lock on the relation, or
// bears that the file goes away meanwhile: the mapping keeps the old file, and identity() tells which one that is. Nothing is locked
// here and nothing raised: what fails says why.
#pragma once

#include <sys/mman.h>

#include "shmem/index_table.h"

namespace xtree {

class FileMapping {
 public:
  // Maps the file as long as it is now and somewhat longer, so that it may grow for a while. nullptr, or what is in the way.
  const char* Map(const pg::FileLocator& locator);
  void Unmap();
  // Of an index that is not kept as a whole: a page that is absent is read alone. Else the kernel reads as much around it as the device's read-ahead
  // says, 128 kB or more, of which a search in a tree needs nothing.
  void ReadPagesAlone();
  bool reads_pages_alone() const { return reads_pages_alone_; }

  bool mapped() const { return blocks_ != 0; }
  const FileIdentity& identity() const { return identity_; }
  // Pages below this are in address space; those above file_blocks(), as of the time of mapping, may lie beyond the file's end: SIGBUS.
  BlockNumber blocks() const { return blocks_; }
  BlockNumber file_blocks() const { return file_blocks_; }
  size_t bytes() const { return size_t{blocks_} * kPageSize; }

  // REQUIRES: block < blocks().
  const uint8_t* Page(BlockNumber block) const {
    if (block < kSegmentBlocks) return first_ + size_t{block} * kPageSize;
    return more_[block / kSegmentBlocks - 1] + size_t{block % kSegmentBlocks} * kPageSize;
  }

  // Calls visit(begin, bytes, context) for the parts that [first, first + count) consists of.
  template <class Visit>
  void ForEachRange(BlockNumber first, BlockNumber count, Visit&& visit) const {
    const BlockNumber end = first + std::min(count, blocks_ - std::min(first, blocks_));
    while (first < end) {
      const BlockNumber part = std::min(end - first, kSegmentBlocks - first % kSegmentBlocks);
      visit(const_cast<uint8_t*>(Page(first)), size_t{part} * kPageSize);
      first += part;
    }
  }

  // Was the page's checksum found right through this mapping? A bit per page, made at first use; without memory for it: never.
  bool Verified(BlockNumber block) const { return verified_ != nullptr && (verified_[block / 8] >> (block % 8) & 1) != 0; }
  void SetVerified(BlockNumber block);

  // Bytes of the file that are in the page cache, by mincore(). Takes about 1 ms per GiB.
  int64_t ResidentBytes() const;

  // Calls visit(block) for the blocks of the file with a page in the page cache, in order.
  template <class Visit>
  void ForEachResidentBlock(Visit&& visit) const {
    BlockNumber last = InvalidBlockNumber;
    ForEachResidentPage([&](uint64_t page) {
      const auto block = static_cast<BlockNumber>(page * SystemPageBytes() / kPageSize);
      if (block != last) visit(block);
      last = block;
    });
  }

 private:
  static constexpr BlockNumber kSegmentBlocks = RELSEG_SIZE;

  static size_t SystemPageBytes();

  // Calls visit(number) for each of the operating system's pages of the file that is in the page cache.
  template <class Visit>
  void ForEachResidentPage(Visit&& visit) const {
    constexpr size_t kWindow = 4096;  // looked at together
    const size_t page = SystemPageBytes();
    unsigned char present[kWindow];
    uint64_t number = 0;
    ForEachRange(0, file_blocks_, [&](uint8_t* base, size_t bytes) {
      for (size_t at = 0; at < bytes; at += kWindow * page) {
        const size_t length = std::min(bytes - at, kWindow * page);
        const bool known = mincore(base + at, length, present) == 0;
        for (size_t i = 0; i < length / page; i++, number++) {
          if (known && (present[i] & 1) != 0) visit(number);
        }
      }
    });
  }

  const char* MapSegment(const char* path, int number, bool* last);
  bool AddSegment(int number, const uint8_t* base);

  const uint8_t* first_ = nullptr;
  const uint8_t** more_ = nullptr;  // malloc()ed
  uint8_t* verified_ = nullptr;     // malloc()ed
  BlockNumber blocks_ = 0;
  BlockNumber file_blocks_ = 0;
  bool reads_pages_alone_ = false;
  FileIdentity identity_ = {};
};
static_assert(std::is_trivially_destructible_v<FileMapping>);

// The identity of the file that a relation has now; inode 0: there is none. Sets *blocks to its length.
FileIdentity IdentifyFile(const pg::FileLocator& locator, uint64_t* blocks);

// Calls visit(descriptor, path) for each segment that can be opened, in order, and closes it. visit may raise: the abort closes it then.
void ForEachSegmentFile(const pg::FileLocator& locator, int flags, void (*visit)(int fd, const char* path));

// Frees the page cache of a relation's files, as far as no process maps them: posix_fadvise(DONTNEED).
void DropPageCache(const pg::FileLocator& locator);

}  // namespace xtree
