// See sketched_index.h.
#include "build/sketched_index.h"

#include "index/options.h"
#include "pg/compat.h"

extern "C" {
#include "access/amapi.h"
#include "access/reloptions.h"
#include "access/sysattr.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_index.h"
#include "catalog/pg_opclass.h"
#include "commands/defrem.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_utilcmd.h"
#include "parser/parser.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"
}

namespace xtree {

namespace {

[[noreturn]] void ReportNoStatement() {
  ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("the argument is not one CREATE INDEX statement"),
          errhint("Give a single CREATE INDEX ... USING xtree (...), or a table and its columns."));
  pg_unreachable();
}

[[noreturn]] void ReportNoColumn(const char* column) {
  ereport(ERROR, errcode(ERRCODE_SYNTAX_ERROR), errmsg("\"%s\" is not one column of an index", column),
          errhint("Write it as in CREATE INDEX: a column's name, or an expression in parentheses, with its operator class if need be."));
  pg_unreachable();
}

// Positions in errors are those in the text that is parsed here, not in the query that runs.
extern "C" void xtree_sketch_context(void* text) {
  const int position = geterrposition();
  if (position <= 0) return;
  errposition(0);
  internalerrposition(position);
  internalerrquery(static_cast<const char*>(text));
}

template <class F>
auto WithPositions(const char* text, F&& parse) {
  ErrorContextCallback context{error_context_stack, xtree_sketch_context, const_cast<char*>(text)};
  error_context_stack = &context;
  const auto result = parse();
  error_context_stack = context.previous;
  return result;
}

IndexStmt* Parse(const char* text) {
  List* parsed = WithPositions(text, [=] { return raw_parser(text, RAW_PARSE_DEFAULT); });
  if (list_length(parsed) != 1) return nullptr;
  Node* statement = linitial_node(RawStmt, parsed)->stmt;
  return IsA(statement, IndexStmt) ? reinterpret_cast<IndexStmt*>(statement) : nullptr;
}

bool IsOurs(const char* method) {
  const Oid oid = get_index_am_oid(method, false);
  return GetIndexAmRoutineByAmId(oid, false)->amoptions == xtreeoptions;
}

// What a column is made of, before its operator class.
struct Source {
  AttrNumber number;  // 0: an expression
  Node* expression;
  Oid type;
  int32 typmod;
  Oid collation;
  const FormData_pg_attribute* attribute;  // nullptr: an expression
};

Source SourceOfName(Relation heap, const char* name) {
  const AttrNumber number = get_attnum(RelationGetRelid(heap), name);
  if (number == InvalidAttrNumber)
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("column \"%s\" of relation \"%s\" does not exist", name, RelationGetRelationName(heap)),
                    errhint("An expression is to be written in parentheses.")));
  if (number < 0) ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("index creation on system columns is not supported")));
  const FormData_pg_attribute* attribute = TupleDescAttr(RelationGetDescr(heap), number - 1);
  constexpr char kVirtual = 'v';  // from 18 on
  if (attribute->attgenerated == kVirtual)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("indexes on virtual generated columns are not supported")));
  return {number, nullptr, attribute->atttypid, attribute->atttypmod, attribute->attcollation, attribute};
}

void RequireImmutable(Node* expression, const char* where) {
  Node* planned = reinterpret_cast<Node*>(expression_planner(reinterpret_cast<Expr*>(copyObjectImpl(expression))));
  if (contain_mutable_functions(planned))
    ereport(ERROR, (errcode(ERRCODE_INVALID_OBJECT_DEFINITION), errmsg("functions in index %s must be marked IMMUTABLE", where)));
}

