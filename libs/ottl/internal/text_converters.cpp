// Converters of texts.
#include <algorithm>
#include <array>
#include <bit>

#include <fmt/format.h>

#include "libs/base/base64.hpp"
#include "libs/base/hex.hpp"
#include "libs/base/utf8.hpp"
#include "libs/ottl/internal/function.hpp"
#include "libs/ottl/limits.hpp"
#include "libs/wire/edit/value.hpp"

namespace vigia::ottl::internal {
namespace {

bool give(Evaluation& evaluation, const std::string& text, Value& out) {
  out = Value::of_string(text);
  return evaluation.keep(text);
}

bool is_match(const Call& call, Evaluation& evaluation, Value& out) {
  std::optional<std::string_view> text;
  if (!get_text_like(*call.slots[0].getter, evaluation, text)) return false;
  const TextRegex& regex = *call.slots[1].regex;
  if (text) evaluation.charge(regex.work_of(text->size()));
  out = Value::of_bool(text.has_value() && regex.is_in(*text));
  return true;
}

bool concat(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view delimiter;
  if (!get_string(call, 1, evaluation, delimiter)) return false;
  std::string& text = evaluation.make();
  bool is_first = true;
  for (const GetterPtr& getter : call.slots[0].values) {
    std::optional<std::string_view> part;
    if (!get_text_like(*getter, evaluation, part)) return false;
    if (!is_first) text += delimiter;
    is_first = false;
    text += part.value_or("<nil>");
    if (text.size() > kMessageBytesMax) break;
  }
  return give(evaluation, text, out);
}

/// Between bytes where the delimiter is empty: between characters, as Go does it.
std::size_t next_delimiter(std::string_view rest, std::string_view delimiter) {
  if (!delimiter.empty()) return rest.find(delimiter);
  const std::size_t length = std::max<std::size_t>(1, utf8_length(rest));
  return length < rest.size() ? length : std::string_view::npos;
}

bool split(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view rest;
  std::string_view delimiter;
  if (!get_string(call, 0, evaluation, rest) || !get_string(call, 1, evaluation, delimiter))
    return false;
  evaluation.charge(rest.size());
  std::string& array = evaluation.make();
  std::string& element = evaluation.make();
  const auto append = [&](std::string_view part) {
    element.clear();
    wire::edit::append_value(element, wire::edit::ValueView::of_text(part));
    append_element(array, element);
  };
  bool is_whole = rest.empty() && delimiter.empty();
  while (!is_whole) {
    const std::size_t end = next_delimiter(rest, delimiter);
    append(rest.substr(0, end));
    is_whole = end == std::string_view::npos;
    if (!is_whole) rest.remove_prefix(end + delimiter.size());
    if (array.size() > kMessageBytesMax) break;
  }
  out = Value::of_list(array);
  return evaluation.keep(array);
}

bool substring(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view text;
  std::int64_t start = 0;
  std::int64_t length = 0;
  if (!get_string(call, 0, evaluation, text) || !get_int(call, 1, evaluation, start) ||
      !get_int(call, 2, evaluation, length))
    return false;
  const auto size = static_cast<std::int64_t>(text.size());
  if (start < 0 || length <= 0 || start > size || length > size - start)
    return evaluation.fail("the part lies outside of the text", call.offset);
  auto begin = static_cast<std::size_t>(start);
  auto end = static_cast<std::size_t>(start + length);
  const auto is_inside = [&](std::size_t at) {
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80;
  };
  if (call.slots[3].flag) {
    while (is_inside(begin)) ++begin;
    while (end > begin && is_inside(end)) --end;
  }
  out = Value::of_string(text.substr(begin, end > begin ? end - begin : 0));
  return true;
}

bool trim(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view text;
  if (!get_string(call, 0, evaluation, text)) return false;
  const std::string_view off = call.slots[1].is_given ? std::string_view(call.slots[1].text) : " ";
  const std::size_t begin = text.find_first_not_of(off);
  const std::size_t end = text.find_last_not_of(off);
  out = Value::of_string(begin == std::string_view::npos ? std::string_view{}
                                                         : text.substr(begin, end - begin + 1));
  return true;
}

std::string check_trim(const Call& call) {
  const std::string& off = call.slots[1].text;
  const bool is_ascii = std::all_of(off.begin(), off.end(), [](char c) { return c >= 0; });
  return is_ascii ? "" : "only ASCII is trimmed";
}

/// What stands at the beginning or the end of a text.
template <bool kIsPrefix, bool kIsQuestion>
bool look_at_end(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view text;
  std::string_view part;
  if (!get_string(call, 0, evaluation, text) || !get_string(call, 1, evaluation, part))
    return false;
  const bool has_it = kIsPrefix ? text.starts_with(part) : text.ends_with(part);
  if (kIsQuestion) {
    out = Value::of_bool(has_it);
    return true;
  }
  if (has_it && kIsPrefix) text.remove_prefix(part.size());
  if (has_it && !kIsPrefix) text.remove_suffix(part.size());
  out = Value::of_string(text);
  return true;
}

bool hash_sha256(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view text;
  if (!get_string(call, 0, evaluation, text)) return false;
  evaluation.charge(text.size());
  std::string& made = evaluation.make();
  made = sha256_hex(text);
  return give(evaluation, made, out);
}

/// 64 bits of FNV-1a.
bool hash_fnv(const Call& call, Evaluation& evaluation, Value& out) {
  constexpr std::uint64_t kOffset = 14'695'981'039'346'656'037ULL;
  constexpr std::uint64_t kPrime = 1'099'511'628'211ULL;
  std::string_view text;
  if (!get_string(call, 0, evaluation, text)) return false;
  evaluation.charge(text.size());
  std::uint64_t hash = kOffset;
  for (const char byte : text) hash = (hash ^ static_cast<unsigned char>(byte)) * kPrime;
  out = Value::of_int(std::bit_cast<std::int64_t>(hash));
  return true;
}

bool encode_base64(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view text;
  if (!get_string(call, 0, evaluation, text)) return false;
  evaluation.charge(text.size());
  std::string& made = evaluation.make();
  made = to_base64(text);
  return give(evaluation, made, out);
}

bool to_string_value(const Call& call, Evaluation& evaluation, Value& out) {
  std::optional<std::string_view> text;
  if (!get_text_like(*call.slots[0].getter, evaluation, text)) return false;
  out = text ? Value::of_string(*text) : Value{};
  return true;
}

/// The named groups of the first match, as a map.
bool extract_patterns(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view text;
  if (!get_string(call, 0, evaluation, text)) return false;
  const TextRegex& regex = *call.slots[1].regex;
  evaluation.charge(regex.work_of(text.size()));
  std::vector<std::string_view> groups(regex.group_count() + 1);
  std::string& list = evaluation.make();
  if (regex.find(text, 0, groups)) {
    const std::vector<std::string>& names = call.slots[1].texts;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].empty()) continue;
      append_entry(list, names[i],
                   wire::edit::encoded_value(wire::edit::ValueView::of_text(groups[i + 1])));
    }
  }
  out = Value::of_map(list);
  return evaluation.keep(list);
}

