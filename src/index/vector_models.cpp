// See vector_models.h.
#include "index/vector_models.h"

#include "page/validate.h"
#include "pg/compat.h"
#include "pg/guard.h"
#include "storage/read_page.h"

extern "C" {
#include "miscadmin.h"
#include "utils/memutils.h"
}

namespace xtree {

namespace {

constexpr int kMostModels = 8;  // that nobody uses
constexpr Size kMostBytes = 64 * 1024 * 1024;

struct KeptModel {
  MemoryContext memory;  // of all of it
  KeptModel* next;
  uint64_t id;
  uint32_t bytes;
  int users;
  VectorModel model;
};

KeptModel* kept = nullptr;  // the one that was used last is first

struct ModelUser {
  MemoryContextCallback callback;
  KeptModel* model;
};

void ReadModelPage(Relation index, const VectorFacts& vectors, BlockNumber block, uint8_t* to, uint32_t count) {
  if (block >= RelationGetNumberOfBlocks(index)) ReportCorruptPage(index, block, "a page of the model is missing");
  const Buffer buffer = ReadPage(index, block, nullptr);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const uint8_t* page = pg::BufferBytes(buffer);
  PageFrame frame;
  frame.Read(page);
  const bool right = IsModelPage(page) && frame.opaque.nsn == vectors.model_id && frame.header.lower == kPageHeaderSize + count;
  if (right) memcpy(to, page + kPageHeaderSize, count);
  UnlockReleaseBuffer(buffer);
  if (!right) ReportCorruptPage(index, block, "page is not the part of the model that it should be");
}

uint8_t* ReadModel(Relation index, const VectorFacts& vectors) {
  constexpr uint32_t kLargest = 1024 * 1024 * 1024;  // far above what a model can have
  if (vectors.model_bytes > kLargest) ReportCorruptPage(index, kMetaBlock, "model is too large");
  auto* bytes = static_cast<uint8_t*>(palloc_extended(vectors.model_bytes, MCXT_ALLOC_HUGE));
  for (uint32_t page = 0, at = 0; at < vectors.model_bytes; page++, at += kModelPageBytes) {
    CHECK_FOR_INTERRUPTS();
    ReadModelPage(index, vectors, vectors.model_block + page, bytes + at, std::min(kModelPageBytes, vectors.model_bytes - at));
  }
  const char* problem = VectorModel::Validate(bytes, vectors.model_bytes);
  if (problem != nullptr) ReportCorruptPage(index, vectors.model_block, problem);
  if (VectorModel(bytes).dimensions() != vectors.dimensions)
    ReportCorruptPage(index, vectors.model_block, "model is of vectors with another number of dimensions");
  return bytes;
}

KeptModel* Keep(Relation index, const VectorFacts& vectors) {
  const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "xtree model", ALLOCSET_SMALL_SIZES);
  const MemoryContext old = MemoryContextSwitchTo(memory);
  auto* model = static_cast<KeptModel*>(palloc0(sizeof(KeptModel)));
  model->memory = memory;
  model->id = vectors.model_id;
  model->bytes = vectors.model_bytes;
  model->model = VectorModel(ReadModel(index, vectors));
  MemoryContextSwitchTo(old);
  MemoryContextSetParent(memory, TopMemoryContext);
  return model;
}

// Takes it out of the list.
KeptModel* Find(uint64_t id) {
  for (KeptModel** at = &kept; *at != nullptr; at = &(*at)->next) {
    if ((*at)->id != id) continue;
    KeptModel* model = *at;
    *at = model->next;
    return model;
  }
  return nullptr;
}

// Those that were not used for the longest.
void LetGo() {
  int unused = 0;
  Size bytes = 0;
  for (KeptModel** at = &kept; *at != nullptr;) {
    KeptModel* model = *at;
    if (model->users == 0 && (++unused > kMostModels || (bytes += model->bytes) > kMostBytes)) {
      *at = model->next;
      MemoryContextDelete(model->memory);
    } else {
      at = &model->next;
    }
  }
}

void EndModelUse(void* argument) { static_cast<ModelUser*>(argument)->model->users--; }

}  // namespace

const VectorModel& UseModel(Relation index, const VectorFacts& vectors, MemoryContext user) {
  const MemoryContext old = MemoryContextSwitchTo(user);
  if (vectors.model_id == 0) {
    const VectorModel& made = ModelOf({.id = 0, .scale = vectors.scale, .bytes = nullptr, .size = 0}, vectors.dimensions);
    MemoryContextSwitchTo(old);
    return made;
  }
  auto* use = static_cast<ModelUser*>(palloc0(sizeof(ModelUser)));
  MemoryContextSwitchTo(old);
  KeptModel* model = Find(vectors.model_id);
  if (model == nullptr) model = Keep(index, vectors);
  model->next = kept;
  kept = model;
  model->users++;
  use->model = model;
  use->callback = {EndModelUse, use, nullptr};
  MemoryContextRegisterResetCallback(user, &use->callback);
  LetGo();
  return model->model;
}

const VectorModel& ModelOf(const NewModel& model, int dimensions) {
  auto* view = static_cast<VectorModel*>(palloc(sizeof(VectorModel)));
  if (model.id != 0) return *new (view) VectorModel(model.bytes);
  auto* bytes = static_cast<uint8_t*>(palloc(VectorModel::BytesFor(dimensions, 1)));
  VectorModel::MakeFromScale(model.scale, dimensions, bytes);
  return *new (view) VectorModel(bytes);
}

void CheckModel(Relation index, const VectorFacts& vectors) {
  if (vectors.model_id != 0) pfree(ReadModel(index, vectors));
}

void FillModelPage(const KeyLayout& layout, uint64_t id, const uint8_t* bytes, uint32_t count, PageImage* image) {
  memset(image->bytes, 0, kPageSize);
  NodeEditor editor(layout, image->bytes);
  editor.Initialize(0, 0);
  editor.opaque().flags = kNodeModel;
  editor.opaque().nsn = id;
  reinterpret_cast<PageHeader*>(image->bytes)->lower = static_cast<uint16_t>(kPageHeaderSize + count);
  memcpy(image->bytes + kPageHeaderSize, bytes, count);
}

}  // namespace xtree
