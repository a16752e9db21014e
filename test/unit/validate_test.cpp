// Every rule of the validation of pages refuses a page that is damaged in that way; whatever bytes pass can be read and
// changed without leaving the page.
#include <gtest/gtest.h>

#include <functional>
#include <vector>

#include "page/validate.h"
#include "use_page.h"

namespace xtree {
namespace {

class ValidateTest : public testing::Test {
 protected:
  static KeyLayout Make(int dimensions, bool include) {
    const ColumnShape column = {static_cast<uint16_t>(dimensions), 8, false, Scalar::kFloat64};
    KeyLayout layout;
    EXPECT_EQ(nullptr, KeyLayout::Make(&column, 1, include, &layout));
    return layout;
  }

  void Fill(const KeyLayout& layout, int level, int entries) {
    layout_ = layout;
    memset(page_->bytes, 0, kPageSize);
    NodeEditor editor(layout_, page_->bytes);
    editor.Initialize(level, 0);
    for (int i = 0; i < entries; ++i) {
      const ModelEntry entry = random_.Entry(layout_, level > 0, false);
      if (HasRoom(editor.view(), entry)) Append(editor, entry);
    }
    ASSERT_STREQ(nullptr, Validate());
  }

  PageHeader& header() { return *reinterpret_cast<PageHeader*>(page_->bytes); }
  NodeOpaque& opaque() { return *reinterpret_cast<NodeOpaque*>(page_->bytes + kSpecialOffset); }
  const char* Validate(int expected_level = -1) const { return ValidateNode(layout_, page_->bytes, expected_level); }

  // The damage must be noticed, as `wrong`, and the page be restored.
  void ExpectRefused(const char* wrong, const std::function<void()>& damage) {
    const TestPage before = *page_;
    damage();
    EXPECT_STREQ(wrong, Validate());
    *page_ = before;
  }

  void ExpectDamagedFrameIsRefused() {
    ExpectRefused("page is not initialized", [&] { memset(page_->bytes, 0, kPageSize); });
    ExpectRefused("special space has a wrong size", [&] { header().special -= 8; });
    ExpectRefused("page size or page layout version is wrong", [&] { header().size_version = 4096 | 4; });
    ExpectRefused("page pointers are out of order", [&] { header().lower = kPageHeaderSize - 1; });
    ExpectRefused("page pointers are out of order", [&] { header().lower = static_cast<uint16_t>(header().upper + 1); });
    ExpectRefused("page pointers are out of order", [&] { header().upper = kSpecialOffset + 4; });
    ExpectRefused("page does not belong to an xtree index", [&] { opaque().page_id = 0xFF81; });
  }

  void ExpectDamagedKindIsRefused() {
    ExpectRefused("meta page where a node is expected", [&] { opaque().flags = kNodeMeta; });
    ExpectRefused("page of a model where a node is expected", [&] { opaque().flags |= kNodeModel; });
    ExpectRefused("unknown page flags", [&] { opaque().flags |= 0x80; });
    ExpectRefused("level is too high", [&] { opaque().level = kMaxLevel; });
    ExpectRefused("level contradicts the leaf flag", [&] { opaque().flags ^= kNodeLeaf; });
    ExpectRefused("number of dimensions is that of another index", [&] { ++opaque().dimensions; });
    ExpectRefused("block layout is that of another index", [&] { opaque().block_bytes += 8; });
    ExpectRefused("block layout is that of another index", [&] { opaque().block_capacity = 5; });
    ExpectRefused("block layout is that of another index", [&] { opaque().flags |= kNodeHasMarks; });
  }

