#include "services/router/api/loki/line_counts.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "libs/logql/pipeline/front_filters.hpp"
#include "services/router/api/loki/log_labels.hpp"

namespace vigia::router::api::loki {
namespace {

using logql::metrics::CountAsk;
using logql::metrics::CountedLines;
using Take = std::function<Result<void>(const CountedLines&)>;

/// What no line may say itself, that is, what of the labels no stream has. Nothing where that
/// cannot be told by a line's attributes.
std::optional<std::vector<std::string>> labels_of_none(const std::vector<std::string>& labels) {
  std::vector<std::string> names;
  for (const std::string& label : labels) {
    if (std::find(kStreamLabels.begin(), kStreamLabels.end(), label) != kStreamLabels.end()) {
      continue;
    }
    // Of these log_labels.cpp makes labels that stand in no attribute.
    if (label == "trace_id" || label == "span_id" || label == "severity_text" ||
        label.ends_with("_extracted")) {
      return std::nullopt;
    }
    names.push_back(label);
  }
  return names;
}

Result<void> give(const CustomerId& customer, const CountAsk& ask, const CountedStream& stream,
                  const Take& take) {
  const Labels labels = stream_labels(customer, stream);
  // The last one may be longer than what is asked for.
  const auto last =
      static_cast<std::uint64_t>((ask.until_ns - ask.after_ns + ask.width_ns - 1) / ask.width_ns);
  for (const CountedStream::Window& window : stream.windows) {
    if (window.number == 0 || window.number > last) continue;
    const auto number = static_cast<std::int64_t>(window.number);
    const auto done =
        take({ask.after_ns + number * ask.width_ns, &labels, window.lines, window.bytes});
    if (!done) return done;
  }
  return {};
}

}  // namespace

Result<bool> count_lines(stores::Stores& stores, const LogWalk& walk, const CountAsk& ask,
                         FeedState& state, const Take& take) {
  if (!walk.streams.selects_something) return true;
  const bool are_filtered = logql::pipeline::count_front_filters(ask.selector) > 0;
  const auto unless = labels_of_none(ask.labels);
  if (!unless || (are_filtered && walk.lines.empty())) return false;
  const CountWindows windows{ask.after_ns, ask.width_ns};
  PageFetch pages(stores, walk.customer, state);
  std::string cursor;
  for (;;) {
    if (auto goes_on = state.look(); !goes_on) return forward(goes_on);
    const auto page = pages.fetch(
        [&](Duration left) { return counts_ask(walk, windows, &*unless, cursor, left); });
    // Of an earlier program lines are read, and an error of the question comes again there.
    if (!page && pages.was_refused()) return false;
    if (!page) return forward(page);
    auto end = read_counts(
        *page, [&](const CountedStream& stream) { return give(walk.customer, ask, stream, take); });
    if (!end && end.error().code == ErrorCode::kCorrupt) {
      return tl::unexpected<Error>(not_as_it_should());
    }
    if (!end) return forward(end);
    if (!*end || !(*end)->says_looked_at) return false;
    if (auto goes_on = state.note((*end)->looked_at, 0, 0); !goes_on) return forward(goes_on);
    state.warn((*end)->warnings);
    if (!(*end)->is_cut) return true;
    if ((*end)->cursor.empty() || (*end)->cursor == cursor) {
      return tl::unexpected<Error>(pages.took_too_long());
    }
    cursor = std::move((*end)->cursor);
  }
}

}  // namespace vigia::router::api::loki
