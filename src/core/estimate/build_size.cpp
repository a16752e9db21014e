// See build_size.h.
#include "core/estimate/build_size.h"

#include <algorithm>
#include <cmath>

#include "core/bulk/bulk_load.h"
#include "core/bulk/bulk_parallel.h"

namespace xtree {

namespace {

// Of the memory, as BulkLoader shares it out.
constexpr double kShareOfRows = kQuartersForRows / 4.0, kShareOfPart = kQuartersForPart / 4.0,
                 kShareOfDownlinks = kQuartersForDownlinks / 4.0;
constexpr double kSmallestPart = 0.8;  // beside the mean one

// Nodes are planned, and none is written.
class NoPages final : public PageSink {
 public:
  BlockNumber Reserve(int) override { return kInvalidBlock; }
  void Write(BlockNumber, const PageImage&) override {}
};

class NoMemory final : public BulkEnvironment {
 public:
  void* Reallocate(void*, size_t) override { throw std::bad_alloc(); }
  void Free(void*) noexcept override {}
  void CheckInterrupts() override {}
  void Progress(BulkPhase, uint64_t, uint64_t) override {}
};

double Bytes(const RecordFormat& format, const RowsToLoad& rows) {
  return static_cast<double>(format.stride()) + (format.payload() ? rows.payload : 0);
}
double BytesInMemory(const RecordFormat& format, const RowsToLoad& rows) {
  return Bytes(format, rows) + static_cast<double>(Records::BytesPerRecord(format) - format.stride());
}

class SizePlan {
 public:
  // `more`: leaves for each that is planned.
  SizePlan(const KeyLayout& layout, const BulkOptions& options, const RowsToLoad& rows, const BuildRoom& room, double more)
      : row_(layout, true),
        entry_(layout, false),
        rows_(rows),
        limit_(static_cast<double>(std::max(room.memory / static_cast<size_t>(std::max(room.participants, 1)), kMinBulkMemory))),
        participants_(std::max(room.participants, 1)),
        more_(more),
        budget_(environment_, static_cast<size_t>(limit_)),
        writer_(layout, options, pages_, environment_),
        rows_builder_(layout, options, 1, 0, writer_, budget_),
        entries_builder_(layout, options, 1, 1, writer_, budget_) {
    writer_.Expect(static_cast<uint64_t>(rows.rows), rows.marks);
    leaf_capacity_ = static_cast<double>(writer_.LeafCapacity(row_.payload() ? rows.payload + 0.5 : 0)) / more_;
    capacity_ = static_cast<double>(writer_.DirectoryCapacity());
  }

  BuildSize Plan() {
    const bool parallel = participants_ > 1;
    size_.in_memory = !parallel && rows_.rows * BytesInMemory(row_, rows_) <= kShareOfRows * limit_;
    double records = rows_.rows;
    int level = 0;
    bool parts = !size_.in_memory;
    while (parts && level < kMaxLevel - 2) {
      const RecordFormat& format = level == 0 ? row_ : entry_;
      const double count = parallel && level == 0 ? PartsInParallel() : PartsOf(format, records);
      if (count <= 1) break;
      const int height = HeightOf(format, records / count);
      for (int h = 0; h <= height; h++) Add(level + h, count * Nodes(records / count, level, h));
      records = count * Nodes(records / count, level, height);
      level += height + 1;
      parts = records * BytesInMemory(entry_, {}) > kShareOfDownlinks * limit_;
    }
    PlanRoot(records, level);
    return size_;
  }

 private:
  void Add(int level, double pages) {
    size_.pages[level] = pages;
    size_.levels = std::max(size_.levels, level + 1);
  }
  double CapacityAt(int level) const { return level == 0 ? leaf_capacity_ : capacity_; }

  // `height` levels above those that the records of `level` become entries of.
  double Nodes(double records, int level, int height) const {
    double nodes = std::max(std::ceil(records / CapacityAt(level)), 1.0);
    for (int h = 0; h < height; h++) nodes = std::ceil(nodes / capacity_);
    return nodes;
  }

