// The report on xtree in this database, as a web page: xtree_report(). A section of it is a function in report_sections.cpp, and a line in the list
// there.
//
// It is made of the views, as the caller sees them, and of pictures of the caller's own indexes; so it tells nobody more than they may read
// anyway. Queries run through SPI with the search path of the function (pg_catalog); no lock is held longer than a picture takes.
// Code here owns C++ objects: PostgreSQL is called through PgCall.
#pragma once

#include "report/html_page.h"

#include "pg/postgres_api.h"

namespace xtree {

struct ReportLimits {
  int pictures;
  int indexes;
  int events;
};

class Report {
 public:
  // `schema`: of the extension, quoted.
  Report(const char* schema, const ReportLimits& limits) : schema_(schema), limits_(limits) {}

  const ReportLimits& limits() const { return limits_; }

  // What a query answers, @extschema@ being the extension's schema: at most so many rows (0: all). Lives until SPI_finish.
  Answer Ask(const char* query, int most = 0) const;

  void Add(const std::string& html) { html_ += html; }
  // Adds what `make` makes of the answer, or these words where there is no row.
  void Add(std::string (*make)(const Answer&), const Answer& answer, const char* no_rows);

  std::string Take() { return std::move(html_); }

 private:
  const char* schema_;
  ReportLimits limits_;
  std::string html_;
};

struct ReportSection {
  PageSection head;
  void (*write)(Report& report);
};
const std::vector<ReportSection>& ReportSections();

}  // namespace xtree
