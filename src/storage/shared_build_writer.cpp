// See shared_build_writer.h.
#include "storage/shared_build_writer.h"

#include "pg/compat.h"

namespace xtree {

BlockNumber SharedBuildWriter::Reserve(int count) {
  const uint32_t first = next_block_->fetch_add(static_cast<uint32_t>(count));
  if (first > MaxBlockNumber - static_cast<uint32_t>(count)) {
    next_block_->store(MaxBlockNumber);
    throw std::length_error("index has too many pages");
  }
  return first;
}

// The storage manager pads a relation's file with zeroes up to its last block when it begins the next one; a page that
// somebody else is writing there must not be lost.
void SharedBuildWriter::Put(BlockNumber block, const uint8_t* page) {
  const BlockNumber segment = block / RELSEG_SIZE;
  const bool border = segment != segment_ || block % RELSEG_SIZE == RELSEG_SIZE - 1;
  if (border) LockRelationForExtension(index(), ExclusiveLock);
  pg::ExtendFork(index(), fork(), block, page);
  if (border) UnlockRelationForExtension(index(), ExclusiveLock);
  segment_ = segment;
}

}  // namespace xtree
