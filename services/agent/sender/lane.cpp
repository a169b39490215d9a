#include "services/agent/sender/lane.hpp"

#include <algorithm>

#include "libs/base/fault.hpp"
#include "libs/base/random.hpp"
#include "libs/delivery/backoff.hpp"
#include "libs/model/customer_signal.hpp"
#include "libs/service/log.hpp"
#include "services/agent/sender/split_request.hpp"

namespace vigia::agent::sender {

namespace {

using Meaning = otlp::ExportAnswer::Meaning;

constexpr delivery::BackoffSettings kBackoff{std::chrono::seconds(1), std::chrono::seconds(30)};
constexpr Duration kIdleWait = std::chrono::minutes(1);
constexpr Duration kReadRetry = std::chrono::seconds(1);
constexpr Duration kLogInterval = std::chrono::minutes(1);
constexpr Duration kFaultPause = std::chrono::milliseconds(200);

}  // namespace

Lane::Lane(Signal signal, Parts parts)
    : signal_(signal), parts_(std::move(parts)), thread_([this] { run(); }) {}

Lane::~Lane() {
  request_stop();
  parts_.link.interrupt();
  thread_.join();
}

void Lane::request_stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  parts_.cursor.interrupt();
}

bool Lane::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

bool Lane::wait(Duration duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, duration, [this] { return is_stopping_; });
}

bool Lane::wait_until_ended(TimePoint deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return has_ended_; });
}

void Lane::run() {
  if (signal_ == Signal::kMetrics) contain_faults("the first request", [this] { probe(); });
  while (!is_stopping()) {
    if (contain_faults("a turn of the sender", [this] { take_turn(); })) continue;
    contain_faults("what follows a fault", [this] { recover_from_fault(); });
    wait(kFaultPause);
  }
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  changed_.notify_all();
}

void Lane::recover_from_fault() {
  hunt_.note_fault(in_hand_, in_hand_ == 1 ? first_in_hand_ : std::nullopt);
  parts_.cursor.rewind();
}

void Lane::take_turn() {
  const Request request = gather(hunt_.records_max(kRequestRecords));
  if (!request.has_passed_any) return;
  if (hunt_.is_given_up(*first_in_hand_)) {
    for (std::size_t i = 0; i < request.bodies.size(); ++i)
      set_aside(request.bodies[i], request.items[i], "a fault of the agent, see its log");
  } else if (!send_all(request)) {
    return;  // to stop
  }
  // Also over records of other signals: each lane reads the whole log, and would else hold back
  // segments that hold nothing for it.
  parts_.cursor.commit(request.end);
  hunt_.note_done();
}

/// Asks with an empty request, which is a valid one, so that /health knows before the first data.
void Lane::probe() {
  const auto answer = parts_.link.deliver(signal_, "");
  if (answer.meaning == Meaning::kTaken) {
    parts_.status.note_sent(signal_, 0, 0);
  } else if (!is_stopping()) {
    parts_.status.note_failure(answer.why);
  }
}

bool Lane::may_log(std::optional<TimePoint>& last) {
  const TimePoint now = std::chrono::steady_clock::now();
  if (last && now - *last < kLogInterval) return false;
  last = now;
  return true;
}

Lane::Request Lane::gather(std::size_t records_max) {
  Request request;
  std::size_t bytes = 0;
  in_hand_ = 0;
  first_in_hand_.reset();
  for (std::size_t passed = 0; bytes < kRequestBytes && passed < records_max; ++passed) {
    // Waits for the first record alone: what is there goes at once, what comes meanwhile is merged.
    auto record = parts_.cursor.next(request.has_passed_any ? Duration::zero() : kIdleWait);
    if (!record) {
      service::log_error("the buffer cannot be read", {{"reason", record.error().message}});
      wait(kReadRetry);
      break;
    }
    if (!*record) break;
    disk_log::DiskRecord& found = **record;
    request.end = found.header.next;
    request.has_passed_any = true;
    if (in_hand_++ == 0) first_in_hand_ = found.header.position;
    const disk_log::RecordTag& tag = found.header.tag;
    const bool is_ours = tag.owner == parts_.customer.text();
    if (!kept_signal(tag.kind) || (!is_ours && !kept_customer(tag.owner))) {
      parts_.cursor.pass_over(found.header,
                              "its head is whole, and names no customer or no signal");
      continue;
    }
    if (tag.kind != kept_number(signal_)) {
      if (request.bodies.empty()) break;  // commit it and wait for our own
      continue;
    }
    if (!is_ours) {
      set_aside_anothers(found);
      continue;
    }
    bytes += found.body.size();
    request.items.push_back(found.header.items);
    request.bodies.push_back(std::move(found.body));
  }
  return request;
}

