// See file_bytes.h.
#include "pg/file_bytes.h"

extern "C" {
#include "port/pg_crc32c.h"
}

namespace pg {

uint32 ChecksumOf(const void* bytes, size_t count) {
  pg_crc32c crc;
  INIT_CRC32C(crc);
  COMP_CRC32C(crc, bytes, count);
  FIN_CRC32C(crc);
  return crc;
}

bool WriteWhole(int fd, const void* bytes, size_t count, off_t offset) {
  errno = 0;
  if (pg_pwrite(fd, bytes, count, offset) == static_cast<ssize_t>(count)) return true;
  if (errno == 0) errno = ENOSPC;
  return false;
}

}  // namespace pg
