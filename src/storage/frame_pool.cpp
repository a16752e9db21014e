// See frame_pool.h.
#include "storage/frame_pool.h"

#include <utility>

extern "C" {
#include "utils/memutils.h"
}

namespace xtree {

FramePool::Chunk* FramePool::kept_ = nullptr;
Size FramePool::kept_bytes_ = 0;

void* FramePool::Take(Size bytes) {
  if (bytes > kChunk - sizeof(Chunk)) return nullptr;
  Chunk* chunk = kept_;
  if (chunk != nullptr) {
    kept_ = chunk->next;
    kept_bytes_ -= kChunk;
  } else {
    chunk = static_cast<Chunk*>(MemoryContextAlloc(TopMemoryContext, kChunk));
  }
  chunk->next = std::exchange(taken_, chunk);
  return chunk + 1;
}

void FramePool::GiveBack() {
  while (taken_ != nullptr) {
    Chunk* chunk = std::exchange(taken_, taken_->next);
    if (kept_bytes_ + kChunk > kMostKept) {
      pfree(chunk);
    } else {
      chunk->next = std::exchange(kept_, chunk);
      kept_bytes_ += kChunk;
    }
  }
}

}  // namespace xtree
