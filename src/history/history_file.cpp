// See history_file.h.
#include "history/history_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "history/index_files.h"
#include "pg/file_bytes.h"
#include "pg/settings.h"

extern "C" {
#include "storage/fd.h"
}

namespace xtree {

namespace {

constexpr uint32 kMagic = 0x58544849;
constexpr uint32 kVersion = 1;

struct FileHeader {
  uint32 magic;
  uint32 version;
  uint32 record_bytes;
  uint32 capacity;  // places
};

struct Record {
  Sample sample;
  uint32 crc;
  uint32 reserved;
};
static_assert(sizeof(Record) == kSampleBytes);

Record RecordOf(const Sample& sample) { return {sample, pg::ChecksumOf(&sample, sizeof(sample)), 0}; }

bool IsOurs(const FileHeader& header) {
  return header.magic == kMagic && header.version == kVersion && header.record_bytes == sizeof(Record) && header.capacity > 0 &&
         header.capacity <= kMostSamples;
}

off_t PlaceOf(const Sample& sample, uint32 capacity) {
  return static_cast<off_t>(sizeof(FileHeader) + sizeof(Record) * (static_cast<uint64>(IntervalOf(sample.time)) % capacity));
}

// The ring gets another size, or what was there is of no use: what is still to be kept is written anew.
bool BeginRing(IndexKey key, int fd, uint32 capacity) {
  History kept;
  if (!ReadHistory(key, &kept)) kept = {};
  const FileHeader header = {kMagic, kVersion, sizeof(Record), capacity};
  if (ftruncate(fd, 0) != 0 || !pg::WriteWhole(fd, &header, sizeof(header), 0)) return false;
  for (int i = 0; i < kept.count; i++) {
    const Record record = RecordOf(kept.sample[i]);
    if (!pg::WriteWhole(fd, &record, sizeof(record), PlaceOf(record.sample, capacity))) return false;
  }
  return true;
}

}  // namespace

int64 HistoryRetention() { return int64{settings.history_retention_min} * 60 * USECS_PER_SEC; }

int64 HistoryInterval() { return int64{settings.history_interval_s} * USECS_PER_SEC; }

int64 IntervalOf(TimestampTz time) { return time / HistoryInterval(); }

bool WriteSample(IndexKey key, const Sample& sample) {
  const int fd = OpenIndexFile(key, IndexFile::kHistory, O_RDWR | O_CREAT);
  if (fd < 0) return false;
  const auto capacity = static_cast<uint32>(std::min<int64>(kMostSamples, HistoryRetention() / HistoryInterval() + 1));
  FileHeader header;
  bool good = pg_pread(fd, &header, sizeof(header), 0) == sizeof(header) && IsOurs(header) && header.capacity == capacity;
  if (!good) good = BeginRing(key, fd, capacity);
  const Record record = RecordOf(sample);
  good = good && pg::WriteWhole(fd, &record, sizeof(record), PlaceOf(sample, capacity));
  const int saved = errno;
  good = CloseTransientFile(fd) == 0 && good;
  if (saved != 0) errno = saved;
  return good;
}

bool ReadHistory(IndexKey key, History* out) {
  *out = {};
  const int fd = OpenIndexFile(key, IndexFile::kHistory, O_RDONLY);
  if (fd < 0) return errno == ENOENT;
  struct stat status;
  const off_t size = fstat(fd, &status) == 0 ? status.st_size : -1;
  const auto bytes = static_cast<size_t>(std::clamp<off_t>(size, 0, sizeof(FileHeader) + sizeof(Record) * kMostSamples));
  auto* const content = static_cast<char*>(palloc(bytes + 1));
  const ssize_t got = size < 0 ? -1 : pg_pread(fd, content, bytes, 0);
  const int saved = errno;
  CloseTransientFile(fd);
  errno = saved;
  if (got < 0) return false;

  FileHeader header = {};
  if (got >= static_cast<ssize_t>(sizeof(header))) memcpy(&header, content, sizeof(header));
  const size_t records = IsOurs(header) ? (got - sizeof(header)) / sizeof(Record) : 0;
  const TimestampTz from = GetCurrentTimestamp() - HistoryRetention();
  out->sample = static_cast<Sample*>(palloc(sizeof(Sample) * std::max<size_t>(1, records)));
  for (size_t i = 0; i < records; i++) {
    Record record;
    memcpy(&record, content + sizeof(header) + sizeof(record) * i, sizeof(record));
    if (record.sample.time >= from && record.crc == pg::ChecksumOf(&record.sample, sizeof(record.sample))) {
      out->sample[out->count++] = record.sample;
    }
  }
  pfree(content);
  std::sort(out->sample, out->sample + out->count, [](const Sample& a, const Sample& b) { return a.time < b.time; });
  return true;
}

}  // namespace xtree
