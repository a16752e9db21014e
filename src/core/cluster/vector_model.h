// VectorModel: what the codes of an index of clusters mean: a scale for each dimension, and the centroids.
//
// Made once by a build (train.h), or from the first row, and then the same for the life of the index's files, so that an entry never needs
// to be coded anew. It lies in the index as one run of bytes; a model is a view of those. Plain data; nothing is locked.
//
// A vector x is coded as y = x - center, and y as whole numbers k with y[d] ~ k[d] * scale[d], -127 <= k[d] <= 127. What that loses is
// kept as a norm, so every distance has a lower bound by its code (vector_code.h). Centroids are codes themselves, and exact as such.
#pragma once

#include <cstddef>
#include <cstdint>

#include "page/format.h"

namespace xtree {

inline constexpr int kMaxVectorDimensions = 2000;
inline constexpr int kCalibrations = 16;
// Scales lie within: no sum of squares of a code is infinite as a float.
inline constexpr float kSmallestScale = 1e-35f;
inline constexpr float kLargestScale = 1e15f;
// Where there is no vector yet to tell: for those of length 1, whose coordinates are within -1 and 1.
inline constexpr float kScaleOfUnknown = 1.0f / 127;

// How many of the 10 nearest are found where so many clusters are looked at: measured on rows that the centroids were not made from.
struct ProbeCalibration {
  uint32_t probes;  // ascending; 0: not in use
  float recall;     // 0..1
};

// The beginning of the bytes; center, scale and the centroids' codes follow.
struct VectorModelHead {
  uint32_t magic;
  uint32_t bytes;  // of the model
  uint32_t dimensions;
  uint32_t clusters;      // >= 1
  uint64_t trained_rows;  // of the table, when the centroids were made; 0: they were not made from rows
  uint32_t sampled_rows;  // that they were made from
  float spread;           // mean distance of the sampled rows from their centroids
  ProbeCalibration calibration[kCalibrations];
};

class VectorModel {
 public:
  VectorModel() = default;

  static size_t BytesFor(int dimensions, int clusters);

  // nullptr where the bytes are a model that this code can use; else what is wrong with them. Checks everything that reading may rely on.
  static const char* Validate(const uint8_t* bytes, size_t size);

  // REQUIRES: valid bytes, aligned for int64, which outlive the view.
  explicit VectorModel(const uint8_t* bytes);

  // Writes the head (`trained_rows`, `calibration` and the like 0), and makes a view of the bytes, whose arrays are then to be filled in.
  // REQUIRES: BytesFor() bytes, aligned for int64.
  static VectorModel Begin(int dimensions, int clusters, uint8_t* bytes);

  // A model of one cluster around 0 with the same scale everywhere, from one vector alone (one that cannot be coded: scale 1).
  // `bytes` has room for BytesFor(dimensions, 1).
  static void MakeFromOne(const double* vector, int dimensions, uint8_t* bytes);
  // The same again from the scale that it found.
  static void MakeFromScale(float scale, int dimensions, uint8_t* bytes);

  const VectorModelHead& head() const { return *head_; }
  int dimensions() const { return static_cast<int>(head_->dimensions); }
  int clusters() const { return static_cast<int>(head_->clusters); }
  const float* center() const { return center_; }
  const float* scale() const { return scale_; }  // kSmallestScale to kLargestScale
  // The code of a centroid, as of any vector (vector_code.h).
  const uint8_t* centroid(int cluster) const { return centroids_ + static_cast<size_t>(cluster) * code_bytes_; }

 private:
  const VectorModelHead* head_ = nullptr;
  const float* center_ = nullptr;
  const float* scale_ = nullptr;
  const uint8_t* centroids_ = nullptr;
  size_t code_bytes_ = 0;
};

}  // namespace xtree
