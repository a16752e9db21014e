// Where the records of a bulk load collect: in memory, and in temporary files when they are too many.
//
// For bulk_*.cpp; the access method implements SpillFiles. A store that spills keeps a uniform sample of all its
// records, from which the cut of the space into parts is made (bulk_external.h). Nothing is locked; no WAL.
#pragma once

#include <optional>

#include "core/bulk/bulk_rows.h"

namespace xtree {

// Temporary files, written once from start to end, then read once or more from the start. Functions may throw.
class SpillFiles {
 public:
  virtual ~SpillFiles() = default;
  virtual int Create() = 0;
  virtual void Write(int file, const void* bytes, size_t count) = 0;
  virtual void Rewind(int file) = 0;
  virtual void Read(int file, void* bytes, size_t count) = 0;  // exactly `count` bytes, which have been written
  virtual void Drop(int file) = 0;
};

// Bytes of memory that an open spill file costs, its own buffer and the SpillFiles' (a BufFile has one block and some).
inline constexpr size_t kSpillBuffer = 8192;
inline constexpr size_t kSpillFileMemory = 2 * kSpillBuffer + 1024;

// A finished file, or one of several that make up a part.
struct SpillRun {
  int file;
  uint64_t records;
  uint64_t bytes;  // of the file
};

// Writes records one after another: the packed record, then, with INCLUDE, the payload's length and bytes.
class SpillWriter {
 public:
  SpillWriter(const RecordFormat& format, MemoryBudget& budget, SpillFiles& files);
  void Append(const uint8_t* record, const uint8_t* payload, uint16_t length);
  SpillRun Finish();  // also frees the buffer

 private:
  void Put(const void* bytes, size_t count);

  const RecordFormat* format_;
  SpillFiles* files_;
  BulkBuffer buffer_;
  size_t buffered_ = 0;
  SpillRun run_{};
};

// Reads what SpillWriter wrote, from the start.
class SpillReader {
 public:
  SpillReader(const RecordFormat& format, MemoryBudget& budget, SpillFiles& files, const SpillRun& run);
  bool Next();  // false at the end
  const uint8_t* record() const { return record_; }
  const uint8_t* payload() const { return payload_; }  // valid until Next
  uint16_t payload_length() const { return payload_length_; }

 private:
  const uint8_t* Get(size_t count);

  const RecordFormat* format_;
  SpillFiles* files_;
  SpillRun run_;
  BulkBuffer buffer_;
  size_t at_ = 0;
  size_t end_ = 0;
  uint64_t unread_;  // bytes of the file
  const uint8_t* record_ = nullptr;
  const uint8_t* payload_ = nullptr;
  uint16_t payload_length_ = 0;
};

// Records in memory with their payloads.
class RecordMemory {
 public:
  RecordMemory(const RecordFormat& format, MemoryBudget& budget);

  // False when the memory would exceed `most` bytes; nothing is added then.
  bool Append(const uint8_t* record, const uint8_t* payload, uint16_t length, size_t most);
  void Replace(size_t i, const uint8_t* record) { memcpy(rows_.data() + i * format_->stride(), record, format_->stride()); }
  void Clear();  // keeps the memory
  void Reset();  // gives it back

  const RecordFormat& format() const { return *format_; }
  size_t size() const { return size_; }
  bool marks() const { return marks_; }
  const uint8_t* record(size_t i) const { return rows_.data() + i * format_->stride(); }
  const uint8_t* payloads() const { return payloads_.data(); }
  const uint8_t* Payload(size_t i, uint16_t* length) const;
  size_t payload_bytes() const { return payload_bytes_; }  // lengths included

  // To be ordered. One at a time.
  Records Order();

 private:
  bool AppendPayload(const uint8_t* payload, uint16_t length, size_t most);
  size_t ItemBytes(size_t records) const { return Records::Indirect(*format_) ? records * sizeof(Records::Item) : 0; }

  const RecordFormat* format_;
  BulkBuffer rows_;
  BulkBuffer payloads_;
  BulkBuffer items_;
  size_t size_ = 0;
  size_t payload_bytes_ = 0;
  bool marks_ = false;
};

// Records in memory up to `memory` bytes, beyond that in one file and a sample.
class RecordStore {
 public:
  RecordStore(const RecordFormat& format, MemoryBudget& budget, size_t memory, SpillFiles& files);

  void Append(const uint8_t* record, const uint8_t* payload, uint16_t length);

  bool spilled() const { return writer_.has_value(); }
  uint64_t size() const { return size_; }
  bool marks() const { return marks_ || memory_.marks(); }
  RecordMemory& memory() { return memory_; }  // all records, or where spilled the sample
  SpillRun FinishRun();                       // REQUIRES: spilled

 private:
  void Spill();
  void Keep(const uint8_t* record);

  const RecordFormat* format_;
  MemoryBudget* budget_;
  size_t limit_;
  SpillFiles* files_;
  RecordMemory memory_;
  std::optional<SpillWriter> writer_;
  size_t sample_limit_ = 0;
  uint64_t size_ = 0;
  bool marks_ = false;  // some spilled record has marks
  BulkRandom random_{0x5A3F1E};
};

// Records that a sample of a load with this much memory holds.
size_t SampleLimit(const RecordFormat& format, size_t memory);

// Replaces or adds so that `sample` stays a uniform sample of at most `limit` of the `seen` records, this one included.
void AddToSample(const uint8_t* record, uint64_t seen, size_t limit, size_t memory, BulkRandom* random, RecordMemory* sample);

}  // namespace xtree
