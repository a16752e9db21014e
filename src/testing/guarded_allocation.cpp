// For builds with AddressSanitizer, which knows what malloc() returned but not the chunks that a memory context cuts from it: whatever this library
// allocates from a context gets a block of its own, whose end is poisoned. The linker leads the library's calls here (--wrap, see the Makefile);
// builds with stop points, which count the same calls, do without.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(XTREE_STOP_POINTS)

#include <sanitizer/asan_interface.h>

#include <algorithm>

#include "pg/compat.h"

namespace {

// Beyond the largest chunk that an allocation set cuts from a block (ALLOC_CHUNK_LIMIT).
constexpr Size kOwnBlock = 8 * 1024 + 1;

Size Enlarged(Size bytes) { return std::max(bytes, kOwnBlock); }

void* Guarded(void* memory, Size bytes) {
  if (bytes < kOwnBlock) __asan_poison_memory_region(static_cast<char*>(memory) + bytes, kOwnBlock - bytes);
  return memory;
}

}  // namespace

extern "C" {

void* __real_palloc(Size bytes);
void* __real_palloc0(Size bytes);
void* __real_repalloc(void* old, Size bytes);
void* __real_repalloc_huge(void* old, Size bytes);
void* __real_MemoryContextAlloc(MemoryContext context, Size bytes);
void* __real_MemoryContextAllocHuge(MemoryContext context, Size bytes);
void* __real_MemoryContextAllocZero(MemoryContext context, Size bytes);

void* __wrap_palloc(Size bytes) { return Guarded(__real_palloc(Enlarged(bytes)), bytes); }

void* __wrap_palloc0(Size bytes) { return Guarded(__real_palloc0(Enlarged(bytes)), bytes); }

void* __wrap_repalloc(void* old, Size bytes) { return Guarded(__real_repalloc(old, Enlarged(bytes)), bytes); }

void* __wrap_repalloc_huge(void* old, Size bytes) { return Guarded(__real_repalloc_huge(old, Enlarged(bytes)), bytes); }

void* __wrap_MemoryContextAlloc(MemoryContext context, Size bytes) {
  return Guarded(__real_MemoryContextAlloc(context, Enlarged(bytes)), bytes);
}

void* __wrap_MemoryContextAllocHuge(MemoryContext context, Size bytes) {
  return Guarded(__real_MemoryContextAllocHuge(context, Enlarged(bytes)), bytes);
}

void* __wrap_MemoryContextAllocZero(MemoryContext context, Size bytes) {
  return Guarded(__real_MemoryContextAllocZero(context, Enlarged(bytes)), bytes);
}

void* __wrap_MemoryContextAllocZeroAligned(MemoryContext context, Size bytes) {
  return Guarded(__real_MemoryContextAllocZero(context, Enlarged(bytes)), bytes);
}

}  // extern "C"

#endif
#endif
