#include "report/markup.h"

#include <charconv>
#include <cstdint>

namespace xtree {

namespace {

constexpr uint32_t kReplacement = 0xFFFD;

// What XML 1.0 calls a character, but for carriage returns, which parsers turn into line feeds.
bool Allowed(uint32_t c) {
  if (c < 0x20) return c == '\t' || c == '\n';
  return c < 0xD800 || (c > 0xDFFF && c < 0xFFFE) || (c > 0xFFFF && c <= 0x10FFFF);
}

int BytesBehind(uint8_t first) {
  if (first >= 0xC2 && first <= 0xDF) return 1;
  if (first >= 0xE0 && first <= 0xEF) return 2;
  if (first >= 0xF0 && first <= 0xF4) return 3;
  return -1;
}

// The character at the beginning, which is taken away; one byte of it where it is none.
uint32_t TakeCharacter(std::string_view* text) {
  const auto first = static_cast<uint8_t>(text->front());
  text->remove_prefix(1);
  if (first < 0x80) return first;
  const int behind = BytesBehind(first);
  if (behind < 0 || text->size() < static_cast<size_t>(behind)) return kReplacement;
  uint32_t c = first & (0x3F >> behind);
  for (int i = 0; i < behind; i++) {
    const auto byte = static_cast<uint8_t>((*text)[i]);
    if ((byte & 0xC0) != 0x80) return kReplacement;
    c = c << 6 | (byte & 0x3F);
  }
  constexpr uint32_t kLeast[] = {0, 0x80, 0x800, 0x10000};
  if (c < kLeast[behind]) return kReplacement;  // written longer than need be
  text->remove_prefix(behind);
  return c;
}

void AppendReference(std::string* out, uint32_t c) { *out += "&#" + std::to_string(c) + ";"; }

}  // namespace

std::string Escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    uint32_t c = TakeCharacter(&text);
    if (!Allowed(c)) c = kReplacement;
    const bool plain = (c >= 0x20 && c < 0x7F) || c == '\n';
    if (!plain || c == '&' || c == '<' || c == '>' || c == '"' || c == '\'') {
      AppendReference(&out, c);
    } else {
      out += static_cast<char>(c);
    }
  }
  return out;
}

std::string Shortened(std::string_view text, size_t most) {
  std::string_view rest = text;
  size_t end = 0;  // of the first most - 1 characters
  for (size_t count = 0; !rest.empty(); count++) {
    if (count == most) return std::string(text.substr(0, end)) + "\xE2\x80\xA6";
    TakeCharacter(&rest);
    if (count + 1 < most) end = text.size() - rest.size();
  }
  return std::string(text);
}

std::string Fixed(double value, int decimals) {
  char digits[512];  // the largest double has 309 before the point
  const std::to_chars_result end = std::to_chars(digits, digits + sizeof(digits), value, std::chars_format::fixed, decimals);
  std::string text(digits, end.ptr);
  return text.find_first_not_of("-0.") == std::string::npos && text.front() == '-' ? text.substr(1) : text;
}

std::string Grouped(uint64_t number) {
  std::string digits = std::to_string(number);
  for (size_t place = digits.size(); place > 3; place -= 3) digits.insert(place - 3, ",");
  return digits;
}

}  // namespace xtree
