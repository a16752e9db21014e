// See scan_estimate.h. Pages are read under their locks through shared buffers, in a subtransaction.
#include "planner/scan_estimate.h"

#include "am/limit_keys.h"
#include "core/estimate/row_estimate.h"
#include "pg/settings.h"
#include "pg/subtransaction.h"
#include "planner/argument_sample.h"
#include "planner/planner_notes.h"
#include "planner/unbuilt_indexes.h"
#include "storage/buffer_reader.h"

extern "C" {
#include "access/genam.h"
#include "access/xact.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "utils/lsyscache.h"
}

namespace xtree {

namespace {

constexpr int kMostEstimates = 1000;  // of one planning, for tables with very many partitions

// A question and its answer.
struct Answer {
  Oid index;
  bool whole;  // the index has all of the table's rows
  int count;
  const IndexCondition* condition;
  ScanEstimate estimate;
  Answer* next;
};

// All that one planning was told.
struct Answers {
  Answer* first;
  int count;
};

bool SameConditions(const Answer& answer, const IndexCondition* condition, int count) {
  if (answer.count != count) return false;
  for (int i = 0; i < count; i++)
    if (answer.condition[i].column != condition[i].column || !equal(answer.condition[i].expression, condition[i].expression)) return false;
  return true;
}

// In whatever order, and of whichever index's columns: what they are conditions of says the table.
bool SameExpressions(const Answer& answer, const IndexCondition* condition, int count) {
  if (answer.count != count) return false;
  for (int i = 0; i < count; i++) {
    const auto is_this = [&](const IndexCondition& other) { return equal(other.expression, condition[i].expression); };
    if (std::none_of(answer.condition, answer.condition + count, is_this)) return false;
  }
  return true;
}

// One condition as the scan's keys: where the argument is not known, for each value of a sample; where nothing stands for it, windows as large as
// leaves.
struct KeyTemplate {
  ScanKeyData key;
  bool sampled;
  bool window;
  ArgumentSample* sample;
};

class ScanQuestion {
 public:
  ScanQuestion(PlannerInfo* root, const IndexOptInfo* info, const IndexCondition* condition, int count)
      : root_(root), info_(info), condition_(condition), count_(count) {}

  static void RunThis(void* question) { static_cast<ScanQuestion*>(question)->Run(); }
  const ScanEstimate& estimate() const { return estimate_; }

 private:
  void Run();
  bool MakeTemplate(const IndexCondition& condition, KeyTemplate* out);
  bool MakeOfOperator(const IndexCondition& condition, Oid opno, Oid collation, Node* argument, int flags, KeyTemplate* out);
  void SampleArgument(int column, Node* argument, KeyTemplate* out);
  int Samples();
  void MakeConstraint(int sample, BufferReader* reader, ScanKeyData* keys, Constraint* out);
  ScanEstimate Ask();

