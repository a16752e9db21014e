#include "report/html_page.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "report/markup.h"

namespace xtree {

namespace {

constexpr std::string_view kStyle =
    ":root{color-scheme:light dark;--ink:#1c2126;--faint:#626b75;--paper:#fff;--line:#d9dee3;--shade:#f3f5f7;--bar:#0072b2;--link:#005a8c}"
    "@media(prefers-color-scheme:dark){:root{--ink:#dfe3e7;--faint:#9aa4ae;--paper:#15181c;--line:#343b43;--shade:#1e2329;--bar:#56b4e9;--"
    "link:#7cc4f0}}"
    "body{margin:0 auto;padding:1.5rem;max-width:84rem;font:15px/1.45 system-ui,sans-serif;color:var(--ink);background:var(--paper)}"
    "h1{font-size:1.6rem;margin:0}h2{font-size:1.2rem;margin:2.2rem 0 .6rem;padding-bottom:.2rem;border-bottom:1px solid var(--line)}"
    "a{color:var(--link)}nav{margin:1rem 0}nav a{margin-right:1rem;white-space:nowrap}p{margin:.5rem 0}.faint{color:var(--faint)}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem}th,td{padding:.25rem .45rem;text-align:left;vertical-align:top}"
    "thead th{border-bottom:2px solid var(--line);white-space:nowrap}tbody tr:nth-child(even){background:var(--shade)}"
    ".number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}td{max-width:30rem;overflow-wrap:break-word}.short{"
    "white-space:nowrap}"
    ".facts th{font-weight:600;white-space:nowrap;color:var(--faint)}"
    ".cards{display:flex;flex-wrap:wrap;gap:.8rem;margin:1rem 0}.card{background:var(--shade);border-radius:.5rem;padding:.6rem "
    "1rem;min-width:6rem}"
    ".card b{display:block;font-size:1.35rem}.bars{margin:.8rem 0}.bars td{vertical-align:middle}"
    ".bar{width:16rem;height:.8rem;background:var(--line);border-radius:.2rem;overflow:hidden}.bar div{height:100%;background:var(--bar)}"
    "figure{margin:1rem 0;overflow-x:auto}@media print{nav{display:none}}";

bool IsNumber(const char* name) { return name[0] == '>'; }
std::string NameOf(const char* name) { return Escaped(name + IsNumber(name)); }

// A whole number gets separators.
std::string ValueOf(const char* value, bool number) {
  if (value == nullptr) return "&#8211;";
  const size_t length = strlen(value);
  if (!number || length == 0 || length > 19 || strspn(value, "0123456789") != length) return Escaped(value);
  uint64_t whole = 0;
  std::from_chars(value, value + length, whole);
  return Grouped(whole);
}

std::string Cell(const char* tag, bool number, const std::string& content) {
  constexpr size_t kShort = 26;  // is not broken into lines: a time, a name
  const char* kind = number ? " class=\"number\">" : content.size() <= kShort ? " class=\"short\">" : ">";
  return std::string("<") + tag + kind + content + "</" + tag + ">";
}

double ShareOf(const char* text) {
  double share = 0;
  std::from_chars(text, text + strlen(text), share);
  return std::clamp(share, 0.0, 1.0);
}

}  // namespace

std::string PageBegin(std::string_view title, std::string_view subtitle, const std::vector<PageSection>& sections) {
  std::string out =
      "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"/>\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>";
  out +=
      Escaped(title) + "</title>\n<style>" + std::string(kStyle) + "</style>\n</head>\n<body>\n<header><h1>" + Escaped(title) + "</h1>\n";
  out += "<p class=\"faint\">" + Escaped(subtitle) + "</p></header>\n<nav>";
  for (const PageSection& section : sections) out += std::string("<a href=\"#") + section.id + "\">" + Escaped(section.title) + "</a>\n";
  return out + "</nav>\n<main>\n";
}

std::string PageEnd() { return "</main>\n</body>\n</html>\n"; }

std::string SectionBegin(const PageSection& section) {
  return std::string("<section id=\"") + section.id + "\">\n<h2>" + Escaped(section.title) + "</h2>\n";
}
std::string SectionEnd() { return "</section>\n"; }

std::string Paragraph(std::string_view text) { return "<p class=\"faint\">" + Escaped(text) + "</p>\n"; }

std::string TableOf(const Answer& answer) {
  std::string out = "<div class=\"wide\"><table>\n<thead><tr>";
  for (int c = 0; c < answer.columns; c++) out += Cell("th", IsNumber(answer.name[c]), NameOf(answer.name[c]));
  out += "</tr></thead>\n<tbody>\n";
  for (int r = 0; r < answer.rows; r++) {
    out += "<tr>";
    for (int c = 0; c < answer.columns; c++) {
      const bool number = IsNumber(answer.name[c]);
      out += Cell("td", number, ValueOf(answer.At(r, c), number));
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string FactsOf(const Answer& answer) {
  std::string out = "<table class=\"facts\"><tbody>\n";
  for (int c = 0; c < answer.columns; c++)
    out += "<tr>" + Cell("th", false, NameOf(answer.name[c])) + Cell("td", false, ValueOf(answer.At(0, c), IsNumber(answer.name[c]))) +
           "</tr>\n";
  return out + "</tbody></table>\n";
}

std::string CardsOf(const Answer& answer) {
  std::string out = "<div class=\"cards\">\n";
  for (int c = 0; c < answer.columns; c++)
    out += "<div class=\"card\"><b>" + ValueOf(answer.At(0, c), IsNumber(answer.name[c])) + "</b>" + NameOf(answer.name[c]) + "</div>\n";
  return out + "</div>\n";
}

std::string BarsOf(const Answer& answer) {
  std::string out = "<div class=\"wide\"><table class=\"bars\"><tbody>\n";
  for (int r = 0; r < answer.rows; r++) {
    const char* share = answer.At(r, 1);
    if (share == nullptr) continue;
    const std::string percent = Fixed(ShareOf(share) * 100, 1);
    out += "<tr>" + Cell("th", false, ValueOf(answer.At(r, 0), false)) + "<td><div class=\"bar\"><div style=\"width:" + percent +
           "%\"></div></div></td>" + Cell("td", true, percent + " %") + Cell("td", false, ValueOf(answer.At(r, 2), false)) + "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

}  // namespace xtree
