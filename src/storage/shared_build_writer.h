// SharedBuildWriter: a BuildWriter among several that write one new index, in processes of one parallel build.
//
// Every block number is drawn from one counter in shared memory, so that no page remains unused. Pages are disjoint, so
// only the borders of the relation's files need a lock, the one for relation extension. Each process logs what it
// writes. The main fork only. One of the writers writes blocks 0 and 1 and finishes, after all others have flushed and
// gone.
#pragma once

#include <atomic>

#include "storage/build_writer.h"

namespace xtree {

class SharedBuildWriter final : public BuildWriter {
 public:
  // `next_block`: kRootBlock + 1 at first.
  SharedBuildWriter(Relation index, std::atomic<uint32_t>* next_block) : BuildWriter(index), next_block_(next_block) {}
  BlockNumber Reserve(int count) override;

 private:
  void Put(BlockNumber block, const uint8_t* page) override;

  std::atomic<uint32_t>* next_block_;
  BlockNumber segment_ = InvalidBlockNumber;  // last written to
};

static_assert(std::atomic<uint32_t>::is_always_lock_free && std::atomic<uint64_t>::is_always_lock_free);

}  // namespace xtree
