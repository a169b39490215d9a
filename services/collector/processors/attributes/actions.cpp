#include "services/collector/processors/attributes/actions.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include <re2/re2.h>

#include "libs/base/hex.hpp"
#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/attributes.hpp"

namespace vigia::collector::processors::attributes {
namespace {

using wire::edit::Editable;
using wire::edit::encoded_value;
using wire::edit::read_value;
using wire::edit::ValueKind;
using wire::edit::ValueView;

std::optional<std::string_view> source_of(const Action& action, Editable& message) {
  if (action.value) return *action.value;
  if (!action.from_attribute.empty()) {
    if (const auto found = message.attribute(action.from_attribute)) return found;
  }
  if (action.default_value) return *action.default_value;
  return std::nullopt;
}

void put(const Action& action, Editable& message) {
  const auto value = source_of(action, message);
  if (!value) return;
  if (action.kind != ActionKind::kUpsert) {
    const bool is_there = message.attribute(action.key).has_value();
    if (is_there != (action.kind == ActionKind::kUpdate)) return;
  }
  message.set_attribute(action.key, *value);
}

/// As upstream has it: the bytes of a text, one byte of a truth value, eight of a number, the
/// lowest first. Of what else there is no hash: it becomes an empty text.
std::string hashed(std::string_view any_value) {
  const ValueView value = read_value(any_value);
  const auto of_bits = [](std::uint64_t bits) {
    std::string bytes;
    for (int i = 0; i < 8; ++i)
      bytes += static_cast<char>((bits >> (8U * static_cast<unsigned>(i))) & 0xffU);
    return sha256_hex(bytes);
  };
  std::string digits;
  switch (value.kind) {
    case ValueKind::kText:
      digits = sha256_hex(value.bytes);
      break;
    case ValueKind::kBool:
      digits = sha256_hex(std::string_view(value.truth ? "\x01" : "\x00", 1));
      break;
    case ValueKind::kInt:
      digits = of_bits(std::bit_cast<std::uint64_t>(value.integer));
      break;
    case ValueKind::kDouble:
      digits = of_bits(std::bit_cast<std::uint64_t>(value.real));
      break;
    default:
      break;
  }
  return encoded_value(ValueView::of_text(digits));
}

bool matches(const Action& action, std::string_view key) {
  if (!action.key.empty() && key == action.key) return true;
  return action.pattern != nullptr &&
         re2::RE2::PartialMatch(re2::StringPiece(key.data(), key.size()), *action.pattern);
}

void erase(const Action& action, Editable& message) {
  if (action.pattern == nullptr) {
    message.erase_attribute(action.key);
    return;
  }
  message.for_each_attribute([&](Editable::AttributeRef& attribute) {
    if (matches(action, attribute.key())) attribute.erase();
  });
}

void hash(const Action& action, Editable& message) {
  message.for_each_attribute([&](Editable::AttributeRef& attribute) {
    if (matches(action, attribute.key())) attribute.set_value(hashed(attribute.value()));
  });
}

void extract(const Action& action, Editable& message) {
  const auto found = message.attribute(action.key);
  if (!found) return;
  const ValueView value = read_value(*found);
  if (value.kind != ValueKind::kText) return;
  std::vector<re2::StringPiece> parts(action.groups.size() + 1);
  const re2::StringPiece text(value.bytes.data(), value.bytes.size());
  if (!action.pattern->Match(text, 0, text.size(), re2::RE2::UNANCHORED, parts.data(),
                             static_cast<int>(parts.size())))
    return;
  for (std::size_t group = 0; group < action.groups.size(); ++group) {
    // One that took no part in the match is an empty text.
    const re2::StringPiece& part = parts[group + 1];
    message.set_attribute(action.groups[group],
                          encoded_value(ValueView::of_text({part.data(), part.size()})));
  }
}

template <typename Number>
std::optional<Number> parsed(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return number;
}

/// What has no whole number has the nearest that there is; NaN is 0.
std::int64_t whole(double real) {
  constexpr double kEnd = 9223372036854775808.0;
  if (std::isnan(real)) return 0;
  if (real >= kEnd) return std::numeric_limits<std::int64_t>::max();
  if (real < -kEnd) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(real);
}

std::optional<ValueView> as_int(const ValueView& value) {
  if (value.kind == ValueKind::kDouble) return ValueView::of_int(whole(value.real));
  if (value.kind == ValueKind::kBool) return ValueView::of_int(value.truth ? 1 : 0);
  if (value.kind != ValueKind::kText) return std::nullopt;
  const auto number = parsed<std::int64_t>(value.bytes);
  if (!number) return std::nullopt;
  return ValueView::of_int(*number);
}

std::optional<ValueView> as_double(const ValueView& value) {
  if (value.kind == ValueKind::kInt)
    return ValueView::of_double(static_cast<double>(value.integer));
  if (value.kind == ValueKind::kBool) return ValueView::of_double(value.truth ? 1 : 0);
  if (value.kind != ValueKind::kText) return std::nullopt;
  const auto number = parsed<double>(value.bytes);
  if (!number) return std::nullopt;
  return ValueView::of_double(*number);
}

/// What cannot be converted stays as it is.
void convert(const Action& action, Editable& message) {
  const auto found = message.attribute(action.key);
  if (!found) return;
  const ValueView value = read_value(*found);
  if (action.converted == ConvertedType::kText) {
    if (value.kind == ValueKind::kText) return;
    std::string text;
    wire::otlp::append_value_text(text, *found);
    message.set_attribute(action.key, encoded_value(ValueView::of_text(text)));
    return;
  }
  const auto made = action.converted == ConvertedType::kInt ? as_int(value) : as_double(value);
  if (made) message.set_attribute(action.key, encoded_value(*made));
}

}  // namespace

void apply_actions(const std::vector<Action>& actions, Editable& message) {
  for (const Action& action : actions) {
    switch (action.kind) {
      case ActionKind::kInsert:
      case ActionKind::kUpdate:
      case ActionKind::kUpsert:
        put(action, message);
        break;
      case ActionKind::kDelete:
        erase(action, message);
        break;
      case ActionKind::kHash:
        hash(action, message);
        break;
      case ActionKind::kExtract:
        extract(action, message);
        break;
      case ActionKind::kConvert:
        convert(action, message);
        break;
    }
  }
}

}  // namespace vigia::collector::processors::attributes
