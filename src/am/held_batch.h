// What is held of one index (am/held_entries.h), and how it goes there.
#pragma once

#include "am/held_entries.h"
#include "core/write/tree_writer.h"

namespace xtree {

// One entry: its bounds lie in `ordinals`, lo before hi.
struct HeldRow {
  uint64_t marks;
  uint64_t payload;  // where it begins in `payload_bytes`
  TupleId tuple;
  uint16_t payload_length;
  bool done;  // it is in the index
};

struct HeldIndex {
  Oid index;
  const KeyLayout* layout;
  TreeOptions options;
  size_t count;
  size_t room;
  size_t most;  // that go in together
  HeldRow* rows;
  Ordinal* ordinals;
  size_t payload_used;
  size_t payload_room;
  uint8_t* payload_bytes;
  HeldIndex* next;
};

// Both in this memory context.
HeldIndex* MakeHeldIndex(MemoryContext memory, Relation index, const IndexState& state);
void AddHeldEntry(MemoryContext memory, HeldIndex* held, const HeldEntry& entry);

// In the order of a curve (Morton's) through the first dimensions. Owns memory.
class HeldBatch final : public EntryBatch {
 public:
  explicit HeldBatch(HeldIndex* held);

  size_t size() const override { return order_.size(); }
  NewEntry Get(size_t i) override;
  bool IsDone(size_t i) const override { return held_->rows[order_[i].row].done; }
  void SetDone(size_t i) noexcept override { held_->rows[order_[i].row].done = true; }

 private:
  struct Place {
    uint64_t on_curve;
    uint32_t row;
  };

  HeldIndex* held_;
  std::vector<Place> order_;
  Box box_;
};

}  // namespace xtree
