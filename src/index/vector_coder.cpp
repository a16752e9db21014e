// See vector_coder.h.
#include "index/vector_coder.h"

namespace xtree {

VectorCoder* VectorCoder::Make(const IndexState& state, const VectorModel& model, int first_cluster) {
  if (state.vectors.dimensions == 0) return nullptr;
  auto* coder = static_cast<VectorCoder*>(palloc0(sizeof(VectorCoder)));
  coder->model_ = &model;
  coder->first_cluster_ = first_cluster;
  coder->routine_ = state.column[state.vectors.column].routine->vectors;
  coder->coordinates_ = static_cast<double*>(palloc(sizeof(double) * state.vectors.dimensions));
  coder->bytes_ = static_cast<uint16_t>(VectorCodeBytes(state.vectors.dimensions));
  coder->code_ = static_cast<uint8_t*>(palloc0(coder->bytes_));
  return coder;
}

VectorCoder* VectorCoder::Make(Relation index, const IndexState& state) {
  if (state.vectors.dimensions == 0) return nullptr;
  const ClusterModels& models = UseModels(index, CurrentMemoryContext).models;
  return Make(state, models.model(models.newest()), models.first_cluster(models.newest()));
}

void VectorCoder::Code(Datum value) {
  routine_->coordinates(value, model_->dimensions(), coordinates_);
  EncodeVector(*model_, coordinates_, code_);
  place_ = PlaceOf(*model_, coordinates_, code_);
  place_.cluster += first_cluster_;
}

}  // namespace xtree
