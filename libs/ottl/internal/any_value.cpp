#include "libs/ottl/internal/any_value.hpp"

#include <protozero/pbf_writer.hpp>

#include "libs/ottl/limits.hpp"
#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl::internal {
namespace {

namespace edit = wire::edit;
using wire::otlp::FieldReader;
using wire::otlp::KeyValueField;
using wire::otlp::KeyValueView;
using wire::otlp::ValuesField;

constexpr std::string_view kNoIndex = "an index lies beyond the end of the list";
constexpr std::string_view kNoKeys = "this value is no map and no list, and has no keys";
constexpr std::string_view kKeyKind = "a map has keys that are texts, a list has numbers";

/// Of several of one key the last counts.
std::optional<std::string_view> find_entry(std::string_view list, std::string_view key) {
  std::optional<std::string_view> found;
  wire::otlp::for_each_attribute({list, ValuesField::kValues.number},
                                 [&](const KeyValueView& entry) {
                                   if (entry.key == key) found = entry.value;
                                 });
  return found;
}

std::optional<std::string_view> element_at(std::string_view array, std::int64_t index) {
  if (index < 0) return std::nullopt;
  FieldReader reader(array);
  while (reader.next()) {
    if (reader.tag_and_type() != ValuesField::kValues.tag) {
      reader.skip();
    } else if (index-- == 0) {
      return reader.bytes();
    } else {
      reader.skip();
    }
  }
  return std::nullopt;
}

/// What an empty value becomes, that something may lie under a key of it.
bool append_under_nothing(Evaluation& evaluation, std::string& out, std::span<const KeyNow> keys,
                          std::string_view any_value) {
  std::string& inner = evaluation.make();
  if (!append_with(evaluation, inner, {}, keys.subspan(1), any_value)) return false;
  std::string& content = evaluation.make();
  const KeyNow& key = keys.front();
  if (key.is_text) {
    append_entry(content, key.text, inner);
    edit::append_value(out, {edit::ValueKind::kList, content});
    return true;
  }
  if (key.index < 0 || key.index >= kListMadeMax) return evaluation.fail(kNoIndex);
  for (std::int64_t i = 0; i < key.index; ++i) append_element(content, {});
  append_element(content, inner);
  edit::append_value(out, {edit::ValueKind::kArray, content});
  return true;
}

bool append_with_entry(Evaluation& evaluation, std::string& out, std::string_view list,
                       std::span<const KeyNow> keys, std::string_view any_value) {
  const std::string_view key = keys.front().text;
  std::string& inner = evaluation.make();
  if (!append_with(evaluation, inner, find_entry(list, key).value_or(std::string_view{}),
                   keys.subspan(1), any_value))
    return false;
  std::string& content = evaluation.make();
  bool is_there = false;
  wire::otlp::for_each_attribute({list, ValuesField::kValues.number},
                                 [&](const KeyValueView& entry) {
                                   if (entry.key != key) {
                                     append_entry(content, entry.key, entry.value);
                                   } else if (!is_there) {
                                     is_there = true;
                                     append_entry(content, key, inner);
                                   }
                                 });
  if (!is_there) append_entry(content, key, inner);
  edit::append_value(out, {edit::ValueKind::kList, content});
  return true;
}

bool append_with_element(Evaluation& evaluation, std::string& out, std::string_view array,
                         std::span<const KeyNow> keys, std::string_view any_value) {
  const auto old = element_at(array, keys.front().index);
  if (!old) return evaluation.fail(kNoIndex);
  std::string& inner = evaluation.make();
  if (!append_with(evaluation, inner, *old, keys.subspan(1), any_value)) return false;
  std::string& content = evaluation.make();
  std::int64_t at = 0;
  FieldReader reader(array);
  while (reader.next()) {
    if (reader.tag_and_type() == ValuesField::kValues.tag) {
      const std::string_view element = reader.bytes();
      append_element(content, at++ == keys.front().index ? std::string_view(inner) : element);
    } else {
      reader.skip();
    }
  }
  edit::append_value(out, {edit::ValueKind::kArray, content});
  return true;
}

}  // namespace

