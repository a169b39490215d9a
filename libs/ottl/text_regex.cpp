#include "libs/ottl/text_regex.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include <fmt/format.h>
#include <re2/re2.h>

#include "libs/base/utf8.hpp"

namespace vigia::ottl {
namespace {

constexpr std::size_t kGroupsMax = 64;
// With less RE2 builds no automaton and meets each byte with all of its states.
constexpr std::size_t kRoomLeast = 128U << 10U;
constexpr std::size_t kRoomOfAByte = 128;
// Some 2 ns an instruction and byte where there is no automaton.
constexpr std::size_t kInstructionsOfAByte = 64;

re2::StringPiece piece_of(std::string_view text) { return {text.data(), text.size()}; }

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/// The group that a reference names; nothing where there is none.
std::size_t group_of(std::string_view name, const std::vector<std::string>& names) {
  std::size_t number = 0;
  const char* end = name.data() + name.size();
  const auto read = std::from_chars(name.data(), end, number);
  if (read.ec == std::errc() && read.ptr == end) return number;
  // Of several of one name the last counts.
  for (std::size_t i = names.size(); i > 0; --i) {
    if (names[i - 1] == name) return i;
  }
  return names.size() + 1;
}

}  // namespace

std::size_t RegexRoom::take(std::size_t text_bytes) {
  const std::size_t half = left_ / 2;
  left_ -= half;
  return std::max(half, kRoomLeast + text_bytes * kRoomOfAByte);
}

TextRegex::TextRegex(std::unique_ptr<re2::RE2> regex)
    : regex_(std::move(regex)),
      names_(static_cast<std::size_t>(regex_->NumberOfCapturingGroups())),
      weight_(1 + static_cast<std::size_t>(regex_->ProgramSize()) / kInstructionsOfAByte) {
  for (const auto& [index, name] : regex_->CapturingGroupNames())
    names_.at(static_cast<std::size_t>(index) - 1) = name;
}
TextRegex::TextRegex(TextRegex&&) noexcept = default;
TextRegex& TextRegex::operator=(TextRegex&&) noexcept = default;
TextRegex::~TextRegex() = default;

Result<TextRegex> TextRegex::compile(std::string_view text, RegexRoom& room, Dot dot) {
  re2::RE2::Options options;
  options.set_dot_nl(dot == Dot::kEverything);
  options.set_log_errors(false);
  options.set_max_mem(static_cast<std::int64_t>(room.take(text.size())));
  auto regex = std::make_unique<re2::RE2>(piece_of(text), options);
  if (regex->error_code() == re2::RE2::ErrorPatternTooLarge)
    return fail(ErrorCode::kTooLarge, "the regexes are too many or too large");
  if (!regex->ok())
    return fail(ErrorCode::kInvalid,
                fmt::format("this regex cannot be read: {:.200}", regex->error()));
  if (static_cast<std::size_t>(regex->NumberOfCapturingGroups()) >= kGroupsMax)
    return fail(ErrorCode::kInvalid, fmt::format("a regex has {} groups at most", kGroupsMax - 1));
  return TextRegex(std::move(regex));
}

bool TextRegex::is_in(std::string_view text) const {
  return re2::RE2::PartialMatch(piece_of(text), *regex_);
}

bool TextRegex::is_whole(std::string_view text) const {
  return re2::RE2::FullMatch(piece_of(text), *regex_);
}

bool TextRegex::find(std::string_view text, std::size_t from,
                     std::span<std::string_view> groups) const {
  std::array<re2::StringPiece, kGroupsMax> found;
  if (!regex_->Match(piece_of(text), from, text.size(), re2::RE2::UNANCHORED, found.data(),
                     static_cast<int>(groups.size())))
    return false;
  for (std::size_t i = 0; i < groups.size(); ++i)
    groups[i] = {found.at(i).data(), found.at(i).size()};
  return true;
}

MatchTemplate::MatchTemplate(std::string_view text, const TextRegex& regex) {
  while (!text.empty()) {
    const std::size_t dollar = text.find('$');
    if (dollar != 0) parts_.push_back({std::string(text.substr(0, dollar))});
    if (dollar == std::string_view::npos) return;
    text.remove_prefix(dollar + 1);
    if (text.starts_with('$')) {
      parts_.push_back({"$"});
      text.remove_prefix(1);
    } else {
      add_reference(text, regex.group_names());
    }
  }
}

/// What follows a dollar; one that is no reference stands for itself.
void MatchTemplate::add_reference(std::string_view& text, const std::vector<std::string>& names) {
  const std::size_t brace = text.starts_with('{') ? 1 : 0;
  std::size_t end = brace;
  while (end < text.size() && is_word(text[end])) ++end;
  const bool is_ended = brace == 0 || (end < text.size() && text[end] == '}');
  if (end == brace || !is_ended) {
    parts_.push_back({"$"});
    return;
  }
  const std::size_t group = group_of(text.substr(brace, end - brace), names);
  text.remove_prefix(end + brace);
  if (group <= names.size()) parts_.push_back({{}, group, true});
}

void MatchTemplate::append(std::string& out, std::span<const std::string_view> groups) const {
  for (const Part& part : parts_)
    out.append(part.is_group ? groups[part.group] : std::string_view(part.text));
}

Replaced replace_matches(const TextRegex& regex, const MatchTemplate& by, std::string_view text,
                         const ReplaceLimits& limits, std::string& out, std::uint64_t& work) {
  return replace_matches(
      regex,
      [&by](std::string& into, std::span<const std::string_view> groups) {
        by.append(into, groups);
        return true;
      },
      text, limits, out, work);
}

Replaced replace_matches(const TextRegex& regex, const PutReplacement& put, std::string_view text,
                         const ReplaceLimits& limits, std::string& out, std::uint64_t& work) {
  std::array<std::string_view, kGroupsMax> room;
  const std::span<std::string_view> groups(room.data(), regex.group_count() + 1);
  out.clear();
  std::size_t copied = 0;
  std::size_t last_end = std::string_view::npos;
  for (std::size_t at = 0; at <= text.size();) {
    work += regex.work_of(text.size() - at);
    if (work > limits.work_max) return Replaced::kTooMuch;
    if (!regex.find(text, at, groups)) break;
    const auto begin = static_cast<std::size_t>(groups[0].data() - text.data());
    const std::size_t end = begin + groups[0].size();
    // An empty match right behind another one is none, in Go.
    if (begin != end || begin != last_end) {
      out.append(text.substr(copied, begin - copied));
      if (!put(out, groups)) return Replaced::kFailed;
      copied = last_end = end;
    }
    if (out.size() > limits.bytes_max) return Replaced::kTooMuch;
    at = begin == end ? end + std::max<std::size_t>(1, utf8_length(text.substr(end))) : end;
  }
  out.append(text.substr(std::min(copied, text.size())));
  return out.size() <= limits.bytes_max ? Replaced::kDone : Replaced::kTooMuch;
}

}  // namespace vigia::ottl
