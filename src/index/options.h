// Storage parameters of an index: CREATE INDEX ... USING xtree ... WITH (...).
#pragma once

#include "pg/postgres_api.h"

#include "shmem/index_table.h"

namespace xtree {

// Storage parameters, as reloptions parses them.
struct IndexOptions {
  int32 vl_len_;
  int fillfactor;
  double max_overlap;
  double min_fanout;
  int max_supernode_pages;
  bool preload;
  int memory_quota_offset;  // of the text, from the struct's start; 0: none
  int strategy;
  int build;             // BuildReloption
  int structure;         // VectorStructure
  int clusters;          // 0: as many as the rows ask for
  int buffering_offset;  // GiST's, of the text: accepted with a notice, read by nobody
};

// When CREATE INDEX and whatever gives the table new files build the index: at once, or when somebody needs it (deferred/deferral.h).
enum class BuildReloption : int { kImmediate, kDeferred };
BuildReloption BuildReloptionOf(Relation index);

// How vectors are kept: as points of a tree of boxes, or in clusters with codes.
enum class VectorStructure : int { kAuto, kTree, kClusters };
VectorStructure StructureOf(Relation index);
// 0: as many as the rows ask for.
int ClustersOf(Relation index);

// Are vectors of so many dimensions to be kept in clusters? By measurement: src/README.md, "Vectors of many dimensions".
inline constexpr int kMostDimensionsOfTree = 24;
inline bool WantsClusters(VectorStructure structure, int dimensions) {
  return structure == VectorStructure::kClusters || (structure == VectorStructure::kAuto && dimensions > kMostDimensionsOfTree);
}

// The options that say how an index is loaded.
LoadOptions LoadOptionsOf(Relation index);
LoadOptions LoadOptionsOf(const IndexOptions* options);  // nullptr: the defaults

inline constexpr int kDefaultFillfactor = 90;

// Makes the options known to the server. Once in a process.
void RegisterOptions();

}  // namespace xtree

// The access method's callback amoptions.
extern "C" bytea* xtreeoptions(Datum reloptions, bool validate);
