#include "libs/ottl/internal/function.hpp"

#include <algorithm>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libs/base/hex.hpp"
#include "libs/wire/otlp/attributes.hpp"

namespace vigia::ottl::internal {

namespace {

using Tables = std::vector<std::span<const Function>>;

Tables all_editors() { return {editors(), replace_editors(), shape_editors()}; }
Tables all_converters() {
  return {text_converters(), case_converters(),  parse_converters(),
          map_converters(),  value_converters(), time_converters()};
}

std::string names_in(const Tables& tables) {
  std::vector<std::string_view> names;
  for (const auto& functions : tables) {
    for (const Function& function : functions) names.push_back(function.name);
  }
  std::sort(names.begin(), names.end());
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

Slot::Slot() = default;
Slot::Slot(Slot&&) noexcept = default;
Slot& Slot::operator=(Slot&&) noexcept = default;
Slot::~Slot() = default;

std::string editor_names() { return names_in(all_editors()); }
std::string converter_names() { return names_in(all_converters()); }

const Function* find_function(std::string_view name) {
  Tables tables = all_editors();
  for (const auto functions : all_converters()) tables.push_back(functions);
  for (const auto functions : tables) {
    for (const Function& function : functions) {
      if (function.name == name) return &function;
    }
  }
  return nullptr;
}

bool get_string(const Call& call, std::size_t slot, Evaluation& evaluation, std::string_view& out) {
  Value value;
  if (!call.slots[slot].getter->get(evaluation, value)) return false;
  if (value.kind != ValueForm::kString)
    return evaluation.fail("this argument is no string", call.slots[slot].offset);
  out = value.bytes;
  return true;
}

bool get_int(const Call& call, std::size_t slot, Evaluation& evaluation, std::int64_t& out) {
  Value value;
  if (!call.slots[slot].getter->get(evaluation, value)) return false;
  if (value.kind != ValueForm::kInt)
    return evaluation.fail("this argument is no int", call.slots[slot].offset);
  out = value.integer;
  return true;
}

/// As JSON has it there: "2026-12-01T03:04:05.000000001Z", with its quotes.
static std::string quoted_time(std::int64_t ns) {
  constexpr std::int64_t kSecond_ns = 1'000'000'000;
  std::int64_t seconds = ns / kSecond_ns;
  std::int64_t rest = ns % kSecond_ns;
  if (rest < 0) {
    --seconds;
    rest += kSecond_ns;
  }
  std::string text =
      fmt::format("\"{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(seconds)));
  if (rest != 0) {
    text += fmt::format(".{:09}", rest);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + "Z\"";
}

bool text_of(Evaluation& evaluation, const Value& value, std::string_view& out) {
  if (value.kind == ValueForm::kString) {
    out = value.bytes;
    return true;
  }
  std::string& text = evaluation.make();
  if (value.kind == ValueForm::kTime) {
    text = quoted_time(value.integer);
    out = text;
    return true;
  }
  if (value.kind == ValueForm::kDuration) {
    text = std::to_string(value.integer);
    out = text;
    return true;
  }
  if (value.kind == ValueForm::kBytes) {
    text = to_hex(value.bytes);
  } else {
    std::string& any_value = evaluation.make();
    append_any_value(any_value, value);
    wire::otlp::append_value_text(text, any_value);
  }
  evaluation.charge(text.size());
  out = text;
  return evaluation.keep(text);
}

bool get_text_like(const Getter& getter, Evaluation& evaluation,
                   std::optional<std::string_view>& out) {
  Value value;
  if (!getter.get(evaluation, value)) return false;
  out.reset();
  if (value.is_nil()) return true;
  std::string_view text;
  if (!text_of(evaluation, value, text)) return false;
  out = text;
  return true;
}

}  // namespace vigia::ottl::internal
