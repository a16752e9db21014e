// storage/page_delta: whatever the edit, redo of the fragments gives the new page, from every version of the old page that a
// crash, a standby or a backup can hold.
#include "storage/page_delta.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

namespace xtree {
namespace {

struct alignas(64) Page {
  uint8_t bytes[kPageSize] = {};
  PageHeader& header() { return *reinterpret_cast<PageHeader*>(bytes); }
  const PageHeader& header() const { return *reinterpret_cast<const PageHeader*>(bytes); }
};

class DeltaTest : public ::testing::Test {
 protected:
  int Random(int below) { return std::uniform_int_distribution<int>(0, below - 1)(random_); }

  void Fill(Page* page, int begin, int end, int zeros_percent) {
    for (int i = begin; i < end; i++) page->bytes[i] = Random(100) < zeros_percent ? 0 : 1 + Random(255);
  }

  // A page with a used lower and upper part and a zero hole.
  Page RandomPage() {
    Page page;
    page.header().lower = kPageHeaderSize + Random(kSpecialOffset - kPageHeaderSize + 1);
    page.header().upper = page.header().lower + Random(kSpecialOffset - page.header().lower + 1);
    page.header().special = kSpecialOffset;
    page.header().size_version = kPageSizeVersion;
    Fill(&page, kPageHeaderSize, page.header().lower, 50);
    Fill(&page, page.header().upper, kPageSize, 50);
    return page;
  }

  void SetKillBits(Page* page) {
    for (int i = page->header().upper - 1; i >= page->header().lower && Random(40) != 0; i--) page->bytes[i] = Random(4);
  }

  // Some bytes of the used parts, and where the hole begins and ends.
  Page Edited(const Page& old_page) {
    Page page = old_page;
    if (Random(2)) {
      const int lower = page.header().lower + (Random(2) ? Random(800) : -Random(800));
      page.header().lower = std::clamp<int>(lower, kPageHeaderSize, kSpecialOffset);
      page.header().upper = std::max(page.header().upper, page.header().lower);
      if (Random(3) == 0) page.header().upper = page.header().lower + Random(kSpecialOffset - page.header().lower + 1);
      if (old_page.header().lower < page.header().lower) Fill(&page, old_page.header().lower, page.header().lower, 80);
    }
    for (int edits = Random(12); edits > 0; edits--) {
      const int begin = kPageHeaderSize + Random(kPageSize - kPageHeaderSize);
      Fill(&page, begin, std::min<int>(kPageSize, begin + 1 + Random(40)), 20);
    }
    page.header().lsn_low = Random(1000);
    page.header().checksum = Random(1000);
    return page;
  }

  static void Redo(const std::vector<uint8_t>& delta, Page* page) {
    for (size_t at = 0; at < delta.size();) {
      uint16_t header[2];
      memcpy(header, &delta[at], sizeof(header));
      memcpy(page->bytes + header[0], &delta[at + kFragmentHeaderSize], header[1]);
      at += kFragmentHeaderSize + header[1];
    }
    memset(page->bytes + page->header().lower, 0, page->header().upper - page->header().lower);
  }

