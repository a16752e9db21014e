// TrainModel: the centroids and scales of an index of clusters, from a sample of its table.
//
// k-means on codes (Lloyd's iteration with k-means++ seeding on a part of the sample), clusters kept balanced: one with far more than its share is
// divided, one with next to nothing given up for that. Centroids are numbered along a path from one to a near one, so that neighbours in number are
// neighbours.
// Deterministic for the same sample. Functions throw what the environment throws.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "core/cluster/vector_code.h"

namespace xtree {

struct TrainOptions {
  int dimensions;
  uint64_t rows;                          // of the table
  int clusters = 0;                       // 0: RecommendedClusters(rows)
  std::function<void()> check_interrupt;  // called every few milliseconds; may throw
  std::function<void(uint64_t done, uint64_t total)> progress;
};

int RecommendedClusters(uint64_t rows);
// How many rows a sample should have, at most so many bytes of memory being used by TrainModel for it (float[dimensions] a row and what else it
// needs).
uint64_t RecommendedSample(int clusters, int dimensions, size_t memory);

// `sample`: rows of float[dimensions], one after another, finite; `count` >= 1. Returns the bytes of a valid model, its calibration included.
// It has fewer clusters than wanted where the sample has fewer different rows. Of a sample of more than 2^24 rows only so many are used.
std::vector<uint8_t> TrainModel(const float* sample, uint64_t count, const TrainOptions& options);

}  // namespace xtree
