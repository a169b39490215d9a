#include "libs/wire/otlp/attributes.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "libs/base/base64.hpp"
#include "libs/wire/otlp/fields.hpp"
#include "libs/wire/otlp/utf8.hpp"

namespace vigia::wire::otlp {
namespace {

constexpr std::uint32_t kValues = ValuesField::kValues.number;

void append_double(std::string& out, double value) {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    out += value < 0 ? "-Infinity" : "Infinity";
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
    // fmt writes 1 as "1", which is what the other translators write too.
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void append_json(std::string& out, std::string_view any_value, int depth);

void append_json_array(std::string& out, std::string_view array, int depth) {
  out += '[';
  FieldReader reader(array);
  bool is_first = true;
  while (reader.next()) {
    if (reader.tag_and_type() != ValuesField::kValues.tag) {
      reader.skip();
      continue;
    }
    if (!is_first) out += ',';
    is_first = false;
    append_json(out, reader.bytes(), depth + 1);
  }
  out += ']';
}

/// The entries of a list in order of their keys; none where they lie in that order already, as a
/// table of entries of two bytes is many times the list.
std::vector<KeyValueView> sorted_entries(std::string_view list) {
  std::size_t count = 0;
  bool is_sorted = true;
  std::string_view last;
  for_each_attribute({list, kValues}, [&](const KeyValueView& entry) {
    is_sorted = is_sorted && last <= entry.key;
    last = entry.key;
    ++count;
  });
  std::vector<KeyValueView> entries;
  if (is_sorted) return entries;
  entries.reserve(count);
  for_each_attribute({list, kValues}, [&](const KeyValueView& entry) { entries.push_back(entry); });
  std::stable_sort(entries.begin(), entries.end(),
                   [](const auto& left, const auto& right) { return left.key < right.key; });
  return entries;
}

/// In order of the keys: senders whose maps have none must not make a new series each time.
void append_json_list(std::string& out, std::string_view list, int depth) {
  out += '{';
  bool is_first = true;
  const auto append = [&](const KeyValueView& entry) {
    if (!is_first) out += ',';
    is_first = false;
    append_json_string(out, entry.key);
    out += ':';
    append_json(out, entry.value, depth + 1);
  };
  const std::vector<KeyValueView> entries = sorted_entries(list);
  if (entries.empty()) {
    for_each_attribute({list, kValues}, append);
  } else {
    std::for_each(entries.begin(), entries.end(), append);
  }
  out += '}';
}

/// JSON has no NaN and no infinities: they are strings (OpenTelemetry, "AnyValue for non-OTLP").
void append_json_double(std::string& out, double value) {
  const bool is_string = !std::isfinite(value);
  if (is_string) out += '"';
  append_double(out, value);
  if (is_string) out += '"';
}

void append_scalar(std::string& out, FieldReader& reader) {
  switch (reader.tag_and_type()) {
    case AnyValueField::kBool.tag:
      out += reader.varint() != 0 ? "true" : "false";
      break;
    case AnyValueField::kInt.tag:
      fmt::format_to(std::back_inserter(out), "{}", std::bit_cast<std::int64_t>(reader.varint()));
      break;
    case AnyValueField::kDouble.tag:
      append_double(out, reader.real());
      break;
    default:
      reader.skip();
  }
}

void append_json(std::string& out, std::string_view any_value, int depth) {
  // A body that passed intake is not so deep (is_valid_any_value); this keeps the stack of whoever
  // reads one that did not.
  if (depth > kAnyValueDepthMax) return;
  const std::size_t before = out.size();
  FieldReader reader(any_value);
  while (reader.next()) {
    const std::size_t begin = out.size();
    switch (reader.tag_and_type()) {
      case AnyValueField::kString.tag:
        append_json_string(out, reader.bytes());
        break;
      case AnyValueField::kArray.tag:
        append_json_array(out, reader.bytes(), depth);
        break;
      case AnyValueField::kList.tag:
        append_json_list(out, reader.bytes(), depth);
        break;
      case AnyValueField::kBytes.tag:
        out += '"';
        out += to_base64(reader.bytes());
        out += '"';
        break;
      case AnyValueField::kDouble.tag:
        append_json_double(out, reader.real());
        break;
      default:
        append_scalar(out, reader);
    }
    if (out.size() > begin) out.erase(before, begin - before);  // of several, the last one counts
  }
  if (out.size() == before) out += "null";
}

bool is_valid_array(std::string_view array, int depth) {
  FieldReader reader(array);
  while (reader.next()) {
    if (reader.tag_and_type() != ValuesField::kValues.tag) {
      reader.pass_over(ValuesField::kKnown);
    } else if (!is_valid_any_value(reader.bytes(), depth + 1)) {
      return false;
    }
  }
  return true;
}

bool is_valid_list(const Attributes& attributes, int depth) {
  bool is_valid = true;
  for_each_attribute(attributes, [&](const KeyValueView& entry) {
    is_valid = is_valid && is_utf8(entry.key) && is_valid_any_value(entry.value, depth);
  });
  return is_valid;
}

}  // namespace

KeyValueView read_key_value(std::string_view bytes) {
  KeyValueView view;
  FieldReader reader(bytes);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case KeyValueField::kKey.tag:
        view.key = reader.bytes();
        break;
      case KeyValueField::kValue.tag:
        view.value = reader.bytes();
        break;
      default:
        reader.pass_over(KeyValueField::kKnown);
    }
  }
  return view;
}

