// What a nearest join's plan node keeps in custom_private. Its only child is the nested loop that it stands for.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "nodes/pg_list.h"
}

namespace xtree {

struct NearestPlan {
  Oid index;
  int candidates;  // that are looked for, for each thousand that are wanted: conditions of the inner table remove some
};

inline List* WriteNearestPlan(const NearestPlan& plan) { return list_make2_int(static_cast<int>(plan.index), plan.candidates); }
inline NearestPlan ReadNearestPlan(const List* list) { return {static_cast<Oid>(list_nth_int(list, 0)), list_nth_int(list, 1)}; }

inline constexpr char kNearestJoinName[] = "XtreeNearestJoin";

// Rows that one outer row may ask for, and candidates that are kept for it.
inline constexpr int kMostNearest = 256;
inline constexpr int kMostCandidates = 1024;

}  // namespace xtree
