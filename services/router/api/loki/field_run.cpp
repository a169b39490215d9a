#include "services/router/api/loki/field_run.hpp"

#include <algorithm>
#include <charconv>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "libs/json/writer.hpp"
#include "services/router/api/loki/answer.hpp"
#include "services/router/api/loki/field_scan.hpp"
#include "services/router/api/loki/list_answers.hpp"
#include "services/router/api/loki/log_feed.hpp"

namespace vigia::router::api::loki {
namespace {

using vigia::json::JsonWriter;

constexpr std::size_t kDefault = 1'000;  // as Loki's

/// 0, as a name that is not there, is the default.
Result<std::size_t> read_count(const request::Parameters& parameters, std::string_view name) {
  const auto text = parameters.single(name);
  if (!text) return forward(text);
  if (!*text || (*text)->empty()) return kDefault;
  std::size_t count = 0;
  const char* end = (*text)->data() + (*text)->size();
  const auto [stop, failure] = std::from_chars((*text)->data(), end, count);
  if (failure != std::errc{} || stop != end) {
    return fail(ErrorCode::kInvalid, fmt::format("invalid parameter \"{}\": is no number", name));
  }
  return count == 0 ? kDefault : std::min(count, kLinesMax);
}

const logql::LogSelector* selector_in(const logql::LogExpr& expr) {
  const logql::LogExpr* inner = &expr;
  while (const auto* grouped = std::get_if<logql::GroupedExpr>(&inner->node)) {
    inner = grouped->expr.get();
  }
  return std::get_if<logql::LogSelector>(&inner->node);
}

struct Scanned {
  FieldScan scan;
  std::vector<std::string> warnings;
};

Result<Scanned> scanned(stores::Stores& stores, const FieldQuestion& question,
                        const std::shared_ptr<access::Interest>& interest) {
  const logql::LogSelector* selector = selector_in(*question.query.expr);
  if (selector == nullptr) return fail(ErrorCode::kInternal, "lines are asked for of a number");
  auto scan = FieldScan::make(*selector, question.name ? kLinesMax : question.fields_max);
  if (!scan) return forward(scan);
  auto streams = stream_query_of(selector->matchers);
  if (!streams) return forward(streams);
  FeedState state{WorkWatch(stores.clock(),
                            WorkBounds::of(question.query.limits, stores.settings().query_timeout),
                            interest)};
  state.watch.resume();
  LogWalk walk{.customer = *question.query.customer,
               .streams = std::move(*streams),
               .range = question.range,
               .direction = Direction::kBackward,
               .interest = interest};
  auto feed = LogFeed::open(stores, std::move(walk), *selector, state,
                            std::min(question.lines_max, kPageRecordsMax));
  if (!feed) return forward(feed);
  for (std::size_t lines = 0; lines < question.lines_max;) {
    const auto line = (*feed)->next();
    if (!line) return forward(line);
    if (*line == nullptr) break;
    if (scan->add(**line)) ++lines;
  }
  return Scanned{std::move(*scan), std::move(state.warnings)};
}

void append_field(JsonWriter& body, const std::string& name, const DetectedField& field) {
  body.begin_object().member("label", name).member("type", to_string(field.type));
  body.member("cardinality", static_cast<std::int64_t>(field.values.size())).key("parsers");
  if (field.parsers.empty()) {
    body.null();
  } else {
    body.begin_array();
    for (const std::string_view parser : field.parsers) body.string(parser);
    body.end_array();
  }
  body.end_object();
}

net::Response fields_answer(const Scanned& found, const FieldQuestion& question) {
  const FieldScan& scan = found.scan;
  JsonWriter body;
  body.begin_object();
  if (question.name) {
    body.key("values").begin_array();
    const auto at = scan.fields().find(*question.name);
    std::size_t left = at == scan.fields().end() ? 0 : question.fields_max;
    for (auto value = left > 0 ? at->second.values.begin()
                               : std::set<std::string, std::less<>>::iterator();
         left > 0 && value != at->second.values.end(); ++value, --left) {
      body.string(*value);
    }
  } else {
    body.key("fields").begin_array();
    for (const auto& [name, field] : scan.fields()) append_field(body, name, field);
  }
  body.end_array().member("limit", static_cast<std::int64_t>(question.fields_max));
  append_warnings(body, found.warnings);
  return json_answer(body.end_object().take());
}

}  // namespace

Result<FieldQuestion> read_field_question(const request::ApiRequest& request,
                                          std::optional<std::string> name, TimestampMs now_ms) {
  auto query = read_query(request.caller, request.parameters);
  if (!query) return forward(query);
  if (query->expr->value != logql::LogValue::kLogs || !query->customer) {
    return fail(ErrorCode::kInvalid, "only log selector is supported: give a query of lines");
  }
  const access::QueryLimits& limits = query->limits;
  const auto range =
      read_range(request.parameters, now_ms, limits.range_at_most(std::chrono::hours(1)));
  if (!range) return forward(range);
  if (auto may = check_range(limits, *range); !may) return forward(may);
  const auto lines = read_count(request.parameters, "line_limit");
  if (!lines) return forward(lines);
  const auto old_name = request.parameters.single("field_limit");
  if (!old_name) return forward(old_name);
  const auto fields = read_count(request.parameters, *old_name ? "field_limit" : "limit");
  if (!fields) return forward(fields);
  return FieldQuestion{std::move(*query), *range, *lines, *fields, std::move(name)};
}

void answer_fields(stores::Stores& stores, const FieldQuestion& question,
                   request::Exchange exchange) {
  auto found = scanned(stores, question, exchange.interest());
  if (!found) return exchange.fail(as_bad_query(std::move(found.error())));
  const auto replaced = stores.cold_replacement();
  if (replaced && replaced->lacks(question.range.start_ns / 1'000'000)) {
    found->warnings.push_back("cold part may be incomplete: " + replaced->text());
  }
  exchange.send(fields_answer(*found, question));
}

}  // namespace vigia::router::api::loki
