// See join_plan.h. Lists of numbers, which the server can copy, write and read.
#include "join/join_plan.h"

extern "C" {
#include "nodes/pg_list.h"
}

namespace xtree {

namespace {

class Writer {
 public:
  explicit Writer(List* list = NIL) : list_(list) {}
  void Add(int value) { list_ = lappend_int(list_, value); }
  void AddOid(Oid value) { Add(static_cast<int>(value)); }
  List* list() const { return list_; }

 private:
  List* list_;
};

class Reader {
 public:
  explicit Reader(const List* list, int at = 0) : list_(list), at_(at) {}
  int Next() { return list_nth_int(list_, at_++); }
  Oid NextOid() { return static_cast<Oid>(Next()); }
  int at() const { return at_; }

 private:
  const List* list_;
  int at_;
};

}  // namespace

List* AppendSide(List* list, const JoinPlanSide& side) {
  Writer out(list);
  out.AddOid(side.index);
  out.Add(side.windows);
  for (int i = 0; i < side.windows; i++) {
    const JoinWindowKey& key = side.window[i];
    out.Add(key.column);
    out.Add(key.flags);
    out.Add(key.strategy);
    out.AddOid(key.operation);
    out.AddOid(key.subtype);
    out.AddOid(key.collation);
  }
  return out.list();
}

int ReadSide(const List* list, int at, JoinPlanSide* out) {
  Reader in(list, at);
  out->index = in.NextOid();
  out->windows = in.Next();
  for (int i = 0; i < out->windows; i++) {
    JoinWindowKey& key = out->window[i];
    key.column = in.Next();
    key.flags = in.Next();
    key.strategy = in.Next();
    key.operation = in.NextOid();
    key.subtype = in.NextOid();
    key.collation = in.NextOid();
  }
  return in.at();
}

List* WriteJoinPlan(const JoinPlan& plan) {
  Writer out;
  out.Add(plan.type);
  out.Add(plan.left_is_lower);
  out.Add(plan.matches);
  for (int i = 0; i < plan.matches; i++) {
    out.Add(plan.match[i].left_column);
    out.Add(plan.match[i].right_column);
    out.Add(plan.match[i].strategy);
    out.Add(plan.match[i].turned);
    out.Add(plan.match[i].certain);
    out.Add(plan.has_margin[i]);
  }
  List* list = out.list();
  for (const JoinPlanSide& side : plan.side) list = AppendSide(list, side);
  return list;
}

void ReadJoinPlan(List* list, JoinPlan* out) {
  Reader in(list);
  out->type = static_cast<JoinType>(in.Next());
  out->left_is_lower = in.Next() != 0;
  out->matches = in.Next();
  for (int i = 0; i < out->matches; i++) {
    out->match[i].clause = nullptr;
    out->match[i].left_column = in.Next();
    out->match[i].right_column = in.Next();
    out->match[i].strategy = in.Next();
    out->match[i].turned = in.Next() != 0;
    out->match[i].certain = in.Next() != 0;
    out->match[i].margin = nullptr;
    out->has_margin[i] = in.Next() != 0;
  }
  int at = in.at();
  for (JoinPlanSide& side : out->side) at = ReadSide(list, at, &side);
}

}  // namespace xtree
