// See load_callbacks.h. The lists live as long as the process; nothing is locked, they are this backend's own.
#include "registry/load_callbacks.h"

#include "xtree.h"

#ifdef XTREE_STOP_POINTS
extern "C" {
#include "access/htup_details.h"
#include "funcapi.h"

PG_FUNCTION_INFO_V1(xtree_count_callbacks);
}
#endif

namespace xtree {

namespace {

struct Callback {
  XtreeLoadCallback function;
  void* argument;
  Callback* next;
};

Callback* load_callbacks = nullptr;
Callback* unload_callbacks = nullptr;

// At the end, so that callbacks run in the order of their registration.
void Append(Callback** list, XtreeLoadCallback function, void* argument) {
  auto* added = static_cast<Callback*>(MemoryContextAlloc(TopMemoryContext, sizeof(Callback)));
  *added = {function, argument, nullptr};
  while (*list != nullptr) list = &(*list)->next;
  *list = added;
}

void Fire(const Callback* list, Oid index) {
  for (; list != nullptr; list = list->next) list->function(index, list->argument);
}

}  // namespace

void FireLoad(Oid index) { Fire(load_callbacks, index); }
void FireUnload(Oid index) { Fire(unload_callbacks, index); }

}  // namespace xtree

extern "C" void xtree_register_load_callback(XtreeLoadCallback callback, void* argument) {
  xtree::Append(&xtree::load_callbacks, callback, argument);
}

extern "C" void xtree_register_unload_callback(XtreeLoadCallback callback, void* argument) {
  xtree::Append(&xtree::unload_callbacks, callback, argument);
}

#ifdef XTREE_STOP_POINTS

namespace xtree {
namespace {

struct CallbackCounts {
  bool registered;
  bool fail;  // the next load
  int loads;
  int unloads;
  Oid last;
};
CallbackCounts counts;

void CountLoad(Oid index, void* argument) {
  auto* into = static_cast<CallbackCounts*>(argument);
  into->loads++;
  into->last = index;
  if (std::exchange(into->fail, false)) ereport(ERROR, (errmsg("a load callback fails")));
}

void CountUnload(Oid index, void* argument) {
  auto* into = static_cast<CallbackCounts*>(argument);
  into->unloads++;
  into->last = index;
}

}  // namespace
}  // namespace xtree

// xtree_count_callbacks(fail bool, OUT loads int, OUT unloads int, OUT last oid), for tests: registers callbacks at the first call and
// tells what they have counted since; with `fail` the next load callback raises an ERROR.
extern "C" Datum xtree_count_callbacks(PG_FUNCTION_ARGS) {
  using namespace xtree;
  if (!counts.registered) {
    xtree_register_load_callback(CountLoad, &counts);
    xtree_register_unload_callback(CountUnload, &counts);
    counts.registered = true;
  }
  counts.fail = PG_GETARG_BOOL(0);
  TupleDesc description;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "return type must be a row type");
  Datum values[] = {Int32GetDatum(counts.loads), Int32GetDatum(counts.unloads), ObjectIdGetDatum(counts.last)};
  bool nulls[] = {false, false, false};
  PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls)));
}

#endif
