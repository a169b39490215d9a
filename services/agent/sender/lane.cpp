#include "services/agent/sender/lane.hpp"

#include <algorithm>
#include <cmath>

#include "libs/base/fault.hpp"
#include "libs/base/random.hpp"
#include "libs/service/log.hpp"
#include "services/agent/sender/split_request.hpp"

namespace vigia::agent::sender {

namespace {

constexpr double kFirstSeconds = 1;
constexpr double kFactor = 1.6;
constexpr double kMostSeconds = 30;
constexpr double kJitter = 0.2;
constexpr std::uint32_t kExponentMax = 20;
constexpr Duration kIdleWait = std::chrono::minutes(1);
constexpr Duration kReadRetry = std::chrono::seconds(1);
constexpr Duration kLogInterval = std::chrono::minutes(1);
constexpr Duration kFaultPause = std::chrono::milliseconds(200);
/// So often a fault of ours may come with one record before it is set aside.
constexpr int kFaultsMax = 5;

}  // namespace

Duration backoff_wait(std::uint32_t failures, std::optional<Duration> asked, std::uint32_t dice) {
  const auto exponent = std::min(failures > 0 ? failures - 1 : 0, kExponentMax);
  const double base = std::min(kFirstSeconds * std::pow(kFactor, exponent), kMostSeconds);
  constexpr std::uint32_t kSides = 1000;
  const double share = static_cast<double>(dice % kSides) / (kSides - 1);  // 0 to 1
  const auto wait = std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(base * (1 - kJitter + 2 * kJitter * share)));
  if (!asked) return wait;
  // On top of what was asked, jitter as well: many were asked the same.
  return std::max(wait, *asked + std::chrono::duration_cast<Duration>(*asked * (kJitter * share)));
}

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
    ++faults_;
    contain_faults("what follows a fault", [this] { parts_.cursor.rewind(); });
    wait(kFaultPause);
  }
  const std::lock_guard lock(mutex_);
  has_ended_ = true;
  changed_.notify_all();
}

/// After a fault of ours records go one at a time, to find the one that brings it to light: that
/// one is set aside when it has done so kFaultsMax times.
void Lane::take_turn() {
  const Request request = gather(faults_ > 0 ? 1 : kRequestRecords);
  if (!request.has_passed_any) return;
  if (faults_ > kFaultsMax) {
    for (std::size_t i = 0; i < request.bodies.size(); ++i)
      set_aside(request.bodies[i], request.items[i], "a fault of the agent, see its log");
  } else if (!send_all(request)) {
    return;  // to stop
  }
  // Also over records of other signals: each lane reads the whole log, and would else hold back
  // segments that hold nothing for it.
  parts_.cursor.commit(request.end);
  faults_ = 0;
}

/// Asks with an empty request, which is a valid one, so that /health knows before the first data.
void Lane::probe() {
  const auto delivery = parts_.link.deliver(signal_, "");
  if (delivery) {
    parts_.status.note_sent(signal_, 0, 0);
  } else if (!is_stopping()) {
    parts_.status.note_failure(delivery.error().message);
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
    if (found.header.signal != signal_) {
      if (request.bodies.empty()) break;  // commit it and wait for our own
      continue;
    }
    if (found.header.customer != parts_.customer) {
      // Of an agent that had another customer.id, mistyped or not: no token of ours will ever do.
      set_aside(found.body, found.header.items,
                "kept for customer " + found.header.customer.text() + ", and this agent is " +
                    parts_.customer.text() + "'s now");
      continue;
    }
    bytes += found.body.size();
    request.items.push_back(found.header.items);
    request.bodies.push_back(std::move(found.body));
  }
  return request;
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
  const auto delivery = deliver_patiently(merged);
  if (delivery) {
    count_delivery(items, *delivery);
    return true;
  }
  if (is_stopping()) return false;
  if (to - from > 1) {  // one of them spoils the others: find it
    const std::size_t middle = from + (to - from) / 2;
    return send_range(request, from, middle) && send_range(request, middle, to);
  }
  return give_up(merged, request.items[from], delivery.error());
}

Result<Delivery> Lane::deliver_patiently(const std::string& body) {
  for (;;) {
    auto delivery = parts_.link.deliver(signal_, body);
    if (delivery) {
      failures_ = 0;
      return delivery;
    }
    const Error& error = delivery.error();
    // A refused token is mended by a person, and the data is good: it waits in the buffer, up to
    // its age and size.
    const bool is_kept = is_retryable(error) || error.code == ErrorCode::kUnauthenticated;
    if (!is_kept || is_stopping()) return delivery;
    parts_.status.note_failure(error.message);
    ++failures_;
    if (!wait(backoff_wait(failures_, error.retry_after, random_below(1U << 30U)))) return delivery;
  }
}

bool Lane::give_up(const std::string& body, std::uint32_t items, const Error& error) {
  if (error.code == ErrorCode::kTooLarge) {
    // Too large for the collector, not wrong: its halves may pass. How the items fall to them is
    // not known without counting, and told in halves; the sum is right.
    if (const auto halves = split_request(body)) {
      const Request smaller{
          {halves->first, halves->second}, {items / 2, items - items / 2}, {}, true};
      return send_range(smaller, 0, 1) && send_range(smaller, 1, 2);
    }
  }
  set_aside(body, items, error.message);
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

void Lane::count_delivery(std::uint64_t items, const Delivery& delivery) {
  const std::uint64_t rejected = std::min(delivery.rejected_items, items);
  parts_.status.note_sent(signal_, items - rejected, rejected);
  // The collector's word for it, services/collector/README.md.
  if (rejected > 0 && delivery.message.find(" future") != std::string::npos)
    parts_.status.note_future(rejected);
  if ((rejected > 0 || !delivery.message.empty()) && may_log(rejection_logged_at_)) {
    service::log_warn("the collector takes a request in part",
                      {{"signal", std::string(to_string(signal_))},
                       {"rejected", std::to_string(rejected)},
                       {"reason", delivery.message}});
  }
}

}  // namespace vigia::agent::sender
