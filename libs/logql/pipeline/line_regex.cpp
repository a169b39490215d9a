#include "libs/logql/pipeline/line_regex.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

#include "libs/base/utf8.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql::pipeline {
namespace {

// RE2's own groups of one question; more are not asked for.
constexpr std::size_t kGroupsMax = 64;
// With less RE2 has no automaton and reads each line with all of its states, which is slow. A text
// of plain words has some states for each of its bytes.
constexpr std::size_t kRegexLeastBytes = 128U << 10U;
constexpr std::size_t kRegexBytesOfAByte = 128;
// Without an automaton an instruction costs 2 ns of each byte: 8 MiB of work are a second or two.
constexpr std::size_t kInstructionsOfAByte = 64;

re2::StringPiece piece_of(std::string_view text) { return {text.data(), text.size()}; }

bool match(const re2::RE2& regex, std::string_view text, std::size_t from,
           std::span<std::string_view> groups) {
  std::array<re2::StringPiece, kGroupsMax> found;
  const auto count = static_cast<int>(groups.size());
  if (!regex.Match(piece_of(text), from, text.size(), re2::RE2::UNANCHORED, found.data(), count)) {
    return false;
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i] = std::string_view(found[i].data(), found[i].size());
  }
  return true;
}

}  // namespace

LineRegex::LineRegex(std::unique_ptr<re2::RE2> regex)
    : regex_(std::move(regex)),
      weight_(1 + static_cast<std::size_t>(regex_->ProgramSize()) / kInstructionsOfAByte) {}
LineRegex::LineRegex(LineRegex&&) noexcept = default;
LineRegex& LineRegex::operator=(LineRegex&&) noexcept = default;
LineRegex::~LineRegex() = default;

std::size_t RegexMemory::take(std::size_t text_bytes) {
  const std::size_t half = left_ / 2;
  left_ -= half;
  return std::max(half, kRegexLeastBytes + text_bytes * kRegexBytesOfAByte);
}

Result<LineRegex> LineRegex::compile(std::string_view text, RegexMemory& memory, Dot dot) {
  re2::RE2::Options options;
  options.set_dot_nl(dot == Dot::kEverything);
  options.set_log_errors(false);
  options.set_max_mem(static_cast<std::int64_t>(memory.take(text.size())));
  auto regex = std::make_unique<re2::RE2>(piece_of(text), options);
  if (regex->error_code() == re2::RE2::ErrorPatternTooLarge) {
    return fail(ErrorCode::kTooLarge,
                "the regexes of the query are too many or too large: use fewer");
  }
  if (!regex->ok()) {
    return fail(ErrorCode::kInvalid,
                fmt::format("parse error: the regex {:.200}: {:.200}", text, regex->error()));
  }
  if (static_cast<std::size_t>(regex->NumberOfCapturingGroups()) >= kGroupsMax) {
    return fail(ErrorCode::kInvalid,
                fmt::format("parse error: a regex has {} groups at most", kGroupsMax - 1));
  }
  return LineRegex(std::move(regex));
}

bool LineRegex::is_in(std::string_view text) const {
  return re2::RE2::PartialMatch(piece_of(text), *regex_);
}

bool LineRegex::is_whole(std::string_view text) const {
  return re2::RE2::FullMatch(piece_of(text), *regex_);
}

bool LineRegex::find(std::string_view text, std::size_t from,
                     std::span<std::string_view> groups) const {
  return match(*regex_, text, from, groups);
}

std::size_t LineRegex::group_count() const {
  return static_cast<std::size_t>(regex_->NumberOfCapturingGroups());
}

std::vector<std::string> LineRegex::group_names() const {
  std::vector<std::string> names(group_count());
  for (const auto& [index, name] : regex_->CapturingGroupNames()) {
    names.at(static_cast<std::size_t>(index) - 1) = name;
  }
  return names;
}

Replacement::Replacement(std::string_view text, const LineRegex& regex, bool is_literal) {
  const std::vector<std::string> names = regex.group_names();
  while (!text.empty()) {
    const std::size_t dollar = is_literal ? std::string_view::npos : text.find('$');
    add_text(text.substr(0, dollar));
    if (dollar == std::string_view::npos) return;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      add_text("$");
      text.remove_prefix(1);
    } else {
      take_reference(text, names);
    }
  }
}

void Replacement::add_text(std::string_view text) {
  if (!text.empty()) pieces_.push_back(Piece{std::string(text), 0, false});
}

/// What follows a dollar, taken from `text`; one that is no reference stands for itself.
void Replacement::take_reference(std::string_view& text, const std::vector<std::string>& names) {
  const bool is_braced = text.starts_with('{');
  std::string_view rest = text.substr(is_braced ? 1 : 0);
  std::size_t length = 0;
  while (length < rest.size() && promql::is_word(rest[length])) ++length;
  const std::string_view name = rest.substr(0, length);
  if (name.empty() || (is_braced && (length == rest.size() || rest[length] != '}'))) {
    add_text("$");
    return;
  }
  text = rest.substr(length + (is_braced ? 1 : 0));
  std::size_t group = names.size() + 1;
  const auto [stop, failure] = std::from_chars(name.data(), name.data() + name.size(), group);
  if (failure != std::errc{} || stop != name.data() + name.size()) {
    group = names.size() + 1;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i] == name) group = i + 1;
    }
  }
  if (group <= names.size()) pieces_.push_back(Piece{{}, group, true});
}

void Replacement::append(std::string& out, std::span<const std::string_view> groups) const {
  for (const Piece& piece : pieces_) {
    out.append(piece.is_group ? groups[piece.group] : std::string_view(piece.text));
  }
}

bool replace_all(const LineRegex& regex, const Replacement& replacement, std::string_view text,
                 const ReplaceBounds& bounds, std::string& out) {
  std::array<std::string_view, kGroupsMax> all;
  const std::span<std::string_view> groups(all.data(), regex.group_count() + 1);
  out.clear();
  std::size_t at = 0;      // where the next search begins
  std::size_t copied = 0;  // up to where the text is in `out`
  std::size_t last_end = std::string_view::npos;
  while (at <= text.size()) {
    if (!bounds.work.take(regex.work_of(text.size() - at))) return false;
    if (!regex.find(text, at, groups)) break;
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = begin + groups[0].size();
    // Go passes over an empty match right behind another one.
    if (begin != end || begin != last_end) {
      out.append(text.substr(copied, begin - copied));
      replacement.append(out, groups);
      copied = end;
      last_end = end;
    }
    if (out.size() > bounds.bytes_max) return false;
    at = end;
    if (begin == end) at += std::max<std::size_t>(1, utf8_length(text.substr(end)));
  }
  out.append(text.substr(std::min(copied, text.size())));
  return out.size() <= bounds.bytes_max;
}

}  // namespace vigia::logql::pipeline