std::string check_patterns(const Call& call) {
  const std::vector<std::string>& names = call.slots[1].texts;
  const bool has_one = std::any_of(names.begin(), names.end(),
                                   [](const std::string& name) { return !name.empty(); });
  return has_one ? "" : "the pattern has no named group, as in (?P<name>…)";
}

constexpr std::array<Parameter, 1> kText{{{"target", ParameterForm::kString}}};
constexpr std::array<Parameter, 1> kTextLike{{{"target", ParameterForm::kStringLike}}};
constexpr std::array<Parameter, 2> kIsMatch{
    {{"target", ParameterForm::kStringLike}, {"pattern", ParameterForm::kRegex}}};
constexpr std::array<Parameter, 2> kPatterns{
    {{"target", ParameterForm::kString}, {"pattern", ParameterForm::kRegex}}};
constexpr std::array<Parameter, 2> kConcat{
    {{"vals", ParameterForm::kValues}, {"delimiter", ParameterForm::kString}}};
constexpr std::array<Parameter, 2> kSplit{
    {{"target", ParameterForm::kString}, {"delimiter", ParameterForm::kString}}};
constexpr std::array<Parameter, 4> kSubstring{{{"target", ParameterForm::kString},
                                               {"start", ParameterForm::kInt},
                                               {"length", ParameterForm::kInt},
                                               {"utf8_safe", ParameterForm::kFlag, true}}};
constexpr std::array<Parameter, 2> kTrim{
    {{"target", ParameterForm::kString}, {"replacement", ParameterForm::kText, true}}};
constexpr std::array<Parameter, 2> kPrefix{
    {{"target", ParameterForm::kString}, {"prefix", ParameterForm::kString}}};
constexpr std::array<Parameter, 2> kSuffix{
    {{"target", ParameterForm::kString}, {"suffix", ParameterForm::kString}}};

constexpr ValueForm kBool = ValueForm::kBool;
constexpr ValueForm kString = ValueForm::kString;

constexpr std::array kConverters{
    Function{"IsMatch", kIsMatch, is_match, kBool},
    Function{"Concat", kConcat, concat, kString},
    Function{"Split", kSplit, split, ValueForm::kList},
    Function{"Substring", kSubstring, substring, kString},
    Function{"Trim", kTrim, trim, kString, check_trim},
    Function{"TrimPrefix", kPrefix, look_at_end<true, false>, kString},
    Function{"TrimSuffix", kSuffix, look_at_end<false, false>, kString},
    Function{"HasPrefix", kPrefix, look_at_end<true, true>, kBool},
    Function{"HasSuffix", kSuffix, look_at_end<false, true>, kBool},
    Function{"SHA256", kText, hash_sha256, kString},
    Function{"FNV", kText, hash_fnv, ValueForm::kInt},
    Function{"Base64Encode", kText, encode_base64, kString},
    Function{"String", kTextLike, to_string_value},
    Function{"ExtractPatterns", kPatterns, extract_patterns, ValueForm::kMap, check_patterns},
};

}  // namespace

std::span<const Function> text_converters() { return kConverters; }

}  // namespace vigia::ottl::internal
