// See batch_lookup.h. Frames hold plain data only.
#include "core/join/batch_lookup.h"

namespace xtree {

void BatchLookup::Begin(const KeyLayout& layout, Options options) {
  layout_ = &layout;
  options_ = options;
  started_ = false;
  constraint_.Initialize(layout);
  intervals_.Clear();
  rules_.Clear();
  rests_.Clear();
  tasks_.Clear();
  list_.Clear();
}

void BatchLookup::Add(PageReader& memory, const Constraint& constraint) {
  const size_t dimensions = layout_->dimensions, columns = layout_->columns;
  // One that nothing can satisfy has its number, but goes nowhere.
  if (!constraint.Never(*layout_)) list_.Append(memory, static_cast<uint32_t>(rests_.size()));
  intervals_.Reserve(memory, intervals_.size() + 2 * dimensions);
  for (size_t d = 0; d < dimensions; ++d) {
    intervals_.AppendReserved(constraint.lo[d]);
    intervals_.AppendReserved(constraint.hi[d]);
  }
  rules_.Reserve(memory, rules_.size() + columns);
  for (size_t c = 0; c < columns; ++c) rules_.AppendReserved(constraint.rule[c]);
  rests_.Append(memory, {constraint.any_of, constraint.limit, constraint.any_of_count, constraint.limit_count, constraint.recheck});
}

size_t BatchLookup::bytes() const {
  return intervals_.size() * sizeof(Interval) + rules_.size() * sizeof(MarkRule) + rests_.size() * (sizeof(Rest) + sizeof(uint32_t));
}

void BatchLookup::CompileFilter(uint32_t lookup) {
  const size_t dimensions = layout_->dimensions, columns = layout_->columns;
  const Interval* intervals = intervals_.data() + lookup * 2 * dimensions;
  for (size_t d = 0; d < dimensions; ++d) {
    constraint_.lo[d] = intervals[2 * d];
    constraint_.hi[d] = intervals[2 * d + 1];
  }
  std::copy_n(rules_.data() + lookup * columns, columns, constraint_.rule);
  const Rest& rest = rests_[lookup];
  constraint_.recheck = rest.recheck;
  constraint_.any_of = rest.any_of;
  constraint_.any_of_count = rest.any_of_count;
  constraint_.limit = rest.limit;
  constraint_.limit_count = rest.limit_count;
  filter_.Compile(*layout_, constraint_);
}

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
  pages_.Clear();
  lsns_.Clear();
  matches_.Clear();
  keys_.Clear();
  level_ = -1;
}

void BatchLookup::Visit(PageReader& reader, const Task& task) {
  DropVisited();
  const size_t leaf_end = std::min(task.to, task.from + static_cast<size_t>(options_.leaf_lookups));
  const BlockNumber sibling = VisitNode(
      reader, task.node, [&](const NodeView& page, Lsn lsn) { VisitPage(reader, page, lsn, task.from, leaf_end); }, [&] { DropVisited(); });
  work_.nodes++;
  work_.leaves += level_ == 0;
  if (level_ > 0) return Descend(reader, task, sibling);
  // A deleted node has nothing for anybody.
  PushRest(reader, task, level_ == 0 ? leaf_end : task.to, sibling);
}

// Lookups from `done` on read the node again, and then what has split off it.
void BatchLookup::PushRest(PageReader& reader, const Task& task, size_t done, BlockNumber sibling) {
  if (done < task.to) tasks_.Append(reader, {task.node, done, task.to, task.kept});
  if (sibling != kInvalidBlock) tasks_.Append(reader, {{task.node.parent_lsn, sibling, task.node.level}, task.from, done, task.kept});
}

void BatchLookup::VisitPage(PageReader& reader, const NodeView& page, Lsn lsn, size_t from, size_t to) {
  level_ = page.level();
  if (page.leaf()) {
    MatchLeaf(reader, page, from, to);
    if (options_.look != nullptr && !matches_.empty()) LookAtMatches(reader);
    return;
  }
  const size_t at = pages_.size();
  pages_.Reserve(reader, at + kPageSize);
  lsns_.Reserve(reader, lsns_.size() + 1);
  page.CopyTo(pages_.data() + at);
  pages_.Truncate(at + kPageSize);  // there is room
  lsns_.AppendReserved(lsn);
}

