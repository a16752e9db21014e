// The one check that untrusted page bytes pass before NodeView and MetaContent may look at them.
#pragma once

#include "page/key_layout.h"

namespace xtree {

// Private copies of a page's ends, which stay as they are whatever happens to the page meanwhile.
struct PageFrame {
  PageHeader header;
  NodeOpaque opaque;

  void Read(const uint8_t* page);
};

// nullptr when `page` is a well-formed node of this index; else what is wrong with it, in words for an error message.
// Cheap: header fields, flags, counts and offsets against the layout; no look at the entries themselves.
// A deleted page is well-formed. `expected_level` < 0: any.
const char* ValidateNode(const KeyLayout& layout, const uint8_t* page, int expected_level);
const char* ValidateNode(const KeyLayout& layout, const PageFrame& frame, int expected_level);

// Is it a well-formed page of a model? Such pages are no nodes, and ValidateNode refuses them.
bool IsModelPage(const uint8_t* page);

// nullptr when `page` is a meta page that this code can read and that describes `layout`'s columns; else why not.
const char* ValidateMeta(const uint8_t* page, const ColumnEncoding* columns, int column_count);
// The same of what it says of vectors alone.
const char* ValidateVectors(const MetaContent& meta);

}  // namespace xtree
