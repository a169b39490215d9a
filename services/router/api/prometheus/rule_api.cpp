#include "services/router/api/prometheus/rule_api.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "libs/promql/printer.hpp"
#include "services/router/api/prometheus/answer.hpp"
#include "services/router/api/prometheus/store_parts.hpp"
#include "services/router/json/rules.hpp"
#include "services/router/json/targets.hpp"
#include "services/router/plan/expression.hpp"
#include "services/router/plan/shown_text.hpp"
#include "services/router/run/fan_out.hpp"

namespace vigia::router::api::prometheus {
namespace {

constexpr std::chrono::seconds kTimeout{15};

std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

class RuleApi::Items final : public run::Gathering<std::vector<std::string>> {
 public:
  /// `missing`: what is said of each store that does not answer.
  /// `is_once`: of items with the same labels one is shown.
  Items(request::Exchange open, Frame frame, bool is_once, Read read,
        std::vector<std::string> missing)
      : exchange_(std::move(open)),
        frame_(frame),
        is_once_(is_once),
        read_(std::move(read)),
        missing_(std::move(missing)) {}

  Result<std::vector<std::string>> read(std::size_t /*number*/,
                                        const Answer& answer) const override {
    if (!answer || !answer->is_success()) {
      return fail(ErrorCode::kUnavailable, "a hot store does not answer");
    }
    return read_(answer->data());
  }

  void take(std::size_t number, const Answer& /*answer*/,
            Result<std::vector<std::string>> items) override {
    if (!items) return notes_.warnings.push_back(missing_[number]);
    ++answers_;
    std::move(items->begin(), items->end(), std::back_inserter(items_));
  }

  void finish() override {
    // One store's answer is better than none, with a warning; only where all fail it is an error.
    if (answers_ == 0) return exchange_.fail(upstream::no_answer());
    if (is_once_) json::drop_repeated(items_);
    exchange_.send(success(
        fmt::format("{{\"{}\":{}{}}}", frame_.key, json::join_list(items_), frame_.end), notes_));
  }

 private:
  request::Exchange exchange_;
  const Frame frame_;
  const bool is_once_;
  const Read read_;
  const std::vector<std::string> missing_;
  plan::Notes notes_;
  std::size_t answers_ = 0;
  std::vector<std::string> items_;
};

void RuleApi::gather(const request::ApiRequest& request, request::Exchange exchange,
                     const Frame& frame, const upstream::Ask& ask, Read read) {
  std::vector<run::AddressedAsk> asks;
  std::vector<std::string> missing;
  for (const stores::AskedShard* shard : stores_.hot_of(request.caller)) {
    asks.push_back({shard, ask});
    missing.push_back(missing_hot(request.caller, shard->name()));
  }
  if (asks.empty()) {
    return exchange.fail(
        {ErrorCode::kUnavailable, "the hot store of this customer is not configured"});
  }
  // What has no node lies in all shards of a customer's, and gives the same alert in each.
  const bool is_once = frame.is_by_labels && request.caller.customer && asks.size() > 1;
  run::fan_out<std::vector<std::string>>(
      std::move(asks), std::make_shared<Items>(std::move(exchange), frame, is_once, std::move(read),
                                               std::move(missing)));
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
  auto selectors = plan::read_selectors(parameters, stores_.language());
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
  upstream::Ask ask{request.caller.customer, "/api/v1/rules", {}, false, kTimeout};
  ask.interest = request.interest;
  auto type = request.parameters.single("type");
  if (!type) return exchange.fail(type.error());
  if (*type && **type != "alert" && **type != "record") {
    return exchange.fail({ErrorCode::kInvalid, "not supported value for parameter \"type\""});
  }
  if (*type) ask.form.emplace_back("type", **type);
  if (const auto chosen = add_choices(request.parameters, ask.form); !chosen) {
    return exchange.fail(chosen.error());
  }
  gather(request, std::move(exchange), {"groups", "", false}, ask,
         [customer = request.caller.customer](std::string_view data) {
           return json::read_groups(data, customer);
         });
}

void RuleApi::alerts(request::ApiRequest request, request::Exchange exchange) {
  upstream::Ask ask{request.caller.customer, "/api/v1/alerts", {}, false, kTimeout};
  ask.interest = request.interest;
  gather(request, std::move(exchange), {"alerts"}, ask,
         [customer = request.caller.customer](std::string_view data) {
           return json::read_alerts(data, customer);
         });
}

/// Dropped ones have no labels yet that could tell whose they are: nobody sees them.
void RuleApi::targets(request::ApiRequest request, request::Exchange exchange) {
  constexpr std::string_view kEnd = R"(,"droppedTargets":[],"droppedTargetCounts":{})";
  auto state = request.parameters.single("state");
  if (!state) return exchange.fail(state.error());
  const std::string wanted = lower_case(state->value_or(""));
  if (!wanted.empty() && wanted != "any" && wanted != "active") {
    return exchange.send(success(fmt::format(R"({{"activeTargets":[]{}}})", kEnd), {}));
  }
  upstream::Ask ask{
      request.caller.customer, "/api/v1/targets", {{"state", "active"}}, false, kTimeout};
  ask.interest = request.interest;
  ask.lane = upstream::Lane::kLookUp;
  auto pool = request.parameters.single("scrapePool");
  if (!pool) return exchange.fail(pool.error());
  if (*pool) ask.form.emplace_back("scrapePool", **pool);
  gather(request, std::move(exchange), {"activeTargets", kEnd}, ask,
         [customer = request.caller.customer](std::string_view data) {
           return json::read_targets(data, customer, plan::may_show_address);
         });
}

}  // namespace vigia::router::api::prometheus
