// The setting xtree.fail_allocation = N, for tests: from the time that it is set, the Nth allocation that this library asks for fails, and only
// that one; 0 means none. Builds with stop points only. The linker leads the library's calls of the functions below here (--wrap, see the
// Makefile), so that no caller knows; what the server allocates on its own is not counted. Each fails as the wrapped function would: palloc() and
// its like raise ERRCODE_OUT_OF_MEMORY, malloc() and mmap() return an error, operator new throws; dshash_find_or_insert() raises it with the lock of
// the entry's partition held, as it does where the area has no room for a new entry.
#ifdef XTREE_STOP_POINTS

#include <sys/mman.h>

#include <cerrno>
#include <new>

#include "pg/compat.h"
#include "testing/stop_point.h"

extern "C" {
#include "lib/dshash.h"
#include "utils/dsa.h"

void* __real_palloc(Size bytes);
void* __real_palloc0(Size bytes);
void* __real_palloc_extended(Size bytes, int flags);
void* __real_repalloc(void* old, Size bytes);
void* __real_repalloc_huge(void* old, Size bytes);
void* __real_MemoryContextAlloc(MemoryContext context, Size bytes);
void* __real_MemoryContextAllocZero(MemoryContext context, Size bytes);
void* __real_MemoryContextAllocExtended(MemoryContext context, Size bytes, int flags);
void* __real_MemoryContextAllocHuge(MemoryContext context, Size bytes);
MemoryContext __real_AllocSetContextCreateInternal(MemoryContext parent, const char* name, Size least, Size first, Size most);
dsa_pointer __real_dsa_allocate_extended(dsa_area* area, size_t bytes, int flags);
#ifdef dshash_find_or_insert  // from PostgreSQL 19 on a name for this with no flags
void* __real_dshash_find_or_insert_extended(dshash_table* table, const void* key, bool* found, int flags);
#else
void* __real_dshash_find_or_insert(dshash_table* table, const void* key, bool* found);
#endif
void* __real_malloc(size_t bytes);
void* __real_calloc(size_t count, size_t bytes);
void* __real_realloc(void* old, size_t bytes);
void* __real_mmap(void* where, size_t bytes, int protection, int flags, int file, off_t offset);
void* __real__Znwm(size_t bytes);
void* __real__ZnwmRKSt9nothrow_t(size_t bytes, const std::nothrow_t& none);
void* __real__ZnwmSt11align_val_t(size_t bytes, std::align_val_t alignment);
}

namespace xtree {
namespace {

int failing = 0;  // the setting
int allocations = 0;

bool Fails() { return failing > 0 && ++allocations == failing; }

void RaiseOutOfMemory() {
  ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"), errdetail("By xtree.fail_allocation.")));
}

void RaiseIfFails() {
  if (Fails()) RaiseOutOfMemory();
}

void ThrowIfFails() {
  if (Fails()) throw std::bad_alloc();
}

void Assign(int, void*) { allocations = 0; }

void* FindOrInsert(dshash_table* table, const void* key, bool* found) {
#ifdef dshash_find_or_insert
  return __real_dshash_find_or_insert_extended(table, key, found, 0);
#else
  return __real_dshash_find_or_insert(table, key, found);
#endif
}

// Has the partition of the key locked, and the table as it was.
void LockPartition(dshash_table* table, const void* key) {
  bool found;
  void* entry = FindOrInsert(table, key, &found);
  if (found) return;
  dshash_release_lock(table, entry);
  dshash_seq_status walk;
  dshash_seq_init(&walk, table, true);
  while (dshash_seq_next(&walk) != entry) continue;
  dshash_delete_current(&walk);  // which leaves the partition locked, as long as the walk does not go on
}

}  // namespace

void DefineFailingAllocation() {
  DefineCustomIntVariable("xtree.fail_allocation", "Makes one allocation of this session fail.", "Counted from when it is set. For tests.",
                          &failing, 0, 0, INT_MAX, PGC_SUSET, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, nullptr, Assign, nullptr);
}

}  // namespace xtree

