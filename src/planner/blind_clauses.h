// Conditions that the executor has and the index can do nothing with (XtreeTypeRoutine.blind_strategies): `text < ...` under an order that
// cannot be stored.
//
// For cost.cpp. May read the catalog. No locks, no WAL.
#pragma once

#include "index/index_state.h"

extern "C" {
#include "nodes/pathnodes.h"
}

namespace xtree {

// Does the clause leave out no row that the index would not return anyway? `state`: nullptr of an index that does not exist.
bool IsBlind(const IndexPath* path, const IndexClause* clause, const IndexState* state);

// By what the rows that the clauses let through are to be multiplied, because the index returns also those that only blind ones leave out.
double RowsBeyondBlindClauses(PlannerInfo* root, const IndexPath* path, const IndexState* state);

}  // namespace xtree