  std::mt19937 random_{20240607};
};

std::vector<uint8_t> Delta(const Page& old_page, const Page& new_page, bool* refused) {
  std::vector<uint8_t> delta(kPageSize), portable(kPageSize);
  const int size = ComputePageDelta(old_page.bytes, new_page.bytes, delta.data());
  EXPECT_EQ(size, ComputePageDeltaPortable(old_page.bytes, new_page.bytes, portable.data()));
  *refused = size == kNoDelta;
  delta.resize(std::max(size, 0));
  portable.resize(delta.size());
  EXPECT_EQ(delta, portable);
  return delta;
}

TEST_F(DeltaTest, RedoGivesTheNewPageFromEveryCopyOfTheOldOne) {
  for (int round = 0; round < 5000; round++) {
    Page old_page = RandomPage();
    const Page replayed = old_page;  // by a standby, which sets no kill bits
    SetKillBits(&old_page);
    const Page new_page = Edited(old_page);

    Page expected = old_page;
    ApplyPageImage(new_page.bytes, expected.bytes);
    ASSERT_EQ(expected.header().lsn_low, old_page.header().lsn_low);
    ASSERT_EQ(expected.header().checksum, old_page.header().checksum);

    bool refused;
    const std::vector<uint8_t> delta = Delta(old_page, new_page, &refused);
    ASSERT_FALSE(refused);
    for (const Page& start : {old_page, replayed}) {
      Page page = start;
      Redo(delta, &page);
      ASSERT_EQ(0, memcmp(page.bytes, expected.bytes, kPageSize)) << "round " << round;
    }
  }
}

// Only the touched ranges of the image are known; where the old page had its hole they are new in full.
TEST_F(DeltaTest, TouchedRangesAreAllThatIsLookedAt) {
  for (int round = 0; round < 5000; round++) {
    Page old_page = RandomPage();
    old_page.header().lower = std::min<int>(old_page.header().lower, 6000);
    memset(old_page.bytes + old_page.header().lower, 0, std::max(0, old_page.header().upper - old_page.header().lower));
    const Page replayed = old_page;
    Page new_page = old_page;
    const int room = old_page.header().upper - old_page.header().lower;
    std::vector<ByteRange> touched;
    for (int at = kPageHeaderSize + Random(300); touched.size() < 9;) {
      const int begin = at + Random(100), end = begin + 1 + Random(30);
      if (end > old_page.header().lower) break;
      Fill(&new_page, begin, end, 30);
      touched.push_back({static_cast<uint16_t>(begin), static_cast<uint16_t>(end)});
      at = end + Random(6);
    }
    if (room > 400) {  // entries in a new block, and payload where kill bits were
      new_page.header().lower += 200;
      new_page.header().upper -= 100;
      const auto begin = static_cast<uint16_t>(old_page.header().lower + Random(150));
      Fill(&new_page, begin, begin + 50, 50);
      touched.push_back({begin, static_cast<uint16_t>(begin + 50)});
      Fill(&new_page, new_page.header().upper, old_page.header().upper, 50);
      touched.push_back({new_page.header().upper, old_page.header().upper});
      for (int i = old_page.header().upper - 64; i < old_page.header().upper; i++) old_page.bytes[i] = Random(4);  // kill bits
    }
    new_page.bytes[kSpecialOffset + Random(16)] ^= 1;

    Page image;  // what is not touched is anything
    Fill(&image, 0, kPageSize, 0);
    memcpy(image.bytes, new_page.bytes, kPageHeaderSize);
    memcpy(image.bytes + kSpecialOffset, new_page.bytes + kSpecialOffset, kPageSize - kSpecialOffset);
    for (const ByteRange& range : touched) memcpy(image.bytes + range.begin, new_page.bytes + range.begin, range.end - range.begin);

    Page applied = old_page;
    ApplyPageImage(image.bytes, touched, applied.bytes);
    ASSERT_EQ(0, memcmp(applied.bytes, new_page.bytes, kPageSize)) << "round " << round;
    std::vector<uint8_t> delta(kDeltaRoom);
    delta.resize(ComputePageDelta(old_page.bytes, image.bytes, touched, delta.data()));
    for (const Page& start : {old_page, replayed}) {
      Page page = start;
      Redo(delta, &page);
      ASSERT_EQ(0, memcmp(page.bytes, new_page.bytes, kPageSize)) << "round " << round;
    }
  }
}

TEST_F(DeltaTest, AppliedImageHasAZeroHole) {
  Page image = RandomPage();
  image.header().lower = 1000;
  image.header().upper = 5000;
  Fill(&image, 1000, 5000, 0);
  Page page;
  Fill(&page, 0, kPageSize, 0);
  ApplyPageImage(image.bytes, page.bytes);
  for (int i = 1000; i < 5000; i++) ASSERT_EQ(0, page.bytes[i]);
  EXPECT_EQ(0, memcmp(page.bytes + 5000, image.bytes + 5000, kPageSize - 5000));
}

TEST_F(DeltaTest, JoinsGapsOfUpToFourBytes) {
  const Page old_page = RandomPage();
  Page new_page = old_page;
  const int at = kSpecialOffset;
  for (int i : {0, 5, 11}) new_page.bytes[at + i] ^= 1;  // gaps of 4 and 5 bytes
  bool refused;
  const std::vector<uint8_t> delta = Delta(old_page, new_page, &refused);
  ASSERT_FALSE(refused);
  EXPECT_EQ(delta.size(), kFragmentHeaderSize + 6u + kFragmentHeaderSize + 1u);
}

TEST_F(DeltaTest, ZerosOfANewBlockOfEntriesAreNotLogged) {
  Page old_page = RandomPage();
  old_page.header().lower = 2000;
  old_page.header().upper = 8000;
  memset(old_page.bytes + 2000, 0, 6000);
  Page new_page = old_page;
  new_page.header().lower = 2400;
  memset(new_page.bytes + 2100, 7, 4);
  bool refused;
  const std::vector<uint8_t> delta = Delta(old_page, new_page, &refused);
  EXPECT_EQ(delta.size(), kFragmentHeaderSize + 2u + kFragmentHeaderSize + 4u);  // pd_lower, and the four bytes
}

TEST_F(DeltaTest, AnUnchangedPageHasAnEmptyDelta) {
  const Page page = RandomPage();
  bool refused;
  EXPECT_TRUE(Delta(page, page, &refused).empty());
  EXPECT_FALSE(refused);
}

TEST_F(DeltaTest, TheLargestDeltasFitAPage) {
  for (int period : {1, 6, 7}) {  // everything; single bytes that are just too far apart to be joined
    Page old_page;
    old_page.header().lower = old_page.header().upper = 4000;
    Page new_page = old_page;
    new_page.header().flags = 0x0101;
    for (int i = kPageHeaderSize; i < static_cast<int>(kPageSize); i += period) new_page.bytes[i] = 1;
    bool refused;
    const size_t size = Delta(old_page, new_page, &refused).size();
    EXPECT_FALSE(refused);
    EXPECT_GT(size, kPageSize / 2);
    EXPECT_LE(size, kPageSize);
  }
}

TEST_F(DeltaTest, ADamagedOldPageIsRefused) {
  const Page new_page = RandomPage();
  bool refused;
  Delta(Page(), new_page, &refused);
  EXPECT_TRUE(refused);
  Page old_page = new_page;
  old_page.header().upper = kPageSize + 100;
  Delta(old_page, new_page, &refused);
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace xtree