void BatchLookup::MatchLeaf(PageReader& reader, const NodeView& leaf, size_t from, size_t to) {
  for (size_t i = from; i < to; ++i) {
    const uint32_t lookup = list_[i];
    CompileFilter(lookup);
    const int count = filter_.Run(leaf, slots_);
    matches_.Reserve(reader, matches_.size() + static_cast<size_t>(count));
    for (int k = 0; k < count; ++k) {
      const uint16_t slot = slots_[k];
      if (options_.ignore_killed && leaf.Killed(slot)) continue;
      matches_.AppendReserved({lookup, slot, filter_.MustRecheck(leaf, slot), false, leaf.Tuple(slot)});
      if (options_.look != nullptr) KeepKey(reader, leaf, slot);
    }
  }
}

void BatchLookup::KeepKey(PageReader& reader, const NodeView& leaf, int slot) {
  const int dimensions = layout_->dimensions;
  keys_.Reserve(reader, keys_.size() + 2 * static_cast<size_t>(dimensions) + 1);
  Box box;
  leaf.GetBox(slot, &box);
  for (int d = 0; d < dimensions; ++d) {
    keys_.AppendReserved(box.lo[d]);
    keys_.AppendReserved(box.hi[d]);
  }
  keys_.AppendReserved(static_cast<Ordinal>(box.marks));
}

void BatchLookup::GetKey(size_t match, Box* box) const {
  const size_t dimensions = layout_->dimensions;
  const Ordinal* key = keys_.data() + match * (2 * dimensions + 1);
  for (size_t d = 0; d < dimensions; ++d) box->lo[d] = key[2 * d], box->hi[d] = key[2 * d + 1];
  box->marks = static_cast<uint64_t>(key[2 * dimensions]);
}

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

// Which lookups go to which children, for as many lookups as there is room for. Returns where those end.
size_t BatchLookup::TestChildren(PageReader& reader, const Task& task) {
  descents_.Clear();
  size_t next = task.from;
  while (next < task.to && descents_.size() < options_.descents) {
    const uint32_t lookup = list_[next++];
    CompileFilter(lookup);
    for (size_t p = 0; p < lsns_.size(); ++p) {
      const int count = filter_.Run(Page(p), slots_);
      descents_.Reserve(reader, descents_.size() + static_cast<size_t>(count));
      for (int i = 0; i < count; ++i) descents_.AppendReserved({first_child_[p] + slots_[i], lookup});
    }
  }
  return next;
}

void BatchLookup::Descend(PageReader& reader, const Task& task, BlockNumber sibling) {
  children_.Clear();
  first_child_.Clear();
  for (size_t p = 0; p < lsns_.size(); ++p) {
    const NodeView page = Page(p);
    const int entries = page.entries();
    first_child_.Append(reader, static_cast<uint32_t>(children_.size()));
    children_.Reserve(reader, children_.size() + static_cast<size_t>(entries));
    for (int i = 0; i < entries; ++i) children_.AppendReserved({lsns_[p], page.Child(i), page.level() - 1});
  }
  const size_t end = TestChildren(reader, task);
  PushRest(reader, task, end, sibling);
  PushChildren(reader, task.kept);
}

// A task for each child that some lookup goes to, the first on top. Lists lie as tasks do, so that those of tasks that are done end the list.
void BatchLookup::PushChildren(PageReader& reader, size_t kept) {
  const size_t children = children_.size();
  starts_.Clear();
  starts_.Reserve(reader, children);
  for (size_t i = 0; i < children; ++i) starts_.AppendReserved(0);
  for (size_t i = 0; i < descents_.size(); ++i) ++starts_[descents_[i].child];
  list_.Reserve(reader, kept + descents_.size());
  tasks_.Reserve(reader, tasks_.size() + children);
  blocks_.Clear();
  blocks_.Reserve(reader, children);
  size_t end = kept;
  for (size_t i = children; i-- > 0;) {
    const size_t from = end;
    end += starts_[i];
    starts_[i] = static_cast<uint32_t>(from);
    if (end > from) tasks_.AppendReserved({children_[i], from, end, end});
  }
  list_.Truncate(end);  // there is room
  for (size_t i = 0; i < descents_.size(); ++i) list_[starts_[descents_[i].child]++] = descents_[i].lookup;
  if (level_ != 1 || !reader.ReadsAhead()) return;
  for (size_t i = 0; i < children; ++i) {
    const size_t from = i + 1 < children ? starts_[i + 1] : kept;  // where the next child's list ended
    if (starts_[i] > from) blocks_.AppendReserved(children_[i].block);
  }
  reader.WillRead(blocks_.data(), static_cast<int>(blocks_.size()), PageReader::ReadOrder::kNext);
}

}  // namespace xtree
