// The sections of the report, in its order: see the list at the end. Queries name the extension's objects by @extschema@; a column whose name
// begins with '>' is aligned at the right (report/html_page.h).
#include <limits>

#include "functions/index_picture.h"
#include "functions/report.h"
#include "pg/guard.h"
#include "pg/subtransaction.h"
#include "report/markup.h"
#include "report/time_chart.h"

extern "C" {
#include "utils/builtins.h"
}

namespace xtree {

namespace {

void Overview(Report& report) {
  report.Add(CardsOf, report.Ask(R"(
    SELECT count(*) AS ">indexes", pg_size_pretty(coalesce(sum(size), 0)) AS "together", count(*) FILTER (WHERE state = 'loaded') AS ">loaded",
      pg_size_pretty(sum(resident_bytes)) AS "in memory", sum(scans) AS ">scans",
      round((100 * sum(hit_rate * (coalesce(mapped_reads, 0) + buffer_reads)) / nullif(sum(coalesce(mapped_reads, 0) + buffer_reads), 0))::numeric, 2)
        || ' %' AS "of reads found in memory",
      sum(evictions) AS ">evictions", count(*) FILTER (WHERE state = 'failed') AS ">failed", count(*) FILTER (WHERE NOT is_built) AS ">not built"
    FROM @extschema@.pg_stat_xtree_indexes)"),
             "");
  report.Add(FactsOf, report.Ask(R"(
    SELECT version() AS "server", e.extversion || CASE WHEN a.default_version <> e.extversion
        THEN ', where ' || a.default_version || ' is installed: ALTER EXTENSION xtree UPDATE' ELSE '' END AS "extension xtree",
      date_trunc('second', pg_postmaster_start_time()) AS "server started",
      CASE WHEN pg_is_in_recovery() THEN 'standby, or in recovery' ELSE 'primary' END AS "server is",
      CASE WHEN @extschema@.xtree_preloaded() THEN 'yes' ELSE 'no: no mappings, no pins, no background builds' END AS "in shared_preload_libraries",
      @extschema@.xtree_mapping() AS "mapping", CASE WHEN @extschema@.xtree_counted() THEN 'yes' ELSE 'no' END AS "uses are counted",
      (SELECT date_trunc('second', stats_reset) FROM @extschema@.pg_stat_xtree_memory) AS "statistics since"
    FROM pg_extension e LEFT JOIN pg_available_extensions a ON a.name = e.extname WHERE e.extname = 'xtree')"),
             "");
}

void Memory(Report& report) {
  report.Add(Paragraph("Of the indexes of all databases."));
  report.Add(BarsOf, report.Ask(R"(
    SELECT what, share, pg_size_pretty(part) || ' of ' || pg_size_pretty(whole) || ' ' || of_what
    FROM @extschema@.pg_stat_xtree_memory m,
      LATERAL (SELECT 1024 * setting::int8 AS pins FROM pg_settings WHERE name = 'xtree.pin_memory_limit') s,
      LATERAL (VALUES ('resident and private', m.pressure, m.resident_bytes + m.private_bytes, m.memory_budget, '(xtree.memory_budget)'),
        ('pinned', m.pinned_bytes::float8 / nullif(s.pins, 0), m.pinned_bytes, s.pins, '(xtree.pin_memory_limit)'))
        v(what, share, part, whole, of_what)
    WHERE share IS NOT NULL)"),
             "There is no memory budget, and nothing is pinned.");
  report.Add(FactsOf, report.Ask(R"(
    SELECT registered AS "indexes used", loaded AS "of them loaded", pg_size_pretty(resident_bytes) AS "resident",
      pg_size_pretty(pinned_bytes) AS "pinned", pg_size_pretty(private_bytes) AS "private to sessions",
      pg_size_pretty(mapped_bytes) AS "mapped, over sessions",
      coalesce(pg_size_pretty(memory_budget), 'none') AS "budget", coalesce(pg_size_pretty(memlock_limit), 'none known') AS "system's limit of locks",
      pin_failures || coalesce(': ' || last_pin_failure, '') AS "pins that failed", pg_size_pretty(evicted_bytes) AS "freed by evictions"
    FROM @extschema@.pg_stat_xtree_memory)"),
             "");
}

void States(Report& report) {
  report.Add(TableOf, report.Ask(R"(
    SELECT state, count(*) AS ">indexes", pg_size_pretty(sum(size)) AS ">size", pg_size_pretty(sum(resident_bytes)) AS ">in memory",
      sum(scans) AS ">scans"
    FROM @extschema@.pg_stat_xtree_indexes GROUP BY state ORDER BY count(*) DESC, state)"),
             "There is no xtree index in this database.");
}

void Indexes(Report& report) {
  const Answer answer = report.Ask(R"(
    SELECT schemaname || '.' || indexrelname AS "index", relname AS "table", state || ', ' || strategy AS "state", pg_size_pretty(size) AS ">size",
      pg_size_pretty(resident_bytes) AS ">in memory", pg_size_pretty(pinned_bytes) AS ">pinned", entries AS ">entries", scans AS ">scans",
      round((100 * hit_rate)::numeric, 1) AS ">hits, %", round((100 * mapped_share)::numeric, 1) AS ">mapped, %", loads AS ">loads",
      evictions AS ">evictions", to_char(last_access, 'YYYY-MM-DD HH24:MI') AS "last access"
    FROM @extschema@.pg_stat_xtree_indexes ORDER BY scans DESC NULLS LAST, size DESC NULLS LAST, schemaname, indexrelname)",
                                   report.limits().indexes);
  report.Add(TableOf, answer, "There is none.");
  if (answer.rows == report.limits().indexes)
    report.Add(Paragraph("The " + Grouped(answer.rows) + " most used, at most; pg_stat_xtree_indexes has all."));
}

void Recommendations(Report& report) {
  report.Add(TableOf,
             report.Ask(R"(
    SELECT coalesce(schemaname || '.' || indexrelname, 'the server') AS "index", advice, reason, statement, saves
    FROM @extschema@.xtree_recommendations ORDER BY indexrelid IS NOT NULL, schemaname, indexrelname, advice)",
                        report.limits().indexes),
             "There is nothing to say.");
}

