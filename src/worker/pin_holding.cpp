// See pin_holding.h.
#include "worker/pin_holding.h"

#include "shmem/event_log.h"

namespace xtree {

namespace {

Holding* holdings = nullptr;
MemoryContext pin_context = nullptr;

constexpr int kSets = 4;

size_t WordsOf(BlockNumber blocks) { return (size_t{blocks} + 63) / 64; }

void Close(Holding* holding) {
  if (holding->blocks == 0) return;
  holding->mapping.Unmap();  // unlocks
  pfree(holding->locked.word);
  holding->locked = holding->wanted = holding->requested = holding->directory = {nullptr};
  holding->blocks = 0;
  holding->locked_bytes = 0;
  holding->walked = 0;
  ShowPinned(holding);
}

// Said once, not in each cycle.
void NoteMemory(Holding* holding, BlockNumber blocks, bool enough) {
  if (!enough && !holding->no_memory)
    LogEvent(EventKind::kFailure, holding->index->key, int64{blocks} * kPageSize, "not pinned: out of memory");
  holding->no_memory = !enough;
}

// Takes the mapping and the words over in place of what the holding had. What was requested of the same file stays so.
void Replace(Holding* holding, const FileMapping& mapping, uint64* word, BlockNumber blocks, bool same_file) {
  const size_t words = WordsOf(blocks);
  const BlockSet requested = {word + 2 * words};
  if (same_file) memcpy(requested.word, holding->requested.word, WordsOf(std::min(blocks, holding->blocks)) * sizeof(uint64));
  Close(holding);
  holding->mapping = mapping;
  holding->locked = {word};
  holding->wanted = {word + words};
  holding->requested = requested;
  holding->directory = {word + 3 * words};
  holding->blocks = blocks;
}

// Maps the file as it is now; nothing is locked any more. False: that cannot be, and a holding of the same file stays
// as it was.
bool Open(Holding* holding, const IndexStatus& status) {
  const bool same_file = holding->blocks > 0 && holding->mapping.identity() == status.file;
  if (!same_file) Close(holding);
  FileMapping mapping;
  if (mapping.Map(status.file.locator) != nullptr) return false;
  const BlockNumber blocks = mapping.file_blocks();
  uint64* word = nullptr;
  const bool right_file = mapping.identity() == status.file;
  if (right_file) {
    word = static_cast<uint64*>(MemoryContextAllocExtended(pin_context, kSets * WordsOf(blocks) * sizeof(uint64),
                                                           MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO | MCXT_ALLOC_NO_OOM));
    NoteMemory(holding, blocks, word != nullptr);
  }
  if (word == nullptr) {
    mapping.Unmap();
    return false;
  }
  Replace(holding, mapping, word, blocks, same_file);
  return true;
}

}  // namespace

Holding* FirstHolding() { return holdings; }

Holding* FindHolding(const SharedIndex* index) {
  for (Holding* holding = holdings; holding != nullptr; holding = holding->next) {
    if (holding->index == index) return holding;
  }
  return nullptr;
}

void ShowPinned(Holding* holding) {
  SharedIndexLock lock(holding->index);
  holding->index->pinned_bytes = holding->locked_bytes;
}

Holding* AddHolding(SharedIndex* index) {
  if (pin_context == nullptr) pin_context = AllocSetContextCreate(TopMemoryContext, "xtree pins", ALLOCSET_DEFAULT_SIZES);
  auto* holding = static_cast<Holding*>(MemoryContextAllocZero(pin_context, sizeof(Holding)));
  holding->index = index;
  holding->mapping = FileMapping();
  pg_atomic_fetch_add_u32(&index->references, 1);
  holding->next = holdings;
  holdings = holding;
  return holding;
}

void RemoveHolding(Holding* holding) {
  Close(holding);
  Holding** link = &holdings;
  while (*link != holding) link = &(*link)->next;
  *link = holding->next;
  ReleaseSharedIndex(holding->index);
  pfree(holding);
}

Holding* UsableHolding(SharedIndex* index, const IndexStatus& status) {
  if (status.state != LoadState::kLoaded || status.strategy == Strategy::kStreamed || status.dropped) return nullptr;
  Holding* holding = FindHolding(index);
  if (holding == nullptr) holding = AddHolding(index);
  if (holding->refused_since == status.state_since) return nullptr;
  holding->refused_since = 0;
  const bool current = holding->blocks > 0 && holding->mapping.identity() == status.file;
  const bool grown = current && status.blocks > holding->blocks + holding->blocks / 8;
  if (!current || grown) (void)Open(holding, status);
  return holding->blocks > 0 ? holding : nullptr;
}

void Clear(BlockSet set, BlockNumber blocks) { memset(set.word, 0, WordsOf(blocks) * sizeof(uint64)); }

void ClearWanted() {
  for (Holding* holding = holdings; holding != nullptr; holding = holding->next) {
    if (holding->blocks > 0) Clear(holding->wanted, holding->blocks);
  }
}

}  // namespace xtree
