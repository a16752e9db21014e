// See index_files.h.
#include "history/index_files.h"

#include <sys/stat.h>
#include <unistd.h>

extern "C" {
#include "pgstat.h"
#include "storage/fd.h"
}

namespace xtree {

namespace {

constexpr char kDirectory[] = PGSTAT_STAT_PERMANENT_DIRECTORY "/xtree";
constexpr const char* kSuffix[] = {".history", ".hot"};

struct Path {
  char text[MAXPGPATH];
};

Path DirectoryOf(Oid database) {
  Path path;
  snprintf(path.text, sizeof(path.text), "%s/%u", kDirectory, database);
  return path;
}

Path PathOf(IndexKey key, IndexFile kind) {
  Path path;
  snprintf(path.text, sizeof(path.text), "%s/%u/%u%s", kDirectory, key.database, key.index, kSuffix[static_cast<int>(kind)]);
  return path;
}

// Calls visit(number) for each entry of a directory whose name is a number and `suffix`. Nothing may be raised while it is open, but for want of
// memory.
template <class Visit>
void ForEachNumber(const char* directory, const char* suffix, Visit&& visit) {
  DIR* const dir = AllocateDir(directory);
  if (dir == nullptr && errno == ENOENT) return;
  while (const dirent* entry = ReadDirExtended(dir, directory, LOG)) {
    char* end;
    const unsigned long number = strtoul(entry->d_name, &end, 10);
    if (end != entry->d_name && strcmp(end, suffix) == 0 && number <= OID_MAX) visit(static_cast<Oid>(number));
  }
  FreeDir(dir);
}

void Append(IndexKeys* keys, IndexKey key) {
  constexpr int kFirst = 64;
  if (keys->count == 0) keys->key = static_cast<IndexKey*>(palloc(sizeof(IndexKey) * kFirst));
  const bool full = keys->count >= kFirst && (keys->count & (keys->count - 1)) == 0;
  if (full) keys->key = static_cast<IndexKey*>(repalloc_huge(keys->key, sizeof(IndexKey) * 2 * keys->count));
  keys->key[keys->count++] = key;
}

void AppendOf(Oid database, IndexFile kind, IndexKeys* keys) {
  ForEachNumber(DirectoryOf(database).text, kSuffix[static_cast<int>(kind)], [&](Oid index) { Append(keys, {database, index}); });
}

}  // namespace

int OpenIndexFile(IndexKey key, IndexFile kind, int flags) {
  const Path path = PathOf(key, kind);
  const int fd = OpenTransientFile(path.text, flags | PG_BINARY);
  if (fd >= 0 || errno != ENOENT || (flags & O_CREAT) == 0) return fd;
  (void)MakePGDirectory(kDirectory);
  (void)MakePGDirectory(DirectoryOf(key.database).text);
  return OpenTransientFile(path.text, flags | PG_BINARY);
}

void RemoveIndexFile(IndexKey key, IndexFile kind) { (void)unlink(PathOf(key, kind).text); }

IndexKeys IndexesWithFile(IndexFile kind) {
  IndexKeys keys = {};
  ForEachNumber(kDirectory, "", [&](Oid database) { AppendOf(database, kind, &keys); });
  return keys;
}

IndexKeys IndexesWithFile(Oid database, IndexFile kind) {
  IndexKeys keys = {};
  AppendOf(database, kind, &keys);
  return keys;
}

void RemoveOldIndexFiles(int64 age) {
  const pg_time_t before = time(nullptr) - age / USECS_PER_SEC;
  ForEachNumber(kDirectory, "", [&](Oid database) {
    for (const IndexFile kind : {IndexFile::kHistory, IndexFile::kHotSet}) {
      ForEachNumber(DirectoryOf(database).text, kSuffix[static_cast<int>(kind)], [&](Oid index) {
        struct stat status;
        const IndexKey key = {database, index};
        if (stat(PathOf(key, kind).text, &status) == 0 && status.st_mtime < before) RemoveIndexFile(key, kind);
      });
    }
    (void)rmdir(DirectoryOf(database).text);  // fails where there are files
  });
}

}  // namespace xtree
