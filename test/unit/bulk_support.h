// Surroundings of a bulk load for tests: pages and temporary files in vectors, counted memory, and a walker that checks
// a finished tree and returns its rows.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/bulk/bulk_load.h"
#include "page/validate.h"

namespace xtree::test {

class CountingEnvironment : public BulkEnvironment {
 public:
  ~CountingEnvironment() override { EXPECT_TRUE(sizes_.empty()) << "memory was not given back"; }

  void* Reallocate(void* old, size_t bytes) override {
    if (fail_at > 0 && --fail_at == 0) throw std::bad_alloc();
    if (old != nullptr) {
      used -= sizes_.at(old);
      sizes_.erase(old);
    }
    void* memory = std::realloc(old, bytes);
    sizes_[memory] = bytes;
    used += bytes;
    peak = std::max(peak, used + other_memory());
    return memory;
  }
  void Free(void* memory) noexcept override {
    used -= sizes_.at(memory);
    sizes_.erase(memory);
    std::free(memory);
  }
  void CheckInterrupts() override { interrupts++; }
  void Progress(BulkPhase phase, uint64_t done, uint64_t total) override {
    EXPECT_TRUE(total == 0 || done <= total);
    EXPECT_GE(done, progress[phase]);
    progress[phase] = done;
  }

  size_t used = 0;
  size_t peak = 0;
  int64_t fail_at = 0;
  int64_t interrupts = 0;
  std::map<BulkPhase, uint64_t> progress;
  std::function<size_t()> other_memory = [] { return size_t{0}; };

 private:
  std::unordered_map<void*, size_t> sizes_;
};

class MemorySink : public PageSink {
 public:
  BlockNumber Reserve(int count) override {
    const BlockNumber first = next;
    next += count;
    return first;
  }
  void Write(BlockNumber block, const PageImage& image) override {
    EXPECT_FALSE(pages.contains(kRootBlock)) << "the root is written last";
    EXPECT_TRUE(block == kRootBlock || (block >= 2 && block < next));
    EXPECT_TRUE(pages.emplace(block, image).second) << "block " << block << " is written twice";
    EXPECT_TRUE(block == kRootBlock || block == pages.size() + 1) << "blocks are written in order";
  }

  BlockNumber next = 2;
  std::map<BlockNumber, PageImage> pages;
};

class MemoryFiles : public SpillFiles {
 public:
  int Create() override {
    files_.emplace_back();
    created++;
    return static_cast<int>(files_.size()) - 1;
  }
  void Write(int file, const void* bytes, size_t count) override {
    ASSERT_FALSE(files_[file].reading);
    const char* from = static_cast<const char*>(bytes);
    files_[file].bytes.insert(files_[file].bytes.end(), from, from + count);
  }
  void Rewind(int file) override {
    files_[file].reading = true;
    files_[file].at = 0;
  }
  void Read(int file, void* bytes, size_t count) override {
    ASSERT_LE(files_[file].at + count, files_[file].bytes.size());
    memcpy(bytes, files_[file].bytes.data() + files_[file].at, count);
    files_[file].at += count;
  }
  void Drop(int file) override {
    EXPECT_EQ(files_[file].at, files_[file].bytes.size()) << "dropped before it was read";
    files_[file] = File{};
    files_[file].dropped = true;
  }

  // What buffers of files under construction cost where files are real.
  size_t buffers() const {
    size_t bytes = 0;
    for (const File& file : files_) bytes += file.dropped || file.reading ? 0 : kSpillFileMemory - kSpillBuffer;
    return bytes;
  }
  bool all_dropped() const {
    return std::all_of(files_.begin(), files_.end(), [](const File& file) { return file.dropped; });
  }

  int created = 0;

 private:
  struct File {
    std::vector<char> bytes;
    size_t at = 0;
    bool reading = false;
    bool dropped = false;
  };
  std::vector<File> files_;
};

// Rows by their number, packed: a Box has room for 100 dimensions.
class RowTable {
 public:
  explicit RowTable(const KeyLayout& layout) : dimensions_(layout.dimensions) {}

  static TupleId Tuple(size_t row) {
    return {static_cast<uint16_t>(row >> 24), static_cast<uint16_t>(row >> 8), static_cast<uint16_t>(row % 256 + 1)};
  }
  static size_t Row(TupleId tuple) { return ((tuple.Packed() >> 16) << 8) + tuple.offset - 1; }

  // False when the row was set before.
  bool Set(size_t row, const Box& box, std::string payload) {
    if (row >= size()) {
      sides_.resize((row + 1) * 2 * dimensions_);
      marks_.resize(row + 1);
      payload_.resize(row + 1);
      present_.resize(row + 1);
    }
    std::copy_n(box.lo, dimensions_, &sides_[row * 2 * dimensions_]);
    std::copy_n(box.hi, dimensions_, &sides_[row * 2 * dimensions_ + dimensions_]);
    marks_[row] = box.marks;
    payload_[row] = std::move(payload);
    return !std::exchange(present_[row], 1);
  }

  size_t size() const { return present_.size(); }
  void GetBox(size_t row, Box* box) const {
    std::copy_n(lo(row), dimensions_, box->lo);
    std::copy_n(hi(row), dimensions_, box->hi);
    box->marks = marks_[row];
  }
  bool Meets(size_t row, const Box& window) const {
    for (size_t d = 0; d < dimensions_; d++)
      if (lo(row)[d] > window.hi[d] || hi(row)[d] < window.lo[d]) return false;
    return true;
  }
  friend bool operator==(const RowTable&, const RowTable&) = default;

