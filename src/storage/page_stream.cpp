// See page_stream.h.
#include "storage/page_stream.h"

#include <algorithm>

namespace xtree {

// Damaged pages may name blocks beyond the end of the file: who reads such a block itself says more than the server does.
void PageStream::BeginList(Relation index, BufferAccessStrategy strategy, pg::StreamFor whom, const BlockNumber* blocks, int count) {
  End();
  if (!pg::kHasReadStreams || count < 2) return;
  const BlockNumber end = RelationGetNumberOfBlocks(index);
  list_ = static_cast<BlockNumber*>(palloc(sizeof(BlockNumber) * count));
  count_ = std::copy_if(blocks, blocks + count, list_, [=](BlockNumber block) { return block < end; }) - list_;
  Begin(index, strategy, whom);
}

void PageStream::BeginRange(Relation index, BufferAccessStrategy strategy, BlockNumber first, BlockNumber end) {
  End();
  if (!pg::kHasReadStreams) return;
  first_ = first;
  count_ = end - first;
  Begin(index, strategy, pg::StreamFor::kMaintenance);
}

BlockNumber PageStream::Announce(void* argument) {
  auto* stream = static_cast<PageStream*>(argument);
  return stream->announced_ < stream->count_ ? stream->BlockAt(stream->announced_++) : InvalidBlockNumber;
}

void PageStream::Begin(Relation index, BufferAccessStrategy strategy, pg::StreamFor whom) {
  announced_ = taken_ = 0;
  stream_ = pg::BeginReadStream<Announce>(index, strategy, whom, this);
}

// count_: nowhere among those to come.
BlockNumber PageStream::PositionOf(BlockNumber block) const {
  if (list_ != nullptr) return std::find(list_ + taken_, list_ + count_, block) - list_;
  return block >= first_ + taken_ && block < first_ + count_ ? block - first_ : count_;
}

Buffer PageStream::Take(BlockNumber block) {
  if (stream_ == nullptr) return InvalidBuffer;
  const BlockNumber position = PositionOf(block);
  if (position == count_) return InvalidBuffer;
  for (; taken_ < position; taken_++) ReleaseBuffer(pg::NextOfStream(stream_));
  taken_++;
  const Buffer buffer = pg::NextOfStream(stream_);
  if (taken_ == count_) End();
  return buffer;
}

void PageStream::End() {
  if (stream_ != nullptr) pg::EndReadStream(stream_);
  if (list_ != nullptr) pfree(list_);
  stream_ = nullptr;
  list_ = nullptr;
}

}  // namespace xtree
