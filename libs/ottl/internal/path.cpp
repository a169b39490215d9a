#include "libs/ottl/internal/path.hpp"

#include <algorithm>

#include "libs/ottl/internal/field_access.hpp"
#include "libs/ottl/limits.hpp"
#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::ottl::internal {
namespace {

using wire::edit::Editable;
using wire::otlp::LogRecordField;

constexpr std::string_view kNothing = "there is nothing here that has this field";
constexpr std::string_view kNoMap = "this is no map";
constexpr std::string_view kKept = "this attribute says whose data it is and cannot be changed";

}  // namespace

ValueForm Path::kind() const {
  // Of what may be missing, or lie under a key, nobody knows before.
  const bool is_sure = keys_.empty() && field_.form != FieldForm::kMonotonic &&
                       field_.form != FieldForm::kTemporality &&
                       field_.level != MessageLevel::kPoint;
  return is_sure ? field_.kind : ValueForm::kNil;
}

bool Path::is_fenced() const {
  return field_.level != MessageLevel::kCache && field_.form == FieldForm::kAttributes &&
         !keys_.empty() && keys_.front().getter == nullptr && keys_.front().is_text &&
         is_fenced_(keys_.front().text);
}

bool Path::is_kept(std::string_view key) const {
  return keys_.empty() && field_.level != MessageLevel::kCache &&
         field_.form == FieldForm::kAttributes && is_fenced_(key);
}

bool Path::resolve(Evaluation& evaluation, std::vector<KeyNow>& keys) const {
  keys.reserve(keys_.size() + 1);
  for (const PathKey& key : keys_) {
    if (!key.getter) {
      keys.push_back({key.is_text, key.text, key.index});
      continue;
    }
    Value value;
    if (!key.getter->get(evaluation, value)) return false;
    if (value.kind != ValueForm::kString && value.kind != ValueForm::kInt)
      return evaluation.fail("a key is a string or an int", offset_);
    keys.push_back({value.kind == ValueForm::kString, value.bytes, value.integer});
  }
  return true;
}

bool Path::get(Evaluation& evaluation, Value& out) const {
  evaluation.set_place(offset_);
  if (keys_.empty()) {
    if (field_.form == FieldForm::kAttributes) return whole_map(evaluation, out);
    return read_field(evaluation, field_, out);
  }
  // The usual one is not worth a vector.
  if (keys_.size() == 1 && !keys_.front().getter) {
    const KeyNow key{keys_.front().is_text, keys_.front().text, keys_.front().index};
    return get_under(evaluation, {&key, 1}, out);
  }
  std::vector<KeyNow> keys;
  return resolve(evaluation, keys) && get_under(evaluation, keys, out);
}

bool Path::get_under(Evaluation& evaluation, std::span<const KeyNow> keys, Value& out) const {
  out = {};
  if (field_.form != FieldForm::kAttributes) {
    Value body;
    return read_field(evaluation, field_, body) && find_in(evaluation, body, keys, out);
  }
  Editable* message = evaluation.record().at(field_.level);
  if (message == nullptr) return true;
  if (!keys.front().is_text) return evaluation.fail("attributes have keys that are texts");
  evaluation.charge(message->source().size());
  const auto found = message->attribute(keys.front().text);
  if (!found) return true;
  return find_in(evaluation, read_any_value(*found), keys.subspan(1), out);
}

bool Path::whole_map(Evaluation& evaluation, Value& out) const {
  Editable* message = evaluation.record().at(field_.level);
  std::string& text = evaluation.make();
  if (message != nullptr) {
    evaluation.charge(message->source().size());
    message->for_each_attribute([&](const Editable::AttributeRef& attribute) {
      append_entry(text, attribute.key(), attribute.value());
    });
  }
  out = Value::of_map(text);
  return evaluation.keep(text);
}

bool Path::set(Evaluation& evaluation, const Value& value) const {
  evaluation.set_place(offset_);
  if (keys_.empty()) {
    if (field_.form == FieldForm::kAttributes) return set_map(evaluation, value);
    return write_field(evaluation, field_, value);
  }
  std::string& any_value = evaluation.make();
  if (!append_any_value(any_value, value))
    return evaluation.fail(
        "a time or a duration is kept as a number: use UnixNano, Nanoseconds or "
        "another converter");
  std::vector<KeyNow> keys;
  return resolve(evaluation, keys) && set_under(evaluation, keys, any_value);
}

bool Path::set_under(Evaluation& evaluation, std::span<const KeyNow> keys,
                     std::string_view any_value) const {
  Editable* message = evaluation.record().at(field_.level);
  if (message == nullptr) return evaluation.fail(kNothing);
  std::string& whole = evaluation.make();
  if (field_.form != FieldForm::kAttributes) {
    const std::string_view body = message->bytes(LogRecordField::kBody);
    if (read_any_value(body).is_nil()) return evaluation.fail("this value has no keys");
    if (!append_with(evaluation, whole, body, keys, any_value) || !evaluation.keep(whole))
      return false;
    evaluation.charge_written(whole.size());
    message->set_bytes(LogRecordField::kBody, whole);
    return true;
  }
  const KeyNow& key = keys.front();
  if (!key.is_text) return evaluation.fail("attributes have keys that are texts");
  if (field_.level != MessageLevel::kCache && is_fenced_(key.text)) return evaluation.fail(kKept);
  evaluation.charge(message->source().size());
  const std::string_view old = message->attribute(key.text).value_or(std::string_view{});
  if (!append_with(evaluation, whole, old, keys.subspan(1), any_value) || !evaluation.keep(whole))
    return false;
  evaluation.charge_written(whole.size() + key.text.size());
  message->set_attribute(key.text, whole);
  return true;
}

