// The meta page, block 0: the one owner of its content on a server. Everybody who reads, changes or makes one does so here; its format is
// in page/format.h, the check of its bytes in page/validate.h.
//
// Changes are made under the page's exclusive lock and are a WAL record of their own, but for the first row's (am/first_row.h), which
// changes the root with it. Functions ereport.
#pragma once

#include "index/index_state.h"

namespace xtree {

// The content on a page's copy.
inline MetaContent& MetaOn(PageImage* image) { return *reinterpret_cast<MetaContent*>(image->bytes + kPageHeaderSize); }

// The content, from a buffer that is released.
MetaContent TakeMeta(Buffer buffer);

// A private copy of the whole page.
const MetaContent& CopyMetaPage(Relation index, PageImage* copy);

// Magic and version lie at the same place in every format, and are looked at before anything else.
bool ReadableFormat(const MetaContent& meta);
[[noreturn]] void ReportFormat(Relation index, const MetaContent& meta);

// The page of an index in this state of building.
void InitializeMetaPage(const IndexState& state, MetaBuildState build_state, const LevelStatistics* level, int levels, PageImage* image);
void NoteColumns(const ColumnStatistics* column, float heap_spread, PageImage* image);
// Of an index of clusters.
VectorFacts VectorsOn(const MetaContent& meta);
void NoteVectors(const VectorFacts& vectors, MetaContent* meta);
// What a build put in: how many rows, and how many different keys they have, and how much its nodes overlap. And when, which is now.
void NoteBuild(uint64_t rows, uint64_t distinct_keys, double crowding, MetaContent* meta);

// Before a page is written that may be of 1.0 and shorter: what lies beyond its end would be zeroed with the hole.
void ReachEnd(PageImage* image);

// The first page of a file that has none.
void AppendMetaPage(Relation index, const PageImage& image);

// The page's exclusive lock, and what is to become of the page. Finish() writes nothing where nothing was changed.
class MetaEdit {
 public:
  explicit MetaEdit(Relation index);
  MetaContent* content() { return &MetaOn(&image_); }
  void Finish();  // writes and unlocks

 private:
  Relation index_;
  Buffer buffer_;
  PageImage image_;
};

// edit(MetaContent*) changes the content.
template <class Edit>
void EditMeta(Relation index, Edit&& edit) {
  MetaEdit page(index);
  edit(page.content());
  page.Finish();
}

}  // namespace xtree
