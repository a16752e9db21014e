// Parts of a web page that is complete in itself: one file, nothing fetched, no script; readable in light and dark. Well-formed as XML, too, and
// plain ASCII (report/markup.h). Pure functions from plain data.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace xtree {

// What a query answered, as text (UTF-8). Plain data; lives as long as who asked says.
struct Answer {
  int columns;
  int rows;
  const char* const* name;   // of the columns; '>' before it: numbers, to be aligned at the right
  const char* const* value;  // row after row; nullptr: NULL

  const char* At(int row, int column) const { return value[row * columns + column]; }
};

struct PageSection {
  const char* id;
  const char* title;
};

std::string PageBegin(std::string_view title, std::string_view subtitle, const std::vector<PageSection>& sections);
std::string PageEnd();
std::string SectionBegin(const PageSection& section);
std::string SectionEnd();

std::string Paragraph(std::string_view text);

// A table with a row for each.
std::string TableOf(const Answer& answer);
// Of one row: its columns below each other.
std::string FactsOf(const Answer& answer);
// Of one row: its columns side by side, in large letters.
std::string CardsOf(const Answer& answer);
// Of three columns: what, a share from 0 to 1 (NULL: none) as a bar, and what it is of.
std::string BarsOf(const Answer& answer);

}  // namespace xtree
