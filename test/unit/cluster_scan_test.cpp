// ClusterScan: every row once, in the order of its bound, on trees that are built and on trees that grow, whatever is dropped meanwhile,
// whichever clusters are looked at first, and whatever is wrong with a page while it is read.
//
// Seen to fail with: rows of a pass before that are not left out, or one too many of them, or those of other clusters, too; right siblings not
// visited; entries of discarded nodes kept; rows and nodes at the limit left out; entries of a generation that is not known left out.
#include <gtest/gtest.h>

#include "cluster_fixture.h"
#include "core/write/tree_vacuum.h"
#include "doubtful_reader.h"

namespace xtree::test {
namespace {

constexpr int kDimensions = 33;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

ClusterResult Search(const ClusterRows& data, MemoryStore& store, const Constraint& constraint, const Queries& query,
                     ClusterScan::Options options, size_t most = SIZE_MAX, ClusterWork* work = nullptr) {
  MemoryReader reader(store);
  auto scan = std::make_unique<ClusterScan>();
  scan->Begin(data.layout, constraint, 0, data.models(), query.data(), options);
  const ClusterResult result = Collect(reader, scan.get(), most);
  if (work != nullptr) *work = scan->cluster_work();
  return result;
}

// Rows whose number is within.
Constraint Numbers(const KeyLayout& layout, double from, double to) {
  Constraint constraint = Everything(layout);
  constraint.RequireLo(kNumberDimension, {kOrdinalMin, OrdinalFromDouble(to)});
  constraint.RequireHi(kNumberDimension, {OrdinalFromDouble(from), kOrdinalMax});
  return constraint;
}

struct Case {
  const char* name;
  Spread spread;
  size_t rows;
  int clusters;  // 0: one, made from the first row; below 0: so many random ones
  bool inserted;
  int generations = 1;
  bool unknown = false;  // scans do not know the last one
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

const Case kCases[] = {
    {"Built", Spread::kClustered, 3000, 24, false},
    {"Inserted", Spread::kClustered, 3000, 24, true},
    {"Uniform", Spread::kUniform, 2000, 40, true},
    {"FewDifferent", Spread::kFew, 1500, 12, false},
    {"NotFinite", Spread::kNotFinite, 1500, 16, false},
    {"NotFiniteInserted", Spread::kNotFinite, 1500, 16, true},
    {"OneCluster", Spread::kClustered, 1500, 0, true},
    {"MoreClustersThanRows", Spread::kClustered, 60, -500, false},
    {"FewRows", Spread::kClustered, 3, 1, true},
    {"Generations", Spread::kClustered, 2400, 24, true, 3},
    {"GenerationsNotFinite", Spread::kNotFinite, 1500, 12, true, 2},
    {"GenerationFromNothing", Spread::kClustered, 1600, 0, true, 2},
    {"UnknownGeneration", Spread::kClustered, 1600, 16, true, 2, true},
};

class ClusterScans : public testing::TestWithParam<Case> {
 protected:
  ClusterScans() : data_(Vectors(), Models(), GetParam().unknown) {
    for (size_t row = 5; row < data_.size(); row += 11) data_.SetNull(row);
    store_ = GetParam().inserted ? data_.Insert() : data_.Build();
  }

  static std::vector<Values> Vectors() { return MakeVectors(GetParam().spread, GetParam().rows, kDimensions, 3); }
  static ModelBytes FromFirst() {
    ModelBytes model(kDimensions, 1);
    VectorModel::MakeFromOne(Vectors()[0].data(), kDimensions, model.data());
    return model;
  }
  static ModelBytes Model(int generation) {
    const int clusters = GetParam().clusters;
    if (clusters < 0) return RandomModel(kDimensions, -clusters, 4);
    if (clusters == 0 && generation == 0) return FromFirst();
    std::vector<Values> sample = Vectors();
    sample.resize(sample.size() / static_cast<size_t>(1 + generation));
    return TrainOn(sample, std::max(clusters, 20) - 5 * generation);
  }
  static std::vector<ModelBytes> Models() {
    std::vector<ModelBytes> models;
    for (int g = 0; g < GetParam().generations; ++g) models.push_back(Model(g));
    return models;
  }

