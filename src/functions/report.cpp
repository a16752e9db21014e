// SQL function xtree_report(pictures, indexes, events), and how a section asks and writes. See report.h.
#include "functions/report.h"

#include "functions/index_picture.h"
#include "pg/guard.h"

extern "C" {
#include "commands/dbcommands.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

PG_FUNCTION_INFO_V1(xtree_report);
}

namespace xtree {

namespace {

void RequireWithin(int value, int least, int most, const char* name) {
  if (value >= least && value <= most) return;
  ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("%s must be from %d to %d, not %d", name, least, most, value)));
}

Answer CopyAnswer() {
  const TupleDesc description = SPI_tuptable->tupdesc;
  const int columns = description->natts, rows = static_cast<int>(SPI_processed);
  auto* names = static_cast<const char**>(palloc(columns * sizeof(char*)));
  auto* values = static_cast<const char**>(palloc_extended(std::max(1, rows * columns) * sizeof(char*), MCXT_ALLOC_HUGE));
  for (int c = 0; c < columns; c++) names[c] = SPI_fname(description, c + 1);
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < columns; c++) {
      const char* value = SPI_getvalue(SPI_tuptable->vals[r], description, c + 1);
      values[r * columns + c] = value == nullptr ? nullptr : ToUtf8(value);
    }
  SPI_freetuptable(SPI_tuptable);
  return {columns, rows, names, values};
}

std::string WholePage(Report& report) {
  std::vector<PageSection> heads;
  for (const ReportSection& section : ReportSections()) heads.push_back(section.head);
  const Answer head = report.Ask(R"(SELECT current_database(), to_char(now(), 'YYYY-MM-DD HH24:MI:SS TZ'), current_user)");
  report.Add(PageBegin(std::string("xtree in database ") + head.At(0, 0),
                       std::string("as of ") + head.At(0, 1) + ", as " + head.At(0, 2) + " may see it", heads));
  for (const ReportSection& section : ReportSections()) {
    report.Add(SectionBegin(section.head));
    section.write(report);
    report.Add(SectionEnd());
  }
  report.Add(PageEnd());
  return report.Take();
}

}  // namespace

Answer Report::Ask(const char* query, int most) const {
  std::string text = query;
  constexpr std::string_view kSchema = "@extschema@";
  for (size_t at = text.find(kSchema); at != std::string::npos; at = text.find(kSchema, at)) text.replace(at, kSchema.size(), schema_);
  const char* source = text.c_str();
  return PgCall([&] {
    const int result = SPI_execute(source, true, most);
    if (result != SPI_OK_SELECT) elog(ERROR, "query of the report failed: %s", SPI_result_code_string(result));
    return CopyAnswer();
  });
}

void Report::Add(std::string (*make)(const Answer&), const Answer& answer, const char* no_rows) {
  html_ += answer.rows > 0 ? make(answer) : Paragraph(no_rows);
}

}  // namespace xtree

extern "C" Datum xtree_report(PG_FUNCTION_ARGS) {
  using namespace xtree;
  const ReportLimits limits = {PG_GETARG_INT32(0), PG_GETARG_INT32(1), PG_GETARG_INT32(2)};
  RequireWithin(limits.pictures, 0, 50, "pictures");
  RequireWithin(limits.indexes, 1, 10000, "indexes");
  RequireWithin(limits.events, 1, 512, "events");
  const char* schema = quote_identifier(get_namespace_name(get_func_namespace(fcinfo->flinfo->fn_oid)));
  const MemoryContext context = CurrentMemoryContext;
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
  text* page = Guarded([&] {
    Report report(schema, limits);
    const std::string made = WholePage(report);
    return PgCall([&] {
      const MemoryContext inner = MemoryContextSwitchTo(context);
      text* copy = cstring_to_text_with_len(made.data(), static_cast<int>(made.size()));
      MemoryContextSwitchTo(inner);
      return copy;
    });
  });
  SPI_finish();
  PG_RETURN_TEXT_P(page);
}
