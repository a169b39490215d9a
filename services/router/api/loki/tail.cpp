#include "services/router/api/loki/tail.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/base/fault.hpp"

namespace vigia::router::api::loki {
namespace {

constexpr std::size_t kPageRecords = 1'000;
// Of one reading: as many records as come in a minute and more of the busiest customer. Who is so
// far behind looks at what comes now.
constexpr std::size_t kPagesMax = 1'000;
// Of what was there before: lines that come now would wait longer for it.
constexpr std::size_t kHistoryPagesMax = 50;
constexpr std::chrono::seconds kPageTimeMax{30};
// Lines of nodes whose clocks are ahead are of before, too, where they have come.
constexpr std::int64_t kAheadNs = std::chrono::nanoseconds(std::chrono::minutes(10)).count();

}  // namespace

Tail::Tail(const TailParts& parts, TailQuestion question, net::RequestHead opening,
           access::InFlight::Place place, std::uint64_t upto)
    : parts_(parts),
      question_(std::move(question.lines)),
      delay_(question.delay),
      opening_(std::move(opening)),
      ends_(parts.stores.clock().steady() + kTimeMax),
      queue_(question_.is_by_category),
      place_(std::move(place)),
      position_(upto) {
  Reading history{{0, upto}, {{question_.range.start_ns, question_.range.end_ns + kAheadNs}}};
  history.is_history = true;
  reading_ = std::move(history);
}

net::WebSocketOut Tail::next() {
  const std::lock_guard lock(mutex_);
  const bool may_read = !close_ || close_->code != net::websocket_code::kPolicy;
  std::string message = may_read ? queue_.take_message() : "";
  if (!message.empty()) return message;
  if (close_) return *std::exchange(close_, std::nullopt);
  return {};
}

void Tail::ended() {
  interest_->lose();
  const std::lock_guard lock(mutex_);
  place_.reset();
}

void Tail::close(std::uint16_t code, std::string reason) {
  {
    const std::lock_guard lock(mutex_);
    if (!close_) close_ = net::WebSocketClose{code, std::move(reason)};
  }
  waker_->wake();
}

void Tail::refuse(const Error& error) { close(net::websocket_code::kInternal, error.message); }

/// The token may have been revoked, or have expired, since.
bool Tail::may_go_on() {
  const auto caller = parts_.access.identify(opening_);
  if (caller && (!caller->customer || *caller->customer == question_.customer)) return true;
  close(net::websocket_code::kPolicy, caller ? "another's token" : caller.error().message);
  return false;
}

void Tail::pulse() {
  if (is_over() || !may_go_on()) return;
  if (parts_.stores.clock().steady() >= ends_) {
    return close(net::websocket_code::kInternal, "reached tail max duration limit");
  }
  if (is_busy_.exchange(true)) return;
  if (!question_.streams.selects_something) return;  // busy for ever: nothing comes
  reading_ ? ask_page() : ask_arrivals();
}

void Tail::ask_arrivals() {
  parts_.stores.cold()->fetch(
      arrivals_ask(question_.customer, position_, interest_),
      [self = shared_from_this()](const Result<net::ClientResponse>& answer) {
        self->take_arrivals(answer);
      });
}

void Tail::take_arrivals(const Result<net::ClientResponse>& answer) {
  // Whatever is wrong with storage may pass, but that it is no store to be followed.
  if (!answer || answer->status != 200) {
    if (answer && answer->status == 400) refuse(why_no_page(answer));
    return rest();
  }
  const auto arrivals = read_arrivals(answer->body);
  if (!arrivals) {
    refuse(arrivals.error());
    return rest();
  }
  const auto upto = due(arrivals->upto);
  if (!upto) return rest();
  if (arrivals->times.empty()) {
    position_ = *upto;
    return rest();
  }
  reading_ = Reading{{position_, *upto}, {arrivals->times.begin(), arrivals->times.end()}};
  ask_page();
}

/// How far lines may be given now. Nothing: no further than they were.
std::optional<std::uint64_t> Tail::due(std::uint64_t upto) {
  // Another store, or one that was put back: its numbers are others.
  if (upto < position_) {
    seen_.clear();
    return upto;
  }
  const TimePoint now = parts_.stores.clock().steady();
  if (upto > (seen_.empty() ? position_ : seen_.back().upto)) seen_.push_back({now, upto});
  std::optional<std::uint64_t> last;
  while (!seen_.empty() && now - seen_.front().when >= delay_) {
    last = seen_.front().upto;
    seen_.pop_front();
  }
  return last;
}

void Tail::ask_page() {
  const Reading& reading = *reading_;
  const LogWalk walk{.customer = question_.customer,
                     .streams = question_.streams,
                     .lines = question_.lines,
                     .range = reading.ranges.front(),
                     .direction = reading.is_history ? Direction::kBackward : Direction::kForward,
                     .interest = interest_};
  upstream::Ask ask = page_ask(walk, kPageRecords, reading.cursor, kPageTimeMax);
  ask_for_arrived(ask, reading.arrived);
  parts_.stores.cold()->fetch(std::move(ask),
                              [self = shared_from_this()](Result<net::ClientResponse> answer) {
                                self->receive(std::move(answer));
                              });
}

void Tail::receive(Result<net::ClientResponse> answer) {
  // The same page is asked for with the next pulse.
  if (!answer || answer->status != 200) {
    if (answer && answer->status == 400) refuse(why_no_page(answer));
    return rest();
  }
  // The store's own count of it ends with this call.
  page_held_.emplace(parts_.stores.shares().hold(question_.customer.text()));
  if (!page_held_->grow(answer->body.size())) {
    page_held_.reset();
    return rest();
  }
  parts_.threads.run(
      question_.payer, [self = shared_from_this(), page = std::move(answer->body)]() mutable {
        const bool is_done =
            contain_faults("a page of a live tail", [&] { self->take(std::exchange(page, {})); });
        // Lines that are left out without a word look as if there were none.
        if (!is_done) self->refuse({ErrorCode::kInternal, "a page was not read"});
      });
}

void Tail::take(const std::string& page) {
  // Lines that come now have no end: what bounds a query's counts for each page of them.
  const WorkBounds bounds{kPageTimeMax, false, question_.limits.log_work, 0, 0};
  WorkWatch watch(parts_.stores.clock(), bounds, interest_);
  watch.resume();
  auto end = read_page(page, [&](const LogRecord& record) { return add(record, watch); });
  page_held_.reset();
  count();
  if (is_over()) return rest();
  if (!end) {
    refuse(end.error().code == ErrorCode::kCorrupt ? not_as_it_should() : end.error());
    return rest();
  }
  if (!reading_->is_history) waker_->wake();
  go_on(std::move(*end));
}

/// False where no more are wanted.
Result<bool> Tail::add(const LogRecord& record, WorkWatch& watch) {
  if (const WorkEnd end = watch.look(); end != WorkEnd::kNone) {
    if (end == WorkEnd::kClientLeft) return tl::unexpected<Error>(client_left());
    return fail(ErrorCode::kInvalid,
                fmt::format("the query {} of a second's lines", why_ended(end)));
  }
  if (!is_of(question_.customer, record)) return tl::unexpected<Error>(not_as_it_should());
  const LogRange& range = reading_->ranges.front();
  if (record.time_ns < range.start_ns || record.time_ns >= range.end_ns) return true;
  looked_ns_ = record.time_ns;
  const auto line = question_.stages.run(record);
  if (!line) return true;
  TailLine made = queue_.made_of(*line);
  if (!reading_->is_history) {
    queue_.push(std::move(made));
    return true;
  }
  history_bytes_ += made.bytes();
  if (history_bytes_ <= TailQueue::kBytesMax) history_.push_back(std::move(made));
  return !has_enough();
}

bool Tail::has_enough() const {
  return history_.size() >= question_.wish.lines || history_bytes_ > TailQueue::kBytesMax;
}

void Tail::count() {
  const std::uint64_t lines = queue_.pushed();
  const std::uint64_t dropped = queue_.dropped();
  parts_.lines.add(lines - lines_counted_);
  parts_.dropped.add(dropped - dropped_counted_);
  lines_counted_ = lines;
  dropped_counted_ = dropped;
}

void Tail::go_on(PageEnd end) {
  Reading& reading = *reading_;
  if (reading.is_history && has_enough()) return end_reading();
  if (!end.is_cut) return end_range();
  // Its search ended before it had begun: another time.
  if (end.cursor.empty() || end.cursor == reading.cursor) return rest();
  reading.cursor = std::move(end.cursor);
  if (++reading.pages < (reading.is_history ? kHistoryPagesMax : kPagesMax)) return ask_page();
  if (!reading.is_history) queue_.note_skipped(looked_ns_);
  end_reading();
}

void Tail::end_range() {
  Reading& reading = *reading_;
  reading.ranges.pop_front();
  reading.cursor.clear();
  if (reading.ranges.empty()) return end_reading();
  ask_page();
}

void Tail::end_reading() {
  if (reading_->is_history) {
    std::for_each(history_.rbegin(), history_.rend(),
                  [this](TailLine& line) { queue_.push(std::move(line)); });
    history_ = {};
  }
  position_ = reading_->arrived.upto;
  reading_.reset();
  waker_->wake();
  rest();
}

}  // namespace vigia::router::api::loki
