// Records of a bulk load in memory and in temporary files.
#include "core/bulk/bulk_store.h"

#include <algorithm>

namespace xtree {

SpillWriter::SpillWriter(const RecordFormat& format, MemoryBudget& budget, SpillFiles& files)
    : format_(&format), files_(&files), buffer_(budget) {
  buffer_.Resize(kSpillBuffer);
  run_.file = files.Create();
}

void SpillWriter::Append(const uint8_t* record, const uint8_t* payload, uint16_t length) {
  Put(record, format_->stride());
  if (format_->payload()) {
    Put(&length, sizeof length);
    Put(payload, length);
  }
  run_.records++;
}

void SpillWriter::Put(const void* bytes, size_t count) {
  const uint8_t* from = static_cast<const uint8_t*>(bytes);
  run_.bytes += count;
  while (count > 0) {
    const size_t now = std::min(count, kSpillBuffer - buffered_);
    memcpy(buffer_.data() + buffered_, from, now);
    buffered_ += now;
    from += now;
    count -= now;
    if (buffered_ < kSpillBuffer) continue;
    files_->Write(run_.file, buffer_.data(), buffered_);
    buffered_ = 0;
  }
}

SpillRun SpillWriter::Finish() {
  if (buffered_ > 0) files_->Write(run_.file, buffer_.data(), buffered_);
  buffered_ = 0;
  buffer_.Reset();
  return run_;
}

SpillReader::SpillReader(const RecordFormat& format, MemoryBudget& budget, SpillFiles& files, const SpillRun& run)
    : format_(&format), files_(&files), run_(run), buffer_(budget), unread_(run.bytes) {
  const size_t largest = format.stride() + (format.payload() ? sizeof(uint16_t) + UINT16_MAX : 0);
  buffer_.Resize(std::max<size_t>(format.payload() ? 2 * kSpillBuffer : kSpillBuffer, format.payload() ? 0 : largest));
  files.Rewind(run.file);
}

// The next `count` bytes, contiguous.
const uint8_t* SpillReader::Get(size_t count) {
  if (end_ - at_ < count) {
    memmove(buffer_.data(), buffer_.data() + at_, end_ - at_);
    end_ -= at_;
    at_ = 0;
    if (buffer_.capacity() < count) buffer_.Resize(count);
    const size_t more = std::min<uint64_t>(buffer_.capacity() - end_, unread_);
    files_->Read(run_.file, buffer_.data() + end_, more);
    end_ += more;
    unread_ -= more;
  }
  at_ += count;
  return buffer_.data() + at_ - count;
}

bool SpillReader::Next() {
  if (run_.records == 0) return false;
  run_.records--;
  size_t bytes = format_->stride();
  if (format_->payload()) {
    bytes += sizeof payload_length_;
    memcpy(&payload_length_, Get(bytes) + format_->stride(), sizeof payload_length_);
    at_ -= bytes;
    bytes += payload_length_;
  }
  record_ = Get(bytes);
  payload_ = record_ + bytes - payload_length_;
  return true;
}

RecordMemory::RecordMemory(const RecordFormat& format, MemoryBudget& budget)
    : format_(&format), rows_(budget), payloads_(budget), items_(budget) {}

bool RecordMemory::Append(const uint8_t* record, const uint8_t* payload, uint16_t length, size_t most) {
  const size_t stride = format_->stride();
  if ((size_ + 1) * stride > rows_.capacity()) {
    const size_t others = payloads_.capacity();
    if (others >= most) return false;
    const size_t records = (most - others) / Records::BytesPerRecord(*format_);
    if (!rows_.Grow((size_ + 1) * stride, records * stride)) return false;
  }
  uint8_t* to = rows_.data() + size_ * stride;
  if (format_->payload() && !AppendPayload(payload, length, most)) return false;
  memcpy(to, record, stride);
  if (format_->payload()) format_->SetPayload(payload_bytes_ - sizeof length - length, to);
  marks_ |= format_->Marks(record) != 0;
  size_++;
  return true;
}

bool RecordMemory::AppendPayload(const uint8_t* payload, uint16_t length, size_t most) {
  const size_t others = rows_.capacity() + ItemBytes(rows_.capacity() / format_->stride());
  const size_t needed = payload_bytes_ + sizeof length + length;
  if (needed > payloads_.capacity() && !payloads_.Grow(needed, most > others ? most - others : 0)) return false;
  memcpy(payloads_.data() + payload_bytes_, &length, sizeof length);
  if (length > 0) memcpy(payloads_.data() + payload_bytes_ + sizeof length, payload, length);
  payload_bytes_ = needed;
  return true;
}

const uint8_t* RecordMemory::Payload(size_t i, uint16_t* length) const {
  *length = 0;
  if (!format_->payload()) return nullptr;
  const uint8_t* at = payloads_.data() + format_->Payload(record(i));
  *length = RecordFormat::Load<uint16_t>(at);
  return at + sizeof *length;
}

void RecordMemory::Clear() {
  size_ = 0;
  payload_bytes_ = 0;
  marks_ = false;
}

void RecordMemory::Reset() {
  Clear();
  rows_.Reset();
  payloads_.Reset();
  items_.Reset();
}

Records RecordMemory::Order() {
  if (ItemBytes(size_) > items_.capacity()) items_.Resize(ItemBytes(size_));
  return Records(*format_, rows_.data(), reinterpret_cast<Records::Item*>(items_.data()), size_, marks_);
}

RecordStore::RecordStore(const RecordFormat& format, MemoryBudget& budget, size_t memory, SpillFiles& files)
    : format_(&format), budget_(&budget), limit_(memory), files_(&files), memory_(format, budget) {}

void RecordStore::Append(const uint8_t* record, const uint8_t* payload, uint16_t length) {
  size_++;
  if (!writer_) {
    if (memory_.Append(record, payload, length, limit_)) return;
    Spill();
  }
  marks_ |= format_->Marks(record) != 0;
  writer_->Append(record, payload, length);
  AddToSample(record, size_, sample_limit_, limit_, &random_, &memory_);
}

// Everything so far goes to the file; a random choice of it stays as the sample.
void RecordStore::Spill() {
  writer_.emplace(*format_, *budget_, *files_);
  for (size_t i = 0; i < memory_.size(); i++) {
    uint16_t length;
    const uint8_t* payload = memory_.Payload(i, &length);
    writer_->Append(memory_.record(i), payload, length);
  }
  RecordMemory sample(*format_, *budget_);
  sample_limit_ = SampleLimit(*format_, limit_);
  for (size_t i = 0; i < memory_.size(); i++) AddToSample(memory_.record(i), i + 1, sample_limit_, limit_, &random_, &sample);
  marks_ = memory_.marks();
  memory_ = std::move(sample);
}

SpillRun RecordStore::FinishRun() { return writer_->Finish(); }

size_t SampleLimit(const RecordFormat& format, size_t memory) {
  return std::clamp<size_t>(memory / 16 / Records::BytesPerRecord(format), 32, 16384);
}

void AddToSample(const uint8_t* record, uint64_t seen, size_t limit, size_t memory, BulkRandom* random, RecordMemory* sample) {
  if (sample->size() < limit) {
    sample->Append(record, nullptr, 0, memory);
    return;
  }
  const uint64_t place = random->Below(seen);
  if (place < limit) sample->Replace(place, record);
}

}  // namespace xtree
