#include "services/router/api/loki/page_ask.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/logql/limits.hpp"
#include "libs/logql/pipeline/front_filters.hpp"
#include "services/router/json/lists.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::api::loki {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::chrono::seconds kPageTimeMax{30};

/// What is the same of all pages of a walk.
request::Form walk_form(const LogWalk& walk) {
  // Storage knows milliseconds, and takes both ends in: what lies beside is left out by whoever
  // reads.
  request::Form form{{"start", request::format_seconds(walk.range.start_ns / kNsPerMs)},
                     {"end", request::format_seconds((walk.range.end_ns - 1) / kNsPerMs)},
                     {"direction", walk.direction == Direction::kForward ? "forward" : "backward"},
                     {"query", walk.streams.streams}};
  if (!walk.streams.severity.empty()) form.emplace_back("matcher", walk.streams.severity);
  if (!walk.lines.empty()) form.emplace_back("lines", walk.lines);
  return form;
}

upstream::Ask ask_of(const LogWalk& walk, const char* path, request::Form form, Duration left) {
  upstream::Ask ask(walk.customer, path, std::move(form));
  ask.timeout = std::min<Duration>(left, kPageTimeMax);
  ask.interest = walk.interest;
  ask.lane = upstream::Lane::kLookUp;
  return ask;
}

}  // namespace

std::string pushed_filters(const logql::LogSelector& selector) {
  // With a selector in front it is read as a query is.
  constexpr std::size_t kMost = logql::kQueryBytesMax - 64;
  std::string text = logql::pipeline::text_of_front_filters(selector);
  return text.size() <= kMost ? std::move(text) : std::string();
}

upstream::Ask page_ask(const LogWalk& walk, std::size_t records, const std::string& cursor,
                       Duration left) {
  request::Form form = walk_form(walk);
  form.emplace_back("limit", std::to_string(records));
  if (walk.page_bytes < kPageBytesMax) {
    form.emplace_back("answer_bytes", std::to_string(walk.page_bytes));
  }
  if (!cursor.empty()) form.emplace_back("cursor", cursor);
  return ask_of(walk, "/api/v1/logs", std::move(form), left);
}

upstream::Ask counts_ask(const LogWalk& walk, const std::optional<CountWindows>& windows,
                         const std::vector<std::string>* unless, const std::string& cursor,
                         Duration left) {
  request::Form form = walk_form(walk);
  form.emplace_back("cursor", cursor);  // empty: the first page of a walk
  if (windows) {
    form.emplace_back("origin", std::to_string(windows->origin_ns));
    form.emplace_back("width", std::to_string(windows->width_ns));
  }
  if (unless != nullptr) {
    form.emplace_back("unless", "");
    for (const std::string& name : *unless) form.emplace_back("unless", name);
  }
  return ask_of(walk, "/api/v1/logs/streams", std::move(form), left);
}

upstream::Ask list_ask(const LogWalk& walk, Duration left) {
  return ask_of(walk, "/api/v1/logs/streams", walk_form(walk), left);
}

Error why_no_page(const Result<net::ClientResponse>& answer) {
  if (!answer) {
    switch (answer.error().code) {
      case ErrorCode::kInvalid:
      case ErrorCode::kForbidden:
      case ErrorCode::kOverLimit:
        return answer.error();  // our own word
      case ErrorCode::kDeadline:
        return {ErrorCode::kDeadline, "the long-term store took too long"};
      case ErrorCode::kTooLarge:
        return {ErrorCode::kTooLarge, "the lines are too large; ask for fewer"};
      default:
        return upstream::no_answer();
    }
  }
  const std::string said = json::read_text_of(answer->body, "message");
  switch (answer->status) {
    case 400:
      return {ErrorCode::kInvalid, said};
    case 413:
      return {ErrorCode::kTooLarge, said};
    case 429:
      return {ErrorCode::kOverLimit, said, std::chrono::seconds(1)};
    default:
      return {ErrorCode::kUnavailable,
              fmt::format("the long-term store cannot say now (it answered {})", answer->status),
              std::chrono::seconds(1)};
  }
}

bool is_of(const CustomerId& customer, const LogRecord& record) {
  bool is_named = false;
  for (const auto& [key, value] : record.resource) {
    if (key != "customer.id" || value.empty()) continue;
    if (value != customer.text()) return false;
    is_named = true;
  }
  return is_named;
}

Error not_as_it_should() {
  return {ErrorCode::kUnavailable, "the long-term store does not answer as it should"};
}

}  // namespace vigia::router::api::loki
