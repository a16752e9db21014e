// A MemoryStore with the tree that the bulk load builds.
#pragma once

#include "bulk_support.h"
#include "scan_fixture.h"

namespace xtree::test {

inline std::unique_ptr<MemoryStore> BulkLoadTree(const RowSet& rows, const BulkOptions& options = {}, size_t memory = size_t{1} << 30,
                                                 const PayloadOf& payload_of = nullptr) {
  CountingEnvironment environment;
  MemorySink sink;
  MemoryFiles files;
  {
    BulkLoader loader(rows.layout(), options, memory, environment, sink, files);
    Box box;
    for (size_t row = 0; row < rows.size(); ++row) {
      rows.Get(row, &box);
      const std::string payload = payload_of ? payload_of(row) : std::string();
      loader.Add(box, TupleOf(row), reinterpret_cast<const uint8_t*>(payload.data()), static_cast<uint16_t>(payload.size()));
    }
    loader.Finish();
  }
  auto store = std::make_unique<MemoryStore>(rows.layout());
  store->AdvanceLsn();
  for (const auto& [block, image] : sink.pages) {
    if (block == kRootBlock) {
      store->image(block) = image;
    } else if (store->Append(image) != block) {
      throw std::logic_error("a reserved block was not written");
    }
  }
  store->SetLsn(kRootBlock, store->AdvanceLsn());
  return store;
}

}  // namespace xtree::test
