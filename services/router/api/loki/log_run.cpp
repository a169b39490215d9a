#include "services/router/api/loki/log_run.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "services/router/json/lists.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::api::loki {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
// A filter that most lines pass needs few of them, one that hardly any passes all.
constexpr std::size_t kFirstPage = 500;

}  // namespace

LogRun::LogRun(stores::Stores& stores, QueryThreads& threads, LogQuestion question,
               request::Exchange exchange)
    : stores_(stores),
      threads_(threads),
      question_(std::move(question)),
      exchange_(std::move(exchange)),
      walk_{question_.customer,
            question_.streams,
            question_.lines,
            question_.range,
            question_.wish.direction,
            exchange_.interest(),
            page_bytes_of(stores.settings().answer_bytes_max)},
      watch_(stores.clock(), WorkBounds::of(question_.limits, stores.settings().query_timeout),
             exchange_.interest()),
      held_(stores.shares().hold(question_.customer.text())),
      answer_(question_.is_by_category),
      cursor_(question_.cursor.value_or("")) {
  page_records_ = first_page();
  const auto replaced = stores_.cold_replacement();
  if (replaced && replaced->lacks(question_.range.start_ns / kNsPerMs)) {
    warnings_.push_back("cold part may be incomplete: " + replaced->text());
  }
}

void LogRun::start() {
  if (!question_.streams.selects_something) return finish("");
  ask_next();
}

bool LogRun::are_all_taken() const {
  return (are_filtered_there() || !question_.stages.leave_lines_out()) &&
         !question_.stages.have_others() && question_.wish.interval <= Duration::zero();
}

std::size_t LogRun::first_page() const {
  const std::size_t lines = question_.wish.lines;
  return std::min(are_all_taken() ? lines : std::max(lines, kFirstPage), kPageRecordsMax);
}

std::size_t LogRun::next_page() const {
  if (are_all_taken()) return std::min(question_.wish.lines - stats_.returned, kPageRecordsMax);
  return std::min(page_records_ * 2, kPageRecordsMax);
}

void LogRun::ask_next() {
  const Duration left = watch_.left();
  if (left <= Duration::zero()) return give_up();
  seen_ = 0;
  seen_bytes_ = 0;
  stores_.cold()->fetch(page_ask(walk_, page_records_, cursor_, left),
                        [self = shared_from_this()](Result<net::ClientResponse> answer) {
                          self->receive(std::move(answer), &LogRun::take);
                        });
}

void LogRun::receive(Result<net::ClientResponse> answer, Work work) {
  if (!answer && answer.error().code == ErrorCode::kDeadline) return give_up();
  if (!answer || answer->status != 200) return exchange_.fail(why_no_page(answer));
  // The store's own count of it ends with this call.
  page_held_.emplace(stores_.shares().hold(question_.customer.text()));
  if (!page_held_->grow(answer->body.size())) return exchange_.fail(no_room());
  threads_.run(question_.payer,
               [self = shared_from_this(), work, page = std::move(answer->body)]() mutable {
                 self->watch_.resume();
                 const WorkEnd end = self->watch_.look();
                 if (end != WorkEnd::kNone) return self->exchange_.fail(self->ended(end));
                 (self.get()->*work)(std::move(page));
               });
}

void LogRun::leave(std::string page) {
  page = {};
  page_held_.reset();
  watch_.rest();
}

void LogRun::take(std::string page) {
  auto end = read_page(page, [this](const LogRecord& record) { return add(record); });
  leave(std::move(page));
  if (!end && end.error().code == ErrorCode::kCorrupt) return exchange_.fail(not_as_it_should());
  if (!end) return exchange_.fail(end.error());
  knows_filters_ = end->says_looked_at;
  const PageWork left_out = end->looked_at.without(seen_, seen_bytes_);
  const WorkEnd limit = watch_.note(left_out.lines, left_out.bytes, left_out.work);
  if (limit != WorkEnd::kNone && !is_enough()) return exchange_.fail(ended(limit));
  for (std::string& warning : end->warnings) {
    if (std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end()) {
      warnings_.push_back(std::move(warning));
    }
  }
  go_on(std::move(*end));
}

bool LogRun::is_in_range(const LogRecord& record) const {
  return record.time_ns >= question_.range.start_ns && record.time_ns < question_.range.end_ns;
}

bool LogRun::is_far_enough(const LogRecord& record) const {
  if (question_.wish.interval <= Duration::zero() || !last_ns_) return true;
  const std::int64_t apart = is_forward() ? record.time_ns - *last_ns_ : *last_ns_ - record.time_ns;
  return apart >= question_.wish.interval.count();
}

