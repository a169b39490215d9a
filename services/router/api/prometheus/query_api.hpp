// /api/v1/query, query_range, query_exemplars, format_query and parse_query.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/promql/ast.hpp"
#include "libs/promql/time_range.hpp"
#include "services/router/api/prometheus/answer.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::api::prometheus {

/// Parses, fences, and has each query evaluated whole by one store: hot where it is known to cover
/// every selector, else prometheus-query. What hot covers is looked at when the request comes, when
/// its turn has come, and when the answer is there; where it is less by then, prometheus-query is
/// asked. If that one fails the other answers, and what may be missing is said. Any thread.
class QueryApi {
 public:
  explicit QueryApi(stores::Stores& stores) : stores_(stores) {}

  void query(request::ApiRequest request, request::Exchange exchange);
  void query_range(request::ApiRequest request, request::Exchange exchange);
  void query_exemplars(request::ApiRequest request, request::Exchange exchange);
  void format_query(request::ApiRequest request, request::Exchange exchange);
  /// 404 where the hot store is of a version without it.
  void parse_query(request::ApiRequest request, request::Exchange exchange);

 private:
  struct Evaluation;  // one query on its way
  using Shared = std::shared_ptr<Evaluation>;

  Result<promql::ExprPtr> expression_of(const request::ApiRequest& request) const;
  void ask_about_text(std::string path, const request::ApiRequest& request,
                      request::Exchange exchange);
  Result<void> fence(const access::Caller& caller, promql::Expr& expr, request::Form& form) const;
  Result<void> add_options(const request::ApiRequest& request, Evaluation& evaluation) const;
  Result<void> prepare(const request::ApiRequest& request, promql::Evaluation times,
                       Evaluation& evaluation) const;
  Result<void> prepare_instant(const request::ApiRequest& request, Evaluation& evaluation) const;
  Result<void> prepare_range(const request::ApiRequest& request, Evaluation& evaluation) const;
  void weigh(Evaluation& evaluation) const;
  bool moves(const Shared& evaluation, bool is_at_hot);
  void add_room_check(const Shared& evaluation, std::optional<std::size_t> shard,
                      upstream::Ask& ask);
  Result<void> take_room(Evaluation& evaluation, std::optional<std::size_t> shard,
                         const Result<std::uint64_t>& bytes) const;
  void learn(Evaluation& evaluation, Result<json::Envelope>& answer) const;
  void choose(const request::ApiRequest& request, Evaluation& evaluation) const;
  void add_coverage_check(const Shared& evaluation, upstream::Ask& ask) const;
  Result<void> check_coverage(Evaluation& evaluation) const;
  bool may_leave_hot(const Evaluation& evaluation) const;
  void start(const Shared& evaluation);
  void note_worse_cold(Evaluation& evaluation) const;
  void ask_hot(const Shared& evaluation);
  void ask_query(const Shared& evaluation);
  void take_hot(const Shared& evaluation, Result<json::Envelope> answer);
  void take_query(const Shared& evaluation, Result<json::Envelope> answer);
  void look_again(const Shared& evaluation, json::Envelope answer);
  void settle_query(const Shared& evaluation, Result<json::Envelope> answer, bool is_complete);
  void ask_for_gaps(const Shared& evaluation, json::Envelope answer, Notes notes) const;
  void finish(const Shared& evaluation, json::Envelope answer, Notes notes) const;

  stores::Stores& stores_;
};

}  // namespace vigia::router::api::prometheus