// The view tells the words of an error only to those who may read them.
void Errors(Report& report) {
  report.Add(TableOf,
             report.Ask(R"(
    SELECT date_trunc('second', last_error_time) AS "time", schemaname || '.' || indexrelname AS "index", state,
      coalesce(last_error, 'only the owner and members of pg_read_all_stats may read it') AS "last error"
    FROM @extschema@.pg_stat_xtree_indexes WHERE last_error_time IS NOT NULL ORDER BY last_error_time DESC, indexrelid)",
                        report.limits().indexes),
             "No index has had one.");
}

void HitShares(Report& report) {
  constexpr int kBars = 25;
  report.Add(Paragraph("Share of the pages that scans read which were in memory already, of the indexes that were read most."));
  report.Add(BarsOf,
             report.Ask(R"(
    SELECT schemaname || '.' || indexrelname, hit_rate, to_char(coalesce(mapped_reads, 0) + buffer_reads, 'FM999,999,999,999,999') || ' pages read'
    FROM @extschema@.pg_stat_xtree_indexes WHERE hit_rate IS NOT NULL ORDER BY coalesce(mapped_reads, 0) + buffer_reads DESC, indexrelid)",
                        kBars),
             "No scan has been counted.");
}

double NumberOf(const char* text) { return text != nullptr ? strtod(text, nullptr) : std::numeric_limits<double>::quiet_NaN(); }

