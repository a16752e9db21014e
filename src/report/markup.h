// Text for XML and HTML. What comes out is plain ASCII, with references for all other characters: it is right in any server encoding and in any
// file. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace xtree {

// For content and for attributes in double quotes. `text` is UTF-8; bytes that are not, and characters that XML does not allow, become U+FFFD.
std::string Escaped(std::string_view text);

// The first characters of a text, with an ellipsis where more are left out. REQUIRES: most >= 1.
std::string Shortened(std::string_view text, size_t most);

// Decimal, with a point whatever the locale is.
std::string Fixed(double value, int decimals);

// With separators of thousands.
std::string Grouped(uint64_t number);

}  // namespace xtree
