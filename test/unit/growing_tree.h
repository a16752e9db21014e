// A tree that rows are inserted into while it is scanned, and what must hold of the rows that a scan has seen meanwhile.
#pragma once

#include <gtest/gtest.h>

#include "core/write/tree_writer.h"
#include "scan_fixture.h"

namespace xtree::test {

class GrowingTree {
 public:
  GrowingTree(const KeyLayout& layout, const RowSet& rows, const TreeOptions& options = {}, PayloadOf payload = nullptr)
      : store(layout), rows_(rows), writer_(store, layout, options), payload_(std::move(payload)) {}

  size_t inserted() const { return inserted_; }

  void InsertUntil(size_t end) {
    for (Box box; inserted_ < std::min(end, rows_.size()); ++inserted_) {
      rows_.Get(inserted_, &box);
      const std::string payload = payload_ ? payload_(inserted_) : std::string();
      writer_.Insert(box, TupleOf(inserted_), reinterpret_cast<const uint8_t*>(payload.data()), static_cast<uint16_t>(payload.size()));
    }
  }
  void Insert(size_t more) { InsertUntil(inserted_ + more); }

  // How often each row was seen: at most once, and those that were there when the scan began once.
  static void ExpectOnce(const std::vector<int>& seen, size_t visible) {
    for (size_t row = 0; row < seen.size(); ++row) {
      ASSERT_LE(seen[row], 1) << "row " << row << " came twice";
      ASSERT_TRUE(row >= visible || seen[row] == 1) << "row " << row << " was lost";
    }
  }

  MemoryStore store;

 private:
  const RowSet& rows_;
  TreeWriter writer_;
  PayloadOf payload_;
  size_t inserted_ = 0;
};

}  // namespace xtree::test
