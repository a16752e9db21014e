// Parallel index scans, and joins of two trees: the pool of nodes that the participants share (core/scan/scan_team.h), in the shared memory
// of the query.
#pragma once

#include "core/scan/scan_team.h"
#include "pg/postgres_api.h"

extern "C" {
#include "access/genam.h"
#include "access/relscan.h"
}

namespace xtree {

struct ParallelPool;

// This process's hold on the pool. Plain data.
class ParallelTeam final : public ScanTeam {
 public:
  // `began` is called by the first participant, once a scan.
  void Attach(ParallelPool* pool, bool ordered, void (*began)(void* scan), void* scan);
  // REQUIRES: scan->parallel_scan.
  void Attach(IndexScanDesc scan, void (*began)(void* scan));

  bool Begin() override;
  bool Take(NodePointer* node) override;
  bool TakeNearest(DistanceRank most, NodePointer* node) override;
  int Put(const TeamNode* nodes, int count) override;
  void EndVisit() override;

 private:
  void* scan_;
  void (*began_)(void* scan);
  ParallelPool* pool_;
  bool ordered_;
};
static_assert(std::is_trivially_destructible_v<ParallelTeam>);

// A pool in shared memory: before anybody attaches to it, and before participants start again.
Size ParallelPoolBytes();
void InitializePool(ParallelPool* pool);
void EmptyPool(ParallelPool* pool);

}  // namespace xtree
