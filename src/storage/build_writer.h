// BuildWriter: writes the pages of a new index, each once, past the shared buffers.
//
// For CREATE INDEX and for the init fork of an unlogged index, whose relation nobody else can see, and for deferred builds, to whose
// pages nothing leads: no locks. Blocks 0 and 1 come last (the tree is complete when its root is there), as do the meta page and the
// sync. WAL is wal.cpp's LogNewPages, in batches; a build that fails leaves a file that the abort of its transaction drops, or pages
// that the next deferred build cuts off. Functions throw PgError; interrupts are served at each batch.
#pragma once

#include "core/bulk/bulk_write.h"
#include "pg/postgres_api.h"

namespace xtree {

class BuildWriter : public PageSink {
 public:
  // REQUIRES: the fork has `blocks` blocks: none, or the meta page of an index that is not built.
  explicit BuildWriter(Relation index, ForkNumber fork = MAIN_FORKNUM, BlockNumber blocks = 0);

  BlockNumber Reserve(int count) override;
  void Write(BlockNumber block, const PageImage& image) override;

  void Flush();

  // The meta page, and what makes the index durable. REQUIRES: every reserved block and the root are written.
  void Finish(const PageImage& meta);
  // What makes it durable alone: the meta page is in the shared buffers.
  void FinishWithoutMeta();

 protected:
  // May raise: within PgCall only.
  virtual void Put(BlockNumber block, const uint8_t* page);

  Relation index() const { return index_; }
  ForkNumber fork() const { return fork_; }

 private:
  // One WAL record has room for this many blocks. Aligned for direct I/O.
  static constexpr int kBatch = 32;
  struct alignas(4096) Batch {
    uint8_t page[kBatch][kPageSize];
    BlockNumber block[kBatch];
  };

  void WriteBatch();
  bool NeedsSync() const;

  Relation index_;
  ForkNumber fork_;
  std::unique_ptr<Batch> batch_;
  int batched_ = 0;
  BlockNumber next_ = kRootBlock + 1;  // to reserve
  BlockNumber size_;                   // of the file
};

}  // namespace xtree
