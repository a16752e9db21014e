// See nearest_frame.h. Memory comes from the reader of the scan; nothing is locked here.
#include "core/scan/nearest_frame.h"

namespace xtree {
namespace {

// Which of the ranks is the least; without a branch, as nothing predicts it.
inline int Least(const DistanceRank* ranks, int count) {
  DistanceRank least = ranks[0];
  int at = 0;
  for (int i = 1; i < count; ++i) {
    const bool less = ranks[i] < least;
    least = less ? ranks[i] : least;
    at = less ? i : at;
  }
  return at;
}

}  // namespace

NearestFrame* NearestFrame::Allocate(PageReader& reader, const KeyLayout& layout, int keys) {
  size_t stride = 0;
  for (const BlockLayout& block : layout.block) stride = std::max<size_t>(stride, block.max_entries);
  stride = (stride + kGroup - 1) / kGroup * kGroup;
  const size_t rank_bytes = keys * stride * sizeof(DistanceRank);
  auto* memory = static_cast<uint8_t*>(reader.AllocateFrame(sizeof(NearestFrame) + kPageSize + rank_bytes + stride * sizeof(uint16_t)));
  auto* frame = reinterpret_cast<NearestFrame*>(memory);
  frame->keys = static_cast<uint16_t>(keys);
  frame->stride = static_cast<uint32_t>(stride);
  frame->page = memory + sizeof(NearestFrame);
  frame->ranks = reinterpret_cast<DistanceRank*>(frame->page + kPageSize);
  frame->slots = reinterpret_cast<uint16_t*>(frame->page + kPageSize + rank_bytes);
  return frame;
}

// Lexicographic over the keys.
bool NearestFrame::Before(int a, int b) const {
  for (int key = 0; key < keys; ++key) {
    const DistanceRank rank_a = Rank(key, a);
    const DistanceRank rank_b = Rank(key, b);
    if (rank_a != rank_b) return rank_a < rank_b;
  }
  return false;
}

void NearestFrame::PlayGroup(int group) {
  const int first = group * kGroup;
  const int end = std::min<int>(first + kGroup, entries);
  int at = first;
  if (keys == 1) {
    at += Least(ranks + first, end - first);
  } else {
    for (int i = first + 1; i < end; ++i) {
      if (Before(i, at)) at = i;
    }
  }
  winner[group] = static_cast<uint16_t>(at);
  winner_rank[group] = ranks[at];
}

void NearestFrame::PlayFinal() {
  const int groups = (entries + kGroup - 1) / kGroup;
  int at = 0;
  if (keys == 1) {
    at = Least(winner_rank, groups);
  } else {
    for (int g = 1; g < groups; ++g) {
      if (Before(winner[g], winner[at])) at = g;
    }
  }
  best = winner[at];
}

void NearestFrame::StartTournament() {
  for (int group = 0; group * kGroup < entries; ++group) PlayGroup(group);
  PlayFinal();
}

void NearestFrame::GiveOutBest() {
  ranks[best] = kNoDistance;
  PlayGroup(best / kGroup);
  PlayFinal();
}

}  // namespace xtree
