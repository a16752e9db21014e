// See page_access.h. Pages may be written while they are read here: what is copied may be torn, and is validated or read again.
#include "worker/page_access.h"

#include <sys/mman.h>

#include "core/estimate/crowding.h"
#include "page/node.h"
#include "page/validate.h"
#include "pg/guard.h"
#include "registry/fault_trap.h"
#include "worker/worker_process.h"

extern "C" {
#include "storage/checksum.h"
}

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

namespace xtree {

namespace {

constexpr BlockNumber kStep = 16 * 1024 * 1024 / kPageSize;  // between two breaths
constexpr int kTries = 20;                                   // for a page that is being written
constexpr long kTryAgainUs = 5000;

// Where the kernel has no MADV_POPULATE_READ (before 5.14).
void TouchPages(const FileMapping& mapping, BlockNumber first, BlockNumber count) {
  uint8_t page[kPageSize];
  for (BlockNumber i = 0; i < count; i++) (void)CopyPage(mapping, first + i, page);
}

// What a directory page leads to: its children where they are directory nodes, and a supernode's followers.
struct Walk {
  KeyLayout layout;
  BlockNumber* queue;
  uint32_t count;
  uint32_t room;
  BlockNumber limit;
};

void Push(Walk* walk, BlockNumber block) {
  if (block >= walk->limit || walk->count >= walk->limit) return;
  if (walk->count == walk->room) {
    walk->room *= 2;
    walk->queue = static_cast<BlockNumber*>(repalloc_huge(walk->queue, sizeof(BlockNumber) * walk->room));
  }
  walk->queue[walk->count++] = block;
}

void PushFrom(Walk* walk, const uint8_t* page) {
  const NodeView node(walk->layout, page);
  if (node.leaf() || node.deleted()) return;
  for (int i = 0; i < node.followers(); i++) Push(walk, node.Follower(i));
  if (node.level() < 2) return;
  for (int i = 0; i < node.entries(); i++) Push(walk, node.Child(i));
}

bool MakeLayout(const uint8_t* page, KeyLayout* layout) {
  MetaContent meta;
  memcpy(&meta, page + kPageHeaderSize, sizeof(meta));
  if (meta.magic != kMetaMagic || meta.version != kFormatVersion || meta.columns == 0 || meta.columns > kMaxColumns) return false;
  ColumnShape shape[kMaxColumns] = {};
  for (int i = 0; i < meta.columns; i++) {
    const ColumnEncoding& column = meta.column[i];
    if (column.dimensions == 0 || column.dimensions > kMaxDimensions || (column.width != 4 && column.width != 8)) return false;
    shape[i].dimensions = column.dimensions;
    shape[i].width = column.width;
    shape[i].extended = column.extended != 0;
  }
  return KeyLayout::Make(shape, meta.columns, (meta.feature_flags & kFeatureInclude) != 0, layout) == nullptr;
}

// What core asks of a page that it reads, and that it is one of ours.
const char* ProblemOf(uint8_t* page, BlockNumber block) {
  if (pg::IsNewPage(page)) {
    for (uint32_t i = 0; i < kPageSize; i++) {
      if (page[i] != 0) return "a page with an empty header has content";
    }
    return nullptr;
  }
  const auto* header = reinterpret_cast<const PageHeader*>(page);
  const auto* opaque = reinterpret_cast<const NodeOpaque*>(page + kSpecialOffset);
  if (header->size_version != kPageSizeVersion || (header->flags & ~PD_VALID_FLAG_BITS) != 0) return "invalid page header";
  if (header->lower < kPageHeaderSize || header->lower > header->upper || header->upper > header->special) return "invalid page header";
  if (header->special != kSpecialOffset || opaque->page_id != kNodePageId) return "not a page of an xtree index";
  if (DataChecksumsEnabled() && pg_checksum_page(reinterpret_cast<char*>(page), block) != header->checksum) return "wrong checksum";
  return nullptr;
}

const char* VerifyPage(const FileMapping& mapping, BlockNumber block) {
  const char* problem = nullptr;
  for (int i = 0; i < kTries; i++) {
    PageImage copy;
    if (!CopyPage(mapping, block, copy.bytes)) return "it cannot be read";
    problem = ProblemOf(copy.bytes, block);
    if (problem == nullptr) return nullptr;
    pg_usleep(kTryAgainUs);  // perhaps it is being written just now
  }
  return problem;
}

}  // namespace

FileMapping* NewPassingMapping() {
  struct Passing {
    FileMapping mapping;
    MemoryContextCallback callback;
  };
  auto* passing = static_cast<Passing*>(palloc0(sizeof(Passing)));
  passing->mapping = FileMapping();
  passing->callback.func = [](void* mapping) { static_cast<FileMapping*>(mapping)->Unmap(); };
  passing->callback.arg = &passing->mapping;
  MemoryContextRegisterResetCallback(CurrentMemoryContext, &passing->callback);
  return &passing->mapping;
}

bool CopyPage(const FileMapping& mapping, BlockNumber block, uint8_t* out) {
  if (block >= mapping.file_blocks()) return false;
  sigjmp_buf fault;
  if (sigsetjmp(fault, 0) != 0) return false;
  const uint8_t* page = mapping.Page(block);
  ArmPage(0, page, &fault);
  memcpy(out, page, kPageSize);
  DisarmPage(0);
  return true;
}

void Populate(const FileMapping& mapping, BlockNumber first, BlockNumber count) {
  const BlockNumber end = std::min(mapping.file_blocks(), first + std::min(count, mapping.file_blocks()));
  for (BlockNumber at = first; at < end; at += kStep) {
    const BlockNumber step = std::min(kStep, end - at);
    bool supported = true;
    mapping.ForEachRange(at, step, [&](uint8_t* begin, size_t bytes) {
      if (madvise(begin, bytes, MADV_POPULATE_READ) != 0 && errno == EINVAL) supported = false;
    });
    if (!supported) TouchPages(mapping, at, step);
    Breathe();
  }
}

void ForEachDirectoryPage(const FileMapping& mapping, void (*visit)(BlockNumber block, void* context), void* context) {
  uint8_t* page = static_cast<uint8_t*>(palloc(kPageSize));
  Walk walk = {};
  walk.limit = mapping.file_blocks();
  walk.room = 1024;
  if (!CopyPage(mapping, kMetaBlock, page) || !MakeLayout(page, &walk.layout)) return;
  visit(kMetaBlock, context);
  walk.queue = static_cast<BlockNumber*>(palloc(sizeof(BlockNumber) * walk.room));
  Push(&walk, kRootBlock);
  for (uint32_t i = 0; i < walk.count; i++) {
    if (i % 256 == 255) Breathe();
    if (!CopyPage(mapping, walk.queue[i], page) || ValidateNode(walk.layout, page, -1) != nullptr) continue;
    visit(walk.queue[i], context);
    PushFrom(&walk, page);
  }
  pfree(walk.queue);
  pfree(page);
}

namespace {

constexpr int kMostChildren = 8;

// Copies of directory pages, one after the other: the root's, then those of some of its children.
struct TopPages {
  KeyLayout layout;
  uint8_t* page;
  int count;
};

bool AddDirectoryPage(const FileMapping& mapping, BlockNumber block, TopPages* top) {
  uint8_t* const page = top->page + size_t{kPageSize} * top->count;
  if (block >= mapping.file_blocks() || !CopyPage(mapping, block, page) || ValidateNode(top->layout, page, -1) != nullptr) return false;
  const NodeView node(top->layout, page);
  if (node.leaf() || node.deleted()) return false;
  top->count++;
  return true;
}

double CrowdingOfPage(const TopPages& top, int number) {
  const NodeView node(top.layout, top.page + size_t{kPageSize} * number);
  return CrowdingOfNode(top.layout, static_cast<size_t>(node.entries()), [&](auto&& visit) {
    Box box;
    for (int i = 0; i < node.entries(); i++) {
      node.GetBox(i, &box);
      visit(static_cast<size_t>(i), box);
    }
  });
}

double CrowdingOfPages(const TopPages& pages) {
  TopCrowding top(CrowdingOfPage(pages, 0));
  for (int i = 1; i < pages.count; i++) top.AddChild(CrowdingOfPage(pages, i));
  return top.Value();
}

}  // namespace

double MeasureOverlap(const FileMapping& mapping) {
  TopPages top = {};
  top.page = static_cast<uint8_t*>(palloc(size_t{kPageSize} * (kMostChildren + 1)));
  double overlap = 0;
  if (CopyPage(mapping, kMetaBlock, top.page) && MakeLayout(top.page, &top.layout) && AddDirectoryPage(mapping, kRootBlock, &top)) {
    const NodeView root(top.layout, top.page);
    const int step = std::max(1, (root.entries() + kMostChildren - 1) / kMostChildren);
    for (int i = 0; root.level() > 1 && i < root.entries(); i += step) (void)AddDirectoryPage(mapping, root.Child(i), &top);
    overlap = Guarded([&] { return CrowdingOfPages(top); });
  }
  pfree(top.page);
  return overlap;
}

bool VerifyPages(const FileMapping& mapping, char* problem, size_t problem_bytes) {
  for (BlockNumber block = 0; block < mapping.file_blocks(); block++) {
    if (block % 256 == 255) Breathe();
    const char* what = VerifyPage(mapping, block);
    if (what == nullptr) continue;
    snprintf(problem, problem_bytes, "block %u: %s", block, what);
    return false;
  }
  return true;
}

}  // namespace xtree
