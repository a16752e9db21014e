// amvalidate and amadjustmembers: is an operator class one that this access method can work with?
//
// Checked: every support function and operator has the right signature and a number in range; no operator without a type routine for
// its left type; the class's own type routine can be called and is well formed; ordering operators only where it has an order
// callback, and with a sort family for their result; the strategy
// number of limits of distance for their operator alone. Every problem is reported (INFO), as for the built-in access methods.
#include "am/entry_points.h"
#include "xtree.h"

extern "C" {
#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"
}

namespace xtree {

namespace {

constexpr int kMaxStrategy = 255;  // operator classes number theirs freely, as GiST's do

struct Class {
  Oid oid;
  Oid family;
  Oid input_type;
  char* name;
  const XtreeTypeRoutine* routine;  // of the class itself; nullptr when it is missing or not well formed
  CatCList* procedures;
  CatCList* operators;
  bool valid;
};

__attribute__((format(printf, 2, 3))) void Complain(Class* cls, const char* format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  ereport(INFO, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION), errmsg("operator class \"%s\" of access method xtree %s", cls->name, text)));
  cls->valid = false;
}

const FormData_pg_amproc& Procedure(const Class& cls, int i) {
  return *reinterpret_cast<Form_pg_amproc>(GETSTRUCT(&cls.procedures->members[i]->tuple));
}

const FormData_pg_amop& Operator(const Class& cls, int i) {
  return *reinterpret_cast<Form_pg_amop>(GETSTRUCT(&cls.operators->members[i]->tuple));
}

bool HasRoutine(const Class& cls, Oid type) {
  for (int i = 0; i < cls.procedures->n_members; i++) {
    const FormData_pg_amproc& procedure = Procedure(cls, i);
    if (procedure.amproclefttype == type && procedure.amprocnum == XTREE_TYPE_ROUTINE_PROC) return true;
  }
  return false;
}

bool SignatureFits(const FormData_pg_amproc& procedure) {
  switch (procedure.amprocnum) {
    case XTREE_TYPE_ROUTINE_PROC:
      return check_amproc_signature(procedure.amproc, INTERNALOID, true, 1, 1, INTERNALOID);
    case XTREE_OPTIONS_PROC:
      return check_amoptsproc_signature(procedure.amproc);
  }
  return false;
}

void CheckRoutine(Class* cls, Oid function) {
  const auto* routine = reinterpret_cast<const XtreeTypeRoutine*>(DatumGetPointer(OidFunctionCall1(function, Datum{0})));
  if (!xtree_is_routine(routine))
    return Complain(cls, "has support function %s that does not return a type routine of this version", format_procedure(function));
  if (routine->bounds == nullptr || routine->constraint == nullptr || (routine->exact && routine->reconstruct == nullptr) ||
      (routine->dimensions == 0 &&
       (routine->dimensions_of == nullptr || (routine->dimensions_in == nullptr && routine->choose_dimensions == nullptr))))
    return Complain(cls, "has a type routine that lacks a callback");
  cls->routine = routine;
}

void CheckProcedures(Class* cls) {
  for (int i = 0; i < cls->procedures->n_members; i++) {
    const FormData_pg_amproc& procedure = Procedure(*cls, i);
    if (procedure.amproclefttype != procedure.amprocrighttype)
      Complain(cls, "contains support function %s with different left and right input types", format_procedure(procedure.amproc));
    if (procedure.amprocnum < 1 || procedure.amprocnum > XTREE_SUPPORT_PROCS)
      Complain(cls, "contains function %s with invalid support number %d", format_procedure(procedure.amproc), procedure.amprocnum);
    else if (!SignatureFits(procedure))
      Complain(cls, "contains function %s with wrong signature for support number %d", format_procedure(procedure.amproc),
               procedure.amprocnum);
    else if (procedure.amprocnum == XTREE_TYPE_ROUTINE_PROC && procedure.amproclefttype == cls->input_type)
      CheckRoutine(cls, procedure.amproc);
  }
  if (!HasRoutine(*cls, cls->input_type)) Complain(cls, "is missing support function %d", XTREE_TYPE_ROUTINE_PROC);
}

