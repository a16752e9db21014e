// See explain_print.h.
#include "am/explain_print.h"

#ifdef XTREE_EXPLAIN_OPTION

#include "index/index_state.h"
#include "pg/settings.h"
#include "page/validate.h"

extern "C" {
#include "access/xact.h"
}

namespace xtree {

namespace {

// What is known without running.
struct IndexFacts {
  const char* problem;  // why a scan would be an ERROR; nullptr: it would not, as far as the meta page tells
  bool undecided;       // dimensions: the first row will decide
  int dimensions;
  uint64_t height;         // 0: not known
  const char* not_mapped;  // why scans of this node read through buffers; nullptr: they may map
  LoadView load;
};

const char* ProblemOf(const IndexState& state) {
  if (!state.meta_read) return "unreadable meta page";
  return state.build_state != MetaBuildState::kBuilt ? "not built" : nullptr;
}

// A damaged root is for the scan to report.
uint64_t HeightOfTree(Relation index, const IndexState& state) {
  if (state.undecided) return 1;
  if (RelationGetNumberOfBlocks(index) <= kRootBlock) return 0;
  const Buffer buffer = ReadBuffer(index, kRootBlock);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const uint8_t* page = pg::BufferBytes(buffer);
  const uint64_t height = ValidateNode(state.layout, page, -1) == nullptr ? NodeView(state.layout, page).level() + 1 : 0;
  UnlockReleaseBuffer(buffer);
  return height;
}

const char* WhyNotMapped(Relation index, const ExplainNode& node) {
  const char* reason = WhyNotMappable(index).reason;
  if (reason != nullptr) return reason;
  if (node.index_only) return "index-only scan";
  return IsolationIsSerializable() ? "SERIALIZABLE" : nullptr;
}

IndexFacts FactsOf(Relation index, const ExplainNode& node, const ScanReport* report) {
  const IndexState* state = CopyIndexState(index, MetaUse::kPlan);
  IndexFacts facts = {};
  facts.problem = ProblemOf(*state);
  facts.undecided = state->undecided;
  facts.dimensions = state->layout.dimensions;
  if (report != nullptr) facts.height = report->work.height;
  if (facts.height == 0 && facts.problem == nullptr) facts.height = HeightOfTree(index, *state);
  facts.not_mapped = WhyNotMapped(index, node);
  facts.load = ViewLoad(index);
  return facts;
}

// Text: numbers that are 0 are left out, unless they are the first of their line.
class TextLine {
 public:
  TextLine(ExplainState* es, const char* head) : text_(es->str) {
    ExplainIndentText(es);
    appendStringInfo(text_, "%s:", head);
  }
  void Always(const char* name, uint64_t count) { appendStringInfo(text_, " %s=" UINT64_FORMAT, name, count); }
  void Count(const char* name, uint64_t count) {
    if (count != 0) Always(name, count);
  }
  void Word(const char* name, const char* word) { appendStringInfo(text_, " %s=%s", name, word); }
  void Append(const char* words) { appendStringInfoString(text_, words); }
  void End() { appendStringInfoChar(text_, '\n'); }

