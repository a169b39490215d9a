#include "services/router/api/prometheus/query_api.hpp"

#include <string_view>
#include <utility>

#include "libs/promql/printer.hpp"
#include "services/router/api/prometheus/answer.hpp"
#include "services/router/plan/expression.hpp"
#include "services/router/request/times.hpp"
#include "services/router/run/query_runner.hpp"

namespace vigia::router::api::prometheus {
namespace {

net::Response response_of(run::Outcome outcome) {
  if (!outcome.answer) return error_response(outcome.answer.error());
  if (!outcome.answer->is_success()) return refusal(*outcome.answer);
  return success(std::move(*outcome.answer), outcome.notes);
}

/// The shard to ask and what to ask it; nothing to ask where nothing is selected.
struct Exemplars {
  std::size_t shard = 0;
  bool has_selector = false;
  request::Form form;
};

Result<Exemplars> read_exemplars(const stores::Stores& stores, promql::Dialect dialect,
                                 const request::ApiRequest& request) {
  Exemplars exemplars;
  for (const std::string_view name : {"start", "end"}) {
    auto time = request.parameters.time(name);
    if (!time) return forward(time);
    if (*time) exemplars.form.emplace_back(name, request::format_seconds(**time));
  }
  auto expr = plan::read_expression(request.parameters, dialect);
  if (!expr) return forward(expr);
  exemplars.has_selector = plan::has_selector(**expr);
  const auto shard = stores.shard_of(request.caller);
  if (!shard) return fail(ErrorCode::kInvalid, "exemplars: choose a customer by X-Vigia-Customer");
  exemplars.shard = *shard;
  auto text = plan::text_for_stores(request.caller, **expr, dialect);
  if (!text) return forward(text);
  exemplars.form.emplace_back("query", std::move(*text));
  return exemplars;
}

}  // namespace

plan::ReadingRules QueryApi::rules() const {
  return {stores_.coverage().dialect(), stores_.clock().wall_ms(),
          stores_.settings().query_timeout};
}

void QueryApi::query(request::ApiRequest request, request::Exchange exchange) {
  evaluate(plan::read_instant(std::move(request.caller), request.parameters, rules()),
           std::move(exchange));
}

void QueryApi::query_range(request::ApiRequest request, request::Exchange exchange) {
  evaluate(plan::read_range(std::move(request.caller), request.parameters, rules()),
           std::move(exchange));
}

void QueryApi::evaluate(Result<plan::Question> question, request::Exchange exchange) {
  if (!question) return exchange.fail(question.error());
  auto interest = exchange.interest();
  run::QueryRunner::start(stores_, std::move(*question), std::move(interest),
                          [exchange = std::move(exchange)](run::Outcome outcome) mutable {
                            exchange.send(response_of(std::move(outcome)));
                          });
}

void QueryApi::query_exemplars(request::ApiRequest request, request::Exchange exchange) {
  auto exemplars = read_exemplars(stores_, stores_.coverage().dialect(), request);
  if (!exemplars) return exchange.fail(exemplars.error());
  // Nothing is selected: Prometheus 3.x would answer with null, which clients take for a fault.
  if (!exemplars->has_selector) return exchange.send(success("[]", {}));
  upstream::Ask ask(request.caller.customer, "/api/v1/query_exemplars", std::move(exemplars->form));
  ask.timeout = stores_.settings().query_timeout;
  ask.interest = exchange.interest();
  ask.lane = upstream::Lane::kLookUp;
  // Exemplars live in hot alone.
  stores_.hot()[exemplars->shard].ask(
      std::move(ask),
      [exchange = std::move(exchange)](Result<wire::prometheus_api::Envelope> answer) mutable {
        exchange.send(passed_on(std::move(answer)));
      });
}

void QueryApi::format_query(request::ApiRequest request, request::Exchange exchange) {
  ask_about_text("/api/v1/format_query", request, std::move(exchange));
}

void QueryApi::parse_query(request::ApiRequest request, request::Exchange exchange) {
  if (stores_.coverage().dialect() != promql::Dialect::kPrometheus3) {
    return exchange.fail({ErrorCode::kNotFound, "the hot store's Prometheus has no parse_query"});
  }
  ask_about_text("/api/v1/parse_query", request, std::move(exchange));
}

void QueryApi::ask_about_text(std::string path, const request::ApiRequest& request,
                              request::Exchange exchange) {
  auto expr = plan::read_expression(request.parameters, stores_.coverage().dialect());
  if (!expr) return exchange.fail(expr.error());
  upstream::Ask ask(request.caller.customer, std::move(path));
  // Text in, text out: it reads no data, so it stays as the caller wrote it.
  ask.form.emplace_back("query", promql::print(**expr));
  ask.timeout = stores_.settings().query_timeout;
  ask.interest = exchange.interest();
  const std::size_t shard = stores_.shard_of(request.caller).value_or(0);
  stores_.hot()[shard].ask(
      std::move(ask),
      [exchange = std::move(exchange)](Result<wire::prometheus_api::Envelope> answer) mutable {
        exchange.send(passed_on(std::move(answer)));
      });
}

}  // namespace vigia::router::api::prometheus
