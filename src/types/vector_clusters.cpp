// See vector_clusters.h.
#include "types/vector_clusters.h"

#include "types/routine.h"
#include "types/vector.h"

namespace xtree {

namespace {

void Bounds(const XtreeColumn*, Datum, XtreeBounds*) { elog(ERROR, "a vector in clusters has no box of its own"); }

// Codes are not asked: every vector may lie in the window, or be the same.
void Constrain(const XtreeColumn*, StrategyNumber strategy, Oid, Datum, XtreeConstraint* out) {
  if (strategy != kVectorWithinWindow && strategy != kVectorSame) elog(ERROR, "unrecognized strategy number: %d", strategy);
  out->recheck = true;
}

void Order(const XtreeColumn*, StrategyNumber strategy, Oid, Datum, XtreeOrder*) {
  elog(ERROR, "the order of strategy %d is not that of boxes", strategy);
}

template <typename Float>
void Coordinates(Datum value, int dimensions, double* out) {
  const Vector<Float> vector(value);
  RequireDimensionsOfIndex(dimensions, vector.dimensions);
  std::copy_n(vector.at, dimensions, out);
  FreeVector(vector, value);
}

constexpr double kRoundingOfFloat8 = 0x1p-53;

}  // namespace

XtreeVectorMetric MetricOfVectorStrategy(StrategyNumber strategy) {
  switch (strategy) {
    case kVectorEuclid:
      return XTREE_METRIC_EUCLID;
    case kVectorTaxicab:
      return XTREE_METRIC_TAXICAB;
    case kVectorInnerProduct:
      return XTREE_METRIC_INNER_PRODUCT;
    case kVectorCosine:
      return XTREE_METRIC_COSINE;
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

XtreeTypeRoutine ClustersRoutine(uint16 encoding, const XtreeVectorRoutine* vectors) {
  const auto bit = [](StrategyNumber strategy) { return uint32{1} << strategy; };
  XtreeTypeRoutine routine = NewRoutine(static_cast<Encoding>(encoding), 2, sizeof(int32), XTREE_SCALAR_INTEGER, Bounds, Constrain);
  routine.words = true;
  routine.leading = true;
  routine.order = Order;
  routine.vectors = vectors;
  routine.blind_strategies = bit(kVectorWithinWindow) | bit(kVectorSame);
  return routine;
}

namespace {

const XtreeTypeRoutine kFloat4Clusters = ClustersRoutine(static_cast<uint16>(Encoding::kFloat4Clusters), &kFloat4Vectors);
const XtreeTypeRoutine kFloat8Clusters = ClustersRoutine(static_cast<uint16>(Encoding::kFloat8Clusters), &kFloat8Vectors);

}  // namespace

const XtreeVectorRoutine kFloat4Vectors = {2000, Coordinates<float4>, MetricOfVectorStrategy, kRoundingOfFloat8, &kFloat4Clusters};
const XtreeVectorRoutine kFloat8Vectors = {2000, Coordinates<float8>, MetricOfVectorStrategy, kRoundingOfFloat8, &kFloat8Clusters};

}  // namespace xtree
