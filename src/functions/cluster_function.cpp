// SQL function xtree_cluster_info(index regclass): the clusters of an index of vectors, generation by generation, and how far they still fit its
// rows.
//
// Reads the models, and some hundred leaves spread over the index, under AccessShareLock and share locks of single pages.
#include "core/cluster/cluster_scan.h"
#include "functions/view_rows.h"
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

// Of a generation, in the leaves that were looked at.
struct Sums {
  double rows;
  double finite;    // of them
  double distance;  // of those, from their centroids
  double counted;   // likewise, as drift counts it
};

struct Sample {
  double share;  // of the pages that were looked at
  Sums of[kMaxGenerations];
};

void AddLeaf(const NodeView& leaf, const IndexState& state, const ClusterModels& models, Sample* sample) {
  const int dimension = state.layout.first_dimension[state.vectors.column];
  for (int i = 0; i < leaf.entries(); i++) {
    if ((leaf.Marks(i) & ColumnMarks(state.vectors.column, kMarkNull)) != 0) continue;
    const int g = models.GenerationOf(leaf.Lo(i, dimension + kClusterDimension));
    if (g < 0) continue;
    const auto distance = static_cast<double>(FloatFromOrdinal(static_cast<int32_t>(leaf.Lo(i, dimension + kCentroidDistanceDimension))));
    sample->of[g].rows++;
    if (!std::isfinite(distance)) continue;
    sample->of[g].finite++;
    sample->of[g].distance += distance;
    sample->of[g].counted += DistanceForDrift(distance, models.model(g).head());
  }
}

// What is no leaf is passed over.
Sample SampleLeaves(Relation index, const IndexState& state, const ClusterModels& models) {
  constexpr BlockNumber kPages = 300;
  const BlockNumber pages = RelationGetNumberOfBlocks(index), looked_at = std::min(pages, kPages);
  Sample sample{};
  sample.share = pages > 0 ? static_cast<double>(looked_at) / pages : 1;
  for (uint64 i = 0; i < looked_at; i++) {
    CHECK_FOR_INTERRUPTS();
    const Buffer buffer = ReadPage(index, static_cast<BlockNumber>(i * pages / looked_at), nullptr);
    LockBuffer(buffer, BUFFER_LOCK_SHARE);
    const uint8_t* page = pg::BufferBytes(buffer);
    if (!pg::IsNewPage(page) && ValidateNode(state.layout, page, 0) == nullptr)
      AddLeaf(NodeView(state.layout, page), state, models, &sample);
    UnlockReleaseBuffer(buffer);
  }
  return sample;
}

void PutRow(RowWriter* row, Relation index, const IndexState& state, const UsedModels& used, const Sample& sample, int g) {
  const VectorModelHead& head = used.models.model(g).head();
  const Sums& sums = sample.of[g];
  const double mean = sums.finite > 0 ? sums.distance / sums.finite : 0;
  const double drift = sums.finite > 0 && head.spread > 0 ? sums.counted / sums.finite / static_cast<double>(head.spread) : 0;
  const bool trained = head.trained_rows > 0;
  row->Add(NameGetDatum(&TupleDescAttr(RelationGetDescr(index), state.vectors.column)->attname));
  row->Int(state.vectors.dimensions).Int(g + 1).Int(used.models.model(g).clusters());
  row->Count(std::llround(sums.rows / sample.share));
  row->Add(Int64GetDatum(static_cast<int64>(head.trained_rows)), !trained);
  row->Add(Int64GetDatum(static_cast<int64>(head.sampled_rows)), !trained);
  row->Add(Float8GetDatum(mean), sums.finite == 0);
  row->Add(Float8GetDatum(drift), sums.finite == 0 || !trained || head.spread <= 0);
  row->Put();
}

void PutRows(RowWriter* row, Relation index, const IndexState& state) {
  const UsedModels& used = UseModels(index, CurrentMemoryContext);
  const Sample sample = SampleLeaves(index, state, used.models);
  for (int g = 0; g < used.models.count(); g++) PutRow(row, index, state, used, sample, g);
}

}  // namespace

}  // namespace xtree

extern "C" Datum xtree_cluster_info(PG_FUNCTION_ARGS) {
  using namespace xtree;
  RowWriter row(fcinfo);
  const OpenIndex open = OpenXtreeIndex(PG_GETARG_OID(0), AccessShareLock);
  const IndexState* state = CopyIndexState(open.index, MetaUse::kRequired);
  if (state->vectors.dimensions != 0 && state->build_state == MetaBuildState::kBuilt) PutRows(&row, open.index, *state);
  CloseIndex(open, AccessShareLock);
  return 0;
}
