// PagePatch: a small change of a node's page, made without a copy of the page: a copy of all of it, and the comparison of all of it, cost
// more than the rest of an insertion. The image has header and special space, and what the change writes.
#pragma once

#include "core/page_store.h"

namespace xtree {

class PagePatch {
 public:
  // REQUIRES: the page is exclusively locked until the change is committed. `whole`: the change moves entries (marks come).
  PagePatch(const KeyLayout& layout, const PageRef& page, bool whole);
  PagePatch(const PagePatch&) = delete;
  PagePatch& operator=(const PagePatch&) = delete;

  // May the leaf take one more entry as a part of this change?
  bool Fits(bool marks, uint16_t payload_length) const;
  void AppendTuple(const Box& box, TupleId tuple, const uint8_t* payload, uint16_t payload_length);

  void SetBox(int entry, const Box& box);  // nothing else in the same change

  PageChange Change();

 private:
  const KeyLayout& layout_;
  const PageRef& page_;
  const bool whole_;
  const int entries_before_;
  const uint16_t upper_before_;
  int ranges_ = 0;
  ByteRange range_[NodeEditor::kMaxSlotRanges + 1];
  PageImage image_;
};

}  // namespace xtree