// Of the indexes that are listed, because each has a file of its own.
void PastAndFuture(Report& report) {
  const std::string most = std::to_string(report.limits().indexes);
  const Answer samples = report.Ask((R"(
    SELECT 1e6 * extract(epoch FROM min(h.sampled_at AT TIME ZONE current_setting('timezone')) - timestamp '2000-01-01'),
      sum(h.reads * h.hit_rate) / nullif(sum(h.reads), 0), sum(h.scans), sum(h.reads)
    FROM (SELECT indexrelid FROM @extschema@.pg_stat_xtree_indexes ORDER BY scans DESC NULLS LAST, indexrelid LIMIT )" +
                                     most + R"() i
      CROSS JOIN LATERAL @extschema@.xtree_index_history(i.indexrelid) h
    WHERE h.period IS NOT NULL
    GROUP BY floor(extract(epoch FROM h.sampled_at) / greatest((SELECT setting::int8 FROM pg_settings WHERE name = 'xtree.history_interval'), 1))
    ORDER BY 1)")
                                        .c_str());
  if (samples.rows < 2)
    return report.Add(Paragraph("There are no samples yet: the worker takes one of each index in use, every xtree.history_interval."));
  std::vector<ChartPoint> shares, scans, reads;
  for (int r = 0; r < samples.rows; r++) {
    const double time = NumberOf(samples.At(r, 0));
    shares.push_back({time, NumberOf(samples.At(r, 1))});
    scans.push_back({time, NumberOf(samples.At(r, 2))});
    reads.push_back({time, NumberOf(samples.At(r, 3))});
  }
  report.Add("<figure>" + TimeChart("Share of the pages read that were in memory", ChartScale::kShare, shares) + "</figure>\n");
  report.Add("<figure>" + TimeChart("Scans, for each sample", ChartScale::kNumber, scans) + "</figure>\n");
  report.Add("<figure>" + TimeChart("Pages read, for each sample", ChartScale::kNumber, reads) + "</figure>\n");
  report.Add(TableOf,
             report.Ask(R"(
    SELECT schemaname || '.' || indexrelname AS "index", use, pattern, begins_at::text AS "begins at", date_trunc('minute', next_use) AS "next use",
      usual_scans AS ">usual scans", unusual AS "unusual in the last interval"
    FROM @extschema@.pg_stat_xtree_usage WHERE use IS NOT NULL ORDER BY unusual IS NULL, usual_scans DESC, schemaname, indexrelname)",
                        report.limits().indexes),
             "There are too few samples to say how indexes are used.");
  report.Add(TableOf,
             report.Ask(R"(
    SELECT coalesce(n.nspname || '.' || c.relname, 'tablespace ' || s.spcname, 'all indexes in use') AS "what", pg_size_pretty(size) AS ">size",
      pg_size_pretty(expected_size) AS ">in 30 days", pg_size_pretty(least_size) || ' to ' || pg_size_pretty(most_size) AS ">range",
      pg_size_pretty(resident_bytes) AS ">in memory", pg_size_pretty(expected_resident_bytes) AS ">in 30 days, in memory",
      date_trunc('hour', disk_full_at) AS "disk full at", date_trunc('hour', budget_met_at) AS "budget met at"
    FROM @extschema@.xtree_forecast() f LEFT JOIN pg_class c ON c.oid = f.index::oid LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN pg_tablespace s ON s.oid = f.tablespace
    WHERE expected_size IS NOT NULL ORDER BY f.index IS NOT NULL, f.tablespace IS NOT NULL, expected_size - size DESC, 1)",
                        report.limits().indexes),
             "There are too few samples for a forecast.");
}

void Builds(Report& report) {
  report.Add(TableOf,
             report.Ask(R"(
    SELECT schemaname || '.' || indexrelname AS "index", relname AS "table", state, demand AS ">queries that asked",
      CASE WHEN is_stale THEN 'yes' ELSE 'no' END AS "rows written since",
      build_phase AS "phase", round((100 * build_progress)::numeric) AS ">%", date_trunc('second', next_build) AS "not tried before"
    FROM @extschema@.pg_stat_xtree_indexes WHERE NOT is_built OR build_phase IS NOT NULL
    ORDER BY demand DESC NULLS LAST, schemaname, indexrelname)",
                        report.limits().indexes),
             "All indexes are built, and none is being built.");
}

void Worker(Report& report) {
  report.Add(FactsOf, report.Ask(R"(
    SELECT coalesce(pid::text, 'none runs') AS "process", state, date_trunc('second', started) AS "started",
      date_trunc('second', last_cycle) AS "last round",
      round(cycle_time::numeric, 1) || ' ms' AS "it took", cycles AS "rounds", restarts AS "restarts after errors",
      last_error || coalesce(' (' || date_trunc('second', last_error_time) || ')', '') AS "last error"
    FROM @extschema@.pg_stat_xtree_worker)"),
             "There is none without shared_preload_libraries.");
}

void Pages(Report& report) {
  constexpr int kPages = 25;
  report.Add(TableOf,
             report.Ask(R"(
    SELECT schemaname || '.' || indexrelname AS "index", block::text AS "block", CASE level WHEN 0 THEN 'leaf' ELSE 'level ' || level END AS "kind",
      accesses AS ">visits", round(hotness::numeric, 2) AS ">hotness", CASE WHEN pinned THEN 'yes' ELSE 'no' END AS "pinned", suggestion
    FROM @extschema@.pg_stat_xtree_pages WHERE datname = current_database() AND indexrelname IS NOT NULL ORDER BY hotness DESC, indexrelid, block)",
                        kPages),
             "No page has been visited so often that it was noticed.");
}

