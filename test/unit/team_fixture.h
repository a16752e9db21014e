// A team for tests of scans that share a tree (core/scan/scan_team.h), with room for so many nodes. Threads may share it.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "core/scan/scan_team.h"

namespace xtree::test {

class Team final : public ScanTeam {
 public:
  Team(size_t room, bool ordered) : room_(room), ordered_(ordered) {}

  bool Begin() override {
    std::unique_lock lock(mutex_);
    if (!begun_) {
      begun_ = true;
      visiting_ = 1;
      return true;
    }
    changed_.wait(lock, [this] { return !ordered_ || visiting_ == 0; });
    return false;
  }

  bool Take(NodePointer* node) override {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !pool_.empty() || visiting_ == 0; });
    if (pool_.empty()) return false;
    *node = pool_.back().pointer;
    pool_.pop_back();
    ++visiting_;
    return true;
  }

  bool TakeNearest(DistanceRank most, NodePointer* node) override {
    const std::unique_lock lock(mutex_);
    const auto nearest = std::min_element(pool_.begin(), pool_.end(), [](const TeamNode& a, const TeamNode& b) { return a.rank < b.rank; });
    if (nearest == pool_.end() || nearest->rank > most) return false;
    *node = nearest->pointer;
    pool_.erase(nearest);
    return true;
  }

  int Put(const TeamNode* nodes, int count) override {
    const std::unique_lock lock(mutex_);
    const size_t room = room_ - pool_.size();
    const int put = ordered_ && room < static_cast<size_t>(count) ? 0 : static_cast<int>(std::min<size_t>(count, room));
    pool_.insert(pool_.end(), nodes + count - put, nodes + count);
    most_ = std::max(most_, pool_.size());
    return count - put;
  }

  void EndVisit() override {
    {
      const std::unique_lock lock(mutex_);
      --visiting_;
    }
    changed_.notify_all();
  }

  size_t most() const { return most_; }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  const size_t room_;
  const bool ordered_;
  bool begun_ = false;
  int visiting_ = 0;
  size_t most_ = 0;
  std::vector<TeamNode> pool_;
};

}  // namespace xtree::test
