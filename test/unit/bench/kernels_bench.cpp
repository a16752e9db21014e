// Time of the kernels per 8 kB page. The argument is the share of entries that match, in percent; each iteration takes
// another of 64 pages, so that branches cannot be learnt by heart. `make -C test/unit bench`.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <vector>

#include "core/filter/kernels.h"

namespace xtree {
namespace {

constexpr int kPages = 64;

// Full pages of one column of points or boxes, coordinates uniform in [0, 1).
class Pages {
 public:
  Pages(int dimensions, bool extended, int level) : bytes_(kPages * kPageSize / 8) {
    const ColumnShape column = {static_cast<uint16_t>(dimensions), 8, extended, Scalar::kFloat64};
    KeyLayout::Make(&column, 1, false, &layout_);
    for (int p = 0; p < kPages; ++p) Fill(p, level);
  }

  const KeyLayout& layout() const { return layout_; }
  NodeView node(int p) const { return NodeView(layout_, Bytes(p)); }

  // Boxes [0, side] in every dimension that about `percent` of the points lie in.
  Constraint Window(int percent) const {
    Constraint window;
    window.Initialize(layout_);
    const double side = std::pow(percent / 100.0, 1.0 / layout_.dimensions);
    window.Require(0, MarkRule::kValue);
    for (int d = 0; d < layout_.dimensions; ++d) {
      window.RequireLo(d, {kOrdinalMin, OrdinalFromDouble(side)});
      window.RequireHi(d, {OrdinalFromDouble(0), kOrdinalMax});
    }
    return window;
  }

 private:
  const uint8_t* Bytes(int p) const { return reinterpret_cast<const uint8_t*>(bytes_.data()) + p * kPageSize; }

  void Fill(int p, int level) {
    std::uniform_real_distribution<double> coordinate(0, 1);
    NodeEditor editor(layout_, const_cast<uint8_t*>(Bytes(p)));
    editor.Initialize(level, 0);
    Box box;
    box.marks = 0;
    while (editor.view().HasRoom(false, 0)) {
      for (int d = 0; d < layout_.dimensions; ++d) {
        const double lo = coordinate(random_);
        const bool wide = level > 0 || layout_.dimension[d].extended;
        box.lo[d] = OrdinalFromDouble(lo);
        box.hi[d] = OrdinalFromDouble(wide ? lo + 0.01 : lo);
      }
      if (level == 0) {
        editor.AppendTuple(box, {0, 1, 1}, nullptr, 0);
      } else {
        editor.AppendChild(box, 2, {});
      }
    }
  }

  std::mt19937_64 random_{1};
  KeyLayout layout_;
  std::vector<uint64_t> bytes_;
};

const Kernels* Usable(const Kernels& kernels) {
#if defined(__x86_64__)
  if (&kernels == &kAvx2Kernels && !__builtin_cpu_supports("avx2")) return nullptr;
#endif
  return &kernels;
}

void Filter(benchmark::State& state, const Kernels* kernels, int dimensions, bool extended, int level) {
  if (kernels == nullptr) return state.SkipWithError("not on this CPU");
  const Pages pages(dimensions, extended, level);
  const Constraint window = pages.Window(static_cast<int>(state.range(0)));
  std::vector<FilterTerm> terms;
  for (int d = 0; d < dimensions; ++d) {
    const DimensionLayout& at = pages.layout().dimension[d];
    const FilterTerm lo = {at.lo[level > 0], 8, true, true, window.hi[d].min, window.lo[d].max};
    if (at.lo[level > 0] == at.hi[level > 0]) {
      terms.push_back(lo);
    } else {
      terms.push_back({lo.offset, 8, false, true, 0, lo.max});
      terms.push_back({at.hi[level > 0], 8, true, false, lo.min, 0});
    }
  }
  uint16_t slots[kMaxEntriesPerPage];
  int64_t matches = 0;
  int p = 0;
  for (auto _ : state) {
    const NodeView node = pages.node(p++ % kPages);
    matches += kernels->filter(node.first_block(), node.block(), node.entries(), terms.data(), static_cast<int>(terms.size()), slots);
    benchmark::DoNotOptimize(slots);
  }
  state.counters["entries"] = pages.node(0).entries();
  state.counters["matches"] = static_cast<double>(matches) / static_cast<double>(state.iterations());
}

void Run(benchmark::State& state, int dimensions) {
  const Pages pages(dimensions, false, 0);
  PageFilter filter;
  filter.Compile(pages.layout(), pages.Window(static_cast<int>(state.range(0))));
  uint16_t slots[kMaxEntriesPerPage];
  int p = 0;
  for (auto _ : state) benchmark::DoNotOptimize(filter.Run(pages.node(p++ % kPages), slots));
}

void Distance(benchmark::State& state, const Kernels* kernels, int dimensions, int level) {
  if (kernels == nullptr) return state.SkipWithError("not on this CPU");
  const Pages pages(dimensions, false, level);
  const std::vector<double> query(dimensions, 0.5);
  double out[kMaxEntriesPerPage];
  int p = 0;
  for (auto _ : state) {
    kernels->squared_distance(pages.node(p++ % kPages), 0, dimensions, query.data(), out);
    benchmark::DoNotOptimize(out);
  }
  state.counters["entries"] = pages.node(0).entries();
}

#define FOR_KERNELS(kernels)                                                                                                   \
  BENCHMARK_CAPTURE(Filter, kernels / points_2d, Usable(k##kernels##Kernels), 2, false, 0)->Arg(0)->Arg(1)->Arg(30)->Arg(100); \
  BENCHMARK_CAPTURE(Filter, kernels / directory_2d, Usable(k##kernels##Kernels), 2, false, 1)->Arg(1)->Arg(30);                \
  BENCHMARK_CAPTURE(Filter, kernels / boxes_2d, Usable(k##kernels##Kernels), 2, true, 0)->Arg(1)->Arg(30);                     \
  BENCHMARK_CAPTURE(Filter, kernels / points_8d, Usable(k##kernels##Kernels), 8, false, 0)->Arg(1)->Arg(30);                   \
  BENCHMARK_CAPTURE(Filter, kernels / points_60d, Usable(k##kernels##Kernels), 60, false, 0)->Arg(1)->Arg(30);                 \
  BENCHMARK_CAPTURE(Distance, kernels / points_2d, Usable(k##kernels##Kernels), 2, 0);                                         \
  BENCHMARK_CAPTURE(Distance, kernels / directory_2d, Usable(k##kernels##Kernels), 2, 1);                                      \
  BENCHMARK_CAPTURE(Distance, kernels / points_60d, Usable(k##kernels##Kernels), 60, 0)

FOR_KERNELS(Scalar);
#if defined(__x86_64__)
FOR_KERNELS(Sse2);
FOR_KERNELS(Avx2);
#endif
BENCHMARK_CAPTURE(Run, points_2d, 2)->Arg(1)->Arg(30);

}  // namespace
}  // namespace xtree
