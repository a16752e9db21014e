// See parallel_scan.h. amestimateparallelscan, aminitparallelscan, amparallelrescan. The pool is guarded by a spinlock: a few nodes are copied under
// it, and for the nearest one some hundred numbers are compared.
#include "am/parallel_scan.h"

#include "am/entry_points.h"
#include "pg/compat_am.h"

extern "C" {
#include "miscadmin.h"
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/spin.h"
#include "utils/wait_event.h"
}

namespace xtree {

// Nodes that found no room are visited by whoever found them. Of these, a window scan has one level's children more than fit at worst.
constexpr int kRoom = 1024;

struct ParallelPool {
  slock_t mutex;              // guards what follows, but `changed`
  ConditionVariable changed;  // something was put in, or a visit ended
  bool begun;
  int visiting;  // participants whose children are still to come
  int count;
  pg_atomic_uint64 least;  // the least rank there is, read without the lock: a DistanceRank
  TeamNode node[kRoom];
};

namespace {

class PoolLock {
 public:
  explicit PoolLock(ParallelPool* pool) : pool_(pool) { SpinLockAcquire(&pool_->mutex); }
  ~PoolLock() { SpinLockRelease(&pool_->mutex); }
  PoolLock(const PoolLock&) = delete;

 private:
  ParallelPool* pool_;
};

enum class Turn { kMine, kNothing, kWait };

// Calls look() until it does not say kWait, and sleeps in between. Interruptible.
template <class Look>
Turn WaitFor(ParallelPool* pool, Look&& look) {
  Turn turn = look();
  if (turn != Turn::kWait) return turn;
  ConditionVariablePrepareToSleep(&pool->changed);
  while ((turn = look()) == Turn::kWait) ConditionVariableSleep(&pool->changed, PG_WAIT_EXTENSION);
  ConditionVariableCancelSleep();
  return turn;
}

// Under the lock.
void SetLeast(ParallelPool* pool) {
  DistanceRank least = kNoDistance;
  for (int i = 0; i < pool->count; i++) least = std::min(least, pool->node[i].rank);
  pg_atomic_write_u64(&pool->least, static_cast<uint64>(least));
}

void Empty(ParallelPool* pool) {
  pool->begun = false;
  pool->visiting = pool->count = 0;
  pg_atomic_write_u64(&pool->least, static_cast<uint64>(kNoDistance));
}

}  // namespace

void ParallelTeam::Attach(ParallelPool* pool, bool ordered, void (*began)(void* scan), void* scan) {
  scan_ = scan;
  began_ = began;
  pool_ = pool;
  ordered_ = ordered;
}

void ParallelTeam::Attach(IndexScanDesc scan, void (*began)(void* scan)) {
  Attach(static_cast<ParallelPool*>(pg::SharedPartOf(scan->parallel_scan)), scan->numberOfOrderBys > 0, began, scan);
}

bool ParallelTeam::Begin() {
  const Turn turn = WaitFor(pool_, [this] {
    PoolLock lock(pool_);
    if (!pool_->begun) {
      pool_->begun = true;
      pool_->visiting = 1;
      return Turn::kMine;
    }
    return ordered_ && pool_->visiting > 0 ? Turn::kWait : Turn::kNothing;
  });
  if (turn != Turn::kMine) return false;
  began_(scan_);
  return true;
}

bool ParallelTeam::Take(NodePointer* node) {
  return WaitFor(pool_, [this, node] {
           PoolLock lock(pool_);
           if (pool_->count == 0) return pool_->visiting > 0 ? Turn::kWait : Turn::kNothing;
           *node = pool_->node[--pool_->count].pointer;
           pool_->visiting++;
           return Turn::kMine;
         }) == Turn::kMine;
}

bool ParallelTeam::TakeNearest(DistanceRank most, NodePointer* node) {
  const auto least = static_cast<DistanceRank>(pg_atomic_read_u64(&pool_->least));
  if (least > most || least == kNoDistance) return false;
  PoolLock lock(pool_);
  TeamNode* const end = pool_->node + pool_->count;
  TeamNode* const nearest = std::min_element(pool_->node, end, [](const TeamNode& a, const TeamNode& b) { return a.rank < b.rank; });
  if (nearest == end || nearest->rank > most) return false;
  *node = nearest->pointer;
  *nearest = end[-1];
  pool_->count--;
  SetLeast(pool_);
  return true;
}

int ParallelTeam::Put(const TeamNode* nodes, int count) {
  PoolLock lock(pool_);
  const int room = kRoom - pool_->count;
  const int put = ordered_ && count > room ? 0 : std::min(count, room);
  std::copy_n(nodes + count - put, put, pool_->node + pool_->count);
  pool_->count += put;
  return count - put;
}

void ParallelTeam::EndVisit() {
  {
    PoolLock lock(pool_);
    pool_->visiting--;
    if (ordered_) SetLeast(pool_);
  }
  ConditionVariableBroadcast(&pool_->changed);
}

Size ParallelPoolBytes() { return sizeof(ParallelPool); }

void InitializePool(ParallelPool* pool) {
  SpinLockInit(&pool->mutex);
  ConditionVariableInit(&pool->changed);
  pg_atomic_init_u64(&pool->least, static_cast<uint64>(kNoDistance));
  Empty(pool);
}

void EmptyPool(ParallelPool* pool) {
  PoolLock lock(pool);
  Empty(pool);
}

}  // namespace xtree

extern "C" Size xtreeestimateparallelscan() { return xtree::ParallelPoolBytes(); }

extern "C" void xtreeinitparallelscan(void* target) { xtree::InitializePool(static_cast<xtree::ParallelPool*>(target)); }

// Before workers are started again.
extern "C" void xtreeparallelrescan(IndexScanDesc scan) {
  xtree::EmptyPool(static_cast<xtree::ParallelPool*>(pg::SharedPartOf(scan->parallel_scan)));
}
