// What the files of our own in pg_stat are written with: a checksum over plain data, and writing that says why it failed.
#pragma once

#include "pg/postgres_api.h"

namespace pg {

// CRC-32C.
uint32 ChecksumOf(const void* bytes, size_t count);

// All of it, or false with errno; that of a disk that took a part only is ENOSPC.
bool WriteWhole(int fd, const void* bytes, size_t count, off_t offset);

}  // namespace pg
