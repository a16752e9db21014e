// What xtree_metrics() knows of each index of the database: the catalogs, the shared table, the meta pages and the files, read for all of them in a
// few passes, since there may be ten thousand. pg_stat_xtree_indexes says the same.
#pragma once

#include "functions/build_facts.h"
#include "functions/index_copies.h"

extern "C" {
#include "catalog/pg_class.h"
}

namespace xtree {

struct IndexFacts {
  Oid index;
  Oid name_space;
  NameData name;
  float4 rows;    // pg_class.reltuples
  bool deferred;  // option build
  IndexFile file;

  const IndexCopy* used;  // nullptr: nobody has
  CounterValues counters;
  uint64_t blocks;  // of its file; 0: none
  BuildFacts build;

  // Of those alone that are listed.
  const char* labels;  // nullptr: it is not listed
  LoadOptions options;
  double build_progress;  // negative: not known
};

struct DatabaseFacts {
  IndexFacts* index;
  int count;
  uint64 invalidations;  // as of the moment when the catalog was read (build_facts.h)
};

// Those with most scans are listed, at most `room`. In memory of the current context.
DatabaseFacts CollectIndexes(int room);

}  // namespace xtree