  PlannerInfo* root_;
  const IndexOptInfo* info_;
  const IndexCondition* condition_;
  int count_;
  Relation index_ = nullptr;
  const IndexState* state_ = nullptr;
  KeyTemplate* template_ = nullptr;
  int templates_ = 0;
  OwnSample* own_ = nullptr;
  bool unknown_ = false;  // on a condition on another table's column, or a limit of a vector's distance, nothing is known
  ScanEstimate estimate_ = {};
};

void ScanQuestion::SampleArgument(int column, Node* argument, KeyTemplate* out) {
  out->sample = static_cast<ArgumentSample*>(palloc(sizeof(ArgumentSample)));
  out->sampled = SampleOfArgument(root_, info_->rel, column, own_, argument, out->sample);
  out->window = !out->sampled;
}

bool ScanQuestion::MakeOfOperator(const IndexCondition& condition, Oid opno, Oid collation, Node* argument, int flags, KeyTemplate* out) {
  int strategy;
  Oid left_type, right_type;
  const Oid family = index_->rd_opfamily[condition.column];
  if (!op_in_opfamily(opno, family)) return false;
  get_op_opfamily_properties(opno, family, false, &strategy, &left_type, &right_type);
  unknown_ |= strategy == XTREE_DISTANCE_LIMIT_STRATEGY && IsInClusters(*state_, condition.column);  // boxes say nothing of it
  if (IsCheap(root_, argument)) argument = estimate_expression_value(root_, argument);
  Datum value = 0;
  if (IsA(argument, Const)) {
    const auto* constant = reinterpret_cast<const Const*>(argument);
    value = constant->constvalue;
    if (constant->constisnull) flags |= SK_ISNULL;
  } else if ((flags & SK_SEARCHARRAY) != 0) {
    out->window = true;
  } else {
    SampleArgument(condition.column, argument, out);
  }
  unknown_ |= out->window && HasColumns(argument);
  ScanKeyEntryInitialize(&out->key, flags, static_cast<AttrNumber>(condition.column + 1), static_cast<StrategyNumber>(strategy), right_type,
                         collation, get_opcode(opno), value);
  return true;
}

// False: it says nothing, or nothing that is known now.
bool ScanQuestion::MakeTemplate(const IndexCondition& condition, KeyTemplate* out) {
  *out = {};
  const Node* node = reinterpret_cast<Node*>(condition.expression);
  if (IsA(node, OpExpr)) {
    const auto* op = reinterpret_cast<const OpExpr*>(node);
    return MakeOfOperator(condition, op->opno, op->inputcollid, static_cast<Node*>(lsecond(op->args)), 0, out);
  }
  if (IsA(node, ScalarArrayOpExpr)) {
    const auto* op = reinterpret_cast<const ScalarArrayOpExpr*>(node);
    return op->useOr && MakeOfOperator(condition, op->opno, op->inputcollid, static_cast<Node*>(lsecond(op->args)), SK_SEARCHARRAY, out);
  }
  if (!IsA(node, NullTest)) return false;
  const int search = reinterpret_cast<const NullTest*>(node)->nulltesttype == IS_NULL ? SK_SEARCHNULL : SK_SEARCHNOTNULL;
  ScanKeyEntryInitialize(&out->key, SK_ISNULL | search, static_cast<AttrNumber>(condition.column + 1), InvalidStrategy, InvalidOid,
                         InvalidOid, InvalidOid, Datum{0});
  return true;
}

// By the size of the file, of which as much are leaves as when they were counted.
double LeavesNow(Relation index, const IndexState& state) {
  double pages = 0;
  for (int l = 0; l < state.levels; l++) pages += state.level[l].pages;
  const double blocks = RelationGetNumberOfBlocks(index) - 1.0;
  return pages > 0 ? state.level[0].nodes * std::max(blocks / pages, 1.0) : std::max(blocks, 1.0);
}

int ScanQuestion::Samples() {
  int samples = 1;
  for (int i = 0; i < templates_; i++) {
    if (template_[i].sampled) samples = std::max(samples, template_[i].sample->count);
    if (template_[i].window) samples = std::max(samples, own_->Get().count);
  }
  return samples;
}

// Values lie within the bounds of the leaf.
void RequireLeaf(const KeyLayout& layout, int column, const Box& leaf, Constraint* out) {
  out->Require(column, MarkRule::kValue);
  for (int d = layout.first_dimension[column]; d < layout.first_dimension[column + 1]; d++) {
    out->RequireLo(d, {leaf.lo[d], leaf.hi[d]});
    out->RequireHi(d, {leaf.lo[d], leaf.hi[d]});
  }
}

// The conditions for one value of each argument. `keys`: room for them.
void ScanQuestion::MakeConstraint(int sample, BufferReader* reader, ScanKeyData* keys, Constraint* out) {
  int count = 0;
  for (int i = 0; i < templates_; i++) {
    const KeyTemplate& one = template_[i];
    if (one.window) continue;
    keys[count] = one.key;
    if (one.sampled) {
      keys[count].sk_argument = one.sample->value[sample % one.sample->count];
      if (one.sample->null[sample % one.sample->count]) keys[count].sk_flags |= SK_ISNULL;
    }
    count++;
  }
  LimitKeys limits = {};
  ConstraintFromKeys(index_, *state_, keys, count, out);
  LimitsFromKeys(index_, *state_, keys, count, out, &limits);
  SettleLimits(*reader, state_->layout, true, &limits, out);
  for (int i = 0; i < templates_; i++)
    if (template_[i].window && own_->Get().count > 0)
      RequireLeaf(state_->layout, template_[i].key.sk_attno - 1, own_->Get().entry[sample % own_->Get().count].leaf, out);
}

// Of some groups of alternatives only odd rows are rechecked.
bool Rechecks(const Constraint& constraint) {
  const auto all_of = [](const AnyOf& group) { return group.RecheckAll(); };
  return constraint.recheck || std::any_of(constraint.any_of, constraint.any_of + constraint.any_of_count, all_of);
}

ScanEstimate ScanQuestion::Ask() {
  constexpr double kTrustInModel = 8;
  const int samples = Samples();
  auto* constraint = static_cast<Constraint*>(palloc(sizeof(Constraint) * static_cast<Size>(samples)));
  auto* keys = static_cast<ScanKeyData*>(palloc(sizeof(ScanKeyData) * static_cast<Size>(templates_)));
  BufferReader reader(index_, state_->layout, CurrentMemoryContext);
  for (int s = 0; s < samples; s++) MakeConstraint(s, &reader, keys, &constraint[s]);
  auto* estimator = new (palloc(sizeof(RowEstimator))) RowEstimator;
  const TreeStatistics statistics = {state_->levels, state_->level, state_->column_statistics, LeavesNow(index_, *state_)};
  RowEstimator::Options options;
  options.most_pages = settings.estimate_pages;
  if (samples > 1) options = {.most_pages = 2 * samples + 4 * settings.estimate_pages, .trust_in_model = kTrustInModel};
  const RowEstimate found = estimator->Run(reader, state_->layout, statistics, constraint, samples, options);
  reader.Reset();
  return {std::isfinite(found.share) && std::isfinite(found.leaves), found.share, found.leaves, found.matched,
          std::none_of(constraint, constraint + samples, Rechecks)};
}

void ScanQuestion::Run() {
  index_ = index_open(info_->indexoid, NoLock);
  state_ = CopyIndexState(index_, MetaUse::kPlan);
  if (state_->build_state == MetaBuildState::kBuilt && state_->meta_read && !state_->undecided && !IsUnusable(root_, *state_)) {
    OwnSample own(index_, *state_);
    own_ = &own;
    template_ = static_cast<KeyTemplate*>(palloc(sizeof(KeyTemplate) * static_cast<Size>(count_)));
    for (int i = 0; i < count_; i++) templates_ += MakeTemplate(condition_[i], &template_[templates_]);
    if (templates_ > 0 && !unknown_) estimate_ = Ask();
  }
  index_close(index_, NoLock);
}

ScanEstimate AskTree(PlannerInfo* root, const IndexOptInfo* info, const IndexCondition* condition, int count) {
  const MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "xtree estimate", ALLOCSET_DEFAULT_SIZES);
  const MemoryContext old = MemoryContextSwitchTo(context);
  ScanQuestion question(root, info, condition, count);
  ErrorData* error = RunInSubtransaction(ScanQuestion::RunThis, &question);
  if (error != nullptr) ereport(DEBUG1, (errmsg_internal("no estimate of an xtree index: %s", error->message)));
  const ScanEstimate estimate = error == nullptr ? question.estimate() : ScanEstimate{};
  MemoryContextSwitchTo(old);
  MemoryContextDelete(context);
  return estimate;
}

}  // namespace

