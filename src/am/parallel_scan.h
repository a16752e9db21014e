// Parallel index scans: the pool of nodes that the participants share (core/scan/scan_team.h), in the shared memory of the query.
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
  // REQUIRES: scan->parallel_scan. `began` is called by the first participant, once a scan.
  void Attach(IndexScanDesc scan, void (*began)(IndexScanDesc scan));

  bool Begin() override;
  bool Take(NodePointer* node) override;
  bool TakeNearest(DistanceRank most, NodePointer* node) override;
  int Put(const TeamNode* nodes, int count) override;
  void EndVisit() override;

 private:
  IndexScanDesc scan_;
  void (*began_)(IndexScanDesc scan);
  ParallelPool* pool_;
  bool ordered_;
};
static_assert(std::is_trivially_destructible_v<ParallelTeam>);

}  // namespace xtree
