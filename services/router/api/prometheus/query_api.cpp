#include "services/router/api/prometheus/query_api.hpp"

#include <utility>

#include "libs/promql/printer.hpp"
#include "services/router/api/prometheus/answer.hpp"
#include "services/router/api/prometheus/expression_tree.hpp"
#include "services/router/plan/expression.hpp"
#include "services/router/run/query_runner.hpp"

namespace vigia::router::api::prometheus {
namespace {

net::Response response_of(run::Outcome outcome) {
  if (!outcome.answer->is_success()) return refusal(*outcome.answer);
  return success(std::move(*outcome.answer), outcome.notes);
}

}  // namespace

plan::ReadingRules QueryApi::rules() const {
  return {stores_.language(), stores_.clock().wall_ms(), stores_.settings().query_timeout};
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
  const auto interest = exchange.interest();
  joined_.start(
      std::move(*question), interest,
      [this](plan::Question asked, std::shared_ptr<access::Interest> shared,
             run::JoinedQueries::Begun begun, run::JoinedQueries::Done done) {
        run::QueryRunner::start(stores_, kept_, std::move(asked), std::move(shared),
                                std::move(begun), std::move(done));
      },
      [exchange = std::move(exchange)](run::Outcome outcome) mutable {
        exchange.note_samples(outcome.samples);
        if (!outcome.answer) return exchange.fail(outcome.answer.error());
        exchange.send(response_of(std::move(outcome)));
      });
}

void QueryApi::format_query(request::ApiRequest request, request::Exchange exchange) {
  ask_about_text("/api/v1/format_query", request, std::move(exchange));
}

void QueryApi::parse_query(request::ApiRequest request, request::Exchange exchange) {
  if (stores_.coverage().dialect() == promql::Dialect::kPrometheus3) {
    return ask_about_text("/api/v1/parse_query", request, std::move(exchange));
  }
  // 2.x has none, so it is answered here, of the language that 2.x takes.
  auto expr = plan::read_expression(request.parameters, stores_.language());
  if (!expr) return exchange.fail(expr.error());
  exchange.send(success(expression_tree(**expr), {}));
}

void QueryApi::ask_about_text(std::string path, const request::ApiRequest& request,
                              request::Exchange exchange) {
  auto expr = plan::read_expression(request.parameters, stores_.language());
  if (!expr) return exchange.fail(expr.error());
  upstream::Ask ask(request.caller.customer, std::move(path));
  // Text in, text out: it reads no data, so it stays as the caller wrote it.
  ask.form.emplace_back("query", promql::print(**expr));
  ask.timeout = request.caller.limits.at_most(stores_.settings().query_timeout);
  ask.interest = exchange.interest();
  const std::size_t shard = stores_.shard_of(request.caller).value_or(0);
  stores_.shards()[shard].ask(
      std::move(ask),
      [exchange = std::move(exchange)](Result<wire::prometheus_api::Envelope> answer) mutable {
        exchange.send(passed_on(std::move(answer)));
      });
}

}  // namespace vigia::router::api::prometheus
