// NearestScan: rows in the order of their distances, incrementally and best first (Hjaltason and Samet, 1999).
//
// Used by ordered index scans through a PageReader; locking and concurrency as WindowScan. Trivially destructible; all
// zeroes is a valid state.
//
// Every page read becomes a NearestFrame with a lower bound per entry that satisfies the constraint; the queue holds
// one item per frame, its best entry. An entry of a leaf that comes to the top is settled: it gets its exact distance,
// and waits in a second queue until no bound in the first one is below. A child that comes to the top is visited; or
// settled too, with the best bound that there is, where a row is waiting that may go first. With one Euclidean key the
// bounds are squares: they only decide what is looked at next, and BoundFromSquare makes them comparable to distances.
//
// Ties. Bounds in the first queue lie a little below the distances, so of equal distances those on pages that are read
// already are all settled before the first is returned. Bounds of children are as good as the types make them: where
// they are the distance itself, a row goes before a child of equal bound, and no other page is read for the first row.
//
// Memory: per page that still has entries to give, about 8.5 kB and 8 bytes per entry and key; a frame whose entries
// are used up is used again. A scan that is read to its end keeps the pages along its frontier, at worst (no bound above
// any distance) the whole index.
#pragma once

#include <type_traits>

#include "core/scan/distance_key.h"
#include "core/scan/nearest_frame.h"
#include "core/scan/scan_node.h"
#include "core/scan/scan_team.h"
#include "core/scan/scan_work.h"

namespace xtree {

inline constexpr int kMaxOrderKeys = kMaxColumns;

struct NearestRow {
  TupleId tuple;
  BlockNumber block;
  Lsn lsn;  // of the page when it was read
  uint16_t slot;
  bool recheck;         // the row is only bounded by the constraint's intervals
  const uint8_t* page;  // a copy for NodeView, until the next call
  double distance[kMaxOrderKeys];
  bool null[kMaxOrderKeys];
};

class NearestScan {
 public:
  struct Options {
    bool ignore_killed = false;  // leave killed entries out
    ScanTeam* team = nullptr;    // of other processes that share the tree with this one: then each returns some of the rows, in their order
  };

  // Starts, or starts again with the memory it has. REQUIRES: 1 <= key_count <= kMaxOrderKeys. `layout` and what the
  // keys point to must outlive the scan; it stays the same when a scan starts again.
  void Begin(const KeyLayout& layout, const Constraint& constraint, const DistanceKey* keys, int key_count, Options options);

  // The next row; distances never decrease, keys compare in their order, NULL is last. False at the end.
  bool Next(PageReader& reader, NearestRow* row);

  // Matches are entries that were ranked, rechecks are asked of those that were returned.
  const ScanWork& work() const { return work_; }

 private:
  struct Item {
    DistanceRank rank;  // of the first key
    uint32_t frame;
    uint16_t entry;  // of the frame
    uint16_t level;
  };
  static_assert(sizeof(Item) == 16);

  void Visit(PageReader& reader, NodePointer node);
  void FillFrame(PageReader& reader, const NodeView& node, BlockNumber block, Lsn lsn);
  void QueueVisited(PageReader& reader);
  void VisitRoot(PageReader& reader);
  bool ShareEntries(const NearestFrame& frame);
  DistanceRank LeastOwn() const;
  void DropVisited();
  void CountVisited(const NodePointer& node, BlockNumber right);
  void Announce(PageReader& reader, const NearestFrame& frame);
  uint32_t TakeFrame(PageReader& reader);
  void Release(uint32_t frame);
  void SelectEntries(const NodeView& node, NearestFrame* frame);
  void SetBounds(const NodeView& node, int key, NearestFrame* frame);
  void SetSquares(const NearestFrame& frame, const DistanceKey& key, DistanceRank* ranks) const;
  void LoadBox(const NodeView& node, int slot, const DistanceKey& key);

  bool Before(const Item& a, const Item& b) const;
  int CompareFurther(const Item& a, const Item& b) const;
  void Push(PageReader& reader, Scratch<Item>* queue, const Item& item);
  void ReplaceTop(Scratch<Item>* queue, const Item& item);
  void RemoveTop(Scratch<Item>* queue);
  Item PopBound();
  void Settle(PageReader& reader, const Item& item);
  DistanceRank SettledRank(const Item& item, const NodeView& node, int key);
  DistanceRank ExactRank(int key);
  DistanceRank BoundOf(const Item& item) const;
  bool SettledIsNext() const;
  void VisitChild(PageReader& reader, const Item& item);
  void PopRow(NearestRow* row);

  const KeyLayout* layout_ = nullptr;
  Options options_;
  bool started_ = false;
  bool sharing_ = false;   // the root is being visited, for a team
  bool filtered_ = false;  // does the constraint exclude anything?
  bool squared_ = false;   // ranks in `bounds_` are bits of squares
  int key_count_ = 0;
  DistanceKey keys_[kMaxOrderKeys];
  PageFilter filter_;
  NodeWork visit_ = {};  // of the node being visited
  ScanWork work_ = {};

  Scratch<NearestFrame*> frames_;
  Scratch<uint32_t> free_;     // of `frames_`
  Scratch<uint32_t> visited_;  // likewise: of the node being visited, not queued before all of it is accepted
  Scratch<Item> bounds_;       // min-heap: one item per frame that has entries to give out
  Scratch<Item> settled_;      // min-heap: entries with exact ranks, and children with the best that are known
  size_t rows_settled_ = 0;    // of `settled_`: entries of leaves

  Ordinal lo_[kMaxDimensions];  // an entry's box in the columns of one key
  Ordinal hi_[kMaxDimensions];
  struct {
    bool known;
    Ordinal lo[kMaxDimensions];
    Ordinal hi[kMaxDimensions];
    DistanceRank rank;
  } last_;  // the box whose exact distance was computed last, by the first key: among ties the next one is often the same
  double squares_[kMaxEntriesPerPage];
  uint16_t slots_[kMaxEntriesPerPage];
};

static_assert(std::is_trivially_destructible_v<NearestScan> && std::is_trivially_destructible_v<NearestRow>);

}  // namespace xtree
