// See explain.h. The hooks of others are called too, those of nodes before ours.
#include "am/explain.h"

#ifdef XTREE_EXPLAIN_OPTION

#include "am/explain_print.h"
#include "am/explain_scan.h"
#include "am/explain_workers.h"
#include "index/index_access.h"

namespace xtree {

namespace {

int extension_id;
explain_per_node_hook_type next_node_hook;
explain_validate_options_hook_type next_validate_hook;

bool IsWanted(ExplainState* es) { return GetExplainExtensionState(es, extension_id) != nullptr; }

void TakeOption(ExplainState* es, DefElem* option, ParseState*) {
  static char wanted;
  SetExplainExtensionState(es, extension_id, defGetBoolean(option) ? &wanted : nullptr);
}

// Now all options are known.
void BeginExplain(ExplainState* es, List* options, ParseState* parse) {
  if (next_validate_hook != nullptr) next_validate_hook(es, options, parse);
  if (es->analyze && IsWanted(es)) AskWorkersForReports();
}

// Its own where it is not running: EXPLAIN without ANALYZE opens no index. nullptr: a planner's extension has thought it up.
Relation OpenIndexOf(const ExplainNode& node) {
  return node.scan != nullptr ? node.scan->indexRelation : try_index_open(node.index, AccessShareLock);
}

void ExplainScan(PlanState* plan, const ExplainNode& node, Relation index, ExplainState* es) {
  if (!es->analyze) return PrintIndex(index, node, nullptr, es);
  ScanReport report = {};
  if (node.scan != nullptr) report.Add(ReportOf(node.scan));
  if (node.workers != nullptr) report.Add(TakeReportOfWorkers(plan, node));
  PrintIndex(index, node, &report, es);
}

void ExplainNodeOfPlan(PlanState* plan, List* ancestors, const char* relationship, const char* name, ExplainState* es) {
  if (next_node_hook != nullptr) next_node_hook(plan, ancestors, relationship, name, es);
  ExplainNode node;
  if (!IsWanted(es) || !FindExplainNode(plan, &node)) return;
  const Relation index = OpenIndexOf(node);
  if (index == nullptr) return;
  if (IsXtreeIndex(index)) ExplainScan(plan, node, index, es);
  if (node.scan == nullptr) index_close(index, AccessShareLock);
}

}  // namespace

void OfferExplainOption() {
  extension_id = GetExplainExtensionId("xtree");
  pg::AddBooleanExplainOption("xtree", TakeOption);
  next_validate_hook = explain_validate_options_hook;
  explain_validate_options_hook = BeginExplain;
  next_node_hook = explain_per_node_hook;
  explain_per_node_hook = ExplainNodeOfPlan;
  OfferReportsOfWorkers();
}

}  // namespace xtree

#endif