void Events(Report& report) {
  report.Add(TableOf,
             report.Ask(R"(
    SELECT to_char("time", 'YYYY-MM-DD HH24:MI:SS') AS "time", kind, coalesce(schemaname || '.' || indexrelname, indexrelid::text) AS "index",
      pg_size_pretty(bytes) AS ">bytes", pid::text AS "process", reason
    FROM @extschema@.pg_stat_xtree_events WHERE datname = current_database() OR datid IS NULL ORDER BY number DESC)",
                        report.limits().events),
             "None is remembered.");
}

void ServerSettings(Report& report) {
  report.Add(TableOf, report.Ask(R"(
    SELECT name AS "setting", current_setting(name) AS "value",
      CASE WHEN setting IS DISTINCT FROM boot_val THEN 'changed (' || source || ')' ELSE 'default' END AS "origin",
      short_desc AS "meaning"
    FROM pg_settings WHERE name LIKE 'xtree.%' ORDER BY name)"),
             "");
}

// A picture in a subtransaction, so that an index that cannot be drawn does not keep the report from being made.
struct DrawCall {
  Oid index;
  text* svg;
};

void DrawOne(void* argument) {
  auto* call = static_cast<DrawCall*>(argument);
  PictureRequest request = OrdinaryPicture();
  request.height = 480;
  request.max_boxes = 800;
  call->svg = PictureOfIndex(call->index, request);
}

void Picture(Report& report, const char* name, Oid index) {
  DrawCall call = {index, nullptr};
  const ErrorData* error = PgCall([&] { return RunInSubtransaction(DrawOne, &call); });
  if (error != nullptr)
    return report.Add(Paragraph(std::string(name) + " could not be drawn: " + PgCall([&] { return ToUtf8(error->message); })));
  report.Add("<figure>" + std::string(VARDATA_ANY(call.svg), VARSIZE_ANY_EXHDR(call.svg)) + "</figure>\n");
}

// Of indexes of the caller's own, as xtree_svg.
void Pictures(Report& report) {
  if (report.limits().pictures == 0) return report.Add(Paragraph("None was asked for."));
  const Answer answer = report.Ask(R"(
    SELECT i.indexrelid, i.schemaname || '.' || i.indexrelname
    FROM @extschema@.pg_stat_xtree_indexes i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_index x ON x.indexrelid = c.oid
    WHERE pg_has_role(c.relowner, 'USAGE') AND i.is_built AND x.indisvalid AND NOT pg_is_other_temp_schema(c.relnamespace)
    ORDER BY i.scans DESC NULLS LAST, i.size DESC NULLS LAST, i.indexrelid)",
                                   report.limits().pictures);
  report.Add(
      Paragraph("The boxes of trees, of the indexes used most that belong to you. xtree_svg() draws others, other dimensions and what a "
                "query visits."));
  for (int r = 0; r < answer.rows; r++) Picture(report, answer.At(r, 1), static_cast<Oid>(strtoul(answer.At(r, 0), nullptr, 10)));
  if (answer.rows == 0) report.Add(Paragraph("There is no built index that belongs to you."));
}

}  // namespace

const std::vector<ReportSection>& ReportSections() {
  static const std::vector<ReportSection> kSections = {
      {{"overview", "Overview"}, Overview},                       // sums, and the server
      {{"memory", "Memory"}, Memory},                             // of all databases, with the limits
      {{"states", "States of indexes"}, States},                  // how many are loaded, unbuilt ...
      {{"indexes", "Indexes"}, Indexes},                          // one row each
      {{"recommendations", "Recommendations"}, Recommendations},  // what to do
      {{"errors", "Errors"}, Errors},                             // the last of each
      {{"hits", "Hit shares"}, HitShares},                        // as bars
      {{"history", "History"}, PastAndFuture},                    // hit shares over time, use, forecast
      {{"pictures", "Pictures"}, Pictures},                       // of trees
      {{"pages", "Hot pages"}, Pages},                            // the hottest
      {{"builds", "Builds"}, Builds},                             // what is not built
      {{"worker", "Worker"}, Worker},                             // what it does
      {{"events", "Events"}, Events},                             // the latest first
      {{"settings", "Settings"}, ServerSettings},                 // xtree.*
  };
  return kSections;
}

}  // namespace xtree
