#include "services/router/api/loki/log_feed.hpp"

#include <algorithm>
#include <future>
#include <span>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "services/router/api/loki/log_labels.hpp"

namespace vigia::router::api::loki {
namespace {

using logql::pipeline::Pipeline;
using logql::pipeline::StoredLine;

/// The line filters in front: they look at a line's text alone.
logql::LogSelector filters_of(const logql::LogSelector& selector) {
  logql::LogSelector filters;
  for (const logql::Stage& stage : selector.stages) {
    const auto* filter = std::get_if<logql::LineFilter>(&stage);
    if (filter == nullptr) break;
    filters.stages.emplace_back(*filter);
  }
  return filters;
}

/// Blocks. The store calls back in any case; where it lets the call go instead, at the program's
/// end, it is as one that is not there.
Result<net::ClientResponse> fetch_and_wait(const upstream::AskedStore& store, upstream::Ask ask) {
  auto promise = std::make_shared<std::promise<Result<net::ClientResponse>>>();
  auto answer = promise->get_future();
  store.fetch(std::move(ask), [promise = std::move(promise)](Result<net::ClientResponse> found) {
    promise->set_value(std::move(found));
  });
  try {
    return answer.get();
  } catch (const std::future_error&) {
    return tl::unexpected<Error>(upstream::no_answer());
  }
}

}  // namespace

Result<void> FeedState::go_on(WorkEnd end) const {
  if (end == WorkEnd::kNone) return {};
  return tl::unexpected<Error>(end == WorkEnd::kClientLeft ? client_left() : too_much(end));
}

std::string FeedState::sentence_of(WorkEnd end) const {
  constexpr std::uint64_t kMiB = 1U << 20U;
  return fmt::format(
      "the query {}: it looked at {} lines ({} MiB) and is not at their end; ask "
      "for a shorter time, or name more of service_name, node_id, environment "
      "and level",
      why_ended(end), watch.lines(), watch.bytes() / kMiB);
}

Result<std::unique_ptr<LogFeed>> LogFeed::open(stores::Stores& stores, LogWalk walk,
                                               const logql::LogSelector& selector,
                                               FeedState& state) {
  auto filters = Pipeline::compile(filters_of(selector));
  if (!filters) return forward(filters);
  return std::make_unique<LogFeed>(stores, std::move(walk), std::move(*filters), state);
}

LogFeed::LogFeed(stores::Stores& stores, LogWalk walk, Pipeline filters, FeedState& state)
    : stores_(stores),
      walk_(std::move(walk)),
      filters_(std::move(filters)),
      state_(state),
      is_at_end_(!walk_.streams.selects_something) {}

Result<const StoredLine*> LogFeed::next() {
  if (auto goes_on = state_.look(); !goes_on) return forward(goes_on);
  while (next_ == lines_.size()) {
    if (is_at_end_) return nullptr;
    if (auto read = read_next(); !read) return forward(read);
  }
  const Line& line = lines_[next_++];
  current_ = {line.time_ns, line.text, &line.stream,
              std::span<const Label>(line.metadata.begin(), line.metadata.end())};
  return &current_;
}

Result<void> LogFeed::read_next() {
  const auto too_long = [&] {
    return tl::unexpected<Error>(state_.watch.left() > Duration::zero()
                                     ? state_.too_slow()
                                     : state_.too_much(WorkEnd::kTime));
  };
  const Duration left = state_.watch.left();
  if (left <= Duration::zero()) return too_long();
  const auto answer =
      fetch_and_wait(*stores_.cold(), page_ask(walk_, kPageRecordsMax, cursor_, left));
  if (!answer && answer.error().code == ErrorCode::kDeadline) return too_long();
  if (!answer || answer->status != 200) return tl::unexpected<Error>(why_no_page(answer));
  // The store's own count of it has ended with its call; the lines are about as much.
  held_.reset();
  held_.emplace(stores_.shares().hold(walk_.customer.text()));
  if (!held_->grow(answer->body.size())) {
    return fail(ErrorCode::kOverLimit,
                "other answers under way leave no room for this query's lines");
  }
  lines_.clear();
  next_ = 0;
  auto end = read_page(answer->body, [this](const LogRecord& record) { return add(record); });
  if (!end && end.error().code == ErrorCode::kCorrupt) {
    return tl::unexpected<Error>(not_as_it_should());
  }
  if (!end) return forward(end);
  if (end->is_cut && (end->cursor.empty() || end->cursor == cursor_)) {
    return too_long();
  }
  for (std::string& warning : end->warnings) state_.warnings.push_back(std::move(warning));
  is_at_end_ = !end->is_cut;
  cursor_ = std::move(end->cursor);
  return {};
}

Result<bool> LogFeed::add(const LogRecord& record) {
  static const Labels kNone;
  if (auto goes_on = state_.look_at_line(record.body.size()); !goes_on) return forward(goes_on);
  if (!is_of(walk_.customer, record)) return tl::unexpected<Error>(not_as_it_should());
  if (record.time_ns < walk_.range.start_ns || record.time_ns >= walk_.range.end_ns) return true;
  if (!filters_.run({record.time_ns, record.body, &kNone, {}})) return true;
  lines_.push_back({record.time_ns, std::string(record.body), stream_labels(record),
                    structured_metadata(record)});
  return true;
}

}  // namespace vigia::router::api::loki