Source SourceOf(Relation heap, const IndexElem* element) {
  if (element->name != nullptr) return SourceOfName(heap, element->name);
  Node* expression = element->expr;
  while (IsA(expression, CollateExpr)) expression = reinterpret_cast<Node*>(reinterpret_cast<CollateExpr*>(expression)->arg);
  if (IsA(expression, Var) && reinterpret_cast<Var*>(expression)->varattno != InvalidAttrNumber) {
    Source source = SourceOfName(heap, get_attname(RelationGetRelid(heap), reinterpret_cast<Var*>(expression)->varattno, false));
    source.collation = exprCollation(element->expr);
    return source;
  }
  RequireImmutable(element->expr, "expression");
  return {InvalidAttrNumber, element->expr, exprType(element->expr), exprTypmod(element->expr), exprCollation(element->expr), nullptr};
}

Oid CollationOf(const IndexElem* element, const Source& source) {
  const Oid collation = element->collation != NIL ? get_collation_oid(element->collation, false) : source.collation;
  if (!type_is_collatable(source.type)) {
    if (element->collation != NIL)
      ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH), errmsg("collations are not supported by type %s", format_type_be(source.type))));
    return InvalidOid;
  }
  if (!OidIsValid(collation))
    ereport(ERROR, (errcode(ERRCODE_INDETERMINATE_COLLATION), errmsg("could not determine which collation to use for index expression"),
                    errhint("Use the COLLATE clause to set the collation explicitly.")));
  return collation;
}

void DescribeAttribute(TupleDesc description, int number, const IndexElem* element, const Source& source, Oid collation) {
  const auto attribute = static_cast<AttrNumber>(number + 1);
  const char* name = source.attribute != nullptr ? NameStr(source.attribute->attname) : element->indexcolname;
  TupleDescInitEntry(description, attribute, name != nullptr ? name : "expr", source.type, source.typmod, 0);
  TupleDescInitEntryCollation(description, attribute, collation);
  if (source.attribute != nullptr) TupleDescAttr(description, number)->attstorage = source.attribute->attstorage;
}

// Of an index with so many columns.
Relation EmptyRelation(Relation heap, const IndexStmt* statement, Oid method, int columns, int keys) {
  auto* index = static_cast<Relation>(palloc0(sizeof(RelationData)));
  index->rd_rel = static_cast<Form_pg_class>(palloc0(CLASS_TUPLE_SIZE));
  const char* name = statement->idxname != nullptr ? statement->idxname : psprintf("index of %s", RelationGetRelationName(heap));
  namestrcpy(&index->rd_rel->relname, name);
  index->rd_rel->relkind = RELKIND_INDEX;
  index->rd_rel->relam = method;
  index->rd_rel->relnatts = static_cast<int16>(columns);
  index->rd_rel->relpersistence = heap->rd_rel->relpersistence;
  index->rd_att = CreateTemplateTupleDesc(columns);
  index->rd_index = static_cast<Form_pg_index>(palloc0(sizeof(FormData_pg_index)));
  index->rd_index->indrelid = RelationGetRelid(heap);
  index->rd_index->indnatts = static_cast<int16>(columns);
  index->rd_index->indnkeyatts = static_cast<int16>(keys);
  index->rd_indexcxt = CurrentMemoryContext;
  index->rd_indam = const_cast<std::remove_const_t<decltype(index->rd_indam)>>(GetIndexAmRoutineByAmId(method, false));
  const Size procedures = static_cast<Size>(keys) * index->rd_indam->amsupport;
  index->rd_opfamily = static_cast<Oid*>(palloc0(sizeof(Oid) * keys));
  index->rd_opcintype = static_cast<Oid*>(palloc0(sizeof(Oid) * keys));
  index->rd_indcollation = static_cast<Oid*>(palloc0(sizeof(Oid) * columns));
  index->rd_support = static_cast<RegProcedure*>(palloc0(sizeof(RegProcedure) * procedures));
  index->rd_supportinfo = static_cast<FmgrInfo*>(palloc0(sizeof(FmgrInfo) * procedures));
  index->rd_opcoptions = static_cast<bytea**>(palloc0(sizeof(bytea*) * columns));
  return index;
}

