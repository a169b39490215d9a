#include "services/router/api/loki/tail_arrivals.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string>
#include <utility>

#include <simdjson.h>

namespace vigia::router::api::loki {
namespace {

namespace dom = simdjson::dom;

constexpr std::chrono::seconds kTimeMax{10};

Error no_arrivals() {
  return {ErrorCode::kCorrupt, "the long-term store does not answer as it should"};
}

/// A number in quotes.
std::optional<std::uint64_t> number_of(simdjson::simdjson_result<dom::element> value) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, number);
  if (failure != std::errc{} || stop != end) return std::nullopt;
  return number;
}

/// Its end is of the time, a range's is not.
std::int64_t time_of(std::uint64_t time_ns) {
  constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) - 1;
  return static_cast<std::int64_t>(std::min(time_ns, kMost));
}

}  // namespace

upstream::Ask arrivals_ask(const CustomerId& customer, std::optional<std::uint64_t> after,
                           std::shared_ptr<access::Interest> interest) {
  request::Form form;
  if (after) form.emplace_back("after", std::to_string(*after));
  upstream::Ask ask(customer, "/api/v1/logs/arrivals", std::move(form));
  ask.timeout = kTimeMax;
  ask.interest = std::move(interest);
  ask.lane = upstream::Lane::kLookUp;
  return ask;
}

Result<Arrivals> read_arrivals(std::string_view json) {
  dom::parser parser;
  dom::element answer;
  dom::array times;
  const auto failure = parser.parse(json.data(), json.size()).get(answer);
  if (failure != simdjson::SUCCESS) return tl::unexpected<Error>(no_arrivals());
  const auto upto = number_of(answer["data"]["upto"]);
  if (!upto || answer["data"]["times"].get_array().get(times) != simdjson::SUCCESS) {
    return tl::unexpected<Error>(no_arrivals());
  }
  Arrivals arrivals{*upto, {}};
  for (const dom::element span : times) {
    const auto from = number_of(span.at(0));
    const auto to = number_of(span.at(1));
    if (!from || !to || *from > *to) return tl::unexpected<Error>(no_arrivals());
    arrivals.times.push_back({time_of(*from), time_of(*to) + 1});
  }
  return arrivals;
}

void ask_for_arrived(upstream::Ask& ask, const ArrivalRange& range) {
  ask.form.emplace_back("arrived_after", std::to_string(range.after));
  ask.form.emplace_back("arrived_upto", std::to_string(range.upto));
}

}  // namespace vigia::router::api::loki