 private:
  const Ordinal* lo(size_t row) const { return &sides_[row * 2 * dimensions_]; }
  const Ordinal* hi(size_t row) const { return lo(row) + dimensions_; }

  size_t dimensions_;
  std::vector<Ordinal> sides_;  // of a row: every lo, then every hi
  std::vector<uint64_t> marks_;
  std::vector<std::string> payload_;
  std::vector<char> present_;
};

// Checks every invariant of a freshly built tree that pages alone can show; collects its rows.
class TreeWalk {
 public:
  TreeWalk(const KeyLayout& layout, const MemorySink& sink) : rows(layout), layout_(layout), sink_(sink) {
    const NodeView root(layout, Page(kRootBlock));
    Box bounds;
    Node(kRootBlock, root.level(), &bounds);
    EXPECT_EQ(visited_.size(), sink.pages.size()) << "a page is out of reach";
    EXPECT_EQ(sink.pages.size(), sink.next - 1) << "a reserved block was not written";
  }

  RowTable rows;
  LevelStatistics level[kMaxLevel] = {};
  int levels = 0;
  int largest_supernode = 0;  // pages

  // Numbers of the rows that meet the window, in order, found from the root through pruning; *pages: read.
  std::vector<size_t> Search(const Box& window, int* pages) const {
    std::vector<size_t> found;
    Search(kRootBlock, window, pages, &found);
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  const uint8_t* Page(BlockNumber block) const { return sink_.pages.at(block).bytes; }

  // The pages of a node: itself and its followers.
  std::vector<BlockNumber> Pages(BlockNumber block) const {
    const NodeView head(layout_, Page(block));
    std::vector<BlockNumber> pages{block};
    for (int i = 0; i < head.followers(); i++) pages.push_back(head.Follower(i));
    return pages;
  }

  void Node(BlockNumber block, int expected_level, Box* bounds) {
    MakeEmpty(layout_, bounds);
    const std::vector<BlockNumber> pages = Pages(block);
    int entries = 0;
    for (const BlockNumber page : pages) entries += NodeView(layout_, Page(page)).entries();
    for (const BlockNumber page : pages) {
      ASSERT_TRUE(visited_.insert(page).second) << "block " << page << " is reached twice";
      const char* wrong = ValidateNode(layout_, Page(page), expected_level);
      ASSERT_EQ(wrong, nullptr) << wrong << ", block " << page;
      const NodeView node(layout_, Page(page));
      ASSERT_EQ(node.supernode_follower(), page != block);
      ASSERT_EQ(node.opaque().link, page != block ? block : kInvalidBlock);
      ASSERT_EQ(node.opaque().nsn, 0u);
      ASSERT_TRUE(pages.size() == 1 || node.has_marks());
      ASSERT_TRUE(node.entries() > 0 || block == kRootBlock);
      Box own;
      node.Bounds(&own);
      Extend(layout_, own, bounds);
      node.leaf() ? Leaf(node) : Directory(node, entries);
    }
    Count(expected_level, entries, static_cast<int>(pages.size()));
  }

  void Count(int l, int entries, int pages) {
    level[l].nodes++;
    level[l].entries += entries;
    level[l].pages += pages;
    level[l].supernodes += pages > 1;
    levels = std::max(levels, l + 1);
    largest_supernode = std::max(largest_supernode, pages > 1 ? pages : 0);
  }

  void Directory(const NodeView& node, int entries_of_node) {
    for (int i = 0; i < node.entries(); i++) {
      Box said, is;
      node.GetBox(i, &said);
      Node(node.Child(i), node.level() - 1, &is);
      ASSERT_TRUE(Equal(layout_, said, is)) << "downlink is not the union of its child " << node.Child(i);
      const SplitHistory history = node.History(i);
      EXPECT_TRUE(entries_of_node < 2 || !history.Empty());
      for (int d = layout_.dimensions; d < 128; d++) EXPECT_FALSE(history.Has(d));
    }
  }

  void Leaf(const NodeView& node) {
    for (int i = 0; i < node.entries(); i++) {
      Box box;
      node.GetBox(i, &box);
      std::string payload;
      if (layout_.include) {
        uint16_t length;
        const uint8_t* bytes = node.Payload(i, &length);
        ASSERT_NE(bytes, nullptr);
        payload.assign(reinterpret_cast<const char*>(bytes), length);
      }
      ASSERT_TRUE(rows.Set(RowTable::Row(node.Tuple(i)), box, std::move(payload))) << "a row is indexed twice";
    }
  }

  // NULL and empty are inverted in a window's eyes as well.
  bool Meets(const NodeView& node, int entry, const Box& window) const {
    if (node.leaf() && node.has_marks()) {
      Box box;
      node.GetBox(entry, &box);
      for (int d = 0; d < layout_.dimensions; d++)
        if (box.lo[d] > window.hi[d] || box.hi[d] < window.lo[d]) return false;
      return true;
    }
    for (int d = 0; d < layout_.dimensions; d++)
      if (node.Lo(entry, d) > window.hi[d] || node.Hi(entry, d) < window.lo[d]) return false;
    return true;
  }

  void Search(BlockNumber block, const Box& window, int* pages, std::vector<size_t>* found) const {
    for (const BlockNumber page : Pages(block)) {
      ++*pages;
      const NodeView node(layout_, Page(page));
      for (int i = 0; i < node.entries(); i++) {
        if (!Meets(node, i, window)) continue;
        if (node.leaf())
          found->push_back(RowTable::Row(node.Tuple(i)));
        else
          Search(node.Child(i), window, pages, found);
      }
    }
  }

  const KeyLayout& layout_;
  const MemorySink& sink_;
  std::set<BlockNumber> visited_;
};

}  // namespace xtree::test
