#include "services/router/api/loki/log_api.hpp"

#include <memory>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "libs/json/writer.hpp"
#include "libs/logql/fence.hpp"
#include "libs/logql/parser.hpp"
#include "libs/logql/printer.hpp"
#include "services/router/api/loki/answer.hpp"
#include "services/router/api/loki/field_run.hpp"
#include "services/router/api/loki/list_answers.hpp"
#include "services/router/api/loki/log_run.hpp"

namespace vigia::router::api::loki {
namespace {

using vigia::json::JsonWriter;

constexpr std::chrono::hours kLookBack{6};  // of lists, where no start is given
constexpr std::chrono::seconds kListTimeout{30};

Error no_store() { return {ErrorCode::kNotFound, "there is no store for logs here"}; }

/// Selectors without stages, of which each names somebody's streams.
Result<std::vector<logql::LogSelector>> read_selectors(std::vector<std::string> texts) {
  std::erase(texts, "");
  std::erase(texts, "{}");
  return logql::parse_stream_selectors(texts);
}

/// Fenced as a query is: the customer is in every one, and what else they say stays.
Result<StreamListQuestion> list_question(const request::ApiRequest& request,
                                         std::vector<std::string> texts, TimestampMs now_ms) {
  auto selectors = read_selectors(std::move(texts));
  if (!selectors) return tl::unexpected<Error>(as_bad_query(std::move(selectors.error())));
  const access::QueryLimits& limits = request.caller.limits;
  const auto range = read_range(request.parameters, now_ms, limits.range_at_most(kLookBack));
  if (!range) return forward(range);
  if (auto may = check_range(limits, *range); !may) return forward(may);
  std::vector<const logql::LogSelector*> all;
  for (const auto& selector : *selectors) all.push_back(&selector);
  auto customer = customer_of(request.caller, all);
  if (!customer) return forward(customer);
  if (selectors->empty()) selectors->emplace_back();
  std::vector<StreamQuery> queries;
  for (auto& selector : *selectors) {
    selector.matchers.push_back({MatchType::kEqual, std::string(kCustomerLabel), customer->text()});
    auto query = stream_query_of(selector.matchers);
    if (!query) return forward(query);
    queries.push_back(std::move(*query));
  }
  return StreamListQuestion{.customer = std::move(*customer),
                            .payer = request.caller.payer(),
                            .selectors = std::move(queries),
                            .range = *range,
                            .timeout = limits.log_at_most(kListTimeout),
                            .interest = request.interest};
}

/// The one selector of labels, values and statistics: all streams where it is not given.
Result<StreamListQuestion> query_list_question(const request::ApiRequest& request,
                                               TimestampMs now_ms) {
  auto query = request.parameters.single("query");
  if (!query) return forward(query);
  return list_question(request, {query->value_or("")}, now_ms);
}

}  // namespace

void LogApi::query_range(request::ApiRequest request, request::Exchange exchange) {
  auto query = read_query(request.caller, request.parameters);
  if (!query) return exchange.fail(query.error());
  const TimestampMs now_ms = stores_.clock().wall_ms();
  if (query->expr->value == logql::LogValue::kLogs) {
    auto question = read_question(std::move(*query), request.parameters, now_ms);
    if (!question) return exchange.fail(question.error());
    if (stores_.cold() == nullptr) return exchange.fail(no_store());
    question->is_by_category = request.wants_label_categories;
    return std::make_shared<LogRun>(stores_, page_threads_, std::move(*question),
                                    std::move(exchange))
        ->start();
  }
  answer(read_metric_range(std::move(*query), request.parameters, now_ms), std::move(exchange));
}

void LogApi::query(request::ApiRequest request, request::Exchange exchange) {
  auto query = read_query(request.caller, request.parameters);
  if (!query) return exchange.fail(query.error());
  if (query->expr->value == logql::LogValue::kLogs) {
    return exchange.fail({ErrorCode::kInvalid,
                          "log queries are not supported as an instant query type, please change "
                          "your query to a range query type"});
  }
  answer(read_metric_moment(std::move(*query), request.parameters, stores_.clock().wall_ms()),
         std::move(exchange));
}

void LogApi::answer(Result<MetricQuestion> question, request::Exchange exchange) {
  if (!question) return exchange.fail(question.error());
  if (question->query.customer && stores_.cold() == nullptr) return exchange.fail(no_store());
  const std::string payer = question->query.payer;
  metric_threads_.run(
      payer, [this, question = std::move(*question), exchange = std::move(exchange)]() mutable {
        answer_metrics(stores_, question, std::move(exchange));
      });
}

void LogApi::list(Result<StreamListQuestion> question, request::Exchange exchange,
                  Task<Result<net::Response>(StreamList)> answer) {
  if (!question) return exchange.fail(question.error());
  if (stores_.cold() == nullptr) return exchange.fail(no_store());
  const auto replaced = stores_.cold_replacement();
  std::string warning;
  if (replaced && replaced->lacks(question->range.start_ns / 1'000'000)) {
    warning = "cold part may be incomplete: " + replaced->text();
  }
  list_streams({stores_, streams_, page_threads_}, std::move(*question),
               [exchange = std::move(exchange), answer = std::move(answer),
                warning = std::move(warning)](Result<StreamList> found) mutable {
                 if (!found) return exchange.fail(found.error());
                 if (!warning.empty()) found->warnings.push_back(std::move(warning));
                 auto response = answer(std::move(*found));
                 if (!response) return exchange.fail(response.error());
                 exchange.send(std::move(*response));
               });
}

void LogApi::labels(request::ApiRequest request, request::Exchange exchange) {
  list(query_list_question(request, stores_.clock().wall_ms()), std::move(exchange), &names_answer);
}

void LogApi::label_values(request::ApiRequest request, request::Exchange exchange) {
  const std::string name = request.path_values.find("name")->second;
  list(query_list_question(request, stores_.clock().wall_ms()), std::move(exchange),
       [name](const StreamList& found) { return values_answer(found, name); });
}

void LogApi::series(request::ApiRequest request, request::Exchange exchange) {
  auto texts = request.parameters.selectors();
  if (!texts) return exchange.fail(texts.error());
  if (texts->empty()) *texts = request.parameters.all("match");
  constexpr std::size_t kMost = request::Parameters::kSelectorsMax;
  if (texts->size() > kMost) {
    return exchange.fail({ErrorCode::kInvalid,
                          fmt::format("{} match are more than {}: ask in several requests, or with "
                                      "one that names all, as by =~\"a|b\"",
                                      texts->size(), kMost)});
  }
  auto question = list_question(request, std::move(*texts), stores_.clock().wall_ms());
  list(std::move(question), std::move(exchange),
       [limits = request.caller.limits](const StreamList& found) -> Result<net::Response> {
         if (auto may = limits.check_series(found.streams.size()); !may) return forward(may);
         return series_answer(found);
       });
}

void LogApi::index_stats(request::ApiRequest request, request::Exchange exchange) {
  list(query_list_question(request, stores_.clock().wall_ms()), std::move(exchange), &stats_answer);
}

void LogApi::volume(request::ApiRequest request, request::Exchange exchange) {
  volumes(std::move(request), true, std::move(exchange));
}

void LogApi::volume_range(request::ApiRequest request, request::Exchange exchange) {
  volumes(std::move(request), false, std::move(exchange));
}

void LogApi::volumes(request::ApiRequest request, bool is_instant, request::Exchange exchange) {
  auto question = query_list_question(request, stores_.clock().wall_ms());
  if (!question) return exchange.fail(question.error());
  auto wish = read_volume_wish(request.parameters, question->range, is_instant);
  if (!wish) return exchange.fail(wish.error());
  const access::QueryLimits& limits = request.caller.limits;
  if (auto may = limits.check_steps(wish->steps); !may) return exchange.fail(may.error());
  question->windows = wish->windows;
  list(std::move(question), std::move(exchange),
       [wish = std::move(*wish), limits](const StreamList& found) {
         return volume_answer(found, wish, limits);
       });
}

void LogApi::detected_labels(request::ApiRequest request, request::Exchange exchange) {
  list(query_list_question(request, stores_.clock().wall_ms()), std::move(exchange),
       &detected_labels_answer);
}

void LogApi::detected_fields(request::ApiRequest request, request::Exchange exchange) {
  scan_fields(std::move(request), std::nullopt, std::move(exchange));
}

void LogApi::detected_field_values(request::ApiRequest request, request::Exchange exchange) {
  std::string name = request.path_values.find("name")->second;
  scan_fields(std::move(request), std::move(name), std::move(exchange));
}

void LogApi::scan_fields(request::ApiRequest request, std::optional<std::string> name,
                         request::Exchange exchange) {
  auto question = read_field_question(request, std::move(name), stores_.clock().wall_ms());
  if (!question) return exchange.fail(question.error());
  if (stores_.cold() == nullptr) return exchange.fail(no_store());
  const std::string payer = question->query.payer;
  metric_threads_.run(
      payer, [this, question = std::move(*question), exchange = std::move(exchange)]() mutable {
        answer_fields(stores_, question, std::move(exchange));
      });
}

void LogApi::format_query(request::ApiRequest request, request::Exchange exchange) {
  const auto text = request.parameters.single("query");
  if (!text) return exchange.fail(text.error());
  const auto expr = logql::parse_logs(text->value_or(""));
  if (!expr) return exchange.fail(as_bad_query(expr.error()));
  JsonWriter body;
  body.begin_object().member("status", "success").member("data", logql::print(**expr));
  exchange.send(json_answer(body.end_object().take()));
}

void LogApi::build_info(request::ApiRequest /*request*/, request::Exchange exchange) {
  JsonWriter body;
  body.begin_object().member("version", VIGIA_VERSION);
  for (const char* unknown : {"revision", "branch", "buildUser", "buildDate", "goVersion"}) {
    body.member(unknown, "");
  }
  exchange.send(json_answer(body.end_object().take()));
}

}  // namespace vigia::router::api::loki
