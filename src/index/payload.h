// INCLUDE columns: stored on the leaf as the bytes of an index tuple over those columns alone.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "access/itup.h"
#include "access/tupdesc.h"
}

#include "page/key_layout.h"

namespace xtree {

struct Payload {
  const uint8_t* bytes;
  uint16_t length;
};

// Descriptor of the INCLUDE columns, in the current memory context; nullptr where there are none.
TupleDesc IncludeDescriptor(Relation index);

// `values` and `isnull` are those of all index columns. Detoasts and compresses as nbtree does; ereports when the result exceeds
// what a page can take. In the current memory context. An empty payload where there is no descriptor.
Payload FormPayload(Relation index, const KeyLayout& layout, TupleDesc include, const Datum* values, const bool* isnull);

// The INCLUDE values of a payload on a page; by-reference values point into a copy in the current memory context.
void DeformPayload(TupleDesc include, const uint8_t* bytes, uint16_t length, Datum* values, bool* isnull);

}  // namespace xtree
