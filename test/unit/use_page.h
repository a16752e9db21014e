// Everything that a scan or a writer does with a page that passed validation, damaged as it may be. Shared by the unit tests and fuzzing.
#pragma once

#include <gtest/gtest.h>

#include "core/filter/kernels.h"
#include "page/validate.h"
#include "random_nodes.h"

namespace xtree {

inline void UsePage(const KeyLayout& layout, TestPage* page, RandomNodes* random) {
  const NodeView node(layout, page->bytes);
  Box box;
  uint16_t length;
  for (int e = 0; e < node.entries(); ++e) {
    node.GetBox(e, &box);
    if (!node.leaf()) node.History(e);
    if (node.leaf() && layout.include) {
      const uint8_t* payload = node.Payload(e, &length);
      for (int i = 0; i < length; ++i) ASSERT_LT(payload + i, page->bytes + kSpecialOffset);
    }
    if (node.leaf()) node.Killed(e);
  }
  for (int i = 0; i < node.followers(); ++i) node.Follower(i);
  node.Bounds(&box);
  Constraint constraint;
  constraint.Initialize(layout);
  constraint.RequireLo(0, {0, kOrdinalMax});
  PageFilter filter;
  filter.Compile(layout, constraint);
  uint16_t slots[kMaxEntriesPerPage];
  EXPECT_LE(filter.Run(node, slots), node.entries());
  if (node.deleted()) return;
  NodeEditor editor(layout, page->bytes);
  bool drop[kMaxEntriesPerPage];
  for (bool& flag : drop) flag = random->OneIn(3);
  editor.Remove(drop);
  const ModelEntry entry = random->Entry(layout, !node.leaf(), random->OneIn(2));
  if (HasRoom(node, entry)) Append(editor, entry);
}

}  // namespace xtree
