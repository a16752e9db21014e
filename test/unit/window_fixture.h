// What the tests of WindowScan share.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include "core/scan/window_scan.h"
#include "scan_fixture.h"

namespace xtree::test {

// All rows that a scan returns, in its order.
template <class Reader>
std::vector<size_t> Collect(Reader& reader, WindowScan* scan) {
  std::vector<size_t> found;
  LeafBatch batch;
  while (scan->Step(reader, &batch)) {
    EXPECT_EQ(reader.OpenPages(), 0);
    EXPECT_GT(batch.count, 0);
    for (int i = 0; i < batch.count; ++i) found.push_back(RowOf(batch.tuples[i]));
  }
  EXPECT_FALSE(scan->Step(reader, &batch)) << "the end stays the end";
  return found;
}

inline std::vector<size_t> Sorted(std::vector<size_t> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

inline std::vector<size_t> Search(MemoryStore& store, const Constraint& constraint, WindowScan::Options options = {}) {
  MemoryReader reader(store);
  auto scan = std::make_unique<WindowScan>();
  scan->Begin(store.layout(), constraint, options);
  return Sorted(Collect(reader, scan.get()));
}

}  // namespace xtree::test
