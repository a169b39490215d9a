// Functions that change a record.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "libs/ottl/internal/function.hpp"
#include "libs/ottl/limits.hpp"
#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl::internal {
namespace {

using wire::edit::ValueView;
bool run_set(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  Value value;
  return call.slots[1].getter->get(evaluation, value) && call.slots[0].path->set(evaluation, value);
}

bool run_delete_key(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  std::string_view key;
  return get_string(call, 1, evaluation, key) && call.slots[0].path->erase_entry(evaluation, key);
}

template <bool kKeepsMatches>
bool run_matching_keys(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  const TextRegex& regex = *call.slots[1].regex;
  return call.slots[0].path->for_each_entry(evaluation, [&](MapEntry& entry) {
    evaluation.charge(regex.work_of(entry.key.size()));
    entry.is_erased = regex.is_in(entry.key) != kKeepsMatches;
    return true;
  });
}

bool run_keep_keys(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  const std::vector<std::string>& keys = call.slots[1].texts;
  return call.slots[0].path->for_each_entry(evaluation, [&](MapEntry& entry) {
    evaluation.charge(keys.size());
    entry.is_erased = std::find(keys.begin(), keys.end(), entry.key) == keys.end();
    return true;
  });
}

std::string encoded_text(std::string_view text) {
  return wire::edit::encoded_value(ValueView::of_text(text));
}

bool run_truncate_all(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  const auto limit = static_cast<std::size_t>(call.slots[1].whole);
  const bool keeps_characters = !call.slots[2].is_given || call.slots[2].flag;
  const std::string& marker = call.slots[3].text;
  return call.slots[0].path->for_each_entry(evaluation, [&](MapEntry& entry) {
    const Value value = read_any_value(entry.value);
    if (value.kind != ValueForm::kString || value.bytes.size() <= limit) return true;
    std::size_t end = limit - marker.size();
    const auto is_inside = [&](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; };
    while (keeps_characters && end > 0 && is_inside(value.bytes[end])) --end;
    std::string& text = evaluation.make();
    text = value.bytes.substr(0, end);
    text += marker;
    std::string& encoded = evaluation.make();
    encoded = encoded_text(text);
    entry.value = encoded;
    entry.is_changed = true;
    return evaluation.keep(encoded);
  });
}

std::string check_truncate(const Call& call) {
  if (call.slots[1].whole < 0) return "the limit is 0 or more";
  return call.slots[3].text.size() > static_cast<std::size_t>(call.slots[1].whole)
             ? "the truncation_marker is longer than the limit"
             : "";
}

bool run_limit(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  const std::vector<std::string>& first = call.slots[2].texts;
  const auto is_first = [&](std::string_view key) {
    evaluation.charge(first.size());
    return std::find(first.begin(), first.end(), key) != first.end();
  };
  std::int64_t all = 0;
  std::int64_t kept = 0;
  const auto count = [&](MapEntry& entry) {
    ++all;
    if (is_first(entry.key)) ++kept;
    return true;
  };
  if (!call.slots[0].path->for_each_entry(evaluation, count)) return false;
  if (all <= call.slots[1].whole) return true;
  return call.slots[0].path->for_each_entry(evaluation, [&](MapEntry& entry) {
    if (is_first(entry.key)) return true;
    entry.is_erased = kept >= call.slots[1].whole;
    if (!entry.is_erased) ++kept;
    return true;
  });
}

std::string check_limit(const Call& call) {
  if (call.slots[1].whole < 0) return "the limit is 0 or more";
  return static_cast<std::size_t>(call.slots[1].whole) < call.slots[2].texts.size()
             ? "the limit is less than the number of priority_keys"
             : "";
}

bool run_merge_maps(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  Value source;
  if (!call.slots[1].getter->get(evaluation, source)) return false;
  if (source.kind != ValueForm::kMap)
    return evaluation.fail("this argument is no map", call.slots[1].offset);
  const Path& target = *call.slots[0].path;
  const std::string& strategy = call.slots[2].text;
  bool is_fine = true;
  std::uint64_t all = 0;
  wire::otlp::for_each_attribute({source.bytes, wire::otlp::ValuesField::kValues.number},
                                 [&](const wire::otlp::KeyValueView& entry) {
                                   bool is_there = false;
                                   if (!is_fine) return;
                                   evaluation.charge(2 * kKeyWork * all++);
                                   is_fine = target.has_entry(evaluation, entry.key, is_there);
                                   const bool puts =
                                       strategy == "upsert" || is_there == (strategy == "update");
                                   if (is_fine && puts)
                                     is_fine = target.put_entry(evaluation, entry.key, entry.value);
                                 });
  return is_fine;
}

std::string check_strategy(const Call& call) {
  const std::string& strategy = call.slots[2].text;
  return strategy == "insert" || strategy == "update" || strategy == "upsert"
             ? ""
             : "the strategy is \"insert\", \"update\" or \"upsert\"";
}

bool append_one(Evaluation& evaluation, std::string& array, const Getter& getter) {
  Value value;
  if (!getter.get(evaluation, value)) return false;
  std::string any_value;
  if (!append_any_value(any_value, value))
    return evaluation.fail("a time or a duration is no element of a list: make a number of it");
  append_element(array, any_value);
  return true;
}

bool run_append(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  Value old;
  if (!call.slots[0].path->get(evaluation, old)) return false;
  std::string& array = evaluation.make();
  if (old.kind == ValueForm::kMap)
    return evaluation.fail("nothing is appended to a map", call.offset);
  if (old.kind == ValueForm::kList) {
    array = old.bytes;
  } else if (!old.is_nil()) {
    std::string any_value;
    append_any_value(any_value, old);
    append_element(array, any_value);
  }
  if (call.slots[1].is_given && !append_one(evaluation, array, *call.slots[1].getter)) return false;
  for (const GetterPtr& getter : call.slots[2].values) {
    if (!append_one(evaluation, array, *getter)) return false;
  }
  return evaluation.keep(array) && call.slots[0].path->set(evaluation, Value::of_list(array));
}

std::string check_append(const Call& call) {
  return call.slots[1].is_given || call.slots[2].is_given ? "" : "a value, or values, are missing";
}

constexpr std::array<Parameter, 2> kSet{
    {{"target", ParameterForm::kTarget}, {"value", ParameterForm::kAny}}};
constexpr std::array<Parameter, 2> kDeleteKey{
    {{"target", ParameterForm::kMapTarget}, {"key", ParameterForm::kString}}};
constexpr std::array<Parameter, 2> kMatchingKeys{
    {{"target", ParameterForm::kMapTarget}, {"pattern", ParameterForm::kRegex}}};
constexpr std::array<Parameter, 2> kKeepKeys{
    {{"target", ParameterForm::kMapTarget}, {"keys", ParameterForm::kTexts}}};
constexpr std::array<Parameter, 4> kTruncateAll{
    {{"target", ParameterForm::kMapTarget},
     {"limit", ParameterForm::kWhole},
     {"utf8_safe", ParameterForm::kFlag, true},
     {"truncation_marker", ParameterForm::kText, true}}};
constexpr std::array<Parameter, 3> kLimit{{{"target", ParameterForm::kMapTarget},
                                           {"limit", ParameterForm::kWhole},
                                           {"priority_keys", ParameterForm::kTexts}}};
constexpr std::array<Parameter, 3> kMergeMaps{{{"target", ParameterForm::kMapTarget},
                                               {"source", ParameterForm::kMap},
                                               {"strategy", ParameterForm::kText}}};
constexpr std::array<Parameter, 3> kAppend{{{"target", ParameterForm::kTarget},
                                            {"value", ParameterForm::kAny, true},
                                            {"values", ParameterForm::kValues, true}}};

constexpr std::array kEditors{
    Function{"set", kSet, run_set},
    Function{"delete_key", kDeleteKey, run_delete_key},
    Function{"delete_matching_keys", kMatchingKeys, run_matching_keys<false>},
    Function{"keep_keys", kKeepKeys, run_keep_keys},
    Function{"keep_matching_keys", kMatchingKeys, run_matching_keys<true>},
    Function{"truncate_all", kTruncateAll, run_truncate_all, ValueForm::kNil, check_truncate},
    Function{"limit", kLimit, run_limit, ValueForm::kNil, check_limit},
    Function{"merge_maps", kMergeMaps, run_merge_maps, ValueForm::kNil, check_strategy},
    Function{"append", kAppend, run_append, ValueForm::kNil, check_append},
};

}  // namespace

std::span<const Function> editors() { return kEditors; }

}  // namespace vigia::ottl::internal
