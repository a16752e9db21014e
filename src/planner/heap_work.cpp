// See heap_work.h. Runs in the planner: palloc and ereport as they come.
#include "planner/heap_work.h"

#include <algorithm>

#include "planner/other_paths.h"
#include "planner/paths_again.h"
#include "planner/planner_family.h"
#include "planner/planner_notes.h"

extern "C" {
#include "optimizer/cost.h"
#include "optimizer/pathnode.h"
#include "optimizer/paths.h"
}

namespace xtree {

namespace {

set_rel_pathlist_hook_type next_hook;

struct Note {
  IndexPath* path;
  double loop_count;
  HeapWork work;
};

// Of the paths that have been made since the last table's were complete.
struct Notes {
  int count;
  int room;
  Note* note;
};

// A corrected bitmap. The server's may have been given up.
void AddBitmap(PlannerInfo* root, RelOptInfo* rel, const Note& note) {
  IndexPath* path = note.path;
  BitmapHeapPath* bitmap = create_bitmap_heap_path(root, rel, &path->path, PATH_REQ_OUTER(&path->path), note.loop_count, 0);
  bitmap->path.total_cost = std::max(bitmap->path.total_cost + note.work.bitmap, bitmap->path.startup_cost);
  add_path(rel, &bitmap->path);
}

List* OthersThanXtree(const List* indexes) {
  List* others = NIL;
  ListCell* cell;
  foreach (cell, indexes)
    if (!IsXtree(lfirst_node(IndexOptInfo, cell))) others = lappend(others, lfirst(cell));
  return others;
}

// What a path that was too cheap kept out of the list is not to be missed: scans of the table and of other access methods' indexes are made
// anew. Costs of our plain scans have been corrected by now; bitmaps of single indexes of ours follow.
void MakeOthersAgain(PlannerInfo* root, RelOptInfo* rel) {
  List *const before = rel->pathlist, *const partial = rel->partial_pathlist;
  MakePathsWith(root, rel, OthersThanXtree(rel->indexlist));
  CorrectOthers(root, rel);
  rel->partial_pathlist = partial;
  ListCell* cell;
  foreach (cell, before) {
    auto* path = static_cast<Path*>(lfirst(cell));
    if (IsA(path, BitmapHeapPath) && !IsA(reinterpret_cast<BitmapHeapPath*>(path)->bitmapqual, IndexPath))
      AddBitmapOfMany(root, rel, path);
    else if (IsA(path, CustomPath) || (IsA(path, IndexPath) && IsXtree(reinterpret_cast<IndexPath*>(path)->indexinfo)))
      add_path(rel, path);
  }
}

// Of a path that is not in the list: does it return all of the query's rows? One that is part of a BitmapOr answers for a part of an OR: with
// conditions, or by a partial index, that the query as a whole does not imply.
bool StandsAlone(const RelOptInfo* rel, const IndexPath* path) {
  if (path->path.param_info != nullptr || (path->indexinfo->indpred != NIL && !path->indexinfo->predOK)) return false;
  ListCell* cell;
  foreach (cell, path->indexclauses)
    if (!list_member_ptr(rel->baserestrictinfo, lfirst_node(IndexClause, cell)->rinfo)) return false;
  return true;
}

// Those in the list, and of a great number that were given up some, which are as good as the others.
List* WorthCorrecting(const RelOptInfo* rel, const Notes& notes) {
  constexpr int kMostOthers = 16;
  List* chosen = NIL;
  int others = 0;
  for (Note* note = notes.note; note != notes.note + notes.count; note++) {
    if (note->path->path.parent != rel) continue;
    if (list_member_ptr(rel->pathlist, note->path) || (StandsAlone(rel, note->path) && others++ < kMostOthers))
      chosen = lappend(chosen, note);
  }
  return chosen;
}

// Is the path in the list, or a bitmap of it, and costs more than it says?
bool IsTooCheap(const RelOptInfo* rel, const Note& note) {
  ListCell* cell;
  foreach (cell, rel->pathlist) {
    const auto* path = static_cast<const Path*>(lfirst(cell));
    if (path == &note.path->path && MattersToPlanner(note.work.plain, path->total_cost)) return true;
    if (!IsA(path, BitmapHeapPath) || reinterpret_cast<const BitmapHeapPath*>(path)->bitmapqual != &note.path->path) continue;
    if (note.work.bitmap > 0 && MattersToPlanner(note.work.bitmap, path->total_cost)) return true;
  }
  return false;
}

bool HasCheaperBitmap(const Note& note) { return note.work.bitmap < 0 && MattersToPlanner(note.work.bitmap, note.path->indextotalcost); }

void Correct(PlannerInfo* root, RelOptInfo* rel, const List* notes) {
  bool again = false;
  ListCell* cell;
  foreach (cell, notes) again |= IsTooCheap(rel, *static_cast<const Note*>(lfirst(cell)));
  foreach (cell, rel->pathlist) again = again || OtherIsTooCheap(root, rel, static_cast<const Path*>(lfirst(cell)));
  const List* before = again ? list_copy(rel->pathlist) : NIL;
  if (again) {
    foreach (cell, notes) {
      const auto* note = static_cast<const Note*>(lfirst(cell));
      note->path->path.total_cost += note->work.plain;
    }
    MakeOthersAgain(root, rel);
  }
  foreach (cell, notes) {
    const auto* note = static_cast<const Note*>(lfirst(cell));
    if (again || HasCheaperBitmap(*note)) AddBitmap(root, rel, *note);
    if (again && !list_member_ptr(before, note->path)) add_path(rel, &note->path->path);
  }
}

void MakePaths(PlannerInfo* root, RelOptInfo* rel, Index relid, RangeTblEntry* entry) {
  auto* notes = PlannerNotes<PlannerInfo, Notes>::Find(root);
  if (notes != nullptr && notes->count > 0) {
    const List* chosen = WorthCorrecting(rel, *notes);
    if (chosen != NIL) Correct(root, rel, chosen);
    notes->count = 0;
  }
  if (next_hook != nullptr) next_hook(root, rel, relid, entry);
}

// The server makes a path for several processes right after that for one, of the same conditions, and unlike that frees it when another one is
// better.
bool IsForSeveral(const Notes& notes, const IndexPath* path) {
  if (notes.count == 0) return false;
  const IndexPath* last = notes.note[notes.count - 1].path;
  return last->indexinfo == path->indexinfo && last->indexclauses == path->indexclauses;
}

}  // namespace

bool MattersToPlanner(Cost difference, Cost whole) {
  constexpr double kFuzz = 0.01;
  return std::abs(difference) > kFuzz * whole;
}

void NoteHeapWork(PlannerInfo* root, IndexPath* path, double loop_count, const HeapWork& work) {
  auto* notes = PlannerNotes<PlannerInfo, Notes>::Of(root);
  if (IsForSeveral(*notes, path)) return;
  if (notes->count == notes->room) {
    notes->room = std::max(2 * notes->room, 8);
    const Size size = sizeof(Note) * static_cast<Size>(notes->room);
    notes->note =
        static_cast<Note*>(notes->note == nullptr ? MemoryContextAlloc(GetMemoryChunkContext(root), size) : repalloc(notes->note, size));
  }
  notes->note[notes->count++] = {path, loop_count, work};
}

void ForgetHeapWork(PlannerInfo* root) {
  auto* notes = PlannerNotes<PlannerInfo, Notes>::Find(root);
  if (notes != nullptr) notes->count = 0;
}

void CorrectHeapWork() {
  next_hook = set_rel_pathlist_hook;
  set_rel_pathlist_hook = MakePaths;
}

}  // namespace xtree