  RandomNodes random_{20240609};
  KeyLayout layout_;
  std::unique_ptr<TestPage> page_ = std::make_unique<TestPage>();
};

TEST_F(ValidateTest, HeaderFlagsAndLayout) {
  for (const int level : {0, 2}) {
    Fill(Make(2, false), level, 40);
    ExpectDamagedFrameIsRefused();
    ExpectDamagedKindIsRefused();
  }
}

TEST_F(ValidateTest, ExpectedLevel) {
  Fill(Make(2, false), 2, 10);
  EXPECT_STREQ(nullptr, Validate(2));
  EXPECT_STREQ("node is at another level than its parent says", Validate(1));
  EXPECT_STREQ("node is at another level than its parent says", Validate(0));
}

TEST_F(ValidateTest, Entries) {
  Fill(Make(2, false), 0, 40);
  const uint16_t most = layout_.Block(true, false).max_entries;
  ExpectRefused("more entries than a page can hold", [&] { opaque().entries = static_cast<uint16_t>(most + 1); });
  ExpectRefused("more entries than a page can hold", [&] { opaque().entries = 0xFFFF; });
  ExpectRefused("number of entries contradicts the size of their blocks", [&] { opaque().entries = 32; });
  ExpectRefused("number of entries contradicts the size of their blocks", [&] { opaque().entries = 49; });
  ExpectRefused("number of entries contradicts the size of their blocks", [&] { header().lower += 2; });
}

TEST_F(ValidateTest, EndOfThePage) {
  for (const int level : {0, 1}) {
    Fill(Make(2, false), level, 5);
    ExpectRefused("unexpected content at the end of the page", [&] { header().upper -= 8; });
  }
  Fill(Make(2, true), 0, 5);
  ExpectRefused("payload area is too small for the entries", [&] { header().upper = kSpecialOffset - 8; });
  ExpectRefused("payload area is too small for the entries", [&] { --header().upper; });
  Fill(Make(2, true), 0, 0);
  ExpectRefused("payload on a page without entries", [&] { header().upper -= 8; });
}

TEST_F(ValidateTest, Supernodes) {
  Fill(Make(2, false), 1, 5);
  const BlockNumber followers[] = {7, 8, 9};
  NodeEditor(layout_, page_->bytes).SetFollowers(followers, 3);
  EXPECT_STREQ(nullptr, Validate());
  ExpectRefused("list of a supernode's pages has a wrong size", [&] { header().upper -= 2; });
  ExpectRefused("list of a supernode's pages has a wrong size",
                [&] { header().upper = static_cast<uint16_t>(kSpecialOffset - 4 * kMaxSupernodePages); });
  ExpectRefused("supernode head is a leaf or a follower as well", [&] {
    opaque().flags |= kNodeSupernodeFollower;
    opaque().link = 5;
  });
  Fill(Make(2, false), 1, 5);
  opaque().flags |= kNodeSupernodeFollower;
  opaque().link = 5;
  EXPECT_STREQ(nullptr, Validate());
  ExpectRefused("part of a supernode names no head", [&] { opaque().link = kInvalidBlock; });
  ExpectRefused("part of a supernode names no head", [&] { opaque().link = kMetaBlock; });
  ExpectRefused("unexpected content at the end of the page", [&] { header().upper -= 4; });
  Fill(Make(2, false), 0, 5);
  ExpectRefused("supernode head is a leaf or a follower as well", [&] { opaque().flags |= kNodeSupernodeHead; });
  ExpectRefused("leaf is flagged as part of a supernode", [&] { opaque().flags |= kNodeSupernodeFollower; });
}

TEST_F(ValidateTest, DeletedPages) {
  for (const int level : {0, 1}) {
    Fill(Make(2, false), level, 30);
    NodeEditor(layout_, page_->bytes).MarkDeleted(12345);
    EXPECT_STREQ(nullptr, Validate(level));
    ExpectRefused("deleted page has entries", [&] { opaque().entries = 1; });
    ExpectRefused("deleted page has content", [&] { header().lower += 8; });
    ExpectRefused("deleted page has content", [&] { header().upper -= 8; });
    ExpectRefused("deleted page has flags of a node", [&] { opaque().flags |= kNodeSupernodeHead; });
    ExpectRefused("deleted page has flags of a node", [&] {
      opaque().flags |= kNodeHasMarks;
      opaque().block_bytes = layout_.Block(level == 0, true).bytes;
    });
  }
}

TEST_F(ValidateTest, DamagedPagesThatPassAreSafeToUse) {
  int passed = 0;
  for (int round = 0; round < 4000; ++round) {
    const KeyLayout layout = random_.Layout(round % 2 == 0);
    Fill(layout, round % 3, static_cast<int>(random_.Between(0, 400)));
    if (round % 3 != 0 && random_.OneIn(3)) {
      const BlockNumber followers[] = {7, 8};
      NodeEditor(layout_, page_->bytes).SetFollowers(followers, 2);
    }
    const bool only_content = random_.OneIn(2);
    for (int i = 0; i < 20; ++i) {
      const int at =
          static_cast<int>(only_content ? random_.Between(kPageHeaderSize, kSpecialOffset - 1) : random_.Between(0, kPageSize - 1));
      page_->bytes[at] = static_cast<uint8_t>(random_.Between(0, 255));
    }
    if (Validate() != nullptr) continue;
    ++passed;
    ASSERT_NO_FATAL_FAILURE(UsePage(layout_, page_.get(), &random_));
  }
  EXPECT_GT(passed, 1000);
}

// As above, with payload offsets that all lie somewhere in the payload area but mean nothing.
TEST_F(ValidateTest, DamagedPayloadsStayInThePage) {
  for (int round = 0; round < 1000; ++round) {
    Fill(Make(1, true), 0, 100);
    for (int e = 0; e < opaque().entries; ++e) {
      const BlockLayout& block = layout_.Block(true, false);
      uint8_t* at = page_->bytes + kPageHeaderSize + e / block.capacity * block.bytes + block.payload + e % block.capacity * 2;
      const uint16_t offset = static_cast<uint16_t>(random_.Between(header().upper - 4, kSpecialOffset + 4));
      memcpy(at, &offset, sizeof(offset));
    }
    ASSERT_STREQ(nullptr, Validate());
    ASSERT_NO_FATAL_FAILURE(UsePage(layout_, page_.get(), &random_));
  }
}

TEST_F(ValidateTest, RandomBytesAreRefused) {
  const KeyLayout layout = Make(2, true);
  for (int round = 0; round < 300; ++round) {
    for (uint8_t& byte : page_->bytes) byte = static_cast<uint8_t>(random_.Between(0, 255));
    EXPECT_NE(nullptr, ValidateNode(layout, page_->bytes, -1));
    EXPECT_NE(nullptr, ValidateMeta(page_->bytes, nullptr, 0));
  }
}

class ValidateMetaTest : public testing::Test {
 protected:
  ValidateMetaTest() {
    memset(page_->bytes, 0, kPageSize);
    header() = {};
    header().lower = kPageHeaderSize + sizeof(MetaContent);
    header().upper = header().special = kSpecialOffset;
    header().size_version = kPageSizeVersion;
    opaque().flags = kNodeMeta;
    opaque().page_id = kNodePageId;
    meta().magic = kMetaMagic;
    meta().version = kFormatVersion;
    meta().build_state = static_cast<uint8_t>(MetaBuildState::kBuilt);
    meta().columns = 2;
    meta().dimensions = 3;
    meta().column[0] = columns_[0];
    meta().column[1] = columns_[1];
  }

