// What an entry has beside its key: the code of a vector that is kept in clusters, unless that is NULL, and then the INCLUDE columns, as the bytes
// of an index tuple over those columns alone.
#pragma once

#include "pg/postgres_api.h"

extern "C" {
#include "access/itup.h"
#include "access/tupdesc.h"
}

#include "index/vector_coder.h"

namespace xtree {

struct Payload {
  const uint8_t* bytes;
  uint16_t length;
};

// Descriptor of the INCLUDE columns, in the current memory context; nullptr where there are none.
TupleDesc IncludeDescriptor(Relation index);

// `values` and `isnull` are those of all index columns. Detoasts and compresses as nbtree does; ereports when the result exceeds
// what a page can take. In the current memory context. `coder`: see FormBox, which must have come before.
Payload FormPayload(Relation index, const IndexState& state, const VectorCoder* coder, TupleDesc include, const Datum* values,
                    const bool* isnull);

// The INCLUDE columns' part of an entry's payload. `marks`: of the entry. Bytes nullptr: damage.
Payload IncludePart(const IndexState& state, uint64_t marks, Payload payload);

// The INCLUDE values of a payload on a page; by-reference values point into a copy in the current memory context.
void DeformPayload(TupleDesc include, const uint8_t* bytes, uint16_t length, Datum* values, bool* isnull);

}  // namespace xtree