/// Of an agent that had another customer.id, mistyped or not: no token of ours will ever do.
void Lane::set_aside_anothers(const disk_log::DiskRecord& record) {
  set_aside(record.body, record.header.items,
            "kept for customer " + record.header.tag.owner + ", and this agent is " +
                parts_.customer.text() + "'s now");
}

bool Lane::send_all(const Request& request) {
  return request.bodies.empty() || send_range(request, 0, request.bodies.size());
}

bool Lane::send_range(const Request& request, std::size_t from, std::size_t to) {
  // Requests in a row are one request: all of their fields are repeated ones.
  std::string merged;
  std::uint64_t items = 0;
  for (std::size_t index = from; index < to; ++index) {
    merged += request.bodies[index];
    items += request.items[index];
  }
  const auto answer = deliver_patiently(merged);
  if (answer.meaning == Meaning::kTaken) {
    count_taken(items, answer);
    return true;
  }
  if (is_stopping()) return false;
  if (to - from > 1) {  // one of them spoils the others: find it
    const std::size_t middle = from + (to - from) / 2;
    return send_range(request, from, middle) && send_range(request, middle, to);
  }
  return give_up(merged, request.items[from], answer);
}

otlp::ExportAnswer Lane::deliver_patiently(const std::string& body) {
  for (;;) {
    auto answer = parts_.link.deliver(signal_, body);
    if (answer.meaning == Meaning::kTaken) failures_ = 0;
    // What is kBroken is final here: of one sender's data nothing tells a passing fault over there
    // from a record that brings it about.
    if (answer.meaning != Meaning::kLater || is_stopping()) return answer;
    // The data is good, and waits in the buffer, up to its age and size.
    parts_.status.note_failure(answer.why);
    const Duration pause =
        delivery::backoff_wait(kBackoff, ++failures_, answer.retry_after, random_below(1U << 30U));
    if (!wait(pause)) return answer;
  }
}

bool Lane::give_up(const std::string& body, std::uint32_t items, const otlp::ExportAnswer& answer) {
  if (answer.is_too_large) {
    // Too large for the collector, not wrong: its halves may pass. How the items fall to them is
    // not known without counting, and told in halves; the sum is right.
    if (const auto halves = split_request(body)) {
      const Request smaller{
          {halves->first, halves->second}, {items / 2, items - items / 2}, {}, true};
      return send_range(smaller, 0, 1) && send_range(smaller, 1, 2);
    }
  }
  set_aside(body, items, answer.why);
  return true;
}

void Lane::set_aside(const std::string& body, std::uint32_t items, const std::string& reason) {
  parts_.status.note_refused(signal_, items, reason);
  auto kept = parts_.refused.keep(signal_, body, reason);
  if (!may_log(refusal_logged_at_)) return;
  service::log_error("data is refused for good, it is set aside",
                     {{"signal", std::string(to_string(signal_))},
                      {"items", std::to_string(items)},
                      {"reason", reason}});
  if (!kept) service::log_error("refused data is lost", {{"reason", kept.error().message}});
}

void Lane::count_taken(std::uint64_t items, const otlp::ExportAnswer& answer) {
  const std::uint64_t rejected = std::min(answer.rejected, items);
  parts_.status.note_sent(signal_, items - rejected, rejected);
  // The collector's word for it, services/collector/README.md.
  if (rejected > 0 && answer.why.find(" future") != std::string::npos)
    parts_.status.note_future(rejected);
  if ((rejected > 0 || !answer.why.empty()) && may_log(rejection_logged_at_)) {
    service::log_warn("the collector takes a request in part",
                      {{"signal", std::string(to_string(signal_))},
                       {"rejected", std::to_string(rejected)},
                       {"reason", answer.why}});
  }
}

}  // namespace vigia::agent::sender
