#include "libs/logql/pipeline/template_functions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "libs/base/base64.hpp"
#include "libs/base/utf8.hpp"
#include "libs/logql/limits.hpp"
#include "libs/logql/pipeline/find_text.hpp"
#include "libs/logql/pipeline/label_values.hpp"
#include "libs/logql/pipeline/template_text.hpp"

namespace vigia::logql::pipeline {
namespace {

using Given = const TemplateCall&;

std::string text_at(Given call, std::size_t index) { return text_of(call.arguments[index]); }
std::int64_t integer_at(Given call, std::size_t index) { return integer_of(call.arguments[index]); }
double double_at(Given call, std::size_t index) { return double_of(call.arguments[index]); }

tl::unexpected<Error> failed(std::string why) { return fail(ErrorCode::kInvalid, std::move(why)); }

Result<TemplateValue> bounded(std::optional<std::string> text) {
  if (!text) return failed(fmt::format("a text of more than {} bytes", kFormattedBytesMax));
  return TemplateValue(std::move(*text));
}

tl::unexpected<Error> too_much_work() {
  return failed(fmt::format("a regex has to look at more than {} bytes", kLineWorkBytesMax));
}

// Texts. The older names take the text first, the newer ones last.

Result<TemplateValue> to_lower(Given call) { return TemplateValue(lower_case(text_at(call, 0))); }
Result<TemplateValue> to_upper(Given call) { return TemplateValue(upper_case(text_at(call, 0))); }
Result<TemplateValue> old_replace(Given call) {
  return bounded(
      replaced(text_at(call, 0), text_at(call, 1), text_at(call, 2), integer_at(call, 3)));
}
Result<TemplateValue> replace(Given call) {
  return bounded(replaced(text_at(call, 2), text_at(call, 0), text_at(call, 1), -1));
}
Result<TemplateValue> old_trim(Given call) {
  return TemplateValue(trimmed(text_at(call, 0), text_at(call, 1), Side::kBoth));
}
Result<TemplateValue> old_trim_left(Given call) {
  return TemplateValue(trimmed(text_at(call, 0), text_at(call, 1), Side::kLeft));
}
Result<TemplateValue> old_trim_right(Given call) {
  return TemplateValue(trimmed(text_at(call, 0), text_at(call, 1), Side::kRight));
}
Result<TemplateValue> trim_space(Given call) {
  return TemplateValue(trimmed(text_at(call, 0), " \t\n\v\f\r", Side::kBoth));
}
Result<TemplateValue> trim_all(Given call) {
  return TemplateValue(trimmed(text_at(call, 1), text_at(call, 0), Side::kBoth));
}
TemplateValue without_prefix(std::string text, const std::string& prefix) {
  if (text.starts_with(prefix)) text.erase(0, prefix.size());
  return TemplateValue(std::move(text));
}
TemplateValue without_suffix(std::string text, const std::string& suffix) {
  if (text.ends_with(suffix)) text.erase(text.size() - suffix.size());
  return TemplateValue(std::move(text));
}
Result<TemplateValue> old_trim_prefix(Given call) {
  return without_prefix(text_at(call, 0), text_at(call, 1));
}
Result<TemplateValue> trim_prefix(Given call) {
  return without_prefix(text_at(call, 1), text_at(call, 0));
}
Result<TemplateValue> old_trim_suffix(Given call) {
  return without_suffix(text_at(call, 0), text_at(call, 1));
}
Result<TemplateValue> trim_suffix(Given call) {
  return without_suffix(text_at(call, 1), text_at(call, 0));
}
Result<TemplateValue> trunc(Given call) {
  return TemplateValue(cut(integer_at(call, 0), text_at(call, 1)));
}
Result<TemplateValue> substr(Given call) {
  return TemplateValue(part_of(integer_at(call, 0), integer_at(call, 1), text_at(call, 2)));
}
Result<TemplateValue> contains(Given call) {
  return TemplateValue(find_text(text_at(call, 1), text_at(call, 0)) != std::string::npos);
}
Result<TemplateValue> has_prefix(Given call) {
  return TemplateValue(text_at(call, 1).starts_with(text_at(call, 0)));
}
Result<TemplateValue> has_suffix(Given call) {
  return TemplateValue(text_at(call, 1).ends_with(text_at(call, 0)));
}
Result<TemplateValue> repeat(Given call) {
  return bounded(repeated(integer_at(call, 0), text_at(call, 1)));
}
Result<TemplateValue> indent(Given call) {
  return bounded(indented(integer_at(call, 0), text_at(call, 1)));
}
Result<TemplateValue> nindent(Given call) {
  return bounded(indented(integer_at(call, 0), "\n" + text_at(call, 1)));
}
Result<TemplateValue> align_left(Given call) {
  return bounded(aligned(integer_at(call, 0), text_at(call, 1), Side::kLeft));
}
Result<TemplateValue> align_right(Given call) {
  return bounded(aligned(integer_at(call, 0), text_at(call, 1), Side::kRight));
}
Result<TemplateValue> b64enc(Given call) { return bounded(to_base64(text_at(call, 0))); }
Result<TemplateValue> b64dec(Given call) {
  auto bytes = from_base64(text_at(call, 0));
  if (!bytes) return failed("b64dec: no base64");
  return TemplateValue(std::move(*bytes));
}
Result<TemplateValue> urlencode(Given call) { return bounded(url_encoded(text_at(call, 0))); }
Result<TemplateValue> urldecode(Given call) {
  auto text = url_decoded(text_at(call, 0));
  if (!text) return failed("urldecode: a bad escape");
  return TemplateValue(std::move(*text));
}

// Regexes.

Result<TemplateValue> replace_matches(Given call, bool is_literal) {
  const Replacement replacement(text_at(call, 2), *call.regex, is_literal);
  std::string out;
  if (!replace_all(*call.regex, replacement, text_at(call, 1), {kFormattedBytesMax, call.work},
                   out)) {
    return call.work.is_used_up() ? too_much_work() : bounded(std::nullopt);
  }
  return TemplateValue(std::move(out));
}
Result<TemplateValue> regex_replace_all(Given call) { return replace_matches(call, false); }
Result<TemplateValue> regex_replace_all_literal(Given call) { return replace_matches(call, true); }
Result<TemplateValue> count(Given call) {
  const std::string text = text_at(call, 1);
  std::array<std::string_view, 1> match;
  std::int64_t matches = 0;
  for (std::size_t at = 0; at <= text.size(); ++matches) {
    if (!call.work.take(text.size() - at)) return too_much_work();
    if (!call.regex->find(text, at, match)) break;
    const auto end = static_cast<std::size_t>(match[0].data() - text.data()) + match[0].size();
    at = match[0].empty()
             ? end + std::max<std::size_t>(1, utf8_length(std::string_view(text).substr(end)))
             : end;
  }
  return TemplateValue(matches);
}

// Numbers. Whole ones wrap around, as Go's do.

std::int64_t wrapped(std::uint64_t value) { return static_cast<std::int64_t>(value); }
std::uint64_t bits_of(std::int64_t value) { return static_cast<std::uint64_t>(value); }

template <typename Step>
Result<TemplateValue> fold_integers(Given call, const Step& step) {
  std::int64_t made = integer_at(call, 0);
  for (std::size_t i = 1; i < call.arguments.size(); ++i) made = step(made, integer_at(call, i));
  return TemplateValue(made);
}
template <typename Step>
Result<TemplateValue> fold_doubles(Given call, const Step& step) {
  double made = double_at(call, 0);
  for (std::size_t i = 1; i < call.arguments.size(); ++i) made = step(made, double_at(call, i));
  return TemplateValue(made);
}
Result<TemplateValue> add(Given call) {
  return fold_integers(call, [](auto a, auto b) { return wrapped(bits_of(a) + bits_of(b)); });
}
Result<TemplateValue> sub(Given call) {
  return fold_integers(call, [](auto a, auto b) { return wrapped(bits_of(a) - bits_of(b)); });
}
Result<TemplateValue> mul(Given call) {
  return fold_integers(call, [](auto a, auto b) { return wrapped(bits_of(a) * bits_of(b)); });
}
Result<TemplateValue> div(Given call) {
  if (integer_at(call, 1) == 0) return failed("div: division by zero");
  return fold_integers(call,
                       [](auto a, auto b) { return b == -1 ? wrapped(0 - bits_of(a)) : a / b; });
}
Result<TemplateValue> mod(Given call) {
  if (integer_at(call, 1) == 0) return failed("mod: division by zero");
  return fold_integers(call, [](auto a, auto b) { return b == -1 ? 0 : a % b; });
}
Result<TemplateValue> addf(Given call) {
  return fold_doubles(call, [](double a, double b) { return a + b; });
}
Result<TemplateValue> subf(Given call) {
  return fold_doubles(call, [](double a, double b) { return a - b; });
}
Result<TemplateValue> mulf(Given call) {
  return fold_doubles(call, [](double a, double b) { return a * b; });
}
Result<TemplateValue> divf(Given call) {
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    if (double_at(call, i) == 0) return failed("divf: division by zero");
  }
  return fold_doubles(call, [](double a, double b) { return a / b; });
}
Result<TemplateValue> max(Given call) {
  return fold_integers(call, [](auto a, auto b) { return std::max(a, b); });
}
Result<TemplateValue> min(Given call) {
  return fold_integers(call, [](auto a, auto b) { return std::min(a, b); });
}
Result<TemplateValue> maxf(Given call) {
  return fold_doubles(call, [](double a, double b) { return std::fmax(a, b); });
}
Result<TemplateValue> minf(Given call) {
  return fold_doubles(call, [](double a, double b) { return std::fmin(a, b); });
}
Result<TemplateValue> ceil(Given call) { return TemplateValue(std::ceil(double_at(call, 0))); }
Result<TemplateValue> floor(Given call) { return TemplateValue(std::floor(double_at(call, 0))); }
Result<TemplateValue> round(Given call) {
  const double scale = std::pow(10.0, static_cast<double>(integer_at(call, 1)));
  return TemplateValue(std::round(double_at(call, 0) * scale) / scale);
}
Result<TemplateValue> to_int(Given call) { return TemplateValue(integer_at(call, 0)); }
Result<TemplateValue> to_float(Given call) { return TemplateValue(double_at(call, 0)); }
Result<TemplateValue> bytes(Given call) {
  const auto size = bytes_of(text_at(call, 0));
  if (!size) return failed(fmt::format("bytes: {:.200} is no size", text_at(call, 0)));
  return TemplateValue(*size);
}
Result<TemplateValue> duration(Given call) {
  const auto seconds = seconds_of(text_at(call, 0));
  if (!seconds) return failed(fmt::format("duration: {:.200} is no duration", text_at(call, 0)));
  return TemplateValue(*seconds);
}
template <std::int64_t kUnit>
Result<TemplateValue> unix_epoch(Given call) {
  const auto* time = std::get_if<LineTime>(&call.arguments[0]);
  if (time == nullptr) return failed("unixEpoch: not a time; write __timestamp__");
  return TemplateValue(fmt::format("{}", time->ns / kUnit));
}

// Comparisons, as text/template has them: of one type alone.

std::optional<int> order_of(const TemplateValue& left, const TemplateValue& right) {
  if (left.index() != right.index()) return std::nullopt;
  if (left < right) return -1;
  return right < left ? 1 : 0;
}
bool operator_is_met(int order, std::string_view name) {
  if (name == "eq") return order == 0;
  if (name == "ne") return order != 0;
  if (name == "lt") return order < 0;
  if (name == "le") return order <= 0;
  return name == "gt" ? order > 0 : order >= 0;
}
Result<TemplateValue> compared(Given call, std::string_view name) {
  bool is_met = false;
  for (std::size_t i = 1; i < call.arguments.size(); ++i) {
    const auto order = order_of(call.arguments[0], call.arguments[i]);
    if (!order) return failed(fmt::format("{}: incompatible types for comparison", name));
    is_met = is_met || operator_is_met(*order, name);
  }
  return TemplateValue(is_met);
}
Result<TemplateValue> eq(Given call) { return compared(call, "eq"); }
Result<TemplateValue> ne(Given call) { return compared(call, "ne"); }
Result<TemplateValue> lt(Given call) { return compared(call, "lt"); }
Result<TemplateValue> le(Given call) { return compared(call, "le"); }
Result<TemplateValue> gt(Given call) { return compared(call, "gt"); }
Result<TemplateValue> ge(Given call) { return compared(call, "ge"); }

/// The first that is or is not so, else the last.
Result<TemplateValue> first_that_is(Given call, bool wanted) {
  for (std::size_t i = 0; i + 1 < call.arguments.size(); ++i) {
    if (is_true(call.arguments[i]) == wanted) return std::move(call.arguments[i]);
  }
  return std::move(call.arguments.back());
}
Result<TemplateValue> logical_and(Given call) { return first_that_is(call, false); }
Result<TemplateValue> logical_or(Given call) { return first_that_is(call, true); }
Result<TemplateValue> logical_not(Given call) { return TemplateValue(!is_true(call.arguments[0])); }
Result<TemplateValue> default_of(Given call) {
  return std::move(call.arguments[is_true(call.arguments[1]) ? 1 : 0]);
}
Result<TemplateValue> length(Given call) {
  return TemplateValue(static_cast<std::int64_t>(text_at(call, 0).size()));
}

constexpr std::size_t kMany = 64;
using First = TemplateFunction::First;

constexpr std::array kFunctions{
    TemplateFunction{"ToLower", 1, 1, First::kValue, to_lower},
    TemplateFunction{"ToUpper", 1, 1, First::kValue, to_upper},
    TemplateFunction{"lower", 1, 1, First::kValue, to_lower},
    TemplateFunction{"upper", 1, 1, First::kValue, to_upper},
    TemplateFunction{"Replace", 4, 4, First::kValue, old_replace},
    TemplateFunction{"replace", 3, 3, First::kValue, replace},
    TemplateFunction{"Trim", 2, 2, First::kValue, old_trim},
    TemplateFunction{"TrimLeft", 2, 2, First::kValue, old_trim_left},
    TemplateFunction{"TrimRight", 2, 2, First::kValue, old_trim_right},
    TemplateFunction{"TrimPrefix", 2, 2, First::kValue, old_trim_prefix},
    TemplateFunction{"TrimSuffix", 2, 2, First::kValue, old_trim_suffix},
    TemplateFunction{"TrimSpace", 1, 1, First::kValue, trim_space},
    TemplateFunction{"trim", 1, 1, First::kValue, trim_space},
    TemplateFunction{"trimAll", 2, 2, First::kValue, trim_all},
    TemplateFunction{"trimPrefix", 2, 2, First::kValue, trim_prefix},
    TemplateFunction{"trimSuffix", 2, 2, First::kValue, trim_suffix},
    TemplateFunction{"trunc", 2, 2, First::kValue, trunc},
    TemplateFunction{"substr", 3, 3, First::kValue, substr},
    TemplateFunction{"contains", 2, 2, First::kValue, contains},
    TemplateFunction{"hasPrefix", 2, 2, First::kValue, has_prefix},
    TemplateFunction{"hasSuffix", 2, 2, First::kValue, has_suffix},
    TemplateFunction{"repeat", 2, 2, First::kValue, repeat},
    TemplateFunction{"indent", 2, 2, First::kValue, indent},
    TemplateFunction{"nindent", 2, 2, First::kValue, nindent},
    TemplateFunction{"alignLeft", 2, 2, First::kValue, align_left},
    TemplateFunction{"alignRight", 2, 2, First::kValue, align_right},
    TemplateFunction{"b64enc", 1, 1, First::kValue, b64enc},
    TemplateFunction{"b64dec", 1, 1, First::kValue, b64dec},
    TemplateFunction{"urlencode", 1, 1, First::kValue, urlencode},
    TemplateFunction{"urldecode", 1, 1, First::kValue, urldecode},
    TemplateFunction{"regexReplaceAll", 3, 3, First::kRegex, regex_replace_all},
    TemplateFunction{"regexReplaceAllLiteral", 3, 3, First::kRegex, regex_replace_all_literal},
    TemplateFunction{"count", 2, 2, First::kRegex, count},
    TemplateFunction{"add", 1, kMany, First::kValue, add},
    TemplateFunction{"sub", 2, 2, First::kValue, sub},
    TemplateFunction{"mul", 1, kMany, First::kValue, mul},
    TemplateFunction{"div", 2, 2, First::kValue, div},
    TemplateFunction{"mod", 2, 2, First::kValue, mod},
    TemplateFunction{"addf", 1, kMany, First::kValue, addf},
    TemplateFunction{"subf", 1, kMany, First::kValue, subf},
    TemplateFunction{"mulf", 1, kMany, First::kValue, mulf},
    TemplateFunction{"divf", 1, kMany, First::kValue, divf},
    TemplateFunction{"max", 1, kMany, First::kValue, max},
    TemplateFunction{"min", 1, kMany, First::kValue, min},
    TemplateFunction{"maxf", 1, kMany, First::kValue, maxf},
    TemplateFunction{"minf", 1, kMany, First::kValue, minf},
    TemplateFunction{"ceil", 1, 1, First::kValue, ceil},
    TemplateFunction{"floor", 1, 1, First::kValue, floor},
    TemplateFunction{"round", 2, 2, First::kValue, round},
    TemplateFunction{"int", 1, 1, First::kValue, to_int},
    TemplateFunction{"float64", 1, 1, First::kValue, to_float},
    TemplateFunction{"bytes", 1, 1, First::kValue, bytes},
    TemplateFunction{"duration", 1, 1, First::kValue, duration},
    TemplateFunction{"duration_seconds", 1, 1, First::kValue, duration},
    TemplateFunction{"unixEpoch", 1, 1, First::kValue, unix_epoch<1'000'000'000>},
    TemplateFunction{"unixEpochMillis", 1, 1, First::kValue, unix_epoch<1'000'000>},
    TemplateFunction{"unixEpochNanos", 1, 1, First::kValue, unix_epoch<1>},
    TemplateFunction{"eq", 2, kMany, First::kValue, eq},
    TemplateFunction{"ne", 2, 2, First::kValue, ne},
    TemplateFunction{"lt", 2, 2, First::kValue, lt},
    TemplateFunction{"le", 2, 2, First::kValue, le},
    TemplateFunction{"gt", 2, 2, First::kValue, gt},
    TemplateFunction{"ge", 2, 2, First::kValue, ge},
    TemplateFunction{"and", 1, kMany, First::kValue, logical_and},
    TemplateFunction{"or", 1, kMany, First::kValue, logical_or},
    TemplateFunction{"not", 1, 1, First::kValue, logical_not},
    TemplateFunction{"default", 2, 2, First::kValue, default_of},
    TemplateFunction{"len", 1, 1, First::kValue, length},
    TemplateFunction{"printf", 1, kMany, First::kFormat, formatted}};

}  // namespace

const TemplateFunction* find_template_function(std::string_view name) {
  const auto* found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                   [&](const auto& one) { return one.name == name; });
  return found == kFunctions.end() ? nullptr : found;
}

}  // namespace vigia::logql::pipeline
