// PageStream: pages of an index that will be read next in a known order, read ahead by the server's read streams. Before PostgreSQL 17 there are
// none: then a stream is empty, and its user reads each page itself.
//
// Pages that are ahead are pinned, so VACUUM, which locks leaves for cleanup, waits for whoever has a stream. Therefore nobody has one while the
// executor does something else. Plain data: after an ERROR pins go with the resource owner and memory with its context. All leave by longjmp.
#pragma once

#include "pg/compat_stream.h"

namespace xtree {

class PageStream {
 public:
  // These blocks, in this order, or `first` to `end` - 1. What is left of a stream before is dropped. Memory: of the current context.
  void BeginList(Relation index, BufferAccessStrategy strategy, pg::StreamFor whom, const BlockNumber* blocks, int count);
  void BeginRange(Relation index, BufferAccessStrategy strategy, BlockNumber first, BlockNumber end);

  // A pin of this page, if it is to come; what was to come before it is dropped. InvalidBuffer: it is not of the stream.
  Buffer Take(BlockNumber block);

  // Gives everything back. Does nothing where there is nothing.
  void End();

 private:
  void Begin(Relation index, BufferAccessStrategy strategy, pg::StreamFor whom);
  static BlockNumber Announce(void* stream);  // the next block, to the server
  BlockNumber BlockAt(BlockNumber i) const { return list_ != nullptr ? list_[i] : first_ + i; }
  BlockNumber PositionOf(BlockNumber block) const;

  pg::ReadStream* stream_ = nullptr;
  BlockNumber* list_ = nullptr;  // nullptr: consecutive blocks
  BlockNumber first_ = 0;
  BlockNumber count_ = 0;
  BlockNumber announced_ = 0;  // of them: the server knows
  BlockNumber taken_ = 0;
};

}  // namespace xtree
