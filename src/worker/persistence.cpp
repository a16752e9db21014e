// See persistence.h. The file: a header, records, and over both a checksum at the end. A record holds what is known of an index as
// plain data. What was counted counts only where the header says that the shutdown was clean; where the server keeps counters
// (shmem/index_counters.h) those of the file are 0.
#include "worker/persistence.h"

#include <fcntl.h>

#include "pg/file_bytes.h"
#include "registry/file_mapping.h"
#include "shmem/event_log.h"
#include "worker/worker_process.h"

extern "C" {
#include "pgstat.h"
#include "storage/fd.h"
}

namespace xtree {

namespace {

constexpr char kPath[] = PGSTAT_STAT_PERMANENT_DIRECTORY "/xtree.stat";
constexpr char kTemporary[] = PGSTAT_STAT_PERMANENT_DIRECTORY "/xtree.stat.tmp";
constexpr uint32 kMagic = 0x58545354;
constexpr uint32 kVersion = 4;
constexpr int kReportedIndexes = 20;
constexpr uint32 kMostRecords = 10000000;  // more is damage

struct FileHeader {
  uint32 magic;
  uint32 version;
  uint32 record_bytes;
  uint32 records;
  uint32 clean;  // written by a shutdown: the counters hold
  uint32 reserved;
  TimestampTz reset_time;
};

struct Record {
  IndexKey key;
  pg::FileLocator locator;
  LoadOptions options;
  Oid table;
  CounterValues counters;
  TimestampTz first_access, last_access;
  int64 load_us;
  char last_error[sizeof(SharedIndex::last_error)];
  TimestampTz last_error_time;
};

void ToRecord(SharedIndex* index, Record* record) {
  memset(static_cast<void*>(record), 0, sizeof(*record));
  record->key = index->key;
  record->counters = OwnCounters(index);
  record->last_access = static_cast<TimestampTz>(pg_atomic_read_u64(&index->last_access));
  SharedIndexLock lock(index);
  record->locator = index->file.locator;
  record->options = index->options;
  record->table = index->table;
  record->first_access = index->first_access;
  record->load_us = index->load_us;
  memcpy(record->last_error, index->last_error, sizeof(record->last_error));
  record->last_error_time = index->last_error_time;
}

// Added to what sessions that were quicker than the worker have counted.
void TakeCounters(SharedIndex* index, Record* record) {
  if (!ServerKeepsCounters()) AddCounts(index, record->counters);
  uint64 unused = 0;
  (void)pg_atomic_compare_exchange_u64(&index->last_access, &unused, static_cast<uint64>(record->last_access));
  SharedIndexLock lock(index);
  if (record->first_access != 0) index->first_access = record->first_access;
  index->load_us = record->load_us;
  if (index->last_error_time != 0) return;
  memcpy(index->last_error, record->last_error, sizeof(index->last_error));
  index->last_error[sizeof(index->last_error) - 1] = '\0';
  index->last_error_time = record->last_error_time;
}

bool WriteAll(const char* bytes, size_t count) {
  const int fd = OpenTransientFile(kTemporary, O_CREAT | O_TRUNC | O_WRONLY | PG_BINARY);
  if (fd < 0) return false;
  const bool written = pg::WriteWhole(fd, bytes, count, 0);
  return CloseTransientFile(fd) == 0 && written;
}

// durable_rename() syncs the file before and the directory after.
void WriteFile(const IndexList& list, bool clean) {
  const size_t most = sizeof(FileHeader) + sizeof(Record) * list.count + sizeof(uint32);
  char* const bytes = static_cast<char*>(MemoryContextAllocHuge(CurrentMemoryContext, most));
  FileHeader header = {kMagic, kVersion, sizeof(Record), 0, clean, 0, shared->reset_time};
  char* at = bytes + sizeof(header);
  for (int i = 0; i < list.count; i++) {
    const IndexStatus status = StatusOf(list.index[i]);
    if (status.dropped || !WasUsed(list.index[i]) || !(clean || status.options.preload)) continue;
    Record record;
    ToRecord(list.index[i], &record);
    memcpy(at, &record, sizeof(record));
    at += sizeof(record);
    header.records++;
  }
  memcpy(bytes, &header, sizeof(header));
  const uint32 checksum = pg::ChecksumOf(bytes, at - bytes);
  memcpy(at, &checksum, sizeof(checksum));
  if (!WriteAll(bytes, at + sizeof(checksum) - bytes)) {
    ereport(LOG, (errcode_for_file_access(), errmsg("could not write file \"%s\": %m", kTemporary)));
  } else {
    (void)durable_rename(kTemporary, kPath, LOG);
  }
  pfree(bytes);
}

// The content, palloc()ed; nullptr: there is no usable file.
char* ReadFile(FileHeader* header) {
  const int fd = OpenTransientFile(kPath, O_RDONLY | PG_BINARY);
  if (fd < 0) return nullptr;
  const off_t bytes = lseek(fd, 0, SEEK_END);
  char* content = nullptr;
  const char* problem = "it is too short";
  if (bytes >= static_cast<off_t>(sizeof(FileHeader) + sizeof(uint32))) {
    content = static_cast<char*>(MemoryContextAllocHuge(CurrentMemoryContext, bytes));
    problem = pg_pread(fd, content, bytes, 0) == bytes ? nullptr : "it cannot be read";
  }
  CloseTransientFile(fd);
  if (problem == nullptr) {
    memcpy(header, content, sizeof(*header));
    uint32 checksum;
    memcpy(&checksum, content + bytes - sizeof(checksum), sizeof(checksum));
    const uint64 expected = sizeof(FileHeader) + uint64{header->records} * sizeof(Record) + sizeof(checksum);
    if (header->magic != kMagic) {
      problem = "it is of another kind";
    } else if (header->version != kVersion || header->record_bytes != sizeof(Record)) {
      problem = "it is of another version";
    } else if (header->records > kMostRecords || expected != static_cast<uint64>(bytes)) {
      problem = "its length is wrong";
    } else if (pg::ChecksumOf(content, bytes - sizeof(checksum)) != checksum) {
      problem = "its checksum is wrong";
    }
  }
  if (problem == nullptr) return content;
  ereport(LOG, (errmsg("ignoring file \"%s\": %s", kPath, problem),
                errdetail("Statistics of xtree indexes begin anew, and indexes are preloaded from their first use on.")));
  return nullptr;
}

uint64 PreloadHash(const Record& record) {
  return record.options.preload
             ? (uint64{record.key.database} << 32 | record.key.index) * UINT64CONST(0x9E3779B97F4A7C15) ^
                   pg::ChecksumOf(&record.locator, sizeof(record.locator)) ^ uint64 { static_cast<uint32>(record.options.strategy) } << 17 ^
                   uint64 { static_cast<uint32>(record.options.memory_quota_kb) } << 33
             : 0;
}

// The index's file, as it is named now; false: it is gone.
bool TakeFile(SharedIndex* index, const Record& record, const FileIdentity& file, uint64 blocks) {
  const TimestampTz now = GetCurrentTimestamp();
  SharedIndexLock lock(index);
  index->options = record.options;
  index->table = record.table;
  if (file.inode == 0 || blocks == 0 || index->file.inode != 0) return file.inode != 0;
  index->file = file;
  index->blocks = blocks;
  if (!record.options.preload || index->state != LoadState::kRegistered) return true;
  index->state = LoadState::kLoading;
  index->state_since = now;
  return true;
}

void ReportOne(IndexKey key, const IndexStatus& status, bool found) {
  ereport(LOG, (errmsg("xtree index with OID %u of the database with OID %u: " UINT64_FORMAT " kB, strategy %s%s%s", key.index,
                       key.database, status.blocks * (kPageSize / 1024), NameOf(status.options.strategy),
                       status.options.preload ? ", preloaded" : "", found ? "" : ", its file is not there")));
}

void TakeResetTime(TimestampTz time) {
  LWLockAcquire(&shared->lock, LW_EXCLUSIVE);
  shared->reset_time = time;
  LWLockRelease(&shared->lock);
}

}  // namespace

void RestoreIndexes() {
  FileHeader header = {};
  const char* content = ReadFile(&header);
  const uint32 count = content != nullptr ? header.records : 0;
  uint64 kilobytes = 0;
  uint32 preloaded = 0;
  for (uint32 i = 0; i < count; i++) {
    Record record;
    memcpy(static_cast<void*>(&record), content + sizeof(header) + i * sizeof(Record), sizeof(record));
    uint64 blocks;
    const FileIdentity file = IdentifyFile(record.locator, &blocks);
    SharedIndex* index = AcquireSharedIndex(record.key);  // until it is released nothing may raise
    const bool found = TakeFile(index, record, file, blocks);
    if (header.clean != 0) TakeCounters(index, &record);
    const IndexStatus status = StatusOf(index);
    ReleaseSharedIndex(index);
    if (i < kReportedIndexes) ReportOne(record.key, status, found);
    kilobytes += status.blocks * (kPageSize / 1024);
    preloaded += record.options.preload;
    Breathe();
  }
  if (header.clean != 0 && count > 0) TakeResetTime(header.reset_time);
  ereport(LOG, (errmsg("xtree worker started: %u indexes are known, " UINT64_FORMAT " kB, %u of them to be preloaded", count, kilobytes,
                       preloaded)));
  WriteFile(HoldIndexes(), false);  // counters that a crash must not bring back
  ReleaseIndexes();
}

void SavePreloadList(const IndexList& list) {
  static uint64 saved = 0;
  uint64 now = 1;
  for (int i = 0; i < list.count; i++) {
    if (!StatusOf(list.index[i]).options.preload) continue;
    Record record;
    ToRecord(list.index[i], &record);
    now += PreloadHash(record);
  }
  if (now == saved) return;
  WriteFile(list, false);
  saved = now;
}

void SaveStatistics() {
  WriteFile(HoldIndexes(), true);
  ReleaseIndexes();
}

}  // namespace xtree
