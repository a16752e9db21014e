// Values as words: the first bytes of what sorts, eight to an ordinal (text_order.h), and perhaps a hash of the whole value behind them.
//
// For the operator classes of strings and of other values that are sequences of bytes. A comparison becomes boxes: one for each word
// that may be the first to differ. How many ordinals a column has tells what they are, see WordsIn(). The operator class parameter
// key_bytes says it, or CREATE INDEX looks at the table. No locks, no WAL.
#pragma once

#include "types/scalar.h"

namespace xtree {

// Ordinals of a column: 1 or 2 words; 2 or 3 words and a hash.
inline constexpr int kMostKeyOrdinals = 4;
constexpr bool HasHash(int ordinals) { return ordinals > 2; }
constexpr int WordsIn(int ordinals) { return HasHash(ordinals) ? ordinals - 1 : ordinals; }

// What a value whose words are the argument's is, beside the argument.
enum class Tie {
  kEqual,    // the same
  kNotLess,  // it may go on where the argument ends
  kUnknown,
};

// Narrows the column's words as B-tree's strategies and `<>` ask. `ordinals`: the argument's.
void ConstrainByWords(const XtreeColumn* column, StrategyNumber strategy, const int64* ordinals, Tie tie, XtreeConstraint* out);

// XtreeTypeRoutine.dimensions_of and choose_dimensions.
uint16 KeyBytesOption(const XtreeColumn* column);
uint16 ChooseKeyOrdinals(const XtreeColumn* column, const int64* ordinals, int count, double rows);

// A routine whose columns have as many ordinals as the parameter or the rows say.
constexpr XtreeTypeRoutine WordsRoutine(Encoding encoding, BoundsCallback bounds, ConstraintCallback constraint) {
  XtreeTypeRoutine routine = Rough(ScalarRoutine(encoding, 8, XTREE_SCALAR_INTEGER, bounds, constraint, nullptr));
  routine.encoding_version = 2;
  routine.words = true;
  routine.in_btree_order = true;
  routine.dimensions = 0;
  routine.dimensions_of = KeyBytesOption;
  routine.default_dimensions = 1;
  routine.choose_dimensions = ChooseKeyOrdinals;
  routine.most_dimensions = kMostKeyOrdinals;
  return routine;
}

}  // namespace xtree