  void PlanRoot(double records, int level) {
    for (int height = 0; level + height < kMaxLevel; height++) {
      const double nodes = Nodes(records, level, height);
      Add(level + height, nodes);
      if (nodes <= 1) return;
    }
  }

  double PartsOf(const RecordFormat& format, double records) const {
    const double memory = kShareOfPart * limit_, files = std::clamp(memory / 2 / kSpillFileMemory, 2.0, double{kMaxParts});
    double parts = 1, bytes = records * Bytes(format, rows_);
    do {
      const double more = std::clamp(std::ceil(bytes / (kExpectedFill * memory)), 2.0, files);
      parts *= more;
      bytes /= more;
    } while (records / parts * BytesInMemory(format, rows_) > memory && parts < records);
    return parts;
  }

  double PartsInParallel() const {
    const double bytes = rows_.rows * Bytes(row_, rows_), leaves = rows_.rows / leaf_capacity_;
    const double for_memory = std::ceil(bytes / (kExpectedFill * kShareOfPart * limit_));
    const double for_balance = static_cast<double>(kPartsPerParticipant) * participants_;
    const double most = std::min({leaves / kLeavesPerPart, limit_ / 4 / kSpillFileMemory, double{kMaxParts}});
    return std::max(std::floor(std::min(std::max(for_memory, for_balance), most)), 1.0);
  }

  int HeightOf(const RecordFormat& format, double records) const {
    const double fitting = kExpectedFill / 2 * kShareOfPart * limit_ / Bytes(format, rows_);
    const TreeBuilder& builder = format.leaf() ? rows_builder_ : entries_builder_;
    const double mean = std::min(records, fitting) * (format.leaf() ? more_ : 1);
    return builder.SubtreeHeight(mean, kSmallestPart * mean, format.payload() ? rows_.payload : 0);
  }

  NoPages pages_;
  NoMemory environment_;
  RecordFormat row_;
  RecordFormat entry_;
  RowsToLoad rows_;
  double limit_;
  int participants_;
  double more_;
  MemoryBudget budget_;
  NodeWriter writer_;
  TreeBuilder rows_builder_;
  TreeBuilder entries_builder_;
  double leaf_capacity_;
  double capacity_;
  BuildSize size_{};
};

double DirectoryPages(const BuildSize& size) { return size.AllPages() - size.pages[0]; }

}  // namespace

BuildSize SizeOfBuild(const KeyLayout& layout, const BulkOptions& options, const RowsToLoad& rows, const BuildRoom& room) {
  return SizePlan(layout, options, rows, room, 1).Plan();
}

BuildSize SizeByExample(const KeyLayout& layout, const BulkOptions& options, const RowsToLoad& rows, const BuildRoom& room,
                        const RowsToLoad& sample, const BulkStatistics& built) {
  constexpr BuildRoom kAllRoom = {SIZE_MAX / 4, 1};
  constexpr double kFewPages = 8;  // of which rounding is not the most
  double leaves_more = 1, directory_more = 1;
  const BuildSize planned = SizeOfBuild(layout, options, sample, kAllRoom);
  if (planned.pages[0] >= kFewPages) leaves_more = built.level[0].pages / planned.pages[0];
  double directory = 0;
  for (int level = 1; level < built.levels; level++) directory += built.level[level].pages;
  const BuildSize with_leaves = SizePlan(layout, options, sample, kAllRoom, leaves_more).Plan();
  if (DirectoryPages(with_leaves) >= kFewPages) directory_more = directory / DirectoryPages(with_leaves);
  BuildSize size = SizePlan(layout, options, rows, room, leaves_more).Plan();
  for (int level = 1; level < size.levels; level++) size.pages[level] = std::max(size.pages[level] * directory_more, 1.0);
  return size;
}

double MemoryToLoad(const KeyLayout& layout, const RowsToLoad& rows) {
  const RecordFormat row(layout, true);
  return std::max(rows.rows * BytesInMemory(row, rows) / kShareOfRows, static_cast<double>(kMinBulkMemory));
}

}  // namespace xtree
