#include "services/router/api/prometheus/exemplar_api.hpp"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/promql/copy.hpp"
#include "libs/promql/printer.hpp"
#include "libs/promql/query_times.hpp"
#include "libs/promql/visit.hpp"
#include "services/router/api/prometheus/merged.hpp"
#include "services/router/json/exemplars.hpp"
#include "services/router/plan/cold_form.hpp"
#include "services/router/plan/expression.hpp"
#include "services/router/plan/look_up.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::api::prometheus {
namespace {

/// What hot and storage are asked; nothing where nothing is selected.
struct ExemplarRequest {
  bool has_selector = false;
  std::optional<TimestampMs> start_ms;
  bool is_cut_off = false;  ///< as in plan::LookUp
  request::Form hot_form;
  request::Form cold_form;
};

Result<void> add_times(const request::ApiRequest& request, TimestampMs now_ms,
                       ExemplarRequest& wanted) {
  const request::Parameters& parameters = request.parameters;
  auto start = parameters.time("start");
  if (!start) return forward(start);
  auto end = parameters.time("end");
  if (!end) return forward(end);
  if (*start && *end && **end < **start) {
    return fail(ErrorCode::kInvalid, "end timestamp must not be before start timestamp");
  }
  const auto first = plan::first_looked_at(request.caller.limits, *start, *end, now_ms);
  if (!first) return forward(first);
  wanted.start_ms = *first;
  wanted.is_cut_off = *first && !*start;
  for (const auto& [name, time] : {std::pair("start", *first), std::pair("end", *end)}) {
    if (!time) continue;
    wanted.hot_form.emplace_back(name, request::format_seconds(*time));
    wanted.cold_form.emplace_back(name, request::format_seconds(plan::cold_time(*time)));
  }
  return {};
}

/// Storage takes the matchers of each selector, and is told the customer by a header.
Result<void> add_selectors(const promql::Expr& expr, ExemplarRequest& wanted) {
  std::set<std::string> seen;
  bool is_whole = true;
  promql::for_each_selector(expr, [&](const promql::Selector& selector) {
    const promql::Selector plain = promql::bare_of(selector);
    if (!seen.insert(promql::print(plain)).second) return;
    if (seen.size() > 1) wanted.cold_form.emplace_back("next", "1");
    is_whole = plan::append_matchers(plain, wanted.cold_form) && is_whole;
  });
  wanted.has_selector = !seen.empty();
  if (is_whole) return {};
  return fail(ErrorCode::kInvalid,
              "invalid parameter \"query\": label names with = or ! cannot be asked for");
}

Result<ExemplarRequest> read_wanted(const request::ApiRequest& request,
                                    const promql::Language& language, TimestampMs now_ms) {
  ExemplarRequest wanted;
  auto timed = add_times(request, now_ms, wanted);
  if (!timed) return forward(timed);
  auto expr = plan::read_expression(request.parameters, language);
  if (!expr) return forward(expr);
  // Nothing is evaluated, so that any times will do.
  auto folded = promql::fold_query_times(**expr, {0, 60'000}, std::chrono::seconds(15));
  if (!folded) return forward(folded);
  auto selected = add_selectors(**expr, wanted);
  if (!selected) return forward(selected);
  auto text = plan::text_for_stores(request.caller, **expr, language);
  if (!text) return forward(text);
  wanted.hot_form.emplace_back("query", std::move(*text));
  return wanted;
}

Merging<json::ExemplarList> merging_of(const access::Caller& caller) {
  Merging<json::ExemplarList> merging;
  merging.read = [customer = caller.customer](std::size_t /*number*/, std::string_view data) {
    return json::ExemplarList::read(data, customer);
  };
  merging.write = [limits = caller.limits](const std::vector<json::ExemplarList>& pieces,
                                           StoreParts& /*parts*/,
                                           std::string& body) -> Result<void> {
    json::ExemplarList all;
    for (const json::ExemplarList& piece : pieces) all.add(piece);
    if (auto may = limits.check_series(all.series()); !may) return may;
    all.write(body);
    return {};
  };
  return merging;
}

}  // namespace

void ExemplarApi::query_exemplars(request::ApiRequest request, request::Exchange exchange) {
  auto wanted = read_wanted(request, stores_.language(), stores_.clock().wall_ms());
  if (!wanted) return exchange.fail(wanted.error());
  // Nothing is selected: Prometheus 3.x would answer with null, which clients take for a fault.
  if (!wanted->has_selector) return exchange.send(success("[]", {}));
  upstream::Ask ask(request.caller.customer, "/api/v1/query_exemplars",
                    std::move(wanted->hot_form));
  ask.timeout = request.caller.limits.at_most(stores_.settings().query_timeout);
  ask.answer_bytes_max = request.caller.limits.bytes;
  ask.interest = request.interest;
  ask.lane = upstream::Lane::kLookUp;
  std::vector<run::AddressedAsk> asks;
  for (const stores::AskedShard* shard : stores_.hot_of(request.caller)) {
    asks.push_back({shard, ask});
  }
  if (stores_.cold() != nullptr) {
    ask.path = "/api/v1/exemplars";
    ask.form = std::move(wanted->cold_form);
    asks.push_back({stores_.cold(), std::move(ask)});
  }
  if (asks.empty()) {
    return exchange.fail(
        {ErrorCode::kUnavailable, "the hot store of this customer is not configured"});
  }
  StoreParts parts(stores_, request.caller, wanted->start_ms);
  if (wanted->is_cut_off) parts.note(plan::cut_off_warning(*wanted->start_ms));
  run::fan_out<json::ExemplarList>(
      std::move(asks), std::make_shared<Merged<json::ExemplarList>>(
                           std::move(exchange), stores_, std::move(parts), request.caller.payer(),
                           merging_of(request.caller)));
}

}  // namespace vigia::router::api::prometheus
