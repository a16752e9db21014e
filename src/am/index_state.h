// IndexState: what the access method knows of an index: key layout, type routines, options, statistics of its meta page.
//
// Derived from the catalog and the meta page once per relation cache entry and kept in rd_amcache. The relation cache may free that at
// any invalidation, and anything that touches a catalog may process one: a scan, insert or build therefore works on a copy of its own.
// Plain data.
#pragma once

#include "pg/postgres_api.h"

#include "core/write/split.h"
#include "core/write/tree_vacuum.h"
#include "page/key_layout.h"
#include "stats/index_table.h"
#include "xtree.h"

namespace xtree {

// Storage parameters, as reloptions parses them (am/options.cpp).
struct IndexOptions {
  int32 vl_len_;
  int fillfactor;
  double max_overlap;
  double min_fanout;
  int max_supernode_pages;
  bool preload;
  int memory_quota_offset;  // of the text, from the struct's start; 0: none
  int strategy;
};

// The options that say how an index is loaded.
LoadOptions LoadOptionsOf(Relation index);
LoadOptions LoadOptionsOf(const IndexOptions* options);  // nullptr: the defaults

inline constexpr int kDefaultFillfactor = 90;

struct ColumnState {
  const XtreeTypeRoutine* routine;
  XtreeColumn column;
};

struct IndexState {
  int fillfactor;
  TreeOptions tree_options;
  LoadOptions load_options;
  uint16_t levels;                    // of the statistics; 0 when the meta page has not been read
  LevelStatistics level[kMaxLevel];
  ColumnState column[kMaxColumns];
  KeyLayout layout;                   // last: allocated only as far as its dimensions reach

  size_t size() const { return offsetof(IndexState, layout) + layout.size(); }
  const ColumnState& ColumnOfDimension(int dimension) const { return column[layout.dimension[dimension].column]; }
};

// The cached state, valid until the next catalog access. Ereports for an unsupported column, an index that is too wide, or a meta
// page that this code cannot read. `check_meta` false: the meta page is not looked at (build, planning).
const IndexState* GetIndexState(Relation index, bool check_meta);

// The same, copied into the current memory context.
const IndexState* CopyIndexState(Relation index, bool check_meta);

// The state of an index that is to be built, in the current memory context. `dimensions`: of each column, 0 where the
// operator class or the parameters say it.
const IndexState* NewIndexState(Relation index, const uint16* dimensions);

// Do the rows decide how many dimensions this column has?
bool DimensionsFromRows(const ColumnState& column);

// The column's type routine and what it needs to know, but for dimensions that rows decide: those are 0.
void DescribeColumn(Relation index, int column, ColumnState* out);

// Forgets the cache after the meta page changed.
void ForgetIndexState(Relation index);

// The box of an index tuple's key columns. Calls the types' callbacks, which may ereport: only where no C++ object is alive.
void FormBox(const IndexState& state, const Datum* values, const bool* isnull, Box* box);

// Meta page content for this index, and its place on a page image.
void InitializeMetaPage(const IndexState& state, BuildState build_state, const LevelStatistics* level, int levels,
                        PageImage* image);

}  // namespace xtree
