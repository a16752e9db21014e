// NearestFrame: a page that a NearestScan has read, and the order of its entries as far as it is known.
//
// Private to NearestScan. Holds a copy of the page and, for each entry that takes part, a rank per key. A tournament
// over groups of 16 finds the best entry in one pass over the page and each further one in one over a group and the
// winners: of the hundreds of entries on a page a scan rarely asks for more than a few.
#pragma once

#include "core/scan/distance_rank.h"
#include "core/scan/scratch.h"

namespace xtree {

struct NearestFrame {
  static constexpr int kGroup = 16;
  static constexpr int kMaxGroups = kMaxEntriesPerPage / kGroup;

  Lsn lsn;  // of the page when it was read
  BlockNumber block;
  uint16_t level;
  uint16_t keys;
  uint16_t entries;     // that take part
  uint16_t best;        // the winner of all
  bool all;             // every entry of the page takes part: `slots` is not filled
  uint32_t in_use;      // entries that may still be asked for; the frame is free at 0
  uint32_t stride;      // of `ranks`
  uint8_t* page;        // the used parts of the page, not its hole
  DistanceRank* ranks;  // [key * stride + entry]; kNoDistance (first key): given out
  uint16_t* slots;
  uint16_t winner[kMaxGroups];
  DistanceRank winner_rank[kMaxGroups];  // for the first key

  // A frame for pages of this layout.
  static NearestFrame* Allocate(PageReader& reader, const KeyLayout& layout, int keys);

  NodeView view(const KeyLayout& layout) const { return NodeView(layout, page); }
  uint16_t Slot(int entry) const { return all ? static_cast<uint16_t>(entry) : slots[entry]; }
  DistanceRank Rank(int key, int entry) const { return ranks[key * stride + entry]; }
  DistanceRank BestRank() const { return ranks[best]; }  // kNoDistance: all are given out

  void StartTournament();  // REQUIRES: entries > 0 and all ranks are set
  void GiveOutBest();      // the next best one takes its place

 private:
  bool Before(int a, int b) const;
  void PlayGroup(int group);
  void PlayFinal();
};

}  // namespace xtree
