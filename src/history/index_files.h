// What the server keeps of each index in files of its own, pg_stat/xtree/DATABASE/INDEX.history and INDEX.hot: its history (history_file.h) and which
// pages were in memory (hot_set.h). The worker writes them, one index a file, so that thousands of indexes are no more work than those that are used.
#pragma once

#include "shmem/index_table.h"

namespace xtree {

enum class IndexFile : int { kHistory, kHotSet };

// OpenTransientFile(); with O_CREAT the directories are made too. Negative, with errno: it failed.
int OpenIndexFile(IndexKey key, IndexFile kind, int flags);
void RemoveIndexFile(IndexKey key, IndexFile kind);
inline void RemoveIndexFiles(IndexKey key) {
  RemoveIndexFile(key, IndexFile::kHistory);
  RemoveIndexFile(key, IndexFile::kHotSet);
}

struct IndexKeys {
  IndexKey* key;  // in memory of the current context
  int count;
};
// The indexes that have such a file. What is not readable is reported to the log, and counts as empty.
IndexKeys IndexesWithFile(IndexFile kind);
IndexKeys IndexesWithFile(Oid database, IndexFile kind);

// Removes files that nobody has written to for so many microseconds, and directories that are empty.
void RemoveOldIndexFiles(int64 age);

}  // namespace xtree