bool Path::set_map(Evaluation& evaluation, const Value& value) const {
  Editable* message = evaluation.record().at(field_.level);
  if (message == nullptr) return evaluation.fail(kNothing);
  if (value.kind != ValueForm::kMap && !value.is_nil()) return evaluation.fail(kNoMap);
  std::uint64_t all = 0;
  message->for_each_attribute([&](Editable::AttributeRef& attribute) {
    ++all;
    if (!is_kept(attribute.key())) attribute.erase();
  });
  evaluation.charge_written(value.bytes.size());
  wire::otlp::for_each_attribute({value.bytes, wire::otlp::ValuesField::kValues.number},
                                 [&](const wire::otlp::KeyValueView& entry) {
                                   if (is_kept(entry.key)) return;
                                   evaluation.charge(kKeyWork * all++);
                                   message->set_attribute(entry.key, entry.value);
                                 });
  return true;
}

bool Path::for_each_attribute(Evaluation& evaluation,
                              const std::function<bool(MapEntry&)>& visit) const {
  Editable* message = evaluation.record().at(field_.level);
  if (message == nullptr) return evaluation.fail(kNothing);
  evaluation.charge(message->source().size());
  bool is_fine = true;
  message->for_each_attribute([&](Editable::AttributeRef& attribute) {
    MapEntry entry{attribute.key(), attribute.value()};
    if (is_kept(entry.key) || !is_fine) return;
    is_fine = visit(entry);
    if (!is_fine) return;
    if (entry.is_erased) {
      attribute.erase();
    } else if (entry.is_changed) {
      evaluation.charge_written(entry.key.size() + entry.value.size());
      if (entry.value != attribute.value()) attribute.set_value(entry.value);
      if (entry.key != attribute.key() && !is_kept(entry.key)) attribute.set_key(entry.key);
    }
  });
  return is_fine;
}

bool Path::for_each_entry(Evaluation& evaluation,
                          const std::function<bool(MapEntry&)>& visit) const {
  evaluation.set_place(offset_);
  if (keys_.empty() && field_.form == FieldForm::kAttributes)
    return for_each_attribute(evaluation, visit);
  Value map;
  if (!get(evaluation, map)) return false;
  evaluation.set_place(offset_);
  if (map.kind != ValueForm::kMap) return evaluation.fail(kNoMap);
  std::string& text = evaluation.make();
  bool is_fine = true;
  bool is_changed = false;
  wire::otlp::for_each_attribute({map.bytes, wire::otlp::ValuesField::kValues.number},
                                 [&](const wire::otlp::KeyValueView& each) {
                                   MapEntry entry{each.key, each.value};
                                   if (!is_fine) return;
                                   is_fine = visit(entry);
                                   is_changed = is_changed || entry.is_erased || entry.is_changed;
                                   if (!entry.is_erased) append_entry(text, entry.key, entry.value);
                                 });
  if (!is_fine) return false;
  if (!is_changed) return true;
  return evaluation.keep(text) && set(evaluation, Value::of_map(text));
}

bool Path::put_entry(Evaluation& evaluation, std::string_view key,
                     std::string_view any_value) const {
  evaluation.set_place(offset_);
  if (is_kept(key)) return true;
  std::vector<KeyNow> keys;
  if (!resolve(evaluation, keys)) return false;
  keys.push_back({true, key, 0});
  return set_under(evaluation, keys, any_value);
}

bool Path::erase_entry(Evaluation& evaluation, std::string_view key) const {
  Editable* message = evaluation.record().at(field_.level);
  if (keys_.empty() && field_.form == FieldForm::kAttributes && message != nullptr) {
    evaluation.charge(message->source().size());
    if (!is_kept(key)) message->erase_attribute(key);
    return true;
  }
  return for_each_entry(evaluation, [&](MapEntry& entry) {
    entry.is_erased = entry.key == key;
    return true;
  });
}

bool Path::has_entry(Evaluation& evaluation, std::string_view key, bool& out) const {
  Editable* message = evaluation.record().at(field_.level);
  if (keys_.empty() && field_.form == FieldForm::kAttributes && message != nullptr) {
    evaluation.charge(message->source().size());
    out = message->attribute(key).has_value();
    return true;
  }
  Value map;
  if (!get(evaluation, map)) return false;
  if (map.kind != ValueForm::kMap) return evaluation.fail(kNoMap);
  out = false;
  wire::otlp::for_each_attribute(
      {map.bytes, wire::otlp::ValuesField::kValues.number},
      [&](const wire::otlp::KeyValueView& entry) { out = out || entry.key == key; });
  return true;
}

}  // namespace vigia::ottl::internal