void RequireNoOrder(const IndexElem* element) {
  if (element->ordering == SORTBY_DEFAULT && element->nulls_ordering == SORTBY_NULLS_DEFAULT) return;
  ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("access method \"%s\" does not support %s options", "xtree",
                                                                 element->ordering != SORTBY_DEFAULT ? "ASC/DESC" : "NULLS FIRST/LAST")));
}

void AddClass(Relation index, int column, const IndexElem* element, Oid type, Oid method) {
  const Oid opclass = ResolveOpClass(element->opclass, type, "xtree", method);
  const HeapTuple tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
  if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for operator class %u", opclass);
  const auto* row = reinterpret_cast<Form_pg_opclass>(GETSTRUCT(tuple));
  index->rd_opfamily[column] = row->opcfamily;
  index->rd_opcintype[column] = row->opcintype;
  const char* name = pstrdup(NameStr(row->opcname));
  ReleaseSysCache(tuple);
  const int procedures = index->rd_indam->amsupport, options = index->rd_indam->amoptsprocnum;
  for (int i = 1; i <= procedures; i++)
    index->rd_support[column * procedures + i - 1] =
        get_opfamily_proc(index->rd_opfamily[column], index->rd_opcintype[column], index->rd_opcintype[column], static_cast<int16>(i));
  if (element->opclassopts != NIL && !RegProcedureIsValid(index->rd_support[column * procedures + options - 1]))
    ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("operator class %s has no options", name)));
  const Datum given = transformRelOptions(Datum{0}, element->opclassopts, nullptr, nullptr, false, false);
  if (RegProcedureIsValid(index->rd_support[column * procedures + options - 1]))
    index->rd_opcoptions[column] = index_opclass_options(index, static_cast<AttrNumber>(column + 1), given, true);
}

void RequirePlainInclude(const IndexElem* element) {
  if (element->expr != nullptr)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("expressions are not supported in included columns")));
  if (element->collation != NIL || element->opclass != NIL)
    ereport(ERROR,
            (errcode(ERRCODE_INVALID_OBJECT_DEFINITION), errmsg("including column does not support a collation or an operator class")));
}

// Rows are sampled past row security, and an expression of the caller's sees them.
void RequireSelect(Oid relation, const Bitmapset* columns) {
  if (check_enable_rls(relation, InvalidOid, true) == RLS_ENABLED)
    ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                    errmsg("cannot look at all rows of table \"%s\": it has row security", get_rel_name(relation)),
                    errhint("Its owner, and roles with BYPASSRLS, can.")));
  if (pg_class_aclcheck(relation, GetUserId(), ACL_SELECT) == ACLCHECK_OK) return;
  int column = -1;
  bool granted = !bms_is_empty(columns);
  while (granted && (column = bms_next_member(columns, column)) >= 0) {
    const auto number = static_cast<AttrNumber>(column + FirstLowInvalidHeapAttributeNumber);
    granted = number != InvalidAttrNumber && pg_attribute_aclcheck(relation, number, GetUserId(), ACL_SELECT) == ACLCHECK_OK;
  }
  if (!granted) aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relation));
}

// By their numbers in the table whose privileges count, which may be the partitioned one.
Bitmapset* ColumnsUsed(Relation heap, const IndexInfo* info, Oid relation) {
  Bitmapset *own = nullptr, *columns = nullptr;
  pull_varattnos(reinterpret_cast<Node*>(info->ii_Expressions), 1, &own);
  pull_varattnos(reinterpret_cast<Node*>(info->ii_Predicate), 1, &own);
  for (int i = 0; i < info->ii_NumIndexAttrs; i++)
    if (info->ii_IndexAttrNumbers[i] > 0) own = bms_add_member(own, info->ii_IndexAttrNumbers[i] - FirstLowInvalidHeapAttributeNumber);
  for (int column = -1; (column = bms_next_member(own, column)) >= 0;) {
    const auto number = static_cast<AttrNumber>(column + FirstLowInvalidHeapAttributeNumber);
    const AttrNumber there = number <= 0 ? number : get_attnum(relation, get_attname(RelationGetRelid(heap), number, false));
    columns = bms_add_member(columns, there - FirstLowInvalidHeapAttributeNumber);
  }
  return columns;
}

}  // namespace

