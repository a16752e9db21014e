// Time of one page's delta: the appended entry that an insert is, and an unchanged page.
#include <benchmark/benchmark.h>

#include <cstring>

#include "storage/page_delta.h"

namespace xtree {
namespace {

struct alignas(64) Page {
  uint8_t bytes[kPageSize] = {};
  PageHeader& header() { return *reinterpret_cast<PageHeader*>(bytes); }
};

template <int (*kCompute)(const uint8_t*, const uint8_t*, uint8_t*)>
void AppendedEntry(benchmark::State& state) {
  Page old_page;
  old_page.header().lower = static_cast<uint16_t>(state.range(0));
  old_page.header().upper = kSpecialOffset;
  for (int i = kPageHeaderSize; i < old_page.header().lower; i++) old_page.bytes[i] = static_cast<uint8_t>(i * 7);
  Page new_page = old_page;
  new_page.bytes[kSpecialOffset + 12]++;
  for (int array = 1; array <= 3; array++) memset(new_page.bytes + old_page.header().lower - 128 * array, 1, 8);
  uint8_t delta[kPageSize];
  for (auto _ : state) benchmark::DoNotOptimize(kCompute(old_page.bytes, new_page.bytes, delta));
}
BENCHMARK(AppendedEntry<ComputePageDelta>)->Arg(1000)->Arg(4000)->Arg(8000);
BENCHMARK(AppendedEntry<ComputePageDeltaPortable>)->Arg(8000);

}  // namespace
}  // namespace xtree