  // Beside rows, beside other places, and where nothing is known of distances.
  template <class Check>
  void ForEachQuery(Check&& check) {
    std::vector<Values> from = MakeVectors(Spread::kClustered, 2, kDimensions, 9);
    from.push_back(data_.vector(0));
    from.push_back(Values(kDimensions, 0.0));
    from.push_back(Values(kDimensions, 0.25));
    from.back()[3] = NAN;
    for (const VectorMetric metric : kMetrics) {
      for (size_t i = 0; i < from.size(); ++i) {
        SCOPED_TRACE(testing::Message() << "metric " << static_cast<int>(metric) << ", query " << i);
        const Queries query(data_.models(), metric, from[i], DoubleRounding(kDimensions));
        check(query, from[i]);
        if (HasFatalFailure()) return;
      }
    }
  }

  Constraint Condition(int number) const {
    Constraint constraint = number % 2 == 0 ? Everything(data_.layout) : Numbers(data_.layout, 0.2, 0.6);
    if (number % 4 >= 2) constraint.Require(0, MarkRule::kNotNull);
    constraint.recheck = number % 3 == 1;
    return constraint;
  }

  ClusterRows data_;
  std::unique_ptr<MemoryStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Trees, ClusterScans, testing::ValuesIn(kCases), [](const auto& info) { return std::string(info.param.name); });

TEST_P(ClusterScans, ReturnEachRowInTheOrderOfItsBound) {
  int number = 0;
  ForEachQuery([&](const Queries& query, const Values& from) {
    const Constraint constraint = Condition(number++);
    const ClusterResult result = Search(data_, *store_, constraint, query, {});
    ASSERT_NO_FATAL_FAILURE(ExpectRows(data_, constraint, query, from, false, result));
    double last = -INFINITY;
    for (const ClusterRow& row : result.row) {
      EXPECT_EQ(row.recheck, constraint.recheck);
      if (row.null) continue;
      ASSERT_GE(row.bound, last);
      last = row.bound;
    }
  });
}

// Which rows are dropped, and how often the tree is gone through again, changes nothing.
TEST_P(ClusterScans, ReturnTheSameWhateverIsDropped) {
  int number = 0;
  ForEachQuery([&](const Queries& query, const Values& from) {
    const Constraint constraint = Condition(number++);
    const bool approximate = number % 3 == 0;
    ClusterScan::Options options{.probes = approximate ? 3u : 0u};
    const ClusterResult whole = Search(data_, *store_, constraint, query, options);
    for (const size_t most_waiting : {size_t{1}, size_t{2}, data_.size() / 7 + 1, data_.size() / 2 + 1}) {
      if (most_waiting < 3 && data_.size() > 100) continue;
      ClusterWork work;
      options.most_waiting = most_waiting;
      const ClusterResult result = Search(data_, *store_, constraint, query, options, SIZE_MAX, &work);
      ASSERT_NO_FATAL_FAILURE(ExpectRows(data_, constraint, query, from, false, result));
      EXPECT_TRUE(approximate || number % 2 == 0 || data_.size() < 20 || work.passes > 1);
      ASSERT_EQ(result.size(), whole.size());
      for (size_t i = 0; i < result.size(); ++i)
        ASSERT_EQ(result.row[i].bound, whole.row[i].bound) << "row " << i << " of " << most_waiting;
    }
  });
}

TEST_P(ClusterScans, ReturnEachRowWhicheverClustersComeFirst) {
  int number = 0;
  ForEachQuery([&](const Queries& query, const Values& from) {
    const Constraint constraint = Condition(number++);
    for (const ClusterScan::Options& options : {ClusterScan::Options{.probes = 1},
                                                {.probes = 5},
                                                {.probes = 1u << 31},
                                                {.epsilon = 0},
                                                {.epsilon = 0.3},
                                                {.probes = 2, .most_waiting = 40}}) {
      ClusterWork work;
      const ClusterResult result = Search(data_, *store_, constraint, query, options, SIZE_MAX, &work);
      ASSERT_NO_FATAL_FAILURE(ExpectRows(data_, constraint, query, from, false, result));
      EXPECT_EQ(work.clusters, static_cast<uint64_t>(data_.models().clusters()));
    }
  });
}

// A pass ends where the next one begins: all passes together read not many times what one reads.
TEST_P(ClusterScans, PassesEndEarly) {
  const Queries query(data_.models(), VectorMetric::kEuclid, data_.vector(0), DoubleRounding(kDimensions));
  int64_t opens[2];
  uint64_t passes = 0;
  for (const bool dropping : {false, true}) {
    MemoryReader reader(*store_);
    auto scan = std::make_unique<ClusterScan>();
    scan->Begin(data_.layout, Everything(data_.layout), 0, data_.models(), query.data(),
                {.most_waiting = dropping ? data_.size() / 4 + 4 : SIZE_MAX});
    Collect(reader, scan.get());
    opens[dropping] = reader.opens;
    passes = scan->cluster_work().passes;
  }
  if (std::string(GetParam().name) == "Built" || std::string(GetParam().name) == "Inserted") {
    EXPECT_GT(passes, 4U);
    EXPECT_LT(opens[1], opens[0] * static_cast<int64_t>(passes) * 9 / 10);
  }
}

// The nearest clusters' rows first, in order: of each generation the same share of its clusters. Those of one that is not known are among them.
TEST_P(ClusterScans, LookAtTheNearestClustersFirst) {
  const ClusterModels& models = data_.models();
  const int newest = models.model(models.newest()).clusters(), probes = std::min(3, newest);
  ForEachQuery([&](const Queries& query, const Values&) {
    std::set<int> looked_at = {-1};
    for (int g = 0; g < models.count(); ++g) {
      std::vector<int> clusters;
      for (int c = 0; c < models.model(g).clusters(); ++c) clusters.push_back(c);
      std::stable_sort(clusters.begin(), clusters.end(),
                       [&](int a, int b) { return query.data()[g].ClusterRank(a) < query.data()[g].ClusterRank(b); });
      const double share = std::ceil(static_cast<double>(probes) * models.model(g).clusters() / newest);
      for (int i = 0; i < static_cast<int>(share); ++i) looked_at.insert(models.StartOf(g) + clusters[static_cast<size_t>(i)]);
    }
    std::vector<std::pair<double, size_t>> expected;
    for (size_t row = 0; row < data_.size(); ++row)
      if (!data_.null(row) && looked_at.count(data_.place(row)) > 0) expected.emplace_back(data_.Bound(row, query), row);
    std::sort(expected.begin(), expected.end());
    ClusterWork work;
    const ClusterResult result =
        Search(data_, *store_, Everything(data_.layout), query, {.probes = static_cast<uint32_t>(probes)}, expected.size(), &work);
    ASSERT_EQ(result.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(std::pair(result.row[i].bound, result.rows[i]), expected[i]);
    EXPECT_EQ(work.clusters, expected.empty() ? 0 : looked_at.size() - 1);
  });
}

// So many of each generation as are asked for.
TEST_P(ClusterScans, LookAtAsManyClustersOfEachGeneration) {
  const ClusterModels& models = data_.models();
  const Queries query(models, VectorMetric::kEuclid, data_.vector(0), DoubleRounding(kDimensions));
  ClusterScan::Options options{.probes = 2};
  for (int g = 0; g < models.newest(); ++g) options.probes_of[g] = static_cast<uint32_t>(g) + 4;
  uint64_t expected = 0;
  for (int g = 0; g < models.count(); ++g)
    expected += static_cast<uint64_t>(std::min(g < models.newest() ? g + 4 : 2, models.model(g).clusters()));
  ClusterWork work;
  Search(data_, *store_, Everything(data_.layout), query, options, 1, &work);
  EXPECT_EQ(work.clusters, expected);
}

TEST_P(ClusterScans, LeaveOutWhatIsBeyondALimit) {
  ForEachQuery([&](const Queries& query, const Values&) {
    std::vector<double> bounds;
    for (size_t row = 0; row < data_.size(); ++row)
      if (!data_.null(row)) bounds.push_back(data_.Bound(row, query));
    std::sort(bounds.begin(), bounds.end());
    for (const double limit : {bounds[0], bounds[bounds.size() / 3], bounds.back(), -kInfinity, kInfinity}) {
      for (const uint32_t probes : {0u, 2u}) {
        const ClusterResult result =
            Search(data_, *store_, Everything(data_.layout), query, {.probes = probes, .limit = limit, .most_waiting = 50});
        EXPECT_EQ(result.size(), static_cast<size_t>(std::upper_bound(bounds.begin(), bounds.end(), limit) - bounds.begin()));
        for (const ClusterRow& row : result.row) ASSERT_TRUE(!row.null && row.bound <= limit);
      }
    }
  });
}

TEST_P(ClusterScans, OfNullReturnAllRowsWithout) {
  MemoryReader reader(*store_);
  auto scan = std::make_unique<ClusterScan>();
  for (int number = 0; number < 4; ++number) {
    const Constraint constraint = Condition(number);
    scan->Begin(data_.layout, constraint, 0, data_.models(), nullptr, {});
    const ClusterResult result = Collect(reader, scan.get());
    EXPECT_TRUE(std::all_of(result.row.begin(), result.row.end(), [](const ClusterRow& row) { return row.null; }));
    std::vector<size_t> found = result.rows;
    std::sort(found.begin(), found.end());
    EXPECT_EQ(found, BruteForce(data_.rows, constraint));
  }
}

// Started again, with other queries and options, it needs no more memory than once.
TEST_P(ClusterScans, StartAgain) {
  MemoryReader reader(*store_);
  auto scan = std::make_unique<ClusterScan>();
  size_t bytes[2] = {0, 0};
  for (int round = 0; round < 2; ++round) {
    uint32_t probes = 0;
    ForEachQuery([&](const Queries& query, const Values& from) {
      scan->Begin(data_.layout, Everything(data_.layout), 0, data_.models(), query.data(), {.probes = probes++ % 3});
      Collect(reader, scan.get(), data_.size() / 3);
      scan->Begin(data_.layout, Everything(data_.layout), 0, data_.models(), query.data(), {.probes = probes % 3});
      ASSERT_NO_FATAL_FAILURE(ExpectRows(data_, Everything(data_.layout), query, from, false, Collect(reader, scan.get())));
    });
    bytes[round] = reader.AllocatedBytes();
  }
  EXPECT_EQ(bytes[0], bytes[1]);
}

// Whatever is wrong with a page while it is read.
TEST_P(ClusterScans, OnDoubtfulPages) {
  const std::unique_ptr<MemoryStore> old = [&] {
    GrowingTree tree(data_.layout, data_.rows, {}, data_.PayloadOf());
    tree.InsertUntil(data_.size() / 2);
    return tree.store.Crash();
  }();
  int number = 0;
  for (const Trouble kind : {Trouble::kTorn, Trouble::kScribbled, Trouble::kFault, Trouble::kRefused, Trouble::kLive}) {
    DoubtfulReader reader(*store_, old.get(), 9);
    Random random(5);
    reader.trouble = [&](int, BlockNumber) { return random.Below(3) == 0 ? Trouble::kNone : kind; };
    auto scan = std::make_unique<ClusterScan>();
    ForEachQuery([&](const Queries& query, const Values& from) {
      const Constraint constraint = Condition(number++);
      scan->Begin(data_.layout, constraint, 0, data_.models(), query.data(),
                  {.ignore_killed = number % 2 == 0,
                   .probes = number % 3 == 0 ? 2u : 0u,
                   .most_waiting = number % 5 == 0 ? data_.size() / 3 + 2 : 100000});
      ASSERT_NO_FATAL_FAILURE(ExpectRows(data_, constraint, query, from, false, Collect(reader, scan.get())));
    });
    EXPECT_GT(reader.met[kind], 10);
  }
}

// Rows that are inserted meanwhile come at most once, those that were there exactly once; so with splits everywhere.
TEST_P(ClusterScans, WhileTheTreeGrows) {
  int number = 0;
  ForEachQuery([&](const Queries& query, const Values&) {
    const ClusterScan::Options all[] = {
        {}, {.most_waiting = data_.size() / 5 + 2}, {.probes = 2}, {.probes = 1, .most_waiting = data_.size() / 5 + 2}};
    const ClusterScan::Options& options = all[number++ % 4];
    GrowingTree tree(data_.layout, data_.rows, {}, data_.PayloadOf());
    const size_t visible = data_.size() / 3;
    tree.InsertUntil(visible);
    MemoryReader reader(tree.store);
    auto scan = std::make_unique<ClusterScan>();
    scan->Begin(data_.layout, Everything(data_.layout), 0, data_.models(), query.data(), options);
    std::vector<int> seen(data_.size());
    const ClusterResult result = Collect(reader, scan.get(), SIZE_MAX, [&](size_t) { tree.Insert(7); });
    double last = -INFINITY;
    for (size_t i = 0; i < result.size(); ++i) {
      seen[result.rows[i]]++;
      if (options.probes > 0 || result.row[i].null || result.rows[i] >= visible) continue;
      ASSERT_GE(result.row[i].bound, last);
      last = result.row[i].bound;
    }
    ASSERT_NO_FATAL_FAILURE(GrowingTree::ExpectOnce(seen, visible));
  });
}

}  // namespace
}  // namespace xtree::test