Value read_any_value(std::string_view any_value) {
  const edit::ValueView view = edit::read_value(any_value);
  switch (view.kind) {
    case edit::ValueKind::kEmpty:
      return {};
    case edit::ValueKind::kText:
      return Value::of_string(view.bytes);
    case edit::ValueKind::kBool:
      return Value::of_bool(view.truth);
    case edit::ValueKind::kInt:
      return Value::of_int(view.integer);
    case edit::ValueKind::kDouble:
      return Value::of_double(view.real);
    case edit::ValueKind::kBytes:
      return Value::of_bytes(view.bytes);
    case edit::ValueKind::kArray:
      return Value::of_list(view.bytes);
    case edit::ValueKind::kList:
      return Value::of_map(view.bytes);
  }
  return {};
}

bool append_any_value(std::string& out, const Value& value) {
  switch (value.kind) {
    case ValueForm::kNil:
      return true;
    case ValueForm::kBool:
      edit::append_value(out, edit::ValueView::of_bool(value.integer != 0));
      return true;
    case ValueForm::kInt:
      edit::append_value(out, edit::ValueView::of_int(value.integer));
      return true;
    case ValueForm::kDouble:
      edit::append_value(out, edit::ValueView::of_double(value.real));
      return true;
    case ValueForm::kString:
      edit::append_value(out, edit::ValueView::of_text(value.bytes));
      return true;
    case ValueForm::kBytes:
      edit::append_value(out, {edit::ValueKind::kBytes, value.bytes});
      return true;
    case ValueForm::kMap:
      edit::append_value(out, {edit::ValueKind::kList, value.bytes});
      return true;
    case ValueForm::kList:
      edit::append_value(out, {edit::ValueKind::kArray, value.bytes});
      return true;
    case ValueForm::kTime:
    case ValueForm::kDuration:
      return false;
  }
  return false;
}

void append_entry(std::string& out, std::string_view key, std::string_view any_value) {
  protozero::pbf_writer writer(out);
  protozero::pbf_writer entry(writer, ValuesField::kValues.number);
  entry.add_bytes(KeyValueField::kKey.number, key.data(), key.size());
  entry.add_bytes(KeyValueField::kValue.number, any_value.data(), any_value.size());
}

void append_element(std::string& out, std::string_view any_value) {
  protozero::pbf_writer(out).add_bytes(ValuesField::kValues.number, any_value.data(),
                                       any_value.size());
}

std::size_t elements_of(std::string_view array) {
  std::size_t count = 0;
  FieldReader reader(array);
  while (reader.next()) {
    if (reader.tag_and_type() == ValuesField::kValues.tag) ++count;
    reader.skip();
  }
  return count;
}

bool find_in(Evaluation& evaluation, Value from, std::span<const KeyNow> keys, Value& out,
             Missing missing) {
  for (const KeyNow& key : keys) {
    if (from.kind != ValueForm::kMap && from.kind != ValueForm::kList)
      return evaluation.fail(kNoKeys);
    const bool is_map = from.kind == ValueForm::kMap;
    if (is_map != key.is_text) return evaluation.fail(kKeyKind);
    evaluation.charge(from.bytes.size());
    const auto found =
        is_map ? find_entry(from.bytes, key.text) : element_at(from.bytes, key.index);
    if (!found && !is_map) return evaluation.fail(kNoIndex);
    if (!found && missing == Missing::kIsFault)
      return evaluation.fail("there is no such key in this map");
    if (!found) {
      out = {};
      return true;
    }
    from = read_any_value(*found);
  }
  out = from;
  return true;
}

bool append_with(Evaluation& evaluation, std::string& out, std::string_view whole,
                 std::span<const KeyNow> keys, std::string_view any_value) {
  if (keys.empty()) {
    out += any_value;
    return true;
  }
  evaluation.charge(whole.size());
  const Value old = read_any_value(whole);
  if (old.is_nil()) return append_under_nothing(evaluation, out, keys, any_value);
  if (old.kind != ValueForm::kMap && old.kind != ValueForm::kList) return evaluation.fail(kNoKeys);
  if ((old.kind == ValueForm::kMap) != keys.front().is_text) return evaluation.fail(kKeyKind);
  return old.kind == ValueForm::kMap
             ? append_with_entry(evaluation, out, old.bytes, keys, any_value)
             : append_with_element(evaluation, out, old.bytes, keys, any_value);
}

}  // namespace vigia::ottl::internal
