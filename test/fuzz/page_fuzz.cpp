// Fuzzing of the page format: the input chooses a layout and a page (of the codec's own making, or its own bytes) and then changes bytes of it.
// Whatever validation lets pass must be readable and changeable without leaving the page (the sanitizers see to that), and pages that were not
// changed must pass. Seen to fail: with the number of entries not compared with the size of their blocks.
#include <cstdlib>

#include "fuzz_input.h"
#include "use_page.h"

namespace xtree {
namespace {

KeyLayout LayoutFor(uint8_t choice) {
  static const std::vector<ColumnShape> kShapes[] = {
      {{2, 8, false, Scalar::kFloat64}},
      {{2, 8, true, Scalar::kFloat64}},
      {{1, 4, false, Scalar::kInteger}, {1, 8, true, Scalar::kInteger}, {2, 4, false, Scalar::kFloat32}},
      {{100, 8, true, Scalar::kFloat64}},
      std::vector<ColumnShape>(kMaxColumns, ColumnShape{1, 4, false, Scalar::kInteger}),
      {{16, 4, false, Scalar::kInteger}},
  };
  const auto& shape = kShapes[choice / 2 % std::size(kShapes)];
  KeyLayout layout;
  if (KeyLayout::Make(shape.data(), static_cast<int>(shape.size()), choice % 2 == 1, &layout) != nullptr) abort();
  return layout;
}

void Fill(const KeyLayout& layout, uint8_t kind, FuzzInput* input, RandomNodes* random, TestPage* page) {
  memset(page->bytes, 0, kPageSize);
  if (kind == 0) {
    input->Copy(page->bytes, kPageSize);
    return;
  }
  NodeEditor editor(layout, page->bytes);
  const int level = kind < 3 ? 0 : 1 + kind % 3;
  const bool marks = kind % 2 == 0;
  editor.Initialize(level, level == 0 ? kNodeLeaf : marks ? kNodeHasMarks : 0);
  if (kind >= 6) {
    const BlockNumber followers[] = {7, 8, 9};
    editor.SetFollowers(followers, 1 + kind % 3);
  }
  for (int entries = input->Byte() * 2; entries > 0; entries--) {
    const ModelEntry entry = random->Entry(layout, level > 0, marks);
    if (HasRoom(editor.view(), entry)) Append(editor, entry);
  }
  if (kind == 2) editor.MarkDeleted(77);
}

void Run(FuzzInput input) {
  const KeyLayout layout = LayoutFor(input.Byte());
  const uint8_t kind = input.Byte() % 9;
  RandomNodes random(input.Byte());
  const auto page = std::make_unique<TestPage>();
  Fill(layout, kind, &input, &random, page.get());
  if (kind != 0 && ValidateNode(layout, page->bytes, -1) != nullptr) abort();
  while (!input.empty()) {
    const size_t at = input.Word() % kPageSize;
    page->bytes[at] = input.Byte();
  }
  const ColumnEncoding columns[] = {{1, 1, 2, 8, 0}, {7, 2, 1, 4, 1}};
  ValidateMeta(page->bytes, columns, 2);
  if (ValidateNode(layout, page->bytes, -1) == nullptr) UsePage(layout, page.get(), &random);
}

}  // namespace
}  // namespace xtree

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  xtree::Run(xtree::FuzzInput(data, size));
  return 0;
}
