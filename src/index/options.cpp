// See options.h.
#include "index/options.h"

#include "core/cluster/vector_model.h"
#include "core/write/split.h"

extern "C" {
#include "access/reloptions.h"
#include "utils/guc.h"
}

namespace xtree {

static relopt_kind option_kind;

// Writers lock a supernode whole, and its parent or child with it; the server lets a process hold 200 such locks.
static constexpr int kLargestSupernode = 64;

static relopt_enum_elt_def strategies[] = {{"auto", static_cast<int>(Strategy::kAuto)},
                                           {"resident", static_cast<int>(Strategy::kResident)},
                                           {"paged", static_cast<int>(Strategy::kPaged)},
                                           {"streamed", static_cast<int>(Strategy::kStreamed)},
                                           {nullptr, 0}};

static relopt_enum_elt_def builds[] = {
    {"immediate", static_cast<int>(BuildReloption::kImmediate)}, {"deferred", static_cast<int>(BuildReloption::kDeferred)}, {nullptr, 0}};

static relopt_enum_elt_def structures[] = {{"auto", static_cast<int>(VectorStructure::kAuto)},
                                           {"tree", static_cast<int>(VectorStructure::kTree)},
                                           {"clusters", static_cast<int>(VectorStructure::kClusters)},
                                           {nullptr, 0}};

// -1 where the text is no amount of memory.
static int ParseMemory(const char* text) {
  int kilobytes;
  return parse_int(text, &kilobytes, GUC_UNIT_KB, nullptr) && kilobytes >= 0 ? kilobytes : -1;
}

static void ValidateQuota(const char* value) {
  if (value == nullptr || ParseMemory(value) >= 0) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid value for option \"memory_quota\": %s", value),
                  errhint("It is an amount of memory from 0 to 2147483647 kB, such as '64MB'; without a unit it is in kB.")));
}

// GiST's option, which tools and dumps write.
static void ValidateBuffering(const char* value) {
  if (value == nullptr) return;
  for (const char* known : {"auto", "on", "off"})
    if (pg_strcasecmp(value, known) == 0) {
      ereport(NOTICE, errmsg("option \"buffering\" means nothing to xtree indexes"),
              errdetail("They are built in memory as far as maintenance_work_mem reaches, and through files beyond it."));
      return;
    }
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("invalid value for option \"buffering\": %s", value),
                  errdetail("Valid values are \"auto\", \"on\" and \"off\"."),
                  errhint("It is GiST's, and means nothing to xtree indexes: leave it out.")));
}

void RegisterOptions() {
  option_kind = add_reloption_kind();
  const LOCKMODE lock = ShareUpdateExclusiveLock;
  const TreeOptions defaults;
  add_int_reloption(option_kind, "fillfactor", "Percentage of a page that CREATE INDEX and REINDEX fill", kDefaultFillfactor, 10, 100,
                    lock);
  add_real_reloption(option_kind, "max_overlap",
                     "Overlap of the halves of a directory node (intersection over union) above which it becomes a supernode",
                     defaults.max_overlap, 0, 1, lock);
  add_real_reloption(option_kind, "min_fanout", "Smallest share of a node's entries that an overlap-minimal split leaves in a half",
                     defaults.min_fanout, 0, 0.5, lock);
  add_int_reloption(option_kind, "max_supernode_pages", "Pages that a supernode grows to before it is split in any case",
                    defaults.max_supernode_pages, 1, kLargestSupernode, lock);
  add_bool_reloption(option_kind, "preload", "Load the index when the server starts", false, lock);
  add_string_reloption(option_kind, "memory_quota", "Memory for pages of the index, above which it is evicted", nullptr, ValidateQuota,
                       lock);
  add_enum_reloption(option_kind, "strategy", "How the index is kept in memory", strategies, static_cast<int>(Strategy::kAuto),
                     "Valid values are \"auto\", \"resident\", \"paged\" and \"streamed\".", lock);
  add_enum_reloption(option_kind, "build", "When the index is built", builds, static_cast<int>(BuildReloption::kImmediate),
                     "Valid values are \"immediate\" and \"deferred\".", lock);
  add_enum_reloption(option_kind, "structure", "How vectors are kept", structures, static_cast<int>(VectorStructure::kAuto),
                     "Valid values are \"auto\", \"tree\" and \"clusters\".", lock);
  add_int_reloption(option_kind, "clusters", "Clusters that CREATE INDEX and REINDEX make of vectors; 0: as many as the rows ask for", 0, 0,
                    kMaxClusters, lock);
  add_string_reloption(option_kind, "buffering", "Accepted for the sake of statements made for GiST, and without effect", nullptr,
                       ValidateBuffering, lock);
}

