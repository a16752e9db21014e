// See hot_set.h. The file: a header, the ranges, the hot pages, and a checksum over all of it.
#include "history/hot_set.h"

#include <sys/stat.h>
#include "pg/file_bytes.h"

extern "C" {
#include "storage/fd.h"
}

namespace xtree {

namespace {

constexpr uint32 kMagic = 0x58544853;
constexpr uint32 kVersion = 1;
constexpr int kMostPages = 10000000;  // places of hot pages, the setting's maximum: more is damage

struct FileHeader {
  uint32 magic;
  uint32 version;
  pg::FileLocator locator;
  LoadOptions options;
  Oid table;
  uint32 loaded;
  TimestampTz last_access;
  TimestampTz saved;
  int32 ranges;
  int32 pages;
};

struct PageRecord {
  BlockNumber block;
  int32 level;
  uint64 accesses;
  double frequency;
  TimestampTz first_access;
  TimestampTz last_access;
};

size_t BytesOf(int ranges, int pages) {
  return sizeof(FileHeader) + sizeof(PageRange) * ranges + sizeof(PageRecord) * pages + sizeof(uint32);
}

// Not more than the file has, and palloc()ed; nullptr: it is not there, or not to be read.
char* ReadAll(IndexKey key, size_t* bytes) {
  const int fd = OpenIndexFile(key, IndexFile::kHotSet, O_RDONLY);
  if (fd < 0) return nullptr;
  struct stat status;
  char* content = nullptr;
  if (fstat(fd, &status) == 0 && status.st_size >= static_cast<off_t>(BytesOf(0, 0)) &&
      status.st_size <= static_cast<off_t>(BytesOf(kMostRanges, kMostPages))) {
    *bytes = static_cast<size_t>(status.st_size);
    content = static_cast<char*>(MemoryContextAllocHuge(CurrentMemoryContext, *bytes));
    if (pg_pread(fd, content, *bytes, 0) != status.st_size) {
      pfree(content);
      content = nullptr;
    }
  }
  CloseTransientFile(fd);
  return content;
}

}  // namespace

// Not by a file of another name that is renamed: one that is torn is of no use and no harm, since nothing is lost but the reading ahead.
bool WriteHotSet(IndexKey key, const HotSet& set) {
  const size_t bytes = BytesOf(set.ranges, set.pages);
  auto* const content = static_cast<char*>(MemoryContextAllocHuge(CurrentMemoryContext, bytes));
  FileHeader header;
  memset(static_cast<void*>(&header), 0, sizeof(header));
  header.magic = kMagic;
  header.version = kVersion;
  header.locator = set.locator;
  header.options = set.options;
  header.table = set.table;
  header.loaded = set.loaded;
  header.last_access = set.last_access;
  header.saved = set.saved;
  header.ranges = set.ranges;
  header.pages = set.pages;
  char* at = content;
  memcpy(at, &header, sizeof(header));
  at += sizeof(header);
  if (set.ranges > 0) memcpy(at, set.range, sizeof(PageRange) * set.ranges);
  at += sizeof(PageRange) * set.ranges;
  for (int i = 0; i < set.pages; i++, at += sizeof(PageRecord)) {
    const HotPage& page = set.page[i];
    const PageRecord record = {page.block, page.level, page.accesses, page.frequency, page.first_access, page.last_access};
    memcpy(at, &record, sizeof(record));
  }
  const uint32 checksum = pg::ChecksumOf(content, at - content);
  memcpy(at, &checksum, sizeof(checksum));

  const int fd = OpenIndexFile(key, IndexFile::kHotSet, O_WRONLY | O_CREAT | O_TRUNC);
  bool good = fd >= 0;
  if (good) {
    good = pg::WriteWhole(fd, content, bytes, 0);
    const int saved = errno;
    good = CloseTransientFile(fd) == 0 && good;
    if (saved != 0) errno = saved;
  }
  pfree(content);
  return good;
}

bool ReadHotSet(IndexKey key, HotSet* out) {
  size_t bytes = 0;
  const char* const content = ReadAll(key, &bytes);
  if (content == nullptr) return false;
  FileHeader header;
  memcpy(static_cast<void*>(&header), content, sizeof(header));
  if (header.magic != kMagic || header.version != kVersion || header.ranges < 0 || header.ranges > kMostRanges || header.pages < 0 ||
      header.pages > kMostPages || BytesOf(header.ranges, header.pages) != bytes) {
    return false;
  }
  uint32 checksum;
  memcpy(&checksum, content + bytes - sizeof(checksum), sizeof(checksum));
  if (checksum != pg::ChecksumOf(content, bytes - sizeof(checksum))) return false;
  *out = {};
  out->locator = header.locator;
  out->options = header.options;
  out->table = header.table;
  out->loaded = header.loaded != 0;
  out->last_access = header.last_access;
  out->saved = header.saved;
  out->ranges = header.ranges;
  out->range = static_cast<PageRange*>(palloc(sizeof(PageRange) * std::max(1, header.ranges)));
  memcpy(out->range, content + sizeof(header), sizeof(PageRange) * header.ranges);
  out->pages = header.pages;
  out->page = static_cast<HotPage*>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(HotPage) * std::max(1, header.pages)));
  const char* at = content + sizeof(header) + sizeof(PageRange) * header.ranges;
  for (int i = 0; i < header.pages; i++, at += sizeof(PageRecord)) {
    PageRecord record;
    memcpy(&record, at, sizeof(record));
    out->page[i] = {key, record.block, record.level, record.accesses, record.frequency, record.first_access, record.last_access, false};
  }
  return true;
}

}  // namespace xtree