/// False where no more are wanted.
Result<bool> LogRun::add(const LogRecord& record) {
  if (const WorkEnd end = watch_.look_at_line(record.body.size()); end != WorkEnd::kNone) {
    return tl::unexpected<Error>(ended(end));
  }
  ++seen_;
  seen_bytes_ += record.body.size();
  looked_ns_ = record.time_ns;
  if (!is_of(question_.customer, record)) return tl::unexpected<Error>(not_as_it_should());
  if (!is_in_range(record)) return true;
  const auto line = question_.stages.run(record);
  if (!line || !is_far_enough(record)) return true;
  const std::size_t bytes = answer_.add(*line);
  answer_bytes_ += bytes;
  if (!held_->grow(bytes)) return tl::unexpected<Error>(no_room());
  if (auto may = question_.limits.check_bytes(answer_bytes_); !may) return forward(may);
  last_ns_ = record.time_ns;
  ++stats_.returned;
  return !is_enough();
}

void LogRun::go_on(PageEnd end) {
  if (is_enough() && !question_.cursor) return finish("");
  // Where all of the page has been looked at its cursor is the place.
  if (is_enough()) return end.is_read_whole ? finish(end.cursor) : find_place();
  if (!end.is_cut) return finish("");
  if (end.cursor.empty() || end.cursor == cursor_) return give_up();
  cursor_ = std::move(end.cursor);
  page_records_ = next_page();
  ask_next();
}

void LogRun::find_place() {
  stores_.cold()->fetch(page_ask(walk_, seen_, cursor_, watch_.left()),
                        [self = shared_from_this()](Result<net::ClientResponse> answer) {
                          self->receive(std::move(answer), &LogRun::take_place);
                        });
}

void LogRun::take_place(std::string page) {
  std::size_t records = 0;
  std::int64_t last_ns = 0;
  const auto end = read_page(page, [&](const LogRecord& record) -> Result<bool> {
    ++records;
    last_ns = record.time_ns;
    return true;
  });
  leave(std::move(page));
  const bool is_on_its_way = end && records < seen_ && end->is_cut && !end->cursor.empty();
  if (is_on_its_way && end->cursor != cursor_) {
    seen_ -= records;
    cursor_ = end->cursor;
    return find_place();
  }
  if (!end || records != seen_ || last_ns != last_ns_) {
    return exchange_.fail({ErrorCode::kUnavailable,
                           "lines came in among those that were read; ask again",
                           std::chrono::seconds(1)});
  }
  finish(end->cursor);
}

void LogRun::give_up() {
  if (watch_.left() <= Duration::zero()) return exchange_.fail(ended(WorkEnd::kTime));
  exchange_.fail({ErrorCode::kInvalid, sentence_of(WorkEnd::kTime)});
}

std::string LogRun::sentence_of(WorkEnd end) const {
  const std::string how_far =
      looked_ns_
          ? fmt::format(
                ", from {} to {}",
                request::format_time(
                    (is_forward() ? question_.range.start_ns : question_.range.end_ns) / kNsPerMs),
                request::format_time(*looked_ns_ / kNsPerMs))
          : "";
  constexpr std::uint64_t kMiB = 1U << 20U;
  return fmt::format(
      "the query {}: it looked at {} lines ({} MiB){}, and found {} of {}; "
      "ask for a shorter time, or name more of service_name, node_id, "
      "environment and level",
      why_ended(end), watch_.lines(), watch_.bytes() / kMiB, how_far, stats_.returned,
      question_.wish.lines);
}

Error LogRun::ended(WorkEnd end) const {
  return end == WorkEnd::kClientLeft ? client_left() : watch_.too_much(end, sentence_of(end));
}

Error LogRun::no_room() const {
  return {ErrorCode::kOverLimit,
          "these lines are larger than what others leave room for; read them, or ask for fewer",
          std::chrono::seconds(1)};
}

void LogRun::finish(const std::string& cursor) {
  // The body is there beside what it is made of until it is whole; it is about as long.
  if (!held_->grow(answer_bytes_)) return exchange_.fail(no_room());
  stats_.took = watch_.took();
  stats_.lines = watch_.lines();
  stats_.bytes = watch_.bytes();
  std::string body = answer_.finish(stats_, cursor, warnings_);
  // From here on the exchange counts the body, and nothing else is there.
  held_.reset();
  exchange_.send(json_answer(std::move(body)));
}

}  // namespace vigia::router::api::loki
