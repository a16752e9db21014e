// See words.h.
#include "types/words.h"

#include <algorithm>

extern "C" {
#include "access/reloptions.h"
}

namespace xtree {
namespace {

void RequireWord(int word, int64 min, int64 max, XtreeConstraint* out) {
  out->lo_min[word] = min;
  out->lo_max[word] = max;
}

// Collects the boxes of one condition: the first goes into the constraint itself.
class Boxes {
 public:
  Boxes(const XtreeColumn* column, const int64* ordinals, XtreeConstraint* out) : column_(column), key_(ordinals), out_(out) {
    out->match = XTREE_MATCH_NEVER;
  }

  // Values equal to the argument in the words before `word`, and within [min, max] there.
  void Add(int word, int64 min, int64 max, bool recheck) {
    if (min > max) return;
    XtreeConstraint* box = out_->match == XTREE_MATCH_NEVER ? out_ : xtree_add_alternative(column_, out_);
    box->match = XTREE_MATCH_VALUE;
    box->recheck = recheck;
    for (int i = 0; i < word; i++) RequireWord(i, key_[i], key_[i], box);
    RequireWord(word, min, max, box);
  }

  // Values less than the argument in some word; `ties`: or in none.
  void AddLess(bool ties, bool recheck) {
    const int last = WordsIn(column_->dimensions) - 1;
    for (int word = 0; word <= last; word++) {
      const bool inclusive = ties && word == last;
      if (inclusive)
        Add(word, PG_INT64_MIN, key_[word], recheck);
      else if (key_[word] > PG_INT64_MIN)
        Add(word, PG_INT64_MIN, key_[word] - 1, false);
    }
  }

  void AddGreater(bool ties, bool recheck) {
    const int last = WordsIn(column_->dimensions) - 1;
    for (int word = 0; word <= last; word++) {
      const bool inclusive = ties && word == last;
      if (inclusive)
        Add(word, key_[word], PG_INT64_MAX, recheck);
      else if (key_[word] < PG_INT64_MAX)
        Add(word, key_[word] + 1, PG_INT64_MAX, false);
    }
  }

 private:
  const XtreeColumn* column_;
  const int64* key_;
  XtreeConstraint* out_;
};

void RequireEqual(const XtreeColumn* column, const int64* ordinals, Tie tie, XtreeConstraint* out) {
  for (int i = 0; i < column->dimensions; i++) RequireWord(i, ordinals[i], ordinals[i], out);
  out->recheck = tie != Tie::kEqual;
}

void RequireUnequal(const XtreeColumn* column, const int64* ordinals, Tie tie, XtreeConstraint* out) {
  if (tie != Tie::kEqual) {
    out->recheck = true;
    return;
  }
  Boxes boxes(column, ordinals, out);
  boxes.AddLess(false, false);
  boxes.AddGreater(false, false);
}

}  // namespace

void ConstrainByWords(const XtreeColumn* column, StrategyNumber strategy, const int64* ordinals, Tie tie, XtreeConstraint* out) {
  switch (strategy) {
    case BTLessStrategyNumber:
      return Boxes(column, ordinals, out).AddLess(tie == Tie::kUnknown, true);
    case BTLessEqualStrategyNumber:
      return Boxes(column, ordinals, out).AddLess(true, tie != Tie::kEqual);
    case BTEqualStrategyNumber:
      return RequireEqual(column, ordinals, tie, out);
    case BTGreaterEqualStrategyNumber:
      return Boxes(column, ordinals, out).AddGreater(true, tie == Tie::kUnknown);
    case BTGreaterStrategyNumber:
      return Boxes(column, ordinals, out).AddGreater(tie != Tie::kEqual, true);
    case kNotEqualStrategy:
      return RequireUnequal(column, ordinals, tie, out);
    default:
      elog(ERROR, "unrecognized strategy number: %d", strategy);
  }
}

namespace {

struct KeyBytesOptions {
  int32 vl_len_;
  int ordinals;  // 0: not said
};

relopt_enum_elt_def key_bytes[] = {{"auto", 0}, {"8", 1}, {"16", 2}, {"24", 3}, {"32", 4}, {nullptr, 0}};

using Key = const int64*;

int EqualWords(Key a, Key b) {
  int equal = 0;
  while (equal < kMostKeyOrdinals && a[equal] == b[equal]) equal++;
  return equal;
}

// How many rows of a table have the value of one of them, and how many others that value's first words, for each number of words.
struct Sharing {
  double same;
  double others[WordsIn(kMostKeyOrdinals) + 1];
};

// Counts the pairs in the sample. Of a value's hash too the keys tell, so that equal keys count as equal values.
Sharing MeasureSharing(Key* keys, int count, double rows) {
  std::sort(keys, keys + count,
            [](Key a, Key b) { return std::lexicographical_compare(a, a + kMostKeyOrdinals, b, b + kMostKeyOrdinals); });
  double pairs[kMostKeyOrdinals + 1] = {};  // equal in the first so many ordinals
  for (int words = 1; words <= kMostKeyOrdinals; words++) {
    for (int begin = 0, i = 1; i <= count; i++) {
      if (i < count && EqualWords(keys[begin], keys[i]) >= words) continue;
      pairs[words] += static_cast<double>(i - begin) * (i - begin - 1) / 2;
      begin = i;
    }
  }
  const double scale = 2 / static_cast<double>(count) * rows / count;
  Sharing sharing{};
  sharing.same = pairs[kMostKeyOrdinals] * scale;
  for (int words = 1; words < kMostKeyOrdinals; words++) sharing.others[words] = (pairs[words] - pairs[kMostKeyOrdinals]) * scale;
  return sharing;
}

}  // namespace

uint16 KeyBytesOption(const XtreeColumn* column) {
  const auto* options = static_cast<const KeyBytesOptions*>(column->options);
  return options != nullptr ? static_cast<uint16>(options->ordinals) : 0;
}

// The fewest words with which a search for a value finds hardly more others than rows of that value. If 16 bytes leave more together, a
// hash tells them apart, and 24 are only of use if they leave less.
uint16 ChooseKeyOrdinals(const XtreeColumn*, const int64* ordinals, int count, double rows) {
  auto* keys = static_cast<Key*>(palloc(sizeof(Key) * count));
  for (int i = 0; i < count; i++) keys[i] = ordinals + static_cast<ptrdiff_t>(i) * kMostKeyOrdinals;
  const Sharing sharing = MeasureSharing(keys, count, rows);
  pfree(keys);
  const double bearable = 2 + sharing.same;
  if (sharing.others[1] <= bearable) return 1;
  if (sharing.others[2] <= bearable) return 2;
  return sharing.others[3] <= sharing.others[2] / 2 ? 4 : 3;
}

}  // namespace xtree

extern "C" {
PG_FUNCTION_INFO_V1(xtree_key_bytes_options);
Datum xtree_key_bytes_options(PG_FUNCTION_ARGS) {
  auto* options = reinterpret_cast<local_relopts*>(PG_GETARG_POINTER(0));
  init_local_reloptions(options, sizeof(xtree::KeyBytesOptions));
  add_local_enum_reloption(options, "key_bytes", "bytes of a value's key in the index", xtree::key_bytes, 0,
                           "Valid values are \"auto\", \"8\", \"16\", \"24\" and \"32\".", offsetof(xtree::KeyBytesOptions, ordinals));
  PG_RETURN_VOID();
}
}
