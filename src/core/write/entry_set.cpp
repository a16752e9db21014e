#include "core/write/entry_set.h"

namespace xtree {

void EntrySet::Add(const NodeView& page) {
  const size_t before = marks_.size(), count = before + page.entries();
  lo_.resize(count * dimensions());
  hi_.resize(count * dimensions());
  marks_.resize(count);
  history_.reserve(count);
  reference_.reserve(count);
  for (int i = 0; i < page.entries(); i++) {
    AddBox(page, i, before + i);
    Reference reference{};
    if (leaf_) {
      reference.tuple = page.Tuple(i);
      history_.emplace_back();
      if (layout_->include) {
        const uint8_t* bytes = page.Payload(i, &reference.payload_length);
        reference.payload = static_cast<uint32_t>(payload_.size());
        payload_.insert(payload_.end(), bytes, bytes + reference.payload_length);
      }
    } else {
      reference.child = page.Child(i);
      history_.push_back(page.History(i));
    }
    reference_.push_back(reference);
  }
}

void EntrySet::AddBox(const NodeView& page, int entry, size_t at) {
  Ordinal* lo = &lo_[at * dimensions()];
  Ordinal* hi = &hi_[at * dimensions()];
  if (!page.has_marks()) return page.LoadEdges(entry, 0, dimensions(), lo, hi);
  Box box;
  page.GetBox(entry, &box);
  memcpy(lo, box.lo, dimensions() * sizeof(Ordinal));
  memcpy(hi, box.hi, dimensions() * sizeof(Ordinal));
  marks_[at] = box.marks;
}

void EntrySet::GetBox(int entry, Box* box) const {
  const size_t at = static_cast<size_t>(entry) * dimensions();
  memcpy(box->lo, &lo_[at], dimensions() * sizeof(Ordinal));
  memcpy(box->hi, &hi_[at], dimensions() * sizeof(Ordinal));
  box->marks = marks_[entry];
}

void EntrySet::AppendTo(NodeEditor* page, int entry) const {
  Box box;
  GetBox(entry, &box);
  const Reference& reference = reference_[entry];
  if (leaf_)
    page->AppendTuple(box, reference.tuple, payload_.data() + reference.payload, reference.payload_length);
  else
    page->AppendChild(box, reference.child, history_[entry]);
}

bool EntrySet::FitsOn(const NodeView& page, int entry) const { return page.HasRoom(marks_[entry] != 0, reference_[entry].payload_length); }

}  // namespace xtree