std::string_view string_value(std::string_view any_value) {
  std::string_view text;
  FieldReader reader(any_value);
  while (reader.next()) {
    if (reader.tag_and_type() == AnyValueField::kString.tag) {
      text = reader.bytes();
    } else {
      reader.skip();
    }
  }
  return text;
}

/// A number, a truth value, an empty list say something; an empty text and no value at all do not.
bool is_empty_value(std::string_view any_value) {
  FieldReader reader(any_value);
  while (reader.next()) {
    switch (reader.tag_and_type()) {
      case AnyValueField::kString.tag:
      case AnyValueField::kBytes.tag:
        if (!reader.bytes().empty()) return false;
        break;
      case AnyValueField::kArray.tag:
      case AnyValueField::kList.tag:
      case AnyValueField::kBool.tag:
      case AnyValueField::kInt.tag:
      case AnyValueField::kDouble.tag:
        return false;
      default:
        reader.skip();
    }
  }
  return true;
}

void append_value_text(std::string& out, std::string_view any_value) {
  const std::size_t before = out.size();
  FieldReader reader(any_value);
  while (reader.next()) {
    const std::size_t begin = out.size();
    switch (reader.tag_and_type()) {
      case AnyValueField::kString.tag:
        out += reader.bytes();
        break;
      case AnyValueField::kArray.tag:
        append_json_array(out, reader.bytes(), 1);
        break;
      case AnyValueField::kList.tag:
        append_json_list(out, reader.bytes(), 1);
        break;
      case AnyValueField::kBytes.tag:
        out += to_base64(reader.bytes());
        break;
      default:
        append_scalar(out, reader);
    }
    if (out.size() > begin) out.erase(before, begin - before);  // of several, the last one counts
  }
}

bool is_valid_any_value(std::string_view any_value, int depth) {
  // Damage and depth come from outside: bounded before the recursion, not by the stack's end.
  if (depth > kAnyValueDepthMax) return false;
  FieldReader reader(any_value);
  while (reader.next()) {
    bool is_valid = true;
    switch (reader.tag_and_type()) {
      case AnyValueField::kString.tag:
        is_valid = is_utf8(reader.bytes());
        break;
      case AnyValueField::kArray.tag:
        is_valid = is_valid_array(reader.bytes(), depth);
        break;
      case AnyValueField::kList.tag:
        is_valid = is_valid_list({reader.bytes(), kValues}, depth + 1);
        break;
      default:
        reader.pass_over(AnyValueField::kKnown);
    }
    if (!is_valid) return false;
  }
  return true;
}

bool are_valid(const Attributes& attributes) { return is_valid_list(attributes, 1); }

}  // namespace vigia::wire::otlp
