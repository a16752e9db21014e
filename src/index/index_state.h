// IndexState: what the access method knows of an index: key layout, type routines, options, statistics of its meta page.
//
// Derived from the catalog and the meta page once per relation cache entry and kept in rd_amcache. The relation cache may free that at
// any invalidation, and anything that touches a catalog may process one: a scan, insert or build therefore works on a copy of its own.
// Plain data.
#pragma once

#include "pg/postgres_api.h"

#include "core/write/split.h"
#include "core/write/tree_vacuum.h"
#include "index/options.h"
#include "page/key_layout.h"
#include "xtree.h"

namespace xtree {

struct ColumnState {
  const XtreeTypeRoutine* routine;
  XtreeColumn column;
  bool undecided;  // the first row that is inserted will decide the number of dimensions, which is taken for 1
};

// Of an index of clusters: the column that is kept so, and where what its codes mean lies.
struct VectorFacts {
  uint16_t dimensions;  // of the vectors; 0: there is no such column
  uint16_t column;
  // These change under a session's copy: whoever codes or searches has them from UseModels() (index/vector_models.h).
  uint16_t generations;
  VectorGeneration generation[kMaxGenerations];
};

struct IndexState {
  int fillfactor;
  TreeOptions tree_options;
  LoadOptions load_options;
  bool undecided;  // in some column: whoever scans finds nothing
  VectorFacts vectors;
  bool meta_read;  // what follows is the meta page's; else an empty tree's that is built
  bool stale;      // not built, and rows were written since
  MetaBuildState build_state;
  uint64_t usable_from_xid;
  uint16_t levels;  // of the statistics
  LevelStatistics level[kMaxLevel];
  ColumnStatistics column_statistics[kMaxColumns];
  float heap_spread;
  ColumnState column[kMaxColumns];
  KeyLayout layout;  // last: allocated only as far as its dimensions reach

  size_t size() const { return offsetof(IndexState, layout) + layout.size(); }
  const ColumnState& ColumnOfDimension(int dimension) const { return column[layout.dimension[dimension].column]; }
};

// The cached state, valid until the next catalog access. Ereports for an unsupported column, an index that is too wide, or a meta
// page that this code cannot read. Where the meta page is looked at and dimensions are undecided, it is looked at each time.
enum class MetaUse {
  kNone,  // it is not looked at: there may be none yet
  kPlan,  // one that cannot be read is not reported: whoever scans the index reports it
  kRequired,
};
const IndexState* GetIndexState(Relation index, MetaUse use);

// The same, copied into the current memory context.
IndexState* CopyIndexState(Relation index, MetaUse use);

// The levels above the leaves, as the last build or VACUUM counted them, where the cached state has them; -1: not known. Looks at nothing else, and
// raises nothing.
int KnownTreeHeight(Relation index);

// Does the cached state have what the meta page says?
bool IsMetaKnown(Relation index);

// Looks at the meta page again. False: dimensions were decided meanwhile, so that the layout is another one.
bool RereadMeta(Relation index, IndexState* state);

// The state of an index that is to be built, in the current memory context. `dimensions`: of each column, 0 where the
// operator class or the parameters say it, or nothing does; of vectors what the rows have, also where they are kept in clusters.
IndexState* NewIndexState(Relation index, const uint16* dimensions);

// Do the rows decide how many dimensions this column has?
bool DimensionsFromRows(const ColumnState& column);

// The column's type routine and what it needs to know, but for dimensions that rows decide: those are 0.
void DescribeColumn(Relation index, int column, ColumnState* out);

// Has the column's type the choice between the tree's dimensions and clusters?
inline bool MayBeClusters(const ColumnState& column) { return column.routine->vectors != nullptr; }
// Is it kept in clusters?
inline bool IsInClusters(const IndexState& state, int column) { return state.vectors.dimensions != 0 && state.vectors.column == column; }
// How many dimensions a value of a described column has, where rows decide; an ERROR where a parameter says another number.
uint16 DimensionsOfValue(const ColumnState& described, Datum value);
// What `dimensions` of NewIndexState() would be for such an index.
void FillDimensions(const IndexState& state, uint16* dimensions);

// Of each column, as the meta page has it.
void FillEncodings(const IndexState& state, ColumnEncoding* encoding);
void FillOrderVersions(const IndexState& state, OrderVersion* version);

// Forgets the cache after the meta page changed.
void ForgetIndexState(Relation index);

}  // namespace xtree
