#include "services/router/api/prometheus/rule_api.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "libs/promql/fence.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"
#include "services/router/json/rules.hpp"

namespace vigia::router::api::prometheus {
namespace {

constexpr std::chrono::seconds kTimeout{15};

/// A number of things at most; none, 0 and what is below mean all, as in Prometheus.
Result<std::size_t> count_of(const request::Parameters& parameters, std::string_view name) {
  auto text = parameters.single(name);
  if (!text) return forward(text);
  if (!*text || (*text)->empty()) return std::size_t{0};
  std::int64_t number = 0;
  const char* end = (*text)->data() + (*text)->size();
  const auto [stop, failure] = std::from_chars((*text)->data(), end, number);
  if (failure != std::errc{} || stop != end) {
    return fail(ErrorCode::kInvalid, fmt::format("{} must be a number", name));
  }
  return static_cast<std::size_t>(std::max<std::int64_t>(number, 0));
}

}  // namespace

struct RuleApi::Gathering {
  explicit Gathering(request::Exchange open) : exchange(std::move(open)) {}

  request::Exchange exchange;
  std::string key;  ///< {"KEY":[…]}
  Read read;
  std::mutex mutex;
  std::size_t missing = 0;
  std::size_t answers = 0;
  std::size_t failures = 0;
  std::vector<std::string> items;
};

std::vector<const upstream::Upstream*> RuleApi::shards(const access::Caller& caller) const {
  std::vector<const upstream::Upstream*> found;
  if (const auto own = stores_.shard_of(caller)) {
    found.push_back(&stores_.hot()[*own]);
  } else if (!caller.customer) {
    for (const upstream::Upstream& shard : stores_.hot()) found.push_back(&shard);
  }
  return found;
}

void RuleApi::gather(const request::ApiRequest& request, request::Exchange exchange,
                     std::string key, upstream::Ask ask, Read read) {
  auto gathering = std::make_shared<Gathering>(std::move(exchange));
  gathering->key = std::move(key);
  gathering->read = std::move(read);
  const auto hot = shards(request.caller);
  // Set before the first is asked: its answer may be there at once.
  gathering->missing = hot.size();
  if (hot.empty()) {
    return gathering->exchange.fail(
        {ErrorCode::kUnavailable, "the hot store of this customer is not configured"});
  }
  for (const upstream::Upstream* shard : hot) {
    shard->ask(ask, [this, gathering](Result<json::Envelope> answer) {
      take(gathering, std::move(answer));
    });
  }
}

void RuleApi::take(const Shared& gathering, Result<json::Envelope> answer) const {
  bool is_last = false;
  {
    const std::lock_guard lock(gathering->mutex);
    const bool is_answer = answer && answer->is_success();
    auto items = is_answer ? gathering->read(answer->data())
                           : Result<std::vector<std::string>>(std::vector<std::string>());
    if (is_answer && items) {
      ++gathering->answers;
      for (std::string& item : *items) gathering->items.push_back(std::move(item));
    } else {
      ++gathering->failures;
    }
    is_last = --gathering->missing == 0;
  }
  if (!is_last) return;
  // One store's answer is better than none, with a warning; only where all fail it is an error.
  if (gathering->answers == 0) {
    return gathering->exchange.fail(upstream::no_answer());
  }
  Notes notes;
  if (gathering->failures > 0) {
    notes.warnings.emplace_back("hot part missing: a hot store does not answer");
  }
  gathering->exchange.send(success(
      fmt::format("{{\"{}\":{}}}", gathering->key, json::join_list(gathering->items)), notes));
}

/// What Prometheus itself leaves out; it matches labels of rules, so there is nothing to fence.
Result<void> RuleApi::add_choices(const request::Parameters& parameters,
                                  request::Form& form) const {
  auto exclude = parameters.single("exclude_alerts");
  if (!exclude) return forward(exclude);
  constexpr std::array kBooleans{"1", "t", "T", "TRUE",  "true",  "True",
                                 "0", "f", "F", "FALSE", "false", "False"};
  if (*exclude && !(*exclude)->empty()) {
    if (std::find(kBooleans.begin(), kBooleans.end(), **exclude) == kBooleans.end()) {
      return fail(ErrorCode::kInvalid, "parameter \"exclude_alerts\" must be true or false");
    }
    form.emplace_back("exclude_alerts", **exclude);
  }
  auto texts = parameters.selectors();
  if (!texts) return forward(texts);
  auto selectors = promql::parse_series_selectors(*texts, stores_.coverage().dialect());
  if (!selectors) return forward(selectors);
  for (const promql::Selector& selector : *selectors) {
    form.emplace_back("match[]", promql::print(selector));
  }
  for (const std::string_view name : {"rule_name[]", "rule_group[]"}) {
    for (std::string& value : parameters.all(name)) form.emplace_back(name, std::move(value));
  }
  return {};
}

void RuleApi::rules(request::ApiRequest request, request::Exchange exchange) {
  upstream::Ask ask{request.caller.customer, "/api/v1/rules", {}, false, kTimeout, {},
                    request.interest};
  auto type = request.parameters.single("type");
  if (!type) return exchange.fail(type.error());
  if (*type && **type != "alert" && **type != "record") {
    return exchange.fail({ErrorCode::kInvalid, "not supported value for parameter \"type\""});
  }
  if (*type) ask.form.emplace_back("type", **type);
  if (const auto chosen = add_choices(request.parameters, ask.form); !chosen) {
    return exchange.fail(chosen.error());
  }
  gather(request, std::move(exchange), "groups", std::move(ask),
         [customer = request.caller.customer](std::string_view data) {
           return json::read_groups(data, customer);
         });
}

void RuleApi::alerts(request::ApiRequest request, request::Exchange exchange) {
  gather(request, std::move(exchange), "alerts",
         {request.caller.customer, "/api/v1/alerts", {}, false, kTimeout, {}, request.interest},
         [customer = request.caller.customer](std::string_view data) {
           return json::read_alerts(data, customer);
         });
}

void RuleApi::metadata(request::ApiRequest request, request::Exchange exchange) {
  upstream::Ask ask{request.caller.customer, "/api/v1/targets/metadata", {}, false, kTimeout, {},
                    request.interest};
  auto metric = request.parameters.single("metric");
  if (!metric) return exchange.fail(metric.error());
  if (*metric && !(*metric)->empty()) ask.form.emplace_back("metric", **metric);
  json::MetadataSelection selection{.metric = metric->value_or("")};
  for (auto& [name, value] : {std::pair{"limit", &selection.limit},
                              std::pair{"limit_per_metric", &selection.limit_per_metric}}) {
    auto number = count_of(request.parameters, name);
    if (!number) return exchange.fail(number.error());
    *value = *number;
  }
  if (request.caller.customer) {
    // By target: /metadata itself would show every customer's metrics and help texts.
    auto fenced = promql::fenced_text(*request.caller.customer, promql::Selector{},
                                      stores_.coverage().dialect());
    if (!fenced) return exchange.fail(fenced.error());
    ask.form.emplace_back("match_target", std::move(*fenced));
  }
  const auto hot = shards(request.caller);
  if (hot.empty()) {
    return exchange.fail({ErrorCode::kUnavailable, "the hot store is not configured"});
  }
  auto open = std::make_shared<request::Exchange>(std::move(exchange));
  // One shard is enough: what a metric means does not depend on who sends it.
  hot.front()->ask(std::move(ask), [open, selection](Result<json::Envelope> answer) {
    if (!answer) return open->fail(upstream::outward(answer.error()));
    if (!answer->is_success()) return open->send(refusal(*answer));
    auto data = json::metadata_of_targets(answer->data(), selection);
    if (!data) return open->fail({ErrorCode::kUnavailable, data.error().message});
    open->send(success(*data, {}));
  });
}

void RuleApi::build_info(request::ApiRequest /*request*/, request::Exchange exchange) {
  const std::string version = stores_.coverage().version();
  if (version.empty()) {
    return exchange.fail({ErrorCode::kUnavailable, "the hot store has not answered yet"});
  }
  // Clients look at the version to know the dialect; the rest is nobody's business.
  exchange.send(success(
      fmt::format(R"({{"version":{},"revision":"","branch":"","buildUser":"","buildDate":"",)"
                  R"("goVersion":""}})",
                  json_text(version)),
      {}));
}

}  // namespace vigia::router::api::prometheus
