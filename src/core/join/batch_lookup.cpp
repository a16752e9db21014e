// See batch_lookup.h. Frames hold plain data only.
#include "core/join/batch_lookup.h"

#include <boost/sort/pdqsort/pdqsort.hpp>

namespace xtree {

void BatchLookup::Begin(const KeyLayout& layout, Options options) {
  layout_ = &layout;
  options_ = options;
  started_ = false;
  packed_.Clear();
  starts_.Clear();
  tasks_.Clear();
  list_.Clear();
}

void BatchLookup::Add(PageReader& memory, const Constraint& constraint) {
  filter_.Compile(*layout_, constraint);
  // One that nothing can satisfy has its number, but goes nowhere.
  if (!constraint.Never(*layout_)) list_.Append(memory, static_cast<uint32_t>(starts_.size()));
  const size_t at = packed_.size();
  packed_.Reserve(memory, at + filter_.PackedBytes());
  packed_.Truncate(at + filter_.PackedBytes());  // there is room
  filter_.Pack(packed_.data() + at);
  starts_.Append(memory, at);
}

size_t BatchLookup::bytes() const { return packed_.size() + starts_.size() * (sizeof(size_t) + sizeof(uint32_t)); }

bool BatchLookup::Step(PageReader& reader) {
  matches_.Clear();
  if (!started_) Start(reader);
  while (matches_.empty()) {
    if (tasks_.empty()) return false;
    const Task task = tasks_.back();
    tasks_.PopBack();
    list_.Truncate(task.kept);
    if (!tasks_.empty()) reader.Approach(tasks_.back().node.block);
    Visit(reader, task);
  }
  work_.matches += matches_.size();
  return true;
}

void BatchLookup::Start(PageReader& reader) {
  started_ = true;
  if (!list_.empty()) tasks_.Append(reader, {kRootPointer, 0, list_.size(), list_.size()});
}

void BatchLookup::DropVisited() {
  lsns_.Clear();
  pages_.Clear();
  descents_.Clear();
  matches_.Clear();
  keys_.Clear();
  level_ = -1;
}

void BatchLookup::Visit(PageReader& reader, const Task& task) {
  DropVisited();
  const size_t end = std::min(task.to, task.from + static_cast<size_t>(options_.visit_lookups));
  const BlockNumber sibling = VisitNode(
      reader, task.node, [&](const NodeView& page, Lsn lsn) { VisitPage(reader, page, lsn, task, end); }, [&] { DropVisited(); });
  work_.nodes++;
  work_.leaves += level_ == 0;
  if (level_ > 0) return Descend(reader, task, sibling);
  // A deleted node has nothing for anybody.
  PushRest(reader, task, level_ == 0 ? end : task.to, sibling);
}

// Lookups from `done` on read the node again, and then what has split off it.
void BatchLookup::PushRest(PageReader& reader, const Task& task, size_t done, BlockNumber sibling) {
  if (done < task.to) tasks_.Append(reader, {task.node, done, task.to, task.kept});
  if (sibling != kInvalidBlock) tasks_.Append(reader, {{task.node.parent_lsn, sibling, task.node.level}, task.from, done, task.kept});
}

// `end`: of the lookups that are tested now.
void BatchLookup::VisitPage(PageReader& reader, const NodeView& page, Lsn lsn, const Task& task, size_t end) {
  level_ = page.level();
  if (page.leaf()) {
    MatchLeaf(reader, page, task.from, end);
    if (options_.look != nullptr && !matches_.empty()) LookAtMatches(reader);
    return;
  }
  const size_t number = lsns_.size();
  lsns_.Append(reader, lsn);
  if (end == task.to) {
    for (size_t i = task.from; i < end; ++i) TestChildren(reader, page, number, list_[i]);
    return;
  }
  pages_.Reserve(reader, (number + 1) * kPageSize);
  page.CopyTo(pages_.data() + number * kPageSize);
  pages_.Truncate((number + 1) * kPageSize);  // there is room
}

void BatchLookup::MatchLeaf(PageReader& reader, const NodeView& leaf, size_t from, size_t to) {
  for (size_t i = from; i < to; ++i) {
    const uint32_t lookup = list_[i];
    filter_.Unpack(packed_.data() + starts_[lookup]);
    const int count = filter_.Run(leaf, slots_);
    matches_.Reserve(reader, matches_.size() + static_cast<size_t>(count));
    for (int k = 0; k < count; ++k) {
      const uint16_t slot = slots_[k];
      if (options_.ignore_killed && leaf.Killed(slot)) continue;
      matches_.AppendReserved({lookup, slot, filter_.MustRecheck(leaf, slot), false, leaf.Tuple(slot)});
      if (options_.look == nullptr) continue;
      keys_.Reserve(reader, keys_.size() + KeptKeySize(*layout_));
      KeepKey(leaf, slot, &keys_);
    }
  }
}

void BatchLookup::GetKey(size_t match, Box* box) const { GetKeptKey(keys_, match, *layout_, box); }

// While the leaf has them.
void BatchLookup::LookAtMatches(PageReader& reader) {
  const size_t count = matches_.size();
  tuples_.Clear();
  tuples_.Reserve(reader, count);
  known_.Reserve(reader, count);
  for (size_t i = 0; i < count; ++i) tuples_.AppendReserved(matches_[i].tuple);
  options_.look(options_.context, tuples_.data(), count, known_.data());
  for (size_t i = 0; i < count; ++i) matches_[i].known = known_[i] != 0;
}

// Which children of a page the lookup goes to.
void BatchLookup::TestChildren(PageReader& reader, const NodeView& page, size_t number, uint32_t lookup) {
  filter_.Unpack(packed_.data() + starts_[lookup]);
  const int count = filter_.Run(page, slots_);
  descents_.Reserve(reader, descents_.size() + static_cast<size_t>(count));
  for (int i = 0; i < count; ++i)
    descents_.AppendReserved({static_cast<uint32_t>(number << 16 | slots_[i]), lookup, page.Child(slots_[i])});
}

// Of as many lookups as there is room for. Returns where those end.
size_t BatchLookup::TestCopies(PageReader& reader, const Task& task) {
  size_t next = task.from;
  for (; next < task.to && descents_.size() < options_.descents; ++next) {
    for (size_t p = 0; p < lsns_.size(); ++p) TestChildren(reader, Page(p), p, list_[next]);
  }
  return next;
}

void BatchLookup::Descend(PageReader& reader, const Task& task, BlockNumber sibling) {
  const size_t end = pages_.empty() ? task.to : TestCopies(reader, task);
  PushRest(reader, task, end, sibling);
  PushChildren(reader, task);
}

// A task for each child that some lookup goes to, the first on top. Lists lie as tasks do, so that those of tasks that are done end the list.
void BatchLookup::PushChildren(PageReader& reader, const Task& task) {
  const size_t count = descents_.size();
  boost::sort::pdqsort_branchless(descents_.data(), descents_.data() + count,
                                  [](const Descent& a, const Descent& b) { return a.child > b.child; });
  list_.Truncate(task.kept);
  list_.Reserve(reader, task.kept + count);
  const size_t first = tasks_.size();
  for (size_t i = 0; i < count; ++i) {
    const Descent& descent = descents_[i];
    const size_t at = list_.size();
    list_.AppendReserved(descent.lookup);
    if (i == 0 || descent.child != descents_[i - 1].child)
      tasks_.Append(reader, {{lsns_[descent.child >> 16], descent.block, level_ - 1}, at, at, at});
    tasks_.back().to = tasks_.back().kept = at + 1;
  }
  if (level_ != 1 || !reader.ReadsAhead()) return;
  blocks_.Clear();
  blocks_.Reserve(reader, tasks_.size() - first);
  for (size_t i = tasks_.size(); i-- > first;) blocks_.AppendReserved(tasks_[i].node.block);
  reader.WillRead(blocks_.data(), static_cast<int>(blocks_.size()), PageReader::ReadOrder::kNext);
}

}  // namespace xtree
