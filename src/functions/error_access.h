// Who may read what an error said. The message of a failed build can quote values of the table (`invalid input syntax for type integer:
// "..."`), which row security or a missing grant may hide from the reader.
//
// For the views' functions, with no lock held: it looks into the system caches and takes none on the index, which may be gone.
#pragma once

#include "pg/postgres_api.h"

namespace xtree {

// Does the current user own this index of this database, or see all statistics (pg_read_all_stats)?
bool MayReadErrors(Oid index);

}  // namespace xtree