void CheckOrdering(Class* cls, const FormData_pg_amop& op) {
  if (!opfamily_can_sort_type(op.amopsortfamily, get_op_rettype(op.amopopr)))
    Complain(cls, "contains ordering operator %s whose result its sort family cannot sort", format_operator(op.amopopr));
  if (op.amoplefttype == cls->input_type && cls->routine != nullptr && cls->routine->order == nullptr)
    Complain(cls, "contains ordering operator %s, but its type routine has no order callback", format_operator(op.amopopr));
}

void CheckLimit(Class* cls, const FormData_pg_amop& op) {
  if (op.amoppurpose != AMOP_SEARCH || op.amoplefttype != ANYELEMENTOID || op.amoprighttype != INTERNALOID ||
      !check_amop_signature(op.amopopr, BOOLOID, ANYELEMENTOID, INTERNALOID))
    Complain(cls, "contains operator %s with strategy number %d, which is that of @<= (anyelement, internal)", format_operator(op.amopopr),
             XTREE_DISTANCE_LIMIT_STRATEGY);
  else if (cls->routine != nullptr && cls->routine->order == nullptr)
    Complain(cls, "contains operator %s, but its type routine has no order callback", format_operator(op.amopopr));
}

void CheckOperators(Class* cls) {
  for (int i = 0; i < cls->operators->n_members; i++) {
    const FormData_pg_amop& op = Operator(*cls, i);
    if (op.amopstrategy < 1 || op.amopstrategy > kMaxStrategy)
      Complain(cls, "contains operator %s with invalid strategy number %d", format_operator(op.amopopr), op.amopstrategy);
    if (op.amopstrategy == XTREE_DISTANCE_LIMIT_STRATEGY) {
      CheckLimit(cls, op);
      continue;
    }
    const bool ordering = op.amoppurpose == AMOP_ORDER;
    if (ordering) CheckOrdering(cls, op);
    if (!check_amop_signature(op.amopopr, ordering ? get_op_rettype(op.amopopr) : BOOLOID, op.amoplefttype, op.amoprighttype))
      Complain(cls, "contains operator %s with wrong signature", format_operator(op.amopopr));
    if (!HasRoutine(*cls, op.amoplefttype))
      Complain(cls, "contains operator %s, but no support function %d for type %s", format_operator(op.amopopr), XTREE_TYPE_ROUTINE_PROC,
               format_type_be(op.amoplefttype));
  }
}

void LoadClass(Oid oid, Class* cls) {
  const HeapTuple tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(oid));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for operator class %u", oid);
  const auto* form = reinterpret_cast<Form_pg_opclass>(GETSTRUCT(tuple));
  *cls = Class{};
  cls->oid = oid;
  cls->family = form->opcfamily;
  cls->input_type = form->opcintype;
  cls->name = pstrdup(NameStr(form->opcname));
  cls->valid = true;
  ReleaseSysCache(tuple);
  cls->procedures = SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(cls->family));
  cls->operators = SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(cls->family));
}

}  // namespace

}  // namespace xtree

extern "C" bool xtreevalidate(Oid opclass) {
  using namespace xtree;
  Class cls;
  LoadClass(opclass, &cls);
  CheckProcedures(&cls);
  CheckOperators(&cls);
  ReleaseCatCacheList(cls.procedures);
  ReleaseCatCacheList(cls.operators);
  return cls.valid;
}

// Operators and the options function may be dropped from a family that works without them; the type routine may not.
extern "C" void xtreeadjustmembers(Oid opfamily, Oid opclass, List* operators, List* functions) {
  ListCell* cell;
  foreach (cell, operators) {
    auto* member = static_cast<OpFamilyMember*>(lfirst(cell));
    member->ref_is_hard = false;
    member->ref_is_family = true;
    member->refobjid = opfamily;
  }
  foreach (cell, functions) {
    auto* member = static_cast<OpFamilyMember*>(lfirst(cell));
    const bool required = member->number == XTREE_TYPE_ROUTINE_PROC;
    member->ref_is_hard = required;
    member->ref_is_family = !required;
    member->refobjid = required ? opclass : opfamily;
    if (member->number < 1 || member->number > XTREE_SUPPORT_PROCS)
      ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
                      errmsg("support function number %d is invalid for access method xtree", member->number),
                      errhint("Support function 1 returns the type routine, 2 parses operator class parameters.")));
  }
}
