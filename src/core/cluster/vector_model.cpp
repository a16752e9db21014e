// vector_model.h
#include "core/cluster/vector_model.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/cluster/vector_code.h"

namespace xtree {
namespace {

constexpr uint32_t kMagic = 0x31644D56;  // "VMd1": of this format
// The largest coordinate of the one vector that a model is made from should have room above it for those of others.
constexpr float kRoom = 2;

bool IsScale(float scale) { return scale >= kSmallestScale && scale <= kLargestScale; }

const char* CheckCalibration(const VectorModelHead& head) {
  uint32_t last = 0;
  bool ended = false;
  for (const ProbeCalibration& c : head.calibration) {
    if (!(c.recall >= 0 && c.recall <= 1)) return "a recall is none";
    ended = ended || c.probes == 0;
    if (c.probes != 0 && (ended || c.probes <= last || c.probes > head.clusters)) return "the calibration is out of order";
    last = c.probes;
  }
  return nullptr;
}

const char* CheckHead(const VectorModelHead& head, size_t size) {
  if (head.magic != kMagic) return "it is not a model, or of another format";
  if (head.dimensions < 1 || head.dimensions > kMaxVectorDimensions) return "the number of dimensions is impossible";
  if (head.clusters < 1 || head.clusters > kMaxClusters) return "the number of clusters is impossible";
  if (head.bytes != VectorModel::BytesFor(static_cast<int>(head.dimensions), static_cast<int>(head.clusters))) return "its size is wrong";
  if (head.bytes > size) return "it is truncated";
  if (!(head.spread >= 0 && std::isfinite(head.spread))) return "the spread is none";
  return CheckCalibration(head);
}

}  // namespace

size_t VectorModel::BytesFor(int dimensions, int clusters) {
  return sizeof(VectorModelHead) + 2 * sizeof(float) * static_cast<size_t>(dimensions) +
         static_cast<size_t>(clusters) * VectorCodeBytes(dimensions);
}

VectorModel::VectorModel(const uint8_t* bytes)
    : head_(reinterpret_cast<const VectorModelHead*>(bytes)),
      center_(reinterpret_cast<const float*>(bytes + sizeof(VectorModelHead))),
      scale_(center_ + head_->dimensions),
      centroids_(reinterpret_cast<const uint8_t*>(scale_ + head_->dimensions)),
      code_bytes_(VectorCodeBytes(static_cast<int>(head_->dimensions))) {}

VectorModel VectorModel::Begin(int dimensions, int clusters, uint8_t* bytes) {
  VectorModelHead head = {};
  head.magic = kMagic;
  head.bytes = static_cast<uint32_t>(BytesFor(dimensions, clusters));
  head.dimensions = static_cast<uint32_t>(dimensions);
  head.clusters = static_cast<uint32_t>(clusters);
  memset(bytes, 0, head.bytes);
  memcpy(bytes, &head, sizeof(head));
  return VectorModel(bytes);
}

const char* VectorModel::Validate(const uint8_t* bytes, size_t size) {
  if (size < sizeof(VectorModelHead)) return "it is truncated";
  VectorModelHead head;
  memcpy(&head, bytes, sizeof(head));
  if (const char* wrong = CheckHead(head, size)) return wrong;
  const VectorModel model(bytes);
  for (int d = 0; d < model.dimensions(); ++d) {
    if (!std::isfinite(model.center()[d])) return "the center is not finite";
    if (!IsScale(model.scale()[d])) return "a scale is out of range";
  }
  for (int c = 0; c < model.clusters(); ++c) {
    VectorCodeHead code;
    memcpy(&code, model.centroid(c), sizeof(code));
    if (!(code.square >= 0 && std::isfinite(code.square) && code.norm >= 0 && code.rest == 0)) return "a centroid is none";
  }
  return nullptr;
}

void VectorModel::MakeFromOne(const double* vector, int dimensions, uint8_t* bytes) {
  double largest = 0;
  bool finite = true;
  for (int d = 0; d < dimensions; ++d) {
    finite = finite && std::isfinite(vector[d]);
    largest = std::max(largest, std::fabs(vector[d]));
  }
  const double scale = finite ? largest * kRoom / 127 : 0;
  MakeFromScale(scale >= kSmallestScale && scale <= kLargestScale ? static_cast<float>(scale) : 1, dimensions, bytes);
}

void VectorModel::MakeFromScale(float scale, int dimensions, uint8_t* bytes) {
  Begin(dimensions, 1, bytes);
  auto* scales = reinterpret_cast<float*>(bytes + sizeof(VectorModelHead)) + dimensions;
  std::fill(scales, scales + dimensions, IsScale(scale) ? scale : 1.0f);
}

}  // namespace xtree
