// Differences between PostgreSQL's versions: the server's cumulative statistics, which know kinds of other libraries from 18 on. See compat.h.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "pgstat.h"
#include "utils/pgstat_internal.h"
}

namespace pg {

// Rows of a table that were written and that its indexes took, as the server counts them; 0 where it does not know the table, or does not count.
// For a process without a database too. What is copied for it stays until ForgetStatistics().
inline int64 RowsWritten(Oid database, Oid table) {
#if PG_VERSION_NUM >= 190000
  const void* const entry = pgstat_fetch_entry(PGSTAT_KIND_RELATION, database, table, nullptr);
#else
  const void* const entry = pgstat_fetch_entry(PGSTAT_KIND_RELATION, database, table);
#endif
  if (entry == nullptr) return 0;
  const auto* const counts = static_cast<const PgStat_StatTabEntry*>(entry);
  return counts->tuples_inserted + counts->tuples_updated - counts->tuples_hot_updated;
}

inline void ForgetStatistics() { pgstat_clear_snapshot(); }

#if PG_VERSION_NUM >= 180000 && !defined(PG_HAVE_ATOMIC_U64_SIMULATION)
inline constexpr bool kStatisticsKinds = true;
#else
inline constexpr bool kStatisticsKinds = false;
#endif

// Of a kind whose entries are T, numbered by database and relation. T is zeroed by the server when an entry is made or reset, so its zeroes must mean
// something, as those of atomics do where the machine has them.
template <class T>
class StatisticsKind {
 public:
#if PG_VERSION_NUM >= 180000
  // While the server starts. False: another library was quicker to take this number.
  static bool Register(uint32 id, const char* name) {
    if (pgstat_get_kind_info(id) != nullptr) return false;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"  // what is not named here is 0
    static const PgStat_KindInfo info = {
        .fixed_amount = false,
        .write_to_file = true,
        .shared_size = sizeof(Shared),
        .shared_data_off = offsetof(Shared, data),
        .shared_data_len = sizeof(T),
        .name = name,
    };
#pragma GCC diagnostic pop
    pgstat_register_kind(id, &info);
    kind = id;
    return true;
  }

  // An entry of this kind, or nullptr. What it points to is the server's, and may go at its next look into its statistics.
  static T* Find(Oid database, Oid relation) { return DataOf(pgstat_get_entry_ref(kind, database, relation, false, nullptr)); }
  // The same, made where there is none; `for_transaction`: it goes if this transaction is rolled back. May raise.
  static T* Make(Oid database, Oid relation, bool for_transaction) {
    if (for_transaction) pgstat_create_transactional(kind, database, relation);
    return DataOf(pgstat_get_entry_ref(kind, database, relation, true, nullptr));
  }

  // The relations of a database that have an entry, in memory of the current context.
  static List* RelationsOf(Oid database) {
    List* relations = NIL;
    dshash_seq_status status;
    dshash_seq_init(&status, pgStatLocal.shared_hash, false);
    while (const void* next = dshash_seq_next(&status)) {
      const auto* entry = static_cast<const PgStatShared_HashEntry*>(next);
      if (entry->dropped || entry->key.kind != kind || entry->key.dboid != database) continue;
      relations = lappend_oid(relations, static_cast<Oid>(entry->key.objid));
    }
    dshash_seq_term(&status);
    return relations;
  }

  static void Reset(Oid database, Oid relation) { pgstat_reset(kind, database, relation); }
  static void ResetAll() { pgstat_reset_of_kind(kind); }
  // When this transaction commits, also on standbys, which need not know the kind.
  static void DropAtCommit(Oid database, Oid relation) { pgstat_drop_transactional(kind, database, relation); }

 private:
  struct Shared {
    PgStatShared_Common header;
    T data;
  };
  static T* DataOf(PgStat_EntryRef* entry) { return entry != nullptr ? &reinterpret_cast<Shared*>(entry->shared_stats)->data : nullptr; }
  static inline PgStat_Kind kind = PGSTAT_KIND_INVALID;

#else
  static bool Register(uint32, const char*) { return false; }
  static T* Find(Oid, Oid) { return nullptr; }
  static T* Make(Oid, Oid, bool) { return nullptr; }
  static List* RelationsOf(Oid) { return NIL; }
  static void Reset(Oid, Oid) {}
  static void ResetAll() {}
  static void DropAtCommit(Oid, Oid) {}
#endif
};

}  // namespace pg
