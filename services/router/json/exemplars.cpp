#include "services/router/json/exemplars.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <simdjson.h>

#include "libs/base/json_text.hpp"
#include "libs/model/labels.hpp"

namespace vigia::router::json {
namespace {

namespace dom = simdjson::dom;

// Of an entry of the trees, beside its text.
constexpr std::size_t kEntryBytes = 160;
constexpr double kMsPerSecond = 1'000;
// 64 bits of milliseconds and some: what is beyond is no time.
constexpr double kSecondsMax = 9.2e15;

struct Unreadable {};

std::string labels_of(dom::element labels) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  for (const dom::key_value_pair label : labels.get_object()) {
    pairs.emplace_back(label.key, std::string_view(label.value.get_string()));
  }
  std::sort(pairs.begin(), pairs.end());
  std::string out = "{";
  for (const auto& [name, value] : pairs) {
    if (out.size() > 1) out += ',';
    append_json_text(out, name);
    out += ':';
    append_json_text(out, value);
  }
  return out + "}";
}

/// As Prometheus writes it: plain but for the very small and the very large.
std::string spelt(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  constexpr double kPlainMin = 1e-6;
  constexpr double kPlainMax = 1e21;
  const double size = std::abs(value);
  const bool is_plain = size == 0 || (size >= kPlainMin && size < kPlainMax);
  std::array<char, 64> text{};
  const auto [end, failure] =
      std::to_chars(text.data(), text.data() + text.size(), value,
                    is_plain ? std::chars_format::fixed : std::chars_format::scientific);
  if (failure != std::errc{}) throw Unreadable();
  return {text.data(), end};
}

std::string value_of(dom::element exemplar) {
  std::string_view text = exemplar["value"].get_string();
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc{} || stop != end) throw Unreadable();
  return spelt(value);
}

TimestampMs time_of(dom::element exemplar) {
  const double seconds = exemplar["timestamp"].get_double();
  if (!(std::abs(seconds) <= kSecondsMax)) throw Unreadable();
  return std::llround(seconds * kMsPerSecond);
}

bool is_of(dom::element labels, const std::optional<CustomerId>& customer) {
  if (!customer) return true;
  std::string_view value;
  return labels[kCustomerLabel].get_string().get(value) == simdjson::SUCCESS &&
         value == customer->text();
}

void append_time(std::string& out, TimestampMs time_ms) {
  const std::uint64_t ms =
      time_ms < 0 ? -static_cast<std::uint64_t>(time_ms) : static_cast<std::uint64_t>(time_ms);
  fmt::format_to(std::back_inserter(out), "{}{}", time_ms < 0 ? "-" : "", ms / 1'000);
  if (ms % 1'000 != 0) fmt::format_to(std::back_inserter(out), ".{:03}", ms % 1'000);
}

}  // namespace

void ExemplarList::add(const std::string& series, Exemplar exemplar) {
  const auto [at, is_new] = series_.try_emplace(series);
  if (is_new) bytes_ += series.size() + kEntryBytes;
  const std::size_t size = exemplar.labels.size() + exemplar.value.size() + kEntryBytes;
  if (at->second.insert(std::move(exemplar)).second) bytes_ += size;
}

void ExemplarList::add(const ExemplarList& other) {
  for (const auto& [series, exemplars] : other.series_) {
    for (const Exemplar& exemplar : exemplars) add(series, exemplar);
  }
}

Result<ExemplarList> ExemplarList::read(std::string_view json,
                                        const std::optional<CustomerId>& customer) {
  try {
    ExemplarList found;
    dom::parser parser;
    const dom::element root = parser.parse(json.data(), json.size());
    if (root.is_null()) return found;
    for (const dom::element item : root.get_array()) {
      const dom::element labels = item["seriesLabels"];
      // The store was asked for this customer's series alone: this is the second fence.
      if (!is_of(labels, customer)) continue;
      const std::string series = labels_of(labels);
      for (const dom::element exemplar : item["exemplars"].get_array()) {
        found.add(series, {time_of(exemplar), labels_of(exemplar["labels"]), value_of(exemplar)});
      }
    }
    return found;
  } catch (const simdjson::simdjson_error&) {
  } catch (const Unreadable&) {
  }
  return fail(ErrorCode::kCorrupt, "exemplars of a store cannot be read");
}

void ExemplarList::write(std::string& out) const {
  out += '[';
  bool is_first_series = true;
  for (const auto& [series, exemplars] : series_) {
    if (!std::exchange(is_first_series, false)) out += ',';
    out += R"({"seriesLabels":)" + series + R"(,"exemplars":[)";
    bool is_first = true;
    for (const Exemplar& exemplar : exemplars) {
      if (!std::exchange(is_first, false)) out += ',';
      out += R"({"labels":)" + exemplar.labels + R"(,"value":")" + exemplar.value +
             R"(","timestamp":)";
      append_time(out, exemplar.time_ms);
      out += '}';
    }
    out += "]}";
  }
  out += ']';
}

}  // namespace vigia::router::json