BuildReloption BuildReloptionOf(Relation index) {
  const auto* options = reinterpret_cast<const IndexOptions*>(index->rd_options);
  return options != nullptr ? static_cast<BuildReloption>(options->build) : BuildReloption::kImmediate;
}

VectorStructure StructureOf(Relation index) {
  const auto* options = reinterpret_cast<const IndexOptions*>(index->rd_options);
  return options != nullptr ? static_cast<VectorStructure>(options->structure) : VectorStructure::kAuto;
}

int ClustersOf(Relation index) {
  const auto* options = reinterpret_cast<const IndexOptions*>(index->rd_options);
  return options != nullptr ? options->clusters : 0;
}

LoadOptions LoadOptionsOf(Relation index) { return LoadOptionsOf(reinterpret_cast<const IndexOptions*>(index->rd_options)); }

LoadOptions LoadOptionsOf(const IndexOptions* options) {
  LoadOptions out{Strategy::kAuto, false, -1};
  if (options == nullptr) return out;
  out.strategy = static_cast<Strategy>(options->strategy);
  out.preload = options->preload;
  if (options->memory_quota_offset != 0)
    out.memory_quota_kb = ParseMemory(reinterpret_cast<const char*>(options) + options->memory_quota_offset);
  return out;
}

}  // namespace xtree

// Its other fields, which not every version has, are 0.
static relopt_parse_elt Parsed(const char* name, relopt_type type, size_t offset) {
  relopt_parse_elt option = {};
  option.optname = name;
  option.opttype = type;
  option.offset = static_cast<int>(offset);
  return option;
}

extern "C" bytea* xtreeoptions(Datum reloptions, bool validate) {
  using xtree::IndexOptions;
  static const relopt_parse_elt table[] = {
      Parsed("fillfactor", RELOPT_TYPE_INT, offsetof(IndexOptions, fillfactor)),
      Parsed("max_overlap", RELOPT_TYPE_REAL, offsetof(IndexOptions, max_overlap)),
      Parsed("min_fanout", RELOPT_TYPE_REAL, offsetof(IndexOptions, min_fanout)),
      Parsed("max_supernode_pages", RELOPT_TYPE_INT, offsetof(IndexOptions, max_supernode_pages)),
      Parsed("preload", RELOPT_TYPE_BOOL, offsetof(IndexOptions, preload)),
      Parsed("memory_quota", RELOPT_TYPE_STRING, offsetof(IndexOptions, memory_quota_offset)),
      Parsed("strategy", RELOPT_TYPE_ENUM, offsetof(IndexOptions, strategy)),
      Parsed("build", RELOPT_TYPE_ENUM, offsetof(IndexOptions, build)),
      Parsed("structure", RELOPT_TYPE_ENUM, offsetof(IndexOptions, structure)),
      Parsed("clusters", RELOPT_TYPE_INT, offsetof(IndexOptions, clusters)),
      Parsed("buffering", RELOPT_TYPE_STRING, offsetof(IndexOptions, buffering_offset)),
  };
  return static_cast<bytea*>(build_reloptions(reloptions, validate, xtree::option_kind, sizeof(IndexOptions), table, lengthof(table)));
}
