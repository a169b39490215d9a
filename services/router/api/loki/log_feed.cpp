#include "services/router/api/loki/log_feed.hpp"

#include <span>
#include <utility>
#include <variant>

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

}  // namespace

Result<std::unique_ptr<LogFeed>> LogFeed::open(stores::Stores& stores, LogWalk walk,
                                               const logql::LogSelector& selector, FeedState& state,
                                               std::size_t page_records) {
  auto filters = Pipeline::compile(filters_of(selector));
  if (!filters) return forward(filters);
  walk.lines = pushed_filters(selector);
  walk.page_bytes = page_bytes_of(stores.settings().answer_bytes_max);
  return std::make_unique<LogFeed>(stores, std::move(walk), std::move(*filters), state,
                                   page_records);
}

LogFeed::LogFeed(stores::Stores& stores, LogWalk walk, Pipeline filters, FeedState& state,
                 std::size_t page_records)
    : walk_(std::move(walk)),
      pages_(stores, walk_.customer, state),
      filters_(std::move(filters)),
      state_(state),
      page_records_(page_records),
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
  const auto page =
      pages_.fetch([this](Duration left) { return page_ask(walk_, page_records_, cursor_, left); });
  if (!page) return forward(page);
  lines_.clear();
  next_ = 0;
  seen_ = 0;
  seen_bytes_ = 0;
  auto end = read_page(*page, [this](const LogRecord& record) { return add(record); });
  pages_.end_reading();
  if (!end && end.error().code == ErrorCode::kCorrupt) {
    return tl::unexpected<Error>(not_as_it_should());
  }
  if (!end) return forward(end);
  if (end->is_cut && (end->cursor.empty() || end->cursor == cursor_)) {
    return tl::unexpected<Error>(pages_.took_too_long());
  }
  if (auto goes_on = state_.note(end->looked_at, seen_, seen_bytes_); !goes_on) {
    return forward(goes_on);
  }
  state_.warn(end->warnings);
  is_at_end_ = !end->is_cut;
  cursor_ = std::move(end->cursor);
  return {};
}

Result<bool> LogFeed::add(const LogRecord& record) {
  static const Labels kNone;
  if (auto goes_on = state_.look_at_line(record.body.size()); !goes_on) return forward(goes_on);
  ++seen_;
  seen_bytes_ += record.body.size();
  if (!is_of(walk_.customer, record)) return tl::unexpected<Error>(not_as_it_should());
  if (record.time_ns < walk_.range.start_ns || record.time_ns >= walk_.range.end_ns) return true;
  if (!filters_.run({record.time_ns, record.body, &kNone, {}})) return true;
  lines_.push_back({record.time_ns, std::string(record.body), stream_labels(record),
                    structured_metadata(record)});
  return true;
}

}  // namespace vigia::router::api::loki
