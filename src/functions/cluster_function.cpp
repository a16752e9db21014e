// SQL function xtree_cluster_info(index regclass): the clusters of an index of vectors, and how far they still fit its rows.
//
// Reads the model, and some hundred leaves spread over the index, under AccessShareLock and share locks of single pages.
#include "core/cluster/cluster_scan.h"
#include "index/index_access.h"
#include "index/vector_models.h"
#include "page/validate.h"
#include "pg/compat.h"
#include "storage/read_page.h"

extern "C" {
#include "funcapi.h"
#include "miscadmin.h"

PG_FUNCTION_INFO_V1(xtree_cluster_info);
}

namespace xtree {

namespace {

struct LeafSums {
  double rows;      // with finite vectors
  double distance;  // from their centroids
};

void AddLeaf(const NodeView& leaf, int dimension, LeafSums* sums) {
  for (int i = 0; i < leaf.entries(); i++) {
    const auto distance = static_cast<double>(FloatFromOrdinal(static_cast<int32_t>(leaf.Lo(i, dimension))));
    if (!std::isfinite(distance)) continue;  // NULL has no distance either
    sums->rows++;
    sums->distance += distance;
  }
}

// What is no leaf is passed over.
LeafSums SampleLeaves(Relation index, const IndexState& state) {
  constexpr BlockNumber kLeaves = 300;
  const BlockNumber pages = RelationGetNumberOfBlocks(index), looked_at = std::min(pages, kLeaves);
  const int dimension = state.layout.first_dimension[state.vectors.column] + kCentroidDistanceDimension;
  LeafSums sums{};
  for (uint64 i = 0; i < looked_at; i++) {
    CHECK_FOR_INTERRUPTS();
    const Buffer buffer = ReadPage(index, static_cast<BlockNumber>(i * pages / looked_at), nullptr);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const uint8_t* page = pg::BufferBytes(buffer);
    if (!pg::IsNewPage(page) && ValidateNode(state.layout, page, 0) == nullptr) AddLeaf(NodeView(state.layout, page), dimension, &sums);
    UnlockReleaseBuffer(buffer);
  }
  return sums;
}

Datum FormRow(FunctionCallInfo fcinfo, Relation index, const IndexState& state) {
  TupleDesc description;
  if (get_call_result_type(fcinfo, nullptr, &description) != TYPEFUNC_COMPOSITE) elog(ERROR, "return type must be a row type");
  const VectorModel& model = UseModel(index, state.vectors, CurrentMemoryContext);
  const VectorModelHead& head = model.head();
  const LeafSums sums = SampleLeaves(index, state);
  const double mean = sums.rows > 0 ? sums.distance / sums.rows : 0, drift = head.spread > 0 ? mean / static_cast<double>(head.spread) : 0;
  const double rows = state.levels > 0 ? static_cast<double>(state.level[0].entries) : 0;
  const bool trained = head.trained_rows > 0;
  Datum values[] = {NameGetDatum(&TupleDescAttr(RelationGetDescr(index), state.vectors.column)->attname),
                    Int32GetDatum(state.vectors.dimensions),
                    Int32GetDatum(model.clusters()),
                    Int64GetDatum(static_cast<int64>(rows)),
                    Int64GetDatum(static_cast<int64>(head.trained_rows)),
                    Int64GetDatum(static_cast<int64>(head.sampled_rows)),
                    Float8GetDatum(mean),
                    Float8GetDatum(drift)};
  bool nulls[] = {false, false, false, false, !trained, !trained, sums.rows == 0, sums.rows == 0 || !trained || head.spread <= 0};
  return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(description), values, nulls));
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_cluster_info(PG_FUNCTION_ARGS) {
  using namespace xtree;
  const OpenIndex open = OpenXtreeIndex(PG_GETARG_OID(0), AccessShareLock);
  const IndexState* state = CopyIndexState(open.index, MetaUse::kRequired);
  const bool known = state->vectors.dimensions != 0 && state->build_state == MetaBuildState::kBuilt;
  const Datum row = known ? FormRow(fcinfo, open.index, *state) : Datum{0};
  CloseIndex(open, AccessShareLock);
  if (!known) PG_RETURN_NULL();
  PG_RETURN_DATUM(row);
}