IndexStmt* ParseIndexStatement(const char* text) {
  IndexStmt* statement = Parse(text);
  if (statement == nullptr) ReportNoStatement();
  if (!IsOurs(statement->accessMethod))
    ereport(ERROR,
            (errcode(ERRCODE_WRONG_OBJECT_TYPE), errmsg("the statement makes an index of access method \"%s\"", statement->accessMethod),
             errhint("CREATE INDEX ... USING xtree (...) makes an xtree index.")));
  if (statement->unique)
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("access method \"%s\" does not support unique indexes", "xtree"),
                    errhint("An exclusion constraint with the operator that means \"the same\" does what a unique index would.")));
  return statement;
}

IndexElem* ParseIndexColumn(const char* column) {
  const char* text = psprintf("CREATE INDEX ON x USING xtree (%s\n)", column);
  const IndexStmt* statement = Parse(text);
  if (statement == nullptr || list_length(statement->indexParams) != 1 || statement->indexIncludingParams != NIL ||
      statement->options != NIL || statement->whereClause != nullptr || statement->tableSpace != nullptr)
    ReportNoColumn(column);
  return linitial_node(IndexElem, statement->indexParams);
}

SketchedIndex SketchIndex(Relation heap, const IndexStmt* given, Oid readable_by_way_of) {
  auto* statement = static_cast<IndexStmt*>(copyObjectImpl(given));
  statement = transformIndexStmt(RelationGetRelid(heap), statement, nullptr);
  const int keys = list_length(statement->indexParams), columns = keys + list_length(statement->indexIncludingParams);
  if (columns > INDEX_MAX_KEYS)
    ereport(ERROR, (errcode(ERRCODE_TOO_MANY_COLUMNS), errmsg("cannot use more than %d columns in an index", INDEX_MAX_KEYS)));
  const Oid method = get_index_am_oid(statement->accessMethod, false);
  const Relation index = EmptyRelation(heap, statement, method, columns, keys);
  IndexInfo* info = makeNode(IndexInfo);
  info->ii_NumIndexAttrs = columns;
  info->ii_NumIndexKeyAttrs = keys;
  info->ii_Concurrent = true;  // rows that a snapshot sees, whatever others write meanwhile
  info->ii_ReadyForInserts = true;
  info->ii_Am = method;
  info->ii_Context = CurrentMemoryContext;
  int column = 0;
  ListCell* cell;
  foreach (cell, list_concat_copy(statement->indexParams, statement->indexIncludingParams)) {
    const auto* element = lfirst_node(IndexElem, cell);
    const bool key = column < keys;
    if (!key) RequirePlainInclude(element);
    RequireNoOrder(element);
    const Source source = SourceOf(heap, element);
    const Oid collation = key ? CollationOf(element, source) : source.collation;
    info->ii_IndexAttrNumbers[column] = source.number;
    if (source.expression != nullptr) info->ii_Expressions = lappend(info->ii_Expressions, source.expression);
    DescribeAttribute(index->rd_att, column, element, source, collation);
    index->rd_indcollation[column] = key ? collation : InvalidOid;
    if (key) AddClass(index, column, element, source.type, method);
    column++;
  }
  if (statement->whereClause != nullptr) {
    RequireImmutable(statement->whereClause, "predicate");
    info->ii_Predicate = make_ands_implicit(reinterpret_cast<Expr*>(statement->whereClause));
  }
  RequireSelect(readable_by_way_of, ColumnsUsed(heap, info, readable_by_way_of));
  index->rd_options = xtreeoptions(transformRelOptions(Datum{0}, statement->options, nullptr, nullptr, false, false), true);
  return {index, info};
}

}  // namespace xtree
