#include "services/router/api/prometheus/metadata_api.hpp"

#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "libs/promql/fence.hpp"
#include "services/router/api/prometheus/merged.hpp"
#include "services/router/json/metadata.hpp"

namespace vigia::router::api::prometheus {
namespace {

constexpr std::chrono::seconds kTimeout{15};

struct MetadataRequest {
  std::string metric;  ///< "": all
  json::MetadataLimits limits;
};

/// As Go's strconv.Atoi reads it; nothing where there is none, or less than 0, which is no limit.
Result<std::optional<std::size_t>> limit_of(const request::Parameters& parameters,
                                            std::string_view name) {
  auto text = parameters.single(name);
  if (!text) return forward(text);
  if (!*text || (*text)->empty()) return std::nullopt;
  std::string_view digits = **text;
  if (digits.size() > 1 && digits.front() == '+' && digits[1] != '-') digits.remove_prefix(1);
  std::int64_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, failure] = std::from_chars(digits.data(), end, number);
  if (failure != std::errc{} || stop != end) {
    return fail(ErrorCode::kInvalid, fmt::format("{} must be a number", name));
  }
  if (number < 0) return std::nullopt;
  return std::optional(static_cast<std::size_t>(number));
}

Result<MetadataRequest> read_wanted(const request::Parameters& parameters) {
  MetadataRequest wanted;
  auto metrics = limit_of(parameters, "limit");
  if (!metrics) return forward(metrics);
  wanted.limits.metrics = *metrics;
  auto each = limit_of(parameters, "limit_per_metric");
  if (!each) return forward(each);
  wanted.limits.each = each->value_or(0);
  auto metric = parameters.single("metric");
  if (!metric) return forward(metric);
  wanted.metric = metric->value_or("");
  return wanted;
}

/// What hot is asked: by target, since its /metadata would show every customer's metrics and help
/// texts.
Result<upstream::Ask> ask_of_hot(const request::ApiRequest& request, const MetadataRequest& wanted,
                                 const promql::Language& language) {
  const auto& customer = request.caller.customer;
  upstream::Ask ask{customer, "/api/v1/metadata", {}, false, kTimeout};
  if (!wanted.metric.empty()) ask.form.emplace_back("metric", wanted.metric);
  if (!customer) return ask;
  ask.path = "/api/v1/targets/metadata";
  auto fenced = promql::fenced_text(*customer, promql::Selector{}, language);
  if (!fenced) return forward(fenced);
  ask.form.emplace_back("match_target", std::move(*fenced));
  return ask;
}

/// The first so many of each store have the first so many of all, since all are by name.
upstream::Ask ask_of_storage(const request::ApiRequest& request, const MetadataRequest& wanted) {
  upstream::Ask ask{request.caller.customer, "/api/v1/metadata", {}, false, kTimeout};
  if (!wanted.metric.empty()) ask.form.emplace_back("metric", wanted.metric);
  if (wanted.limits.metrics) ask.form.emplace_back("limit", std::to_string(*wanted.limits.metrics));
  return ask;
}

Merging<json::MetricMetadata> merging_of(const access::Caller& caller, std::size_t hot_count,
                                         MetadataRequest wanted) {
  Merging<json::MetricMetadata> merging;
  merging.read = [customer = caller.customer, hot_count, metric = wanted.metric](
                     std::size_t number, std::string_view data) {
    const bool is_by_target = customer && number < hot_count;
    return is_by_target ? json::MetricMetadata::read_targets(data, customer, metric)
                        : json::MetricMetadata::read(data);
  };
  merging.write = [limits = wanted.limits](const std::vector<json::MetricMetadata>& pieces,
                                           StoreParts& parts, std::string& body) -> Result<void> {
    json::MetricMetadata all;
    for (const json::MetricMetadata& piece : pieces) all.add(piece);
    if (!all.write(limits, body)) parts.note_cut();
    return {};
  };
  return merging;
}

}  // namespace

void MetadataApi::metadata(request::ApiRequest request, request::Exchange exchange) {
  auto wanted = read_wanted(request.parameters);
  if (!wanted) return exchange.fail(wanted.error());
  auto hot_ask = ask_of_hot(request, *wanted, stores_.language());
  if (!hot_ask) return exchange.fail(hot_ask.error());
  std::vector<run::AddressedAsk> asks;
  const auto hot = stores_.hot_of(request.caller);
  for (const stores::AskedShard* shard : hot) asks.push_back({shard, *hot_ask});
  if (stores_.cold() != nullptr) asks.push_back({stores_.cold(), ask_of_storage(request, *wanted)});
  if (asks.empty()) {
    return exchange.fail({ErrorCode::kUnavailable, "the hot store is not configured"});
  }
  for (run::AddressedAsk& each : asks) {
    each.ask.interest = request.interest;
    each.ask.lane = upstream::Lane::kLookUp;
    each.ask.answer_bytes_max = request.caller.limits.bytes;
  }
  auto merging = merging_of(request.caller, hot.size(), std::move(*wanted));
  StoreParts parts(stores_, request.caller, std::nullopt);
  run::fan_out<json::MetricMetadata>(
      std::move(asks),
      std::make_shared<Merged<json::MetricMetadata>>(std::move(exchange), stores_, std::move(parts),
                                                     request.caller.payer(), std::move(merging)));
}

}  // namespace vigia::router::api::prometheus