// Rows that a policy or a view hides are not to be counted for who may not see them. A parallel query, of which a function may plan, allows no
// subtransaction.
bool MayEstimate(const PlannerInfo* root) {
  return settings.estimate_rows != static_cast<int>(EstimateRows::kOff) && root->qual_security_level == 0 && !IsInParallelMode();
}

ScanEstimate EstimateScan(PlannerInfo* root, IndexOptInfo* info, const IndexCondition* condition, int count) {
  if (count == 0 || info->hypothetical || !MayEstimate(root)) return {};
  auto* answers = PlannerNotes<PlannerInfo, Answers>::Of(root);
  for (const Answer* answer = answers->first; answer != nullptr; answer = answer->next)
    if (answer->index == info->indexoid && SameConditions(*answer, condition, count)) return answer->estimate;
  if (answers->count >= kMostEstimates) return {};
  const ScanEstimate estimate = AskTree(root, info, condition, count);
  const MemoryContext old = MemoryContextSwitchTo(GetMemoryChunkContext(root));
  auto* copy = static_cast<IndexCondition*>(palloc(sizeof(IndexCondition) * static_cast<Size>(count)));
  std::copy_n(condition, count, copy);
  auto* answer = static_cast<Answer*>(palloc(sizeof(Answer)));
  *answer = {info->indexoid, info->indpred == NIL, count, copy, estimate, answers->first};
  answers->first = answer;
  answers->count++;
  MemoryContextSwitchTo(old);
  return estimate;
}

double LeavesOf(const IndexOptInfo* info, const IndexState* state) {
  const double all = std::max<double>(info->pages - 1.0, 1);
  double pages = 0;
  for (int l = 0; state != nullptr && l < state->levels; l++) pages += state->level[l].pages;
  return pages > 0 ? std::max(all * state->level[0].pages / pages, 1.0) : all;
}

Selectivity ShareOfTable(const IndexOptInfo* info, double share) {
  return std::clamp(info->rel->tuples > 0 ? share * info->tuples / info->rel->tuples : share, 0.0, 1.0);
}

double RememberedShare(PlannerInfo* root, const IndexCondition* condition, int count) {
  const auto* answers = PlannerNotes<PlannerInfo, Answers>::Find(root);
  if (answers == nullptr) return -1;
  for (const Answer* answer = answers->first; answer != nullptr; answer = answer->next)
    if (answer->whole && answer->estimate.known && SameExpressions(*answer, condition, count)) return answer->estimate.share;
  return -1;
}

}  // namespace xtree
