// Converters of times and durations.
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "libs/ottl/internal/function.hpp"

namespace vigia::ottl::internal {
namespace {

struct SpelledUnit {
  std::string_view name;
  double ns;
};

constexpr double kSecond_ns = 1e9;
// The longer spellings first.
constexpr std::array<SpelledUnit, 8> kUnits{{{"ns", 1},
                                             {"us", 1e3},
                                             {"µs", 1e3},
                                             {"μs", 1e3},
                                             {"ms", 1e6},
                                             {"s", kSecond_ns},
                                             {"m", 60 * kSecond_ns},
                                             {"h", 3600 * kSecond_ns}}};

/// "1h2m3.5s", as Go reads it.
std::optional<std::int64_t> parse_duration(std::string_view text) {
  const bool is_negative = text.starts_with('-');
  if (is_negative || text.starts_with('+')) text.remove_prefix(1);
  if (text == "0") return 0;
  if (text.empty()) return std::nullopt;
  double sum = 0;
  while (!text.empty()) {
    const std::size_t digits = text.find_first_not_of("0123456789.");
    if (digits == 0 || digits == std::string_view::npos) return std::nullopt;
    double number = 0;
    const char* end = text.data() + digits;
    if (const auto read = std::from_chars(text.data(), end, number);
        read.ec != std::errc() || read.ptr != end)
      return std::nullopt;
    text.remove_prefix(digits);
    const SpelledUnit* unit = nullptr;
    for (const SpelledUnit& each : kUnits) {
      if (text.starts_with(each.name) && (unit == nullptr || each.name.size() > unit->name.size()))
        unit = &each;
    }
    if (unit == nullptr) return std::nullopt;
    text.remove_prefix(unit->name.size());
    sum += number * unit->ns;
  }
  if (!(sum < 9.2e18)) return std::nullopt;
  const auto ns = static_cast<std::int64_t>(std::llround(sum));
  return is_negative ? -ns : ns;
}

bool duration(const Call& call, Evaluation& evaluation, Value& out) {
  std::string_view text;
  if (!get_string(call, 0, evaluation, text)) return false;
  const auto ns = parse_duration(text);
  if (!ns) return evaluation.fail("this text is no duration, as 1h2m3s is", call.offset);
  out = Value::of_duration(*ns);
  return true;
}

std::string check_duration(const Call& call) {
  const Value* text = call.slots[0].getter->literal();
  return text == nullptr || parse_duration(text->bytes) ? ""
                                                        : "this text is no duration, as 1h2m3s is";
}

bool now(const Call& /*call*/, Evaluation& /*evaluation*/, Value& out) {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  out = Value::of_time(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
  return true;
}

/// A time or a duration as a whole number of its unit.
template <ValueForm kKind, std::int64_t kUnit_ns>
bool whole_units(const Call& call, Evaluation& evaluation, Value& out) {
  Value value;
  if (!call.slots[0].getter->get(evaluation, value)) return false;
  if (value.kind != kKind)
    return evaluation.fail(
        kKind == ValueForm::kTime ? "this argument is no time" : "this argument is no duration",
        call.slots[0].offset);
  out = Value::of_int(value.integer / kUnit_ns);
  return true;
}

/// As above, with what is behind the point.
template <std::int64_t kUnit_ns>
bool part_units(const Call& call, Evaluation& evaluation, Value& out) {
  Value value;
  if (!call.slots[0].getter->get(evaluation, value)) return false;
  if (value.kind != ValueForm::kDuration)
    return evaluation.fail("this argument is no duration", call.slots[0].offset);
  out = Value::of_double(static_cast<double>(value.integer) / static_cast<double>(kUnit_ns));
  return true;
}

constexpr std::array<Parameter, 0> kNothing{};
constexpr std::array<Parameter, 1> kDuration{{{"duration", ParameterForm::kString}}};
constexpr std::array<Parameter, 1> kOfDuration{
    {{"duration", ParameterForm::kAny, false, ValueForm::kDuration}}};
constexpr std::array<Parameter, 1> kOfTime{
    {{"time", ParameterForm::kAny, false, ValueForm::kTime}}};

constexpr std::int64_t kUs = 1'000;
constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kS = 1'000'000'000;
constexpr ValueForm kInt = ValueForm::kInt;
constexpr ValueForm kDouble = ValueForm::kDouble;
constexpr ValueForm kLength = ValueForm::kDuration;
constexpr ValueForm kTime = ValueForm::kTime;

constexpr std::array kConverters{
    Function{"Duration", kDuration, duration, kLength, check_duration},
    Function{"Now", kNothing, now, kTime},
    Function{"Nanoseconds", kOfDuration, whole_units<kLength, 1>, kInt},
    Function{"Microseconds", kOfDuration, whole_units<kLength, kUs>, kInt},
    Function{"Milliseconds", kOfDuration, whole_units<kLength, kMs>, kInt},
    Function{"Seconds", kOfDuration, part_units<kS>, kDouble},
    Function{"Minutes", kOfDuration, part_units<60 * kS>, kDouble},
    Function{"Hours", kOfDuration, part_units<3600 * kS>, kDouble},
    Function{"UnixNano", kOfTime, whole_units<kTime, 1>, kInt},
    Function{"UnixMicro", kOfTime, whole_units<kTime, kUs>, kInt},
    Function{"UnixMilli", kOfTime, whole_units<kTime, kMs>, kInt},
    Function{"UnixSeconds", kOfTime, whole_units<kTime, kS>, kInt},
};

}  // namespace

std::span<const Function> time_converters() { return kConverters; }

}  // namespace vigia::ottl::internal
