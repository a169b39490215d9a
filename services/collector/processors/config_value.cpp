#include "services/collector/processors/config_value.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>

#include "libs/wire/edit/value.hpp"

namespace vigia::collector::processors {
namespace {

using wire::edit::ValueView;

template <typename Number>
std::optional<Number> read_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  // YAML's numbers begin with a digit or a point; from_chars also reads "inf" and "nan".
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.empty() || (digits.front() != '.' && (digits.front() < '0' || digits.front() > '9')))
    return std::nullopt;
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  for (const std::string_view word : words)
    if (text == word) return true;
  return false;
}

ValueView typed(std::string_view text) {
  if (is_one_of(text, {"true", "True", "TRUE"})) return ValueView::of_bool(true);
  if (is_one_of(text, {"false", "False", "FALSE"})) return ValueView::of_bool(false);
  if (const auto integer = read_number<std::int64_t>(text)) return ValueView::of_int(*integer);
  if (const auto real = read_number<double>(text)) return ValueView::of_double(*real);
  if (is_one_of(text, {".inf", "+.inf", ".Inf", ".INF"}))
    return ValueView::of_double(std::numeric_limits<double>::infinity());
  if (is_one_of(text, {"-.inf", "-.Inf", "-.INF"}))
    return ValueView::of_double(-std::numeric_limits<double>::infinity());
  if (is_one_of(text, {".nan", ".NaN", ".NAN"}))
    return ValueView::of_double(std::numeric_limits<double>::quiet_NaN());
  return ValueView::of_text(text);
}

}  // namespace

std::optional<std::string> read_any_value(const service::ConfigNode& node) {
  if (!node.is_present()) return std::nullopt;
  if (node.is_sequence() || !node.keys().empty()) {
    node.note_error("a text, a number, true or false can be given here, no list and no map");
    node.accept_all();
    return std::nullopt;
  }
  const std::string text = node.text();
  if (!node.is_scalar()) return std::nullopt;  // null
  return wire::edit::encoded_value(node.is_quoted() ? ValueView::of_text(text) : typed(text));
}

}  // namespace vigia::collector::processors