  PageHeader& header() { return *reinterpret_cast<PageHeader*>(page_->bytes); }
  NodeOpaque& opaque() { return *reinterpret_cast<NodeOpaque*>(page_->bytes + kSpecialOffset); }
  MetaContent& meta() { return *reinterpret_cast<MetaContent*>(page_->bytes + kPageHeaderSize); }
  const char* Validate() const { return ValidateMeta(page_->bytes, columns_, 2); }

  void ExpectRefused(const char* wrong, const std::function<void()>& damage) {
    const TestPage before = *page_;
    damage();
    EXPECT_STREQ(wrong, Validate());
    *page_ = before;
  }

  const ColumnEncoding columns_[2] = {{1, 1, 2, 8, 0}, {7, 2, 1, 4, 1}};
  std::unique_ptr<TestPage> page_ = std::make_unique<TestPage>();
};

TEST_F(ValidateMetaTest, AcceptsItsOwn) { EXPECT_STREQ(nullptr, Validate()); }

TEST_F(ValidateMetaTest, Page) {
  ExpectRefused("page is not initialized", [&] { memset(page_->bytes, 0, kPageSize); });
  ExpectRefused("page does not belong to an xtree index", [&] { opaque().page_id = 1; });
  ExpectRefused("page is not flagged as meta page", [&] { opaque().flags = kNodeLeaf; });
  ExpectRefused("meta page is too short", [&] { header().lower = kPageHeaderSize + kLeastMetaBytes - 1; });
  ExpectRefused("statistics of the table's pages are out of range", [&] { meta().heap_spread = 2; });
  ExpectRefused("what the build measured is out of range", [&] { meta().built_crowding = -1; });
}

TEST_F(ValidateMetaTest, Vectors) {
  const auto vectors = [&] {
    meta().build_state = static_cast<uint8_t>(MetaBuildState::kBuilt);
    meta().vector_dimensions = 768;
    meta().vector_column = 0;
    meta().generations = 2;
    for (uint32_t g = 0; g < 2; ++g) meta().generation[g].first_cluster = 10 * g, meta().generation[g].clusters = 10;
  };
  const TestPage before = *page_;
  vectors();
  EXPECT_STREQ(nullptr, Validate());
  *page_ = before;
  ExpectRefused("there is a model, but no column of vectors", [&] { meta().generations = 1; });
  ExpectRefused("column of vectors is not in the index", [&] { vectors(), meta().vector_column = kMaxColumns; });
  ExpectRefused("number of models is out of range", [&] { vectors(), meta().generations = 0; });
  ExpectRefused("number of models is out of range", [&] { vectors(), meta().generations = kMaxGenerations + 1; });
  ExpectRefused("scale of codes is out of range", [&] { vectors(), meta().generation[1].scale = -1; });
  ExpectRefused("drift is out of range", [&] { vectors(), meta().generation[1].drift = -1; });
  ExpectRefused("number of clusters is out of range", [&] { vectors(), meta().generation[0].clusters = 0; });
  ExpectRefused("number of clusters is out of range", [&] { vectors(), meta().generation[1].clusters = kMaxClusters + 1; });
  ExpectRefused("clusters' numbers are out of order", [&] { vectors(), meta().generation[1].first_cluster = 9; });
  ExpectRefused("clusters' numbers are out of order", [&] { vectors(), meta().generation[1].first_cluster = kMaxFirstCluster + 1; });
  ExpectRefused("model has no number, or number no model", [&] { vectors(), meta().generation[0].model_bytes = 100; });
  ExpectRefused("model has no number, or number no model", [&] { vectors(), meta().generation[1].model_id = 7; });
}

TEST_F(ValidateMetaTest, Fields) {
  ExpectRefused("page is not the meta page of an xtree index", [&] { ++meta().magic; });
  ExpectRefused("index has the format of another version of xtree", [&] { ++meta().version; });
  ExpectRefused("index uses features of a newer version of xtree", [&] { meta().feature_flags = 0x80; });
  ExpectRefused("build state is unknown", [&] { meta().build_state = 3; });
  ExpectRefused("build flags are unknown", [&] { meta().build_flags = 2; });
  ExpectRefused("number of levels is too high", [&] { meta().levels = kMaxLevel + 1; });
  ExpectRefused("number of dimensions differs from the columns'", [&] { meta().dimensions = 4; });
  meta().feature_flags = kFeatureInclude;
  EXPECT_STREQ(nullptr, Validate());
}

TEST_F(ValidateMetaTest, Columns) {
  ExpectRefused("number of key columns differs from the catalog's", [&] { meta().columns = 1; });
  const char* wrong = "encoding of a column differs from that of its operator class";
  ExpectRefused(wrong, [&] { ++meta().column[1].id; });
  ExpectRefused(wrong, [&] { ++meta().column[0].version; });
  ExpectRefused(wrong, [&] { ++meta().column[0].dimensions; });
  ExpectRefused(wrong, [&] { meta().column[0].width = 4; });
  ExpectRefused(wrong, [&] { meta().column[1].extended = 0; });
}

TEST_F(ValidateMetaTest, IsNoNode) {
  const ColumnShape column = {1, 8, false, Scalar::kInteger};
  KeyLayout layout;
  ASSERT_EQ(nullptr, KeyLayout::Make(&column, 1, false, &layout));
  EXPECT_STREQ("meta page where a node is expected", ValidateNode(layout, page_->bytes, -1));
}

}  // namespace
}  // namespace xtree
