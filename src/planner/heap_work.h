// What the executor does with the rows that a scan of an index finds, where the server's formulas say otherwise.
//
// A plain scan goes from heap page to heap page, a bitmap once to each, and that takes time where all pages are in memory too. The server's formula
// for plain scans knows the reading alone, so there is no room for more than that all pages are read at random. And of a bitmap it charges
// all conditions anew for each row, though rows of an exact bitmap are tested again only where the index asks for it; of a plain scan that asks
// for it, none. So estimates note the difference (cost.cpp), and when all paths of a table have been made, they are corrected.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

struct HeapWork {
  Cost plain;   // what a plain scan takes more than the formulas say: not negative
  Cost bitmap;  // what a bitmap takes more; negative: less
};

// Notes that a path's heap costs differ. `path` is the index's, of which the server makes a plain scan and a bitmap.
void NoteHeapWork(PlannerInfo* root, IndexPath* path, double loop_count, const HeapWork& work);

// Would the planner not take the costs for equal (add_path)?
bool MattersToPlanner(Cost difference, Cost whole);

// Those of paths that are given up.
void ForgetHeapWork(PlannerInfo* root);

// Called once, when the library is loaded, before the other hooks of the planner, so that it comes after them.
void CorrectHeapWork();

}  // namespace xtree
