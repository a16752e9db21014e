// Bulk load by several participants, one after another in one process: every row exactly once in a tree whose
// invariants hold, and as good as that of one participant; what each of them has of memory stays within its share.
#include "core/bulk/bulk_parallel.h"

#include <algorithm>
#include <random>

#include "bulk_support.h"

namespace xtree::test {
namespace {

constexpr size_t kMuchMemory = size_t{1} << 28;
constexpr size_t kSampleBytes = 65536;
constexpr ColumnShape kPoint{2, 8, false, Scalar::kFloat64};
constexpr ColumnShape kBox{2, 8, true, Scalar::kFloat64};

struct Row {
  Row() { box.marks = 0; }
  Box box;
  std::string payload;
};

class TeamLoad {
 public:
  TeamLoad(std::vector<ColumnShape> columns, bool include, int participants, size_t memory)
      : shares_(participants), samples_(participants * kSampleBytes), rows_(Make(columns, include, &layout_)), memory_(memory) {
    for (int p = 0; p < participants; p++) {
      environment_.push_back(std::make_unique<CountingEnvironment>());
      member_.push_back(std::make_unique<BulkParticipant>(layout_, BulkOptions{}, memory, *environment_[p], sink_, files_, files_));
    }
  }

  void Add(int participant, const Row& row) {
    member_[participant]->Add(row.box, RowTable::Tuple(rows_.size()), reinterpret_cast<const uint8_t*>(row.payload.data()),
                              static_cast<uint16_t>(row.payload.size()));
    rows_.Set(rows_.size(), row.box, row.payload);
  }

  // `turns`: who takes the next part, in order, again and again.
  void Finish(const std::vector<int>& turns) {
    for (size_t p = 0; p < member_.size(); p++) member_[p]->Describe(kSampleBytes, samples_.data() + p * kSampleBytes, &shares_[p]);
    member_.back()->Plan(shares_, kSampleBytes, samples_.data(), &plan);
    for (size_t p = 0; p < member_.size(); p++) member_[p]->Distribute(plan, &shares_[p]);
    int next = 0;
    for (size_t p = 0; p < member_.size(); p++) {
      const int last = p + 1 == member_.size() ? plan.cut.parts() : std::min(next + turns[p], plan.cut.parts());
      member_[p]->BuildParts(
          plan, shares_, [&] { return next < last ? next++ : plan.cut.parts(); }, &shares_[p]);
    }
    statistics = member_[0]->Finish(plan, shares_, shares_.data());
    member_.clear();
    for (const auto& environment : environment_) {
      EXPECT_EQ(environment->used, 0u);
      EXPECT_LE(environment->peak, std::max(memory_, kMinBulkMemory));
    }
    EXPECT_TRUE(files_.all_dropped());
    walk.emplace(layout_, sink_);
    EXPECT_TRUE(walk->rows == rows_);
    CompareStatistics();
  }

  // Mean pages read by windows of the given half side around random rows.
  double Pages(int count, double half) const {
    std::mt19937_64 random(4);
    int pages = 0;
    for (int i = 0; i < count; i++) {
      Box window;
      rows_.GetBox(random() % rows_.size(), &window);
      for (int d = 0; d < layout_.dimensions; d++) {
        window.lo[d] = OrdinalFromDouble(Decode(Scalar::kFloat64, window.lo[d]) - half);
        window.hi[d] = OrdinalFromDouble(Decode(Scalar::kFloat64, window.hi[d]) + half);
      }
      walk->Search(window, &pages);
    }
    return static_cast<double>(pages) / count;
  }

  BulkPlan plan;
  BulkStatistics statistics{};
  std::optional<TreeWalk> walk;

 private:
  static const KeyLayout& Make(const std::vector<ColumnShape>& columns, bool include, KeyLayout* layout) {
    const char* wrong = KeyLayout::Make(columns.data(), static_cast<int>(columns.size()), include, layout);
    if (wrong != nullptr) throw std::logic_error(wrong);
    return *layout;
  }

  void CompareStatistics() const {
    ASSERT_EQ(statistics.levels, walk->levels);
    for (int l = 0; l < statistics.levels; l++) {
      EXPECT_EQ(statistics.level[l].nodes, walk->level[l].nodes);
      EXPECT_EQ(statistics.level[l].pages, walk->level[l].pages);
      EXPECT_EQ(statistics.level[l].entries, walk->level[l].entries);
      EXPECT_EQ(statistics.level[l].supernodes, walk->level[l].supernodes);
      EXPECT_GE(statistics.level[l].overlap, 0);
      EXPECT_LE(statistics.level[l].overlap, 1);
    }
  }

