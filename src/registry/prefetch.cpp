// See prefetch.h.
#include "registry/prefetch.h"

#include <sys/mman.h>

#include "pg/settings.h"

extern "C" {
#include "portability/instr_time.h"
#include "utils/spccache.h"
}

namespace xtree {

namespace {

constexpr int kFirstCredit = 256;     // pages looked for before a backend believes that an index is in memory
constexpr int kRenewedCredit = 1024;  // after an absent page
constexpr int kLookAgain = 32;        // credit of a call
constexpr uint32_t kLookAgainEvery = 256;

struct Credit {
  Oid index;
  int credit;
  uint32_t calls;
};
Credit credits[64];  // by hash of the index; a newcomer takes the place

Credit* CreditOf(Relation index) {
  const Oid oid = RelationGetRelid(index);
  Credit* credit = &credits[oid % lengthof(credits)];
  if (credit->index != oid) *credit = {oid, kFirstCredit, 0};
  return credit;
}

// Looks for each page, by advise(block): was it absent?
template <class Advise>
PrefetchResult Prefetch(Relation index, const BlockNumber* blocks, int count, Advise&& advise) {
  if (!MayReadAhead(index, count)) return {};
  Credit* credit = CreditOf(index);
  const int allowed = std::min(count, settings.prefetch_limit);
  instr_time begin, end;
  INSTR_TIME_SET_CURRENT(begin);
  PrefetchResult result = {};
  for (int i = 0; i < allowed; i++) result.pages += advise(blocks[i]);
  INSTR_TIME_SET_CURRENT(end);
  INSTR_TIME_SUBTRACT(end, begin);
  result.microseconds = result.pages == 0 ? 0 : INSTR_TIME_GET_MICROSEC(end);
  credit->credit = result.pages > 0 ? kRenewedCredit : credit->credit - allowed;
  return result;
}

}  // namespace

// A single one is read at once anyway.
bool MayReadAhead(Relation index, int count) {
  return count >= 2 && settings.prefetch_limit > 0 && get_tablespace_io_concurrency(index->rd_rel->reltablespace) > 0;
}

void NoteStreamed(Relation index, int64 absent) {
  Credit* credit = CreditOf(index);
  credit->credit = absent > 0 ? kRenewedCredit : credit->credit - 1;
}

bool PrefetchPays(Relation index) {
  if (settings.prefetch_limit == 0) return false;
  Credit* credit = CreditOf(index);
  if (credit->credit > 0) return true;
  if (++credit->calls % kLookAgainEvery != 0) return false;
  credit->credit = kLookAgain;
  return true;
}

PrefetchResult PrefetchBuffers(Relation index, const BlockNumber* blocks, int count) {
  // Damaged pages may name blocks of segments that do not exist, which is an ERROR of PrefetchBuffer(); whoever reads such a block says more.
  const BlockNumber file_blocks = count < 2 ? 0 : RelationGetNumberOfBlocks(index);
  return Prefetch(index, blocks, count,
                  [=](BlockNumber block) { return block < file_blocks && PrefetchBuffer(index, MAIN_FORKNUM, block).initiated_io; });
}

// The residence is asked first: once the kernel reads the page, it cannot be told from one that was there.
PrefetchResult PrefetchMapped(Relation index, RegisteredIndex* mapped, const BlockNumber* blocks, int count) {
  const FileMapping& mapping = mapped->mapping;
  return Prefetch(index, blocks, count, [&](BlockNumber block) {
    if (block >= mapping.file_blocks()) return false;
    (void)mapped->residence.Absent(mapping, block);
    unsigned char present[2];
    auto* page = const_cast<uint8_t*>(mapping.Page(block));
    if (mincore(page, kPageSize, present) != 0 || ((present[0] & present[1] & 1) != 0)) return false;
    madvise(page, kPageSize, MADV_WILLNEED);
    return true;
  });
}

}  // namespace xtree
