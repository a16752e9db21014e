#include "core/write/page_patch.h"

namespace xtree {

PagePatch::PagePatch(const KeyLayout& layout, const PageRef& page, bool whole)
    : layout_(layout),
      page_(page),
      whole_(whole),
      entries_before_(NodeView(layout, page.bytes).entries()),
      upper_before_(NodeView(layout, page.bytes).header().upper) {
  if (whole_) {
    memcpy(image_.bytes, page.bytes, kPageSize);
    return;
  }
  memcpy(image_.bytes, page.bytes, kPageHeaderSize);
  memcpy(image_.bytes + kSpecialOffset, page.bytes + kSpecialOffset, kPageSize - kSpecialOffset);
}

bool PagePatch::Fits(bool marks, uint16_t payload_length) const {
  const NodeView image(layout_, image_.bytes);
  if (!image.HasRoom(marks, payload_length)) return false;
  if (whole_) return true;
  ByteRange range[NodeEditor::kMaxSlotRanges];
  if (marks && !image.has_marks()) return false;
  if (image.entries() % image.block().capacity != 0) return true;  // no further range
  return NodeEditor(layout_, const_cast<uint8_t*>(image_.bytes)).SlotRanges(entries_before_, image.entries() + 1, range) > 0;
}

// Nothing is known of the bytes that the payload takes: kill bits may have been there.
void PagePatch::AppendTuple(const Box& box, TupleId tuple, const uint8_t* payload, uint16_t payload_length) {
  NodeEditor editor(layout_, image_.bytes);
  if (layout_.include) {
    const uint32_t bytes = PayloadBytes(payload_length);
    memset(image_.bytes + editor.header().upper - bytes, 0, bytes);
  }
  editor.AppendTuple(box, tuple, payload, payload_length);
}

void PagePatch::SetBox(int entry, const Box& box) {
  NodeEditor editor(layout_, image_.bytes);
  if (!whole_) {
    ranges_ = editor.SlotRanges(entry, entry + 1, range_);
    for (int i = 0; i < ranges_; i++)
      memcpy(image_.bytes + range_[i].begin, page_.bytes + range_[i].begin, range_[i].end - range_[i].begin);
  }
  editor.SetBox(entry, box);
}

PageChange PagePatch::Change() {
  if (whole_) return {&page_, &image_, false};
  const NodeEditor editor(layout_, image_.bytes);
  const int entries = editor.view().entries();
  if (entries > entries_before_) ranges_ = editor.SlotRanges(entries_before_, entries, range_);
  const uint16_t upper = editor.view().header().upper;
  if (upper < upper_before_) range_[ranges_++] = {upper, upper_before_};
  return {&page_, &image_, false, std::span(range_, static_cast<size_t>(ranges_))};
}

}  // namespace xtree
