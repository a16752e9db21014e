// See vector_models.h.
#include "index/vector_models.h"

#include "index/meta_page.h"
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

// Returns the block of the next page. False: it is not what it should be.
bool ReadModelPage(Relation index, uint64_t id, BlockNumber* block, uint8_t* to, uint32_t count) {
  if (*block >= RelationGetNumberOfBlocks(index)) return false;
  const Buffer buffer = ReadPage(index, *block, nullptr);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const uint8_t* page = pg::BufferBytes(buffer);
  PageFrame frame;
  frame.Read(page);
  const bool right = IsModelPage(page) && frame.opaque.nsn == id && frame.header.lower == kPageHeaderSize + count;
  if (right) memcpy(to, page + kPageHeaderSize, count);
  UnlockReleaseBuffer(buffer);
  if (right) *block = frame.opaque.link;
  return right;
}

// Where something is wrong.
struct Damage {
  BlockNumber block;
  const char* problem;  // nullptr: nothing is
};

// In the current memory context.
uint8_t* ReadModel(Relation index, const VectorGeneration& generation, int dimensions, Damage* damage) {
  constexpr uint32_t kLargest = 1024 * 1024 * 1024;  // far above what a model can have
  *damage = {kMetaBlock, "model is too large"};
  if (generation.model_bytes > kLargest) return nullptr;
  auto* bytes = static_cast<uint8_t*>(palloc_extended(generation.model_bytes, MCXT_ALLOC_HUGE));
  BlockNumber block = generation.model_block;
  for (uint32_t at = 0; at < generation.model_bytes; at += kModelPageBytes) {
    CHECK_FOR_INTERRUPTS();
    *damage = {block, "page is not the part of the model that it should be"};
    if (!ReadModelPage(index, generation.model_id, &block, bytes + at, std::min(kModelPageBytes, generation.model_bytes - at)))
      return nullptr;
  }
  *damage = {generation.model_block, VectorModel::Validate(bytes, generation.model_bytes)};
  if (damage->problem != nullptr) return nullptr;
  const VectorModel model(bytes);
  if (model.dimensions() != dimensions) damage->problem = "model is of vectors with another number of dimensions";
  if (static_cast<uint32_t>(model.clusters()) != generation.clusters)
    damage->problem = "model has another number of clusters than the meta page says";
  return damage->problem == nullptr ? bytes : nullptr;
}