 private:
  StringInfo text_;
};

void PrintFacts(const IndexFacts& facts, ExplainState* es) {
  TextLine line(es, "XTree");
  if (facts.problem != nullptr) line.Append(psprintf(" %s,", facts.problem));
  if (facts.undecided)
    line.Word("dimensions", "undecided");
  else
    line.Count("dimensions", static_cast<uint64_t>(facts.dimensions));
  line.Count("height", facts.height);
  line.Word("mapping", facts.not_mapped != nullptr ? psprintf("none (%s)", facts.not_mapped) : NameOf(facts.load.state));
  if (facts.load.resident_bytes > 0) line.Append(psprintf(" resident=" INT64_FORMAT "kB", facts.load.resident_bytes / 1024));
  line.End();
}

void PrintReport(const ScanReport& report, ExplainState* es) {
  const ScanWork& work = report.work;
  TextLine nodes(es, "XTree Nodes");
  nodes.Always("visited", work.nodes);
  nodes.Count("leaves", work.leaves);
  nodes.Count("supernodes", work.supernodes);
  nodes.Count("pruned", work.Pruned());
  nodes.Append(", entries");
  nodes.Always("tested", work.entries);
  nodes.Always("matched", work.matches);
  nodes.Count("recheck", work.rechecks);
  nodes.Count("distance_recheck", report.distance_rechecks);
  nodes.End();
  if (report.all_clusters > 0) {
    TextLine clusters(es, "XTree Clusters");
    clusters.Always("visited", report.clusters);
    clusters.Always("of", report.all_clusters);
    clusters.Count("codes", report.codes);
    clusters.Append(report.approximate ? ", approximate" : ", exact");
    clusters.End();
  }
  const ScanCounts& counts = report.counts;
  TextLine pages(es, "XTree Pages");
  pages.Always("mapped", counts.mapped_pages);
  pages.Always("buffers", counts.buffer_pages);
  pages.Count("absent", counts.absent_pages);
  pages.Count("prefetched", counts.prefetches);
  pages.Count("retries", counts.retries);
  pages.Count("faults", counts.faults);
  if (report.lost_searches > 0) pages.Append(psprintf(", not counted: searches in workers=" UINT64_FORMAT, report.lost_searches));
  pages.End();
}

void PutFacts(const IndexFacts& facts, ExplainState* es) {
  if (facts.problem != nullptr) ExplainPropertyText("Problem", facts.problem, es);
  if (!facts.undecided) ExplainPropertyInteger("Dimensions", nullptr, facts.dimensions, es);
  if (facts.height > 0) ExplainPropertyUInteger("Height", nullptr, facts.height, es);
  ExplainPropertyText("Mapping", facts.not_mapped != nullptr ? "none" : NameOf(facts.load.state), es);
  if (facts.not_mapped != nullptr) ExplainPropertyText("Reason For No Mapping", facts.not_mapped, es);
  if (facts.load.resident_bytes > 0) ExplainPropertyInteger("Resident", "kB", facts.load.resident_bytes / 1024, es);
}

void PutReport(const ScanReport& report, ExplainState* es) {
  const auto put = [es](const char* name, uint64_t count) { ExplainPropertyUInteger(name, nullptr, count, es); };
  put("Nodes Visited", report.work.nodes);
  put("Leaves Visited", report.work.leaves);
  put("Supernodes Visited", report.work.supernodes);
  put("Nodes Pruned", report.work.Pruned());
  put("Entries Tested", report.work.entries);
  put("Entries Matched", report.work.matches);
  put("Rechecks", report.work.rechecks);
  put("Distance Rechecks", report.distance_rechecks);
  if (report.all_clusters > 0) {
    put("Clusters Visited", report.clusters);
    put("Clusters", report.all_clusters);
    put("Codes", report.codes);
    ExplainPropertyText("Search", report.approximate ? "approximate" : "exact", es);
  }
  put("Mapped Pages", report.counts.mapped_pages);
  put("Buffer Pages", report.counts.buffer_pages);
  put("Absent Pages", report.counts.absent_pages);
  put("Prefetched Pages", report.counts.prefetches);
  put("Retries", report.counts.retries);
  put("Faults", report.counts.faults);
  put("Searches Not Counted", report.lost_searches);
}

}  // namespace

void PrintIndex(Relation index, const ExplainNode& node, const ScanReport* report, ExplainState* es) {
  const IndexFacts facts = FactsOf(index, node, report);
  if (es->format == EXPLAIN_FORMAT_TEXT) {
    PrintFacts(facts, es);
    if (report != nullptr) PrintReport(*report, es);
    return;
  }
  ExplainOpenGroup("XTree", "XTree", true, es);
  PutFacts(facts, es);
  if (report != nullptr) PutReport(*report, es);
  ExplainCloseGroup("XTree", "XTree", true, es);
}

}  // namespace xtree

#endif
