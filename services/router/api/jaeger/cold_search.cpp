#include "services/router/api/jaeger/cold_search.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "libs/json/strict_reader.hpp"
#include "services/router/api/jaeger/go_duration.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::api::jaeger {
namespace {

constexpr std::int64_t kUsPerMs = 1'000;
constexpr TimestampMs kTimeMsMax = 20'000'000'000'000;  // the year 2603: storage takes none beyond
constexpr std::chrono::hours kLookbackDefault{48};      // as Jaeger's, both
constexpr TimestampMs kCallsLookbackMs = 24 * 3'600'000;
constexpr std::string_view kKinds[] = {"internal", "server", "client", "producer", "consumer"};

tl::unexpected<Error> wrong(std::string_view name, std::string_view why) {
  return fail(ErrorCode::kInvalid, fmt::format("invalid parameter \"{}\": {}", name, why));
}

Result<std::optional<std::string>> text_of(const request::Parameters& parameters,
                                           std::string_view name) {
  auto text = parameters.single(name);
  if (text && *text && (*text)->empty()) text->reset();
  return text;
}

Result<std::optional<std::int64_t>> number_of(const request::Parameters& parameters,
                                              std::string_view name) {
  const auto text = text_of(parameters, name);
  if (!text) return forward(text);
  if (!*text) return std::optional<std::int64_t>();
  std::string_view digits = **text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  std::int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, number);
  if (failure != std::errc{} || stop != end || (**text).starts_with("+-")) {
    return wrong(name, "must be a whole number");
  }
  return std::optional(number);
}

/// In milliseconds; `per_ms`: how many of the parameter's unit are one.
Result<std::optional<TimestampMs>> time_of(const request::Parameters& parameters,
                                           std::string_view name, std::int64_t per_ms) {
  auto number = number_of(parameters, name);
  if (!number || !*number) return number;
  if (**number < 0 || **number / per_ms > kTimeMsMax) {
    return wrong(name, fmt::format("must be a time in {} since 1970",
                                   per_ms == 1 ? "milliseconds" : "microseconds"));
  }
  return std::optional<TimestampMs>(**number / per_ms);
}

/// What jaeger-ui calls "custom" is said by start and end.
Result<std::optional<Duration>> lookback_of(const request::Parameters& parameters) {
  const auto text = text_of(parameters, "lookback");
  if (!text) return forward(text);
  if (!*text || **text == "custom") return std::nullopt;
  auto length = parse_go_duration(**text);
  if (!length) length = parse_duration(**text);  // days and weeks, as the page has them
  if (!length || *length <= Duration::zero()) {
    return wrong("lookback", "must be a length of time, as 1h or 2d");
  }
  return *length;
}

Result<void> add_range(TimestampMs start_ms, TimestampMs end_ms, const access::QueryLimits& limits,
                       ColdSearch& search) {
  if (auto may = limits.check_range(start_ms, end_ms); !may) return may;
  search.start_ms = start_ms;
  search.form.emplace_back("start", request::format_seconds(start_ms));
  search.form.emplace_back("end", request::format_seconds(end_ms));
  return {};
}

Result<void> add_times(const request::Parameters& parameters, TimestampMs now_ms,
                       const access::QueryLimits& limits, ColdSearch& search) {
  const auto start = time_of(parameters, "start", kUsPerMs);
  if (!start) return forward(start);
  const auto end = time_of(parameters, "end", kUsPerMs);
  if (!end) return forward(end);
  const TimestampMs end_ms = end->value_or(now_ms);
  TimestampMs start_ms = 0;
  if (*start) {
    start_ms = **start;
  } else {
    const auto lookback = lookback_of(parameters);
    if (!lookback) return forward(lookback);
    const Duration usual = limits.range_at_most(kLookbackDefault);
    search.is_cut_off = !*lookback && usual < kLookbackDefault;
    const auto back =
        std::chrono::duration_cast<std::chrono::milliseconds>(lookback->value_or(usual));
    start_ms = std::max<TimestampMs>(end_ms - back.count(), 0);
  }
  if (start_ms > end_ms) return wrong("start", "is later than end");
  return add_range(start_ms, end_ms, limits, search);
}

Result<void> add_tag(std::string_view parameter, const std::string& name, const std::string& text,
                     ColdSearch& search) {
  // Storage reads the name up to the first "=".
  if (name.empty() || name.find('=') != std::string::npos) {
    return wrong(parameter, "a tag's name must be there and have no =");
  }
  const auto count = std::count_if(search.form.begin(), search.form.end(),
                                   [](const auto& one) { return one.first == "tag"; });
  if (static_cast<std::size_t>(count) == kTagsMax) {
    return wrong(parameter, fmt::format("more than {} tags", kTagsMax));
  }
  search.form.emplace_back("tag", fmt::format("{}={}", name, text));
  return {};
}

Result<void> add_json_tags(const std::string& text, ColdSearch& search) {
  const auto tags = json::parse_json(text);
  if (!tags || !tags->is_object()) {
    return wrong("tags", R"(must be a JSON object of texts, as {"error":"true"})");
  }
  for (const auto& [name, value] : tags->members()) {
    const auto said = value.text();
    if (!said) return wrong("tags", fmt::format("the value of {} must be a text", name));
    if (auto added = add_tag("tags", name, *said, search); !added) return added;
  }
  return {};
}

