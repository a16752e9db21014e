// What array types of vectors offer to indexes of clusters (XtreeVectorRoutine). For vector.cpp.
#pragma once

#include "xtree.h"

namespace xtree {

extern const XtreeVectorRoutine kFloat4Vectors;
extern const XtreeVectorRoutine kFloat8Vectors;

// Strategies of the classes of vectors.
inline constexpr StrategyNumber kVectorSame = 6;  // of pgvector's types
inline constexpr StrategyNumber kVectorWithinWindow = 8;
inline constexpr StrategyNumber kVectorEuclid = 15;
inline constexpr StrategyNumber kVectorTaxicab = 16;
inline constexpr StrategyNumber kVectorInnerProduct = 17;
inline constexpr StrategyNumber kVectorCosine = 18;

XtreeVectorMetric MetricOfVectorStrategy(StrategyNumber strategy);

// The routine of a column in an index of clusters, whatever the type: windows are rechecked, and its order is am/cluster_order.h's.
XtreeTypeRoutine ClustersRoutine(uint16 encoding, const XtreeVectorRoutine* vectors);

}  // namespace xtree
