// See file_mapping.h.
#include "registry/file_mapping.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cstdlib>

extern "C" {
#include "common/relpath.h"
#include "storage/fd.h"
}

namespace xtree {

namespace {

// Segment `number` of the main fork. Paths are relative to the data directory, where every server process works.
struct SegmentPath {
  SegmentPath(const pg::FileLocator& locator) { base = pg::MainForkPath(locator); }
  const char* Name(int number) {
    if (number == 0) return base;
    snprintf(buffer, sizeof(buffer), "%s.%d", base, number);
    return buffer;
  }
  void Free() { pfree(base); }

  char* base;
  char buffer[MAXPGPATH];
};

const char* NameOfFileSystem(long type) {
  switch (static_cast<unsigned long>(type) & 0xffffffff) {
    case 0x6969:
      return "NFS";
    case 0xff534d42:
    case 0xfe534d42:
      return "SMB";
    case 0x65735546:
      return "FUSE";
    case 0x01021997:
      return "9p";
    case 0x00c36400:
      return "Ceph";
    case 0x0bd00bd0:
      return "Lustre";
    case 0x2fc12fc1:
      return "ZFS";
    case 0x858458f6:
      return "ramfs";
    default:
      return "another";
  }
}

// What of the file system is in the way; nullptr: write() and a mapping share one copy of each page. Files are opened for writing, as the server
// opens them: an overlay file system copies a file then that lay in a lower layer, and who has it open for reading only would go on reading that one.
const char* WhyNotShared(int fd) {
  static char reason[128];
  struct statfs system;
  if (fstatfs(fd, &system) != 0) return "its file system cannot be examined";
  constexpr long kXfs = 0x58465342, kBtrfs = 0x9123683E, kExt = 0xEF53, kTmpfs = 0x01021994, kOverlay = 0x794c7630;
  const long type = static_cast<long>(system.f_type);
  if (type == kExt || type == kXfs || type == kBtrfs || type == kTmpfs || type == kOverlay) return nullptr;
  snprintf(reason, sizeof(reason), "its file system (%s, type 0x%lx) is not known to share the page cache between mappings and writes",
           NameOfFileSystem(type), type);
  return reason;
}

const char* ReasonOf(int error) {
  switch (error) {
    case ENOENT:
      return "its file does not exist";
    case EMFILE:
    case ENFILE:
      return "too many files are open (max_files_per_process, or the limits of the operating system)";
    case ENOMEM:
      return "no address space, or too many mappings (vm.max_map_count)";
    case EACCES:
    case EPERM:
      return "no permission to map its file";
    case EROFS:
      return "its file system is read-only";
    case ENODEV:
      return "its file system does not map files";
    default:
      return "its file cannot be mapped";
  }
}

// Room to grow: half as much again.
size_t MappedBytes(size_t file_bytes) {
  constexpr size_t kSegment = size_t{RELSEG_SIZE} * kPageSize;
  const size_t wanted = file_bytes + file_bytes / 2 + 128 * kPageSize;
  return std::min(kSegment, wanted / kPageSize * kPageSize);
}

}  // namespace

bool FileMapping::AddSegment(int number, const uint8_t* base) {
  if (number == 0) {
    first_ = base;
    return true;
  }
  auto** more = static_cast<const uint8_t**>(realloc(more_, sizeof(*more_) * number));
  if (more == nullptr) return false;
  more_ = more;
  more_[number - 1] = base;
  return true;
}

const char* FileMapping::MapSegment(const char* path, int number, bool* last) {
  const int fd = BasicOpenFile(path, O_RDWR | PG_BINARY);
  if (fd < 0) {
    *last = true;
    return number > 0 && errno == ENOENT ? nullptr : ReasonOf(errno);
  }
  struct stat status;
  const bool known = fstat(fd, &status) == 0;
  const char* const not_shared = known ? WhyNotShared(fd) : nullptr;
  const size_t file_bytes = known ? static_cast<size_t>(status.st_size) / kPageSize * kPageSize : 0;
  *last = file_bytes < size_t{kSegmentBlocks} * kPageSize;
  const size_t bytes = MappedBytes(file_bytes);
  void* base = known && not_shared == nullptr && file_bytes > 0 ? mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  const int error = errno;
  close(fd);
  if (!known) return "its file cannot be examined";
  if (not_shared != nullptr) return not_shared;
  if (file_bytes == 0) return number > 0 ? nullptr : "its file is empty";
  if (base == MAP_FAILED) return ReasonOf(error);
  if (!AddSegment(number, static_cast<const uint8_t*>(base))) {
    munmap(base, bytes);
    return ReasonOf(ENOMEM);
  }
  if (number == 0) {
    identity_.device = status.st_dev;
    identity_.inode = status.st_ino;
  }
  blocks_ = number * kSegmentBlocks + static_cast<BlockNumber>(bytes / kPageSize);
  file_blocks_ = number * kSegmentBlocks + static_cast<BlockNumber>(file_bytes / kPageSize);
  return nullptr;
}

const char* FileMapping::Map(const pg::FileLocator& locator) {
  SegmentPath path(locator);
  identity_.locator = locator;
  const char* problem = nullptr;
  bool last = false;
  for (int number = 0; problem == nullptr && !last; number++) problem = MapSegment(path.Name(number), number, &last);
  path.Free();
  if (problem != nullptr) Unmap();
  return problem;
}

void FileMapping::Unmap() {
  ForEachRange(0, blocks_, [](uint8_t* base, size_t bytes) { munmap(base, bytes); });
  free(more_);
  free(verified_);
  *this = FileMapping();
}

void FileMapping::ReadPagesAlone() {
  reads_pages_alone_ = true;
  ForEachRange(0, blocks_, [](uint8_t* base, size_t bytes) { madvise(base, bytes, MADV_RANDOM); });
}

void FileMapping::SetVerified(BlockNumber block) {
  if (verified_ == nullptr) verified_ = static_cast<uint8_t*>(calloc(blocks_ / 8 + 1, 1));
  if (verified_ != nullptr) verified_[block / 8] |= static_cast<uint8_t>(1 << (block % 8));
}

size_t FileMapping::SystemPageBytes() {
  static const size_t bytes = sysconf(_SC_PAGESIZE);
  return bytes;
}

int64_t FileMapping::ResidentBytes() const {
  int64_t resident = 0;
  ForEachResidentPage([&](uint64_t) { resident++; });
  return resident * static_cast<int64_t>(SystemPageBytes());
}

FileIdentity IdentifyFile(const pg::FileLocator& locator, uint64_t* blocks) {
  SegmentPath path(locator);
  FileIdentity identity = {};
  identity.locator = locator;
  *blocks = 0;
  struct stat status;
  for (int number = 0; stat(path.Name(number), &status) == 0; number++) {
    if (number == 0) {
      identity.device = status.st_dev;
      identity.inode = status.st_ino;
    }
    *blocks += static_cast<uint64_t>(status.st_size) / kPageSize;
    if (static_cast<uint64_t>(status.st_size) < uint64_t{RELSEG_SIZE} * kPageSize) break;
  }
  path.Free();
  return identity;
}

void ForEachSegmentFile(const pg::FileLocator& locator, int flags, void (*visit)(int fd, const char* path)) {
  SegmentPath path(locator);
  for (int number = 0;; number++) {
    const char* name = path.Name(number);
    const int fd = OpenTransientFile(name, flags | PG_BINARY);
    if (fd < 0) break;
    visit(fd, name);
    CloseTransientFile(fd);
  }
  path.Free();
}

void DropPageCache(const pg::FileLocator& locator) {
  ForEachSegmentFile(locator, O_RDONLY, [](int fd, const char*) { (void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED); });
}

}  // namespace xtree
