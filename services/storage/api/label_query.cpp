#include "services/storage/api/label_query.hpp"

#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "libs/net/form.hpp"
#include "services/storage/api/fence_header.hpp"

namespace vigia::storage::api {
namespace {

// Years 0 to 2500 or so: what is beyond is a mistake of units.
constexpr double kSecondsMax = 2e10;

using Parameters = std::vector<std::pair<std::string, std::string>>;

Result<Parameters> read_parameters(const net::Request& request) {
  auto parameters = net::parse_form(request.query);
  const bool has_form = request.method == "POST" && !request.body.empty();
  auto form = has_form ? net::parse_form(request.body) : Parameters();
  if (!parameters.has_value() || !form.has_value()) {
    return fail(ErrorCode::kInvalid, "a parameter has a broken percent escape");
  }
  parameters->insert(parameters->end(), form->begin(), form->end());
  return std::move(*parameters);
}

Result<TimestampMs> parse_seconds(std::string_view name, std::string_view text) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(seconds) ||
      std::abs(seconds) > kSecondsMax) {
    return fail(ErrorCode::kInvalid, fmt::format("{} is not a number of seconds", name));
  }
  return static_cast<TimestampMs>(std::llround(seconds * 1000));
}

Result<void> read_limit(std::string_view text, LabelQuery& query) {
  std::size_t limit = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorCode::kInvalid, "limit is not a number");
  }
  if (limit > 0 && limit < kAnswersMax) query.limit = limit;
  return {};
}

Result<void> read_customer(std::string_view text, LabelQuery& query) {
  auto customer = CustomerId::parse(text);
  if (!customer) return forward(customer);
  // The header is the fence, and a parameter must not move it.
  if (query.fence.has_value() && *query.fence != *customer) {
    return fail(ErrorCode::kInvalid, "customer and X-Vigia-Customer name different customers");
  }
  query.fence = std::move(*customer);
  return {};
}

struct MatcherSets {
  std::vector<std::vector<Matcher>> sets;
  bool starts_new = true;

  Result<void> add(std::string_view text) {
    auto matcher = store::parse_matcher(text);
    if (!matcher) return tl::unexpected<Error>(matcher.error());
    if (starts_new) sets.emplace_back();
    starts_new = false;
    sets.back().push_back(std::move(*matcher));
    return {};
  }
};

Result<void> read_range(std::string_view name, std::string_view text, LabelQuery& query) {
  const auto time_ms = parse_seconds(name, text);
  if (!time_ms) return forward(time_ms);
  (name == "start" ? query.start_ms : query.end_ms) = *time_ms;
  query.has_range = true;
  return {};
}

Result<void> read_parameter(const std::string& name, const std::string& value, LabelQuery& query,
                            MatcherSets& matchers) {
  if (name == "matcher") return matchers.add(value);
  if (name == "start" || name == "end") return read_range(name, value, query);
  if (name == "limit") return read_limit(value, query);
  if (name == "customer") return read_customer(value, query);
  if (name == "next") {
    matchers.starts_new = true;
    return {};
  }
  // A mistyped matcher that is passed over would widen the answer without a word.
  return fail(ErrorCode::kInvalid, fmt::format("unknown parameter \"{}\"", name));
}

}  // namespace

Result<LabelQuery> read_label_query(const net::Request& request, const OtherParameter& other) {
  LabelQuery query;
  auto fence = read_fence(request.headers);
  if (!fence) return forward(fence);
  query.fence = std::move(*fence);
  const auto parameters = read_parameters(request);
  if (!parameters) return forward(parameters);
  MatcherSets matchers;
  for (const auto& [name, value] : *parameters) {
    const auto is_read = other ? other(name, value) : Result<bool>(false);
    if (!is_read) return forward(is_read);
    if (*is_read) continue;
    if (auto read = read_parameter(name, value, query, matchers); !read) return forward(read);
  }
  if (matchers.sets.size() > kMatcherSetsMax) {
    return fail(ErrorCode::kInvalid, "more than 64 sets of matchers");
  }
  for (const auto& set : matchers.sets) {
    auto compiled = store::compile_matchers(set);
    if (!compiled) return forward(compiled);
    query.sets.push_back(std::move(*compiled));
  }
  return query;
}

}  // namespace vigia::storage::api
