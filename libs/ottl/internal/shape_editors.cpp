// Editors that give maps and lists another shape.
#include <algorithm>
#include <array>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "libs/ottl/internal/function.hpp"
#include "libs/ottl/limits.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl::internal {
namespace {

using wire::otlp::FieldReader;
using wire::otlp::ValuesField;

/// Maps and lists below a map become entries of it: "a": {"b": [1]} is "a.b.0": 1.
class Flattened {
 public:
  Flattened(Evaluation& evaluation, std::int64_t depth, bool resolves)
      : evaluation_(evaluation),
        depth_(std::min<std::int64_t>(depth, wire::otlp::kAnyValueDepthMax)),
        resolves_(resolves) {}

  void add_map(std::string_view list, const std::string& prefix, std::int64_t depth) {
    wire::otlp::for_each_attribute({list, ValuesField::kValues.number},
                                   [&](const wire::otlp::KeyValueView& entry) {
                                     const std::string key = joined(prefix, entry.key);
                                     add(key, key, entry.value, depth);
                                   });
  }
  /// By their keys, the last of each.
  const std::map<std::string, std::string_view, std::less<>>& entries() const { return entries_; }
  bool is_too_much() const { return bytes_ > kMessageBytesMax || entries_.size() > kEntriesMax; }

 private:
  static std::string joined(const std::string& prefix, std::string_view key) {
    return prefix.empty() ? std::string(key) : fmt::format("{}.{}", prefix, key);
  }
  /// `leaf`: the key of what is neither; an element's own goes by whether keys may meet.
  void add(const std::string& key, const std::string& leaf, std::string_view any_value,
           std::int64_t depth) {
    if (is_too_much()) return;
    const Value value = read_any_value(any_value);
    if (value.kind == ValueForm::kMap && depth < depth_) {
      add_map(value.bytes, key, depth + 1);
    } else if (value.kind == ValueForm::kList && depth < depth_) {
      add_list(value.bytes, key, depth);
    } else {
      put(leaf, any_value);
    }
  }
  void add_list(std::string_view array, const std::string& key, std::int64_t depth) {
    std::size_t at = 0;
    FieldReader reader(array);
    while (reader.next()) {
      if (reader.tag_and_type() != ValuesField::kValues.tag) {
        reader.skip();
        continue;
      }
      const std::string numbered = fmt::format("{}.{}", key, at++);
      add(numbered, resolves_ ? key : numbered, reader.bytes(), depth + 1);
    }
  }
  void put(const std::string& key, std::string_view any_value) {
    const std::string* place = &key;
    std::string other;
    if (resolves_ && entries_.count(key) > 0) {
      other = fmt::format("{}.{}", key, met_[key]++);
      place = &other;
    }
    evaluation_.charge(place->size() + any_value.size());
    bytes_ += place->size() + any_value.size();
    entries_[*place] = any_value;
  }

  Evaluation& evaluation_;
  const std::int64_t depth_;
  const bool resolves_;
  std::map<std::string, std::string_view, std::less<>> entries_;
  std::map<std::string, std::size_t> met_;
  std::size_t bytes_ = 0;
};

bool run_flatten(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  const Path& target = *call.slots[0].path;
  Value map;
  if (!target.get(evaluation, map)) return false;
  if (map.kind != ValueForm::kMap) return evaluation.fail("this is no map", call.slots[0].offset);
  Flattened flattened(
      evaluation,
      call.slots[2].is_given ? call.slots[2].whole : std::numeric_limits<std::int64_t>::max(),
      call.slots[3].flag);
  flattened.add_map(map.bytes, call.slots[1].text, 0);
  if (flattened.is_too_much())
    return evaluation.fail("it would make more of one item than it may become", call.offset);
  std::string& list = evaluation.make();
  for (const auto& [key, any_value] : flattened.entries()) append_entry(list, key, any_value);
  return evaluation.keep(list) && target.set(evaluation, Value::of_map(list));
}

std::string check_flatten(const Call& call) {
  return call.slots[2].is_given && call.slots[2].whole < 1 ? "the depth is 1 or more" : "";
}

/// Elements from the first index to before the second, or that of the first alone.
bool run_delete_index(const Call& call, Evaluation& evaluation, Value& /*out*/) {
  const Path& target = *call.slots[0].path;
  Value old;
  std::int64_t begin = 0;
  if (!target.get(evaluation, old)) return false;
  if (old.kind != ValueForm::kList) return evaluation.fail("this is no list", call.slots[0].offset);
  if (!get_int(call, 1, evaluation, begin)) return false;
  std::int64_t end = begin + 1;
  if (call.slots[2].is_given && !get_int(call, 2, evaluation, end)) return false;
  const auto size = static_cast<std::int64_t>(elements_of(old.bytes));
  const bool is_all = begin == 0 && end == size;
  if (!is_all && (begin < 0 || begin >= size || end < begin || end > size))
    return evaluation.fail("there are no elements of these indexes", call.offset);
  evaluation.charge(old.bytes.size());
  std::string& array = evaluation.make();
  std::int64_t at = 0;
  FieldReader reader(old.bytes);
  while (reader.next()) {
    if (reader.tag_and_type() != ValuesField::kValues.tag) {
      reader.skip();
      continue;
    }
    const std::string_view element = reader.bytes();
    if (at < begin || at >= end) append_element(array, element);
    ++at;
  }
  return evaluation.keep(array) && target.set(evaluation, Value::of_list(array));
}

constexpr std::array<Parameter, 4> kFlatten{{{"target", ParameterForm::kMapTarget},
                                             {"prefix", ParameterForm::kText, true},
                                             {"depth", ParameterForm::kWhole, true},
                                             {"resolve_conflicts", ParameterForm::kFlag, true}}};
constexpr std::array<Parameter, 3> kDeleteIndex{{{"target", ParameterForm::kTarget},
                                                 {"start_index", ParameterForm::kInt},
                                                 {"end_index", ParameterForm::kInt, true}}};

constexpr std::array kEditors{
    Function{"flatten", kFlatten, run_flatten, ValueForm::kNil, check_flatten},
    Function{"delete_index", kDeleteIndex, run_delete_index},
};

}  // namespace

std::span<const Function> shape_editors() { return kEditors; }

}  // namespace vigia::ottl::internal
