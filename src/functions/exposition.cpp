// See exposition.h.
#include "functions/exposition.h"

#include <cmath>

extern "C" {
#include "common/shortest_dec.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
}

namespace xtree {

namespace {

const char* NameOf(MetricType type) {
  static const char* const names[] = {"counter", "gauge", "histogram"};
  return names[static_cast<int>(type)];
}

// Whole numbers without an exponent, others as short as they can be told apart.
void AppendValue(StringInfo into, double value) {
  constexpr double kExact = 9007199254740992;  // 2^53
  char text[DOUBLE_SHORTEST_DECIMAL_LEN];
  if (std::fabs(value) <= kExact && value == std::floor(value)) {
    snprintf(text, sizeof(text), INT64_FORMAT, static_cast<int64>(value));
  } else {
    double_to_shortest_decimal_buf(value, text);
  }
  appendStringInfoString(into, text);
}

}  // namespace

Measure Moment(TimestampTz time) {
  constexpr int64 kEpoch = int64{POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE} * SECS_PER_DAY;
  if (time == 0) return kUnknown;
  return Known(static_cast<double>(time) / USECS_PER_SEC + static_cast<double>(kEpoch));
}

void Exposition::Family(const char* name, MetricType type, const char* help) {
  if (parts_ == room_) {
    room_ = room_ == 0 ? 64 : 2 * room_;
    auto* more = static_cast<Part*>(palloc(sizeof(Part) * room_));
    if (parts_ > 0) memcpy(static_cast<void*>(more), part_, sizeof(Part) * parts_);
    part_ = more;
  }
  Part* part = &part_[parts_++];
  *part = {name, type, help, {}, {}};
  initStringInfo(&part->head);
  initStringInfo(&part->samples);
}

void Exposition::Line(const char* suffix, const char* labels, double value) {
  Part& part = part_[parts_ - 1];
  if (part.head.len == 0) {
    appendStringInfo(&part.head, "# HELP %s %s\n# TYPE %s %s\n", part.name, part.help, part.name, NameOf(part.type));
  }
  StringInfo into = &part.samples;
  appendStringInfoString(into, part.name);
  appendStringInfoString(into, suffix);
  if (labels[0] != '\0') {
    appendStringInfoChar(into, '{');
    appendStringInfoString(into, labels);
    appendStringInfoChar(into, '}');
  }
  appendStringInfoChar(into, ' ');
  AppendValue(into, value);
  appendStringInfoChar(into, '\n');
}

void Exposition::Sample(const char* labels, Measure value) {
  if (value.known) Line("", labels, value.value);
}

void Exposition::One(const char* name, MetricType type, const char* help, const char* labels, Measure value) {
  Family(name, type, help);
  Sample(labels, value);
}

void Exposition::Histogram(const char* name, const char* help, const int64* count, const double* bound, int bounds, double sum) {
  Family(name, MetricType::kHistogram, help);
  int64 cumulated = 0;
  for (int i = 0; i <= bounds; i++) {
    cumulated += count[i];
    StringInfoData label;
    initStringInfo(&label);
    if (i < bounds) {
      appendStringInfoString(&label, "le=\"");
      AppendValue(&label, bound[i]);
      appendStringInfoChar(&label, '"');
    } else {
      AppendLabel(&label, "le", "+Inf");
    }
    Line("_bucket", label.data, static_cast<double>(cumulated));
  }
  Line("_sum", "", sum);
  Line("_count", "", static_cast<double>(cumulated));
}

// May be megabytes, so it is written once, into a text of the right length.
Datum Exposition::Text() {
  std::sort(part_, part_ + parts_, [](const Part& a, const Part& b) { return strcmp(a.name, b.name) < 0; });
  size_t bytes = VARHDRSZ;
  for (int i = 0; i < parts_; i++) bytes += part_[i].head.len + part_[i].samples.len;
  auto* all = static_cast<text*>(palloc(bytes));
  SET_VARSIZE(all, bytes);
  char* at = VARDATA(all);
  for (int i = 0; i < parts_; i++) {
    for (const StringInfoData& piece : {part_[i].head, part_[i].samples}) {
      memcpy(at, piece.data, piece.len);
      at += piece.len;
    }
  }
  return PointerGetDatum(all);
}

void AppendLabel(StringInfo labels, const char* name, const char* value) {
  if (labels->len > 0) appendStringInfoChar(labels, ',');
  appendStringInfoString(labels, name);
  appendStringInfoString(labels, "=\"");
  for (; *value != '\0'; value++) {
    if (*value == '\n') {
      appendStringInfoString(labels, "\\n");
      continue;
    }
    if (*value == '\\' || *value == '"') appendStringInfoChar(labels, '\\');
    appendStringInfoChar(labels, *value);
  }
  appendStringInfoChar(labels, '"');
}

}  // namespace xtree