  KeyLayout layout_;
  MemorySink sink_;
  MemoryFiles files_;
  std::vector<std::unique_ptr<CountingEnvironment>> environment_;
  std::vector<std::unique_ptr<BulkParticipant>> member_;
  std::vector<BulkShare> shares_;
  std::vector<uint8_t> samples_;
  RowTable rows_;
  size_t memory_;
};

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  double Uniform(double below) { return std::uniform_real_distribution<double>(0, below)(engine_); }
  uint64_t Below(uint64_t bound) { return engine_() % bound; }
  Row Point() {
    Row row;
    for (int d = 0; d < 2; d++) row.box.lo[d] = row.box.hi[d] = OrdinalFromDouble(Uniform(1000));
    return row;
  }
  Row Rectangle(double side) {
    Row row;
    for (int d = 0; d < 2; d++) {
      const double lo = Uniform(1000);
      row.box.lo[d] = OrdinalFromDouble(lo);
      row.box.hi[d] = OrdinalFromDouble(lo + Uniform(side));
    }
    return row;
  }

 private:
  std::mt19937_64 engine_;
};

TEST(BulkParallel, FewRows) {
  for (const int rows : {0, 1, 2, 300, 2000}) {
    TeamLoad load({kPoint}, false, 3, kMuchMemory);
    Random random(rows + 1);
    for (int i = 0; i < rows; i++) load.Add(i % 2, random.Point());
    load.Finish({1, 1, 1});
    EXPECT_EQ(load.plan.cut.parts(), 1);
  }
}

TEST(BulkParallel, AsGoodAsAlone) {
  double pages[2];
  for (const int participants : {1, 3}) {
    TeamLoad load({kPoint}, false, participants, kMuchMemory);
    Random random(2);
    for (int i = 0; i < 200000; i++) load.Add(i % participants, random.Point());
    load.Finish({5, 4, 0});
    EXPECT_GT(load.plan.cut.parts(), participants);
    pages[participants > 1] = load.Pages(300, 11);
    EXPECT_NEAR(load.statistics.column[0].cuts, 1, 0.05);  // of leaves that everybody wrote
    EXPECT_NEAR(load.statistics.column[0].dimension, 2, 0.7);
  }
  EXPECT_LT(pages[1], pages[0] * 1.1);
}

// The cut is made for all rows, not for those of whoever has many.
TEST(BulkParallel, UnequalShares) {
  TeamLoad load({kPoint}, false, 3, kMuchMemory);
  Random random(3);
  for (int i = 0; i < 150000; i++) {
    Row row = random.Point();
    if (i % 100 == 0) row.box.lo[0] = row.box.hi[0] = OrdinalFromDouble(5000 + random.Uniform(1));
    load.Add(i % 100 == 0 ? 1 : 0, row);  // the third has none
  }
  load.Finish({2, 0, 9});
  EXPECT_GT(load.plan.cut.parts(), 3);
  EXPECT_LT(load.Pages(200, 10), 6);
}

TEST(BulkParallel, ThroughFiles) {
  TeamLoad load({kPoint}, false, 2, kMinBulkMemory);
  Random random(4);
  for (int i = 0; i < 300000; i++) load.Add(i % 3 == 0, random.Point());
  load.Finish({3, 0});
  EXPECT_GT(load.plan.cut.parts(), 8);
}

TEST(BulkParallel, OnePlaceOnly) {
  for (const size_t memory : {kMinBulkMemory, kMuchMemory}) {
    TeamLoad load({kPoint}, false, 2, memory);
    Row row;
    row.box.lo[0] = row.box.hi[0] = row.box.lo[1] = row.box.hi[1] = OrdinalFromDouble(7);
    for (int i = 0; i < 100000; i++) load.Add(i % 2, row);
    load.Finish({1, 1});
    EXPECT_EQ(load.plan.cut.parts(), 1);
  }
}

TEST(BulkParallel, BoxesWithNullsAndPayload) {
  for (const size_t memory : {kMinBulkMemory, kMuchMemory}) {
    TeamLoad load({kBox}, true, 3, memory);
    Random random(5);
    for (int i = 0; i < 60000; i++) {
      Row row = random.Rectangle(10);
      if (i % 8 == 0) {
        row.box.marks = ColumnMarks(0, kMarkNull);
        for (int d = 0; d < 2; d++) {
          row.box.lo[d] = InvertedLo(8);
          row.box.hi[d] = InvertedHi(8);
        }
      }
      row.payload.assign(2 * random.Below(20), 'p');
      load.Add(i % 3, row);
    }
    load.Finish({2, 2, 2});
    EXPECT_GT(load.plan.cut.parts(), 3);
  }
}

// Parts whose subtrees hold supernodes.
TEST(BulkParallel, OverlappingBoxes) {
  TeamLoad load({kBox}, false, 2, kMuchMemory);
  Random random(6);
  for (int i = 0; i < 200000; i++) load.Add(i % 2, random.Rectangle(2000));
  load.Finish({3, 0});
  EXPECT_GT(load.statistics.level[1].supernodes, 0u);
}

}  // namespace
}  // namespace xtree::test
