// What the functions of templates do with texts. By characters, not bytes, where they count.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vigia::logql::pipeline {

enum class Side { kLeft, kRight, kBoth };

/// ASCII and the letters of Latin-1 (À to Þ); others stay.
std::string lower_case(std::string_view text);
std::string upper_case(std::string_view text);

/// The first `count` places of `old`, all with a negative one. Nothing past kFormattedBytesMax, as
/// of all below that give an optional.
std::optional<std::string> replaced(std::string_view text, std::string_view old,
                                    std::string_view by, std::int64_t count);
/// Without the characters of `set` at that side.
std::string trimmed(std::string_view text, std::string_view set, Side side);
/// The first `count` characters, or with a negative one the last.
std::string cut(std::int64_t count, std::string_view text);
/// Characters from `begin` up to `end`; the whole front with a negative begin, the whole rest with
/// a negative end.
std::string part_of(std::int64_t begin, std::int64_t end, std::string_view text);
std::optional<std::string> repeated(std::int64_t count, std::string_view text);
/// So many blanks at the front of each line.
std::optional<std::string> indented(std::int64_t count, std::string_view text);
/// As wide as that: blanks are added, or characters cut off, at the other side.
std::optional<std::string> aligned(std::int64_t width, std::string_view text, Side side);
/// As a query of a URL; a blank is "+".
std::optional<std::string> url_encoded(std::string_view text);
/// Nothing on a bad escape.
std::optional<std::string> url_decoded(std::string_view text);

}  // namespace vigia::logql::pipeline