Result<void> add_tags(const request::Parameters& parameters, ColdSearch& search) {
  for (const std::string& tag : parameters.all("tag")) {
    if (tag.empty()) continue;
    const std::size_t at = tag.find(':');
    if (at == std::string::npos) return wrong("tag", "must be name:text");
    auto added = add_tag("tag", tag.substr(0, at), tag.substr(at + 1), search);
    if (!added) return added;
  }
  for (const std::string& tags : parameters.all("tags")) {
    if (tags.empty()) continue;
    if (auto added = add_json_tags(tags, search); !added) return added;
  }
  return {};
}

/// 0: none.
Result<std::int64_t> nanoseconds_of(const request::Parameters& parameters, std::string_view name) {
  const auto text = text_of(parameters, name);
  if (!text) return forward(text);
  if (!*text) return std::int64_t{0};
  const auto length = parse_go_duration(**text);
  if (!length || *length < Duration::zero()) {
    return wrong(name, "must be a length of time, as 1.2s, 100ms or 500us");
  }
  return length->count();
}

Result<void> add_durations(const request::Parameters& parameters, ColdSearch& search) {
  const auto shortest = nanoseconds_of(parameters, "minDuration");
  if (!shortest) return forward(shortest);
  const auto longest = nanoseconds_of(parameters, "maxDuration");
  if (!longest) return forward(longest);
  if (*longest > 0 && *longest < *shortest) {
    return wrong("maxDuration", "is shorter than minDuration");
  }
  if (*shortest > 0) search.form.emplace_back("min_duration", fmt::format("{}ns", *shortest));
  if (*longest > 0) search.form.emplace_back("max_duration", fmt::format("{}ns", *longest));
  return {};
}

Result<void> add_limit(const request::Parameters& parameters, ColdSearch& search) {
  const auto limit = number_of(parameters, "limit");
  if (!limit) return forward(limit);
  const std::int64_t most = limit->value_or(kTracesDefault);
  if (most < 1 || most > static_cast<std::int64_t>(kTracesMax)) {
    return wrong("limit", fmt::format("must be 1 to {}", kTracesMax));
  }
  search.form.emplace_back("limit", std::to_string(most));
  search.has_own_limit = true;
  return {};
}

Result<void> add_service(const request::Parameters& parameters, ColdSearch& search) {
  const auto service = text_of(parameters, "service");
  if (!service) return forward(service);
  if (!*service) return wrong("service", "is required");
  search.form.emplace_back("service", **service);
  const auto operation = text_of(parameters, "operation");
  if (!operation) return forward(operation);
  if (*operation) search.form.emplace_back("operation", **operation);
  return {};
}

}  // namespace

ColdSearch services_search() {
  return {"/api/v1/services", {{"limit", std::to_string(kNamesMax)}}};
}

Result<ColdSearch> operations_search(const std::string& service, const std::string& span_kind) {
  if (service.empty()) return wrong("service", "is required");
  ColdSearch search{"/api/v1/operations",
                    {{"limit", std::to_string(kNamesMax)}, {"service", service}}};
  if (span_kind.empty()) return search;
  if (std::find(std::begin(kKinds), std::end(kKinds), span_kind) == std::end(kKinds)) {
    return wrong("spanKind", "must be internal, server, client, producer or consumer");
  }
  search.form.emplace_back("span_kind", span_kind);
  return search;
}

Result<ColdSearch> traces_search(const request::Parameters& parameters, TimestampMs now_ms,
                                 const access::QueryLimits& limits) {
  ColdSearch search{"/api/v1/traces", {}};
  if (auto added = add_service(parameters, search); !added) return forward(added);
  if (auto added = add_times(parameters, now_ms, limits, search); !added) return forward(added);
  if (auto added = add_tags(parameters, search); !added) return forward(added);
  if (auto added = add_durations(parameters, search); !added) return forward(added);
  if (auto added = add_limit(parameters, search); !added) return forward(added);
  return search;
}

Result<ColdSearch> dependencies_search(const request::Parameters& parameters, TimestampMs now_ms,
                                       const access::QueryLimits& limits) {
  const auto end = time_of(parameters, "endTs", 1);
  if (!end) return forward(end);
  const auto lookback = number_of(parameters, "lookback");
  if (!lookback) return forward(lookback);
  if (*lookback && **lookback < 0) {
    return wrong("lookback", "must be a length of time in milliseconds");
  }
  const auto service = text_of(parameters, "service");
  if (!service) return forward(service);
  ColdSearch search{"/api/v1/dependencies", {}};
  const TimestampMs end_ms = end->value_or(now_ms);
  const TimestampMs usual_ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(
          limits.range_at_most(std::chrono::milliseconds(kCallsLookbackMs)))
          .count();
  // No further back than 1970: the difference of any two numbers fits.
  const TimestampMs back_ms = lookback->value_or(usual_ms);
  search.is_cut_off = !*lookback && usual_ms < kCallsLookbackMs;
  auto ranged = add_range(end_ms - std::min(end_ms, back_ms), end_ms, limits, search);
  if (!ranged) return forward(ranged);
  if (*service) search.form.emplace_back("service", **service);
  return search;
}

}  // namespace vigia::router::api::jaeger
