// See successions.h.
#include "shmem/successions.h"

#include "shmem/shared_state.h"

extern "C" {
#include "common/hashfn.h"
}

namespace xtree {

namespace {

constexpr uint32 kSets = 256;
constexpr int kPlaces = 8;            // of a set
constexpr uint32 kHalveAt = 1 << 10;  // sessions, so that the past fades

struct Follower {
  Oid index;  // of the same database; 0: the place is free
  uint32 times;
};

struct Row {
  IndexKey key;  // index 0: the place is free
  uint32 sessions;
  Follower follower[kFollowers];
};

}  // namespace

struct SuccessionTable {
  LWLock lock;
  Row row[kSets][kPlaces];
};

namespace {

uint32 SetOf(IndexKey key) {
  const uint32 words[2] = {key.database, key.index};
  return hash_bytes(reinterpret_cast<const unsigned char*>(words), sizeof(words)) % kSets;
}

// nullptr: there is none.
Row* Find(IndexKey key) {
  for (Row& row : SharedSuccessions()->row[SetOf(key)]) {
    if (row.key == key) return &row;
  }
  return nullptr;
}

// That of the index, or a new one in the place of the one that the fewest sessions used.
Row* FindOrMake(IndexKey key) {
  if (Row* found = Find(key); found != nullptr) return found;
  Row* const set = SharedSuccessions()->row[SetOf(key)];
  Row* least = set;
  for (int i = 1; i < kPlaces; i++) {
    if (set[i].sessions < least->sessions) least = &set[i];
  }
  *least = Row{key, 0, {}};
  return least;
}

void CountSession(Row* row) {
  if (++row->sessions < kHalveAt) return;
  row->sessions /= 2;
  for (Follower& follower : row->follower) follower.times /= 2;
}

void CountFollower(Row* row, Oid index) {
  Follower* place = row->follower;
  for (Follower& follower : row->follower) {
    if (follower.index == index) {
      follower.times++;
      return;
    }
    if (follower.times < place->times) place = &follower;
  }
  *place = {index, 1};
}

}  // namespace

size_t SuccessionTableBytes() { return sizeof(SuccessionTable); }

void InitializeSuccessionTable(void* memory, int tranche) {
  auto* const table = static_cast<SuccessionTable*>(memory);
  memset(static_cast<void*>(table), 0, sizeof(*table));
  LWLockInitialize(&table->lock, tranche);
}

void NoteSuccession(IndexKey before, IndexKey now) {
  if (!LWLockConditionalAcquire(&SharedSuccessions()->lock, LW_EXCLUSIVE)) return;
  CountSession(FindOrMake(now));
  Row* const row = before.index != InvalidOid && before.database == now.database ? Find(before) : nullptr;
  if (row != nullptr) CountFollower(row, now.index);
  LWLockRelease(&SharedSuccessions()->lock);
}

int FollowersOf(IndexKey index, IndexKey follower[kFollowers]) {
  if (!LWLockConditionalAcquire(&SharedSuccessions()->lock, LW_SHARED)) return 0;
  int count = 0;
  if (const Row* const row = Find(index); row != nullptr) {
    for (const Follower& f : row->follower) {
      if (f.times >= kFewestSessions && 2 * f.times >= row->sessions) follower[count++] = {index.database, f.index};
    }
  }
  LWLockRelease(&SharedSuccessions()->lock);
  return count;
}

void ForgetSuccessions(IndexKey index) {
  LWLockAcquire(&SharedSuccessions()->lock, LW_EXCLUSIVE);
  if (Row* const row = Find(index); row != nullptr) *row = Row{};
  LWLockRelease(&SharedSuccessions()->lock);
}

}  // namespace xtree