extern "C" {

void* __wrap_palloc(Size bytes) {
  xtree::RaiseIfFails();
  return __real_palloc(bytes);
}

void* __wrap_palloc0(Size bytes) {
  xtree::RaiseIfFails();
  return __real_palloc0(bytes);
}

void* __wrap_palloc_extended(Size bytes, int flags) {
  if (!(flags & MCXT_ALLOC_NO_OOM)) {
    xtree::RaiseIfFails();
  } else if (xtree::Fails()) {
    return nullptr;
  }
  return __real_palloc_extended(bytes, flags);
}

void* __wrap_repalloc(void* old, Size bytes) {
  xtree::RaiseIfFails();
  return __real_repalloc(old, bytes);
}

void* __wrap_repalloc_huge(void* old, Size bytes) {
  xtree::RaiseIfFails();
  return __real_repalloc_huge(old, bytes);
}

void* __wrap_MemoryContextAlloc(MemoryContext context, Size bytes) {
  xtree::RaiseIfFails();
  return __real_MemoryContextAlloc(context, bytes);
}

void* __wrap_MemoryContextAllocZero(MemoryContext context, Size bytes) {
  xtree::RaiseIfFails();
  return __real_MemoryContextAllocZero(context, bytes);
}

// Is the same but for its speed, and gone from PostgreSQL 17 on.
void* __wrap_MemoryContextAllocZeroAligned(MemoryContext context, Size bytes) {
  xtree::RaiseIfFails();
  return __real_MemoryContextAllocZero(context, bytes);
}

void* __wrap_MemoryContextAllocExtended(MemoryContext context, Size bytes, int flags) {
  if (!(flags & MCXT_ALLOC_NO_OOM)) {
    xtree::RaiseIfFails();
  } else if (xtree::Fails()) {
    return nullptr;
  }
  return __real_MemoryContextAllocExtended(context, bytes, flags);
}

void* __wrap_MemoryContextAllocHuge(MemoryContext context, Size bytes) {
  xtree::RaiseIfFails();
  return __real_MemoryContextAllocHuge(context, bytes);
}

MemoryContext __wrap_AllocSetContextCreateInternal(MemoryContext parent, const char* name, Size least, Size first, Size most) {
  xtree::RaiseIfFails();
  return __real_AllocSetContextCreateInternal(parent, name, least, first, most);
}

dsa_pointer __wrap_dsa_allocate_extended(dsa_area* area, size_t bytes, int flags) {
  if (!(flags & DSA_ALLOC_NO_OOM)) {
    xtree::RaiseIfFails();
  } else if (xtree::Fails()) {
    return InvalidDsaPointer;
  }
  return __real_dsa_allocate_extended(area, bytes, flags);
}

#ifdef dshash_find_or_insert
void* __wrap_dshash_find_or_insert_extended(dshash_table* table, const void* key, bool* found, int) {
#else
void* __wrap_dshash_find_or_insert(dshash_table* table, const void* key, bool* found) {
#endif
  if (xtree::Fails()) {
    xtree::LockPartition(table, key);
    xtree::RaiseOutOfMemory();
  }
  return xtree::FindOrInsert(table, key, found);
}

void* __wrap_malloc(size_t bytes) { return xtree::Fails() ? nullptr : __real_malloc(bytes); }

void* __wrap_calloc(size_t count, size_t bytes) { return xtree::Fails() ? nullptr : __real_calloc(count, bytes); }

void* __wrap_realloc(void* old, size_t bytes) { return xtree::Fails() ? nullptr : __real_realloc(old, bytes); }

void* __wrap_mmap(void* where, size_t bytes, int protection, int flags, int file, off_t offset) {
  if (!xtree::Fails()) return __real_mmap(where, bytes, protection, flags, file, offset);
  errno = ENOMEM;
  return MAP_FAILED;
}

void* __wrap__Znwm(size_t bytes) {
  xtree::ThrowIfFails();
  return __real__Znwm(bytes);
}

void* __wrap__ZnwmRKSt9nothrow_t(size_t bytes, const std::nothrow_t& none) {
  return xtree::Fails() ? nullptr : __real__ZnwmRKSt9nothrow_t(bytes, none);
}

void* __wrap__ZnwmSt11align_val_t(size_t bytes, std::align_val_t alignment) {
  xtree::ThrowIfFails();
  return __real__ZnwmSt11align_val_t(bytes, alignment);
}

}  // extern "C"

#endif
