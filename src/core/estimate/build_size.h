// How large the tree of a bulk load will be, before its rows are there: from how many there are, and what a node is planned to hold.
//
// For functions/estimate_function.cpp. It follows the ways of the bulk load: in memory (bulk_build.h), through files (bulk_external.h), in parallel
// (bulk_parallel.h); what depends on where the rows lie (runs of equal keys, supernodes, payloads of unlike lengths) comes from the tree of a
// sample, which was built in earnest. Nothing is locked; no WAL.
#pragma once

#include "core/bulk/bulk_write.h"

namespace xtree {

struct RowsToLoad {
  double rows;
  double payload;  // mean bytes of an INCLUDE payload, its length included; 0 without
  bool marks;      // some row has marks
};

struct BuildRoom {
  size_t memory;     // of the whole build
  int participants;  // processes that build together; 1: it is not parallel
};

struct BuildSize {
  int levels;
  double pages[kMaxLevel];  // of each level, supernodes counted with all of theirs
  bool in_memory;           // no row goes to a file

  double AllPages() const {  // but for the meta page
    double all = 0;
    for (int level = 0; level < levels; level++) all += pages[level];
    return all;
  }
};

BuildSize SizeOfBuild(const KeyLayout& layout, const BulkOptions& options, const RowsToLoad& rows, const BuildRoom& room);

// What SizeOfBuild says of all rows, by how far it is from the truth about some of them: `sample` was built in memory to `built`.
BuildSize SizeByExample(const KeyLayout& layout, const BulkOptions& options, const RowsToLoad& rows, const BuildRoom& room,
                        const RowsToLoad& sample, const BulkStatistics& built);

// The memory with which a build by one process needs no files.
double MemoryToLoad(const KeyLayout& layout, const RowsToLoad& rows);

}  // namespace xtree
