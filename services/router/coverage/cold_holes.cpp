#include "services/router/coverage/cold_holes.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "libs/base/fault.hpp"
#include "services/router/json/lists.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::coverage {
namespace {

constexpr std::chrono::seconds kPollTimeout{10};

}  // namespace

ColdHoles::ColdHoles(const upstream::Upstream* query, const Clock& clock)
    : query_(query), clock_(clock) {
  if (query_ != nullptr) thread_ = std::thread([this] { run(); });
}

ColdHoles::~ColdHoles() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  stopping_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void ColdHoles::run() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    lock.unlock();
    contain_faults("reading what cold lacks", [this] { poll(); });
    lock.lock();
    stopping_.wait_for(lock, kPoll, [this] { return is_stopping_; });
  }
}

/// What is known stays while the store does not answer: it says so itself then.
void ColdHoles::poll() {
  const std::string query = fmt::format("vigia_cold_hole{{customer_id=\"\"}}[{}]", kRange);
  const auto answer = query_->ask_and_wait(
      {std::nullopt,
       "/api/v1/query",
       {{"query", query}, {"time", request::format_seconds(clock_.wall_ms() + kAheadMs)}},
       true,
       kPollTimeout});
  // A warning says that part is missing, and a list with a part missing must not replace a whole
  // one.
  if (!answer || !answer->is_success() || !answer->warnings().empty()) return;
  const auto samples = json::read_matrix_samples(answer->data(), "of_customer");
  if (!samples) return;
  std::vector<ColdHole> holes;
  for (const auto& [customer, ends] : *samples) {
    for (const Sample& end : ends) {
      // A sample's value is where the hole begins, its time where it ends, both by time of receipt;
      // what was received then may have times up to kAheadMs ahead.
      holes.push_back({std::llround(end.value * 1'000), end.timestamp_ms + kAheadMs, customer});
    }
  }
  replace(std::move(holes));
}

void ColdHoles::replace(std::vector<ColdHole> holes) {
  // Begin and end are told by a collector's clock, which may have been set back in between.
  for (ColdHole& hole : holes) hole.from_ms = std::min(hole.from_ms, hole.to_ms);
  const std::lock_guard lock(mutex_);
  holes_ = std::move(holes);
}

std::optional<std::string> ColdHoles::warning(const std::optional<CustomerId>& customer,
                                              TimestampMs from_ms, TimestampMs to_ms) const {
  const std::lock_guard lock(mutex_);
  std::optional<ColdHole> first;
  std::size_t count = 0;
  for (const ColdHole& hole : holes_) {
    const bool is_theirs = !customer || hole.customer.empty() || hole.customer == customer->text();
    if (!is_theirs || hole.from_ms > to_ms || hole.to_ms < from_ms) continue;
    ++count;
    if (!first || hole.from_ms < first->from_ms) first = hole;
  }
  if (!first) return std::nullopt;
  const std::string more = count > 1 ? fmt::format(", and at {} more times", count - 1) : "";
  return fmt::format(
      "cold part may be incomplete: of what was received from {} to {} some was lost before it was "
      "stored{}",
      request::format_time(first->from_ms), request::format_time(first->to_ms), more);
}

}  // namespace vigia::router::coverage
