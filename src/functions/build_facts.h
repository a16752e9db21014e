// What the meta page of an index says of its building, for views and metrics.
//
// It waits for nobody: where the index is locked, as while it is reindexed, nothing is known. The lock that it takes is given back at once,
// and the relation is not opened, so that looking at thousands of indexes fills no cache.
#pragma once

#include "pg/compat.h"

namespace xtree {

struct BuildFacts {
  bool known;
  bool built;
  bool stale;
  uint64_t counted_rows;
  uint64_t distinct_keys;
  // Of the tree, as the last build or VACUUM counted it:
  int64_t built_at = 0;       // seconds since 2000; 0: not known
  double built_crowding = 0;  // 0: not known
  int dimensions = 0;
  int height = 0;  // levels; 0: not known
  uint64_t pages = 0;
  uint64_t entries = 0;
  // Of vectors in clusters, likewise:
  uint64_t vectors = 0;
  uint64_t outgrown_vectors = 0;  // in clusters that were made for far fewer rows, or from none
  double drift = 0;               // the mean of those for which it is known; 0: of none
  double fill = -1;  // used share of the leaves, by what an entry takes; negative: not known, as with INCLUDE columns, of whatever length
};

struct IndexFile {
  bool found;
  bool temporary;
  bool permanent;
  pg::FileLocator locator;
};

IndexFile FileOf(const FormData_pg_class& row);

BuildFacts FactsOf(Oid index);

// The same for one of many, whose file was read from the catalogs when `invalidations` was SharedInvalidMessageCounter: where nothing has changed
// since, they are not asked again. `strategy`: so that pages which nobody else wants stay in shared buffers for no longer than they are read.
BuildFacts FactsOf(Oid index, const IndexFile& file, uint64 invalidations, BufferAccessStrategy strategy);

}  // namespace xtree