KeptModel* Keep(Relation index, const VectorGeneration& generation, int dimensions, Damage* damage) {
  const MemoryContext memory = AllocSetContextCreate(CurrentMemoryContext, "xtree model", ALLOCSET_SMALL_SIZES);
  const MemoryContext old = MemoryContextSwitchTo(memory);
  auto* model = static_cast<KeptModel*>(palloc0(sizeof(KeptModel)));
  model->memory = memory;
  model->id = generation.model_id;
  model->bytes = generation.model_bytes;
  const uint8_t* bytes = ReadModel(index, generation, dimensions, damage);
  MemoryContextSwitchTo(old);
  if (bytes == nullptr) {
    MemoryContextDelete(memory);
    return nullptr;
  }
  model->model = VectorModel(bytes);
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

namespace {

// nullptr: its pages are damaged, or not there any more.
const VectorModel* UseModel(Relation index, const VectorGeneration& generation, int dimensions, MemoryContext user, Damage* damage) {
  auto* use = static_cast<ModelUser*>(MemoryContextAllocZero(user, sizeof(ModelUser)));
  KeptModel* model = Find(generation.model_id);
  if (model == nullptr) model = Keep(index, generation, dimensions, damage);
  if (model == nullptr) return nullptr;
  model->next = kept;
  kept = model;
  model->users++;
  use->model = model;
  use->callback = {EndModelUse, use, nullptr};
  MemoryContextRegisterResetCallback(user, &use->callback);
  LetGo();
  return &model->model;
}

VectorFacts ReadFacts(Relation index) {
  const MetaContent meta = TakeMeta(ReadBuffer(index, kMetaBlock));
  const char* problem = meta.vector_dimensions == 0 || meta.generations == 0 ? "there is no column of vectors" : ValidateVectors(meta);
  if (problem != nullptr) ReportCorruptPage(index, kMetaBlock, problem);
  return VectorsOn(meta);
}

bool HasModel(const VectorFacts& facts, uint64_t id) {
  return std::any_of(facts.generation, facts.generation + facts.generations, [id](const VectorGeneration& g) { return g.model_id == id; });
}

// Reports the damage of a model, unless the index has let go of it since.
void ReportUnlessGone(Relation index, uint64_t id, const Damage& damage) {
  if (HasModel(ReadFacts(index), id)) ReportCorruptPage(index, damage.block, damage.problem);
}

// False: one of them is gone.
bool UseAll(Relation index, MemoryContext user, UsedModels* used) {
  const VectorFacts& facts = used->facts;
  for (int g = 0; g < facts.generations; g++) {
    const VectorGeneration& generation = facts.generation[g];
    const VectorModel* model;
    Damage damage{};
    if (generation.model_id != 0) {
      model = UseModel(index, generation, facts.dimensions, user, &damage);
    } else {
      const MemoryContext old = MemoryContextSwitchTo(user);
      model = &ModelOf({.id = 0, .scale = generation.scale, .bytes = nullptr, .size = 0}, facts.dimensions);
      MemoryContextSwitchTo(old);
    }
    if (model == nullptr) {
      ReportUnlessGone(index, generation.model_id, damage);
      return false;
    }
    used->models.Add(static_cast<int>(generation.first_cluster), *model);
  }
  return true;
}

}  // namespace

const UsedModels& UseModels(Relation index, MemoryContext user) {
  auto* used = new (MemoryContextAlloc(user, sizeof(UsedModels))) UsedModels;
  for (;;) {
    CHECK_FOR_INTERRUPTS();
    used->facts = ReadFacts(index);
    used->models = {};
    if (UseAll(index, user, used)) return *used;
  }
}

const VectorModel& ModelOf(const NewModel& model, int dimensions) {
  auto* view = static_cast<VectorModel*>(palloc(sizeof(VectorModel)));
  if (model.id != 0) return *new (view) VectorModel(model.bytes);
  auto* bytes = static_cast<uint8_t*>(palloc(VectorModel::BytesFor(dimensions, 1)));
  VectorModel::MakeFromScale(model.scale, dimensions, bytes);
  return *new (view) VectorModel(bytes);
}

void CheckModels(Relation index) {
  const VectorFacts facts = ReadFacts(index);
  for (int g = 0; g < facts.generations; g++) {
    const VectorGeneration& generation = facts.generation[g];
    if (generation.model_id == 0) continue;
    Damage damage;
    uint8_t* bytes = ReadModel(index, generation, facts.dimensions, &damage);
    if (bytes == nullptr)
      ReportUnlessGone(index, generation.model_id, damage);
    else
      pfree(bytes);
  }
}

void FillModelPage(const KeyLayout& layout, const NewModel& model, uint32_t page, BlockNumber next, PageImage* image) {
  const uint32_t at = page * kModelPageBytes, count = std::min(kModelPageBytes, model.size - at);
  memset(image->bytes, 0, kPageSize);
  NodeEditor editor(layout, image->bytes);
  editor.Initialize(0, 0);
  editor.opaque().flags = kNodeModel;
  editor.opaque().nsn = model.id;
  editor.opaque().link = next;
  reinterpret_cast<PageHeader*>(image->bytes)->lower = static_cast<uint16_t>(kPageHeaderSize + count);
  memcpy(image->bytes + kPageHeaderSize, model.bytes + at, count);
}

VectorGeneration GenerationOf(const NewModel& model, BlockNumber block, uint32_t first_cluster) {
  VectorGeneration generation{};
  generation.model_id = model.id;
  generation.first_cluster = first_cluster;
  generation.clusters = 1;
  generation.model_block = kInvalidBlock;
  generation.scale = model.scale;
  if (model.id == 0) return generation;
  const VectorModel view(model.bytes);
  generation.trained_rows = view.head().trained_rows;
  generation.model_block = block;
  generation.model_bytes = model.size;
  generation.clusters = static_cast<uint32_t>(view.clusters());
  return generation;
}

}  // namespace xtree
