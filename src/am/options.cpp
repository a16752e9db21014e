// Storage parameters: CREATE INDEX ... USING xtree ... WITH (...).
#include "am/entry_points.h"
#include "am/index_state.h"

extern "C" {
#include "access/reloptions.h"
}

namespace xtree {

static relopt_kind option_kind;

// Writers lock a supernode whole, and its parent or child with it; the server lets a process hold 200 such locks.
static constexpr int kLargestSupernode = 64;

void RegisterOptions() {
  option_kind = add_reloption_kind();
  const LOCKMODE lock = ShareUpdateExclusiveLock;
  const TreeOptions defaults;
  add_int_reloption(option_kind, "fillfactor", "Percentage of a page that CREATE INDEX and REINDEX fill", kDefaultFillfactor, 10, 100, lock);
  add_real_reloption(option_kind, "max_overlap",
                     "Overlap of the halves of a directory node (intersection over union) above which it becomes a supernode",
                     defaults.max_overlap, 0, 1, lock);
  add_real_reloption(option_kind, "min_fanout", "Smallest share of a node's entries that an overlap-minimal split leaves in a half",
                     defaults.min_fanout, 0, 0.5, lock);
  add_int_reloption(option_kind, "max_supernode_pages", "Pages that a supernode grows to before it is split in any case",
                    defaults.max_supernode_pages, 1, kLargestSupernode, lock);
}

}  // namespace xtree

extern "C" bytea* xtreeoptions(Datum reloptions, bool validate) {
  using xtree::IndexOptions;
  static const relopt_parse_elt table[] = {
      {"fillfactor", RELOPT_TYPE_INT, offsetof(IndexOptions, fillfactor)},
      {"max_overlap", RELOPT_TYPE_REAL, offsetof(IndexOptions, max_overlap)},
      {"min_fanout", RELOPT_TYPE_REAL, offsetof(IndexOptions, min_fanout)},
      {"max_supernode_pages", RELOPT_TYPE_INT, offsetof(IndexOptions, max_supernode_pages)},
  };
  return static_cast<bytea*>(build_reloptions(reloptions, validate, xtree::option_kind, sizeof(IndexOptions), table, lengthof(table)));
}
