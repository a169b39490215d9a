#include "services/router/upstream/turns.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "libs/base/fault.hpp"

namespace vigia::router {
namespace {

// More customers than this, and those that have been idle for long are forgotten.
constexpr std::size_t kRememberedMax = 256;
constexpr double kForgottenSeconds = 0.1;

double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

/// For how long a customer has kept the store busy, what is older counting less.
struct Busy {
  double value = 0;
  TimePoint at{};

  double now(TimePoint time) const {
    return value * std::exp2(-seconds(time - at) / seconds(Turns::kHalfLife));
  }
  void add(Duration took, TimePoint time) {
    value = now(time) + seconds(took);
    at = time;
  }
};

}  // namespace

std::size_t half_of_the_cores() {
  return std::max<std::size_t>(std::thread::hardware_concurrency() / 2, 1);
}

struct Turns::Turn::State : std::enable_shared_from_this<State> {
  struct Customer {
    std::multiset<TimePoint> under_way;      // when each began
    std::map<std::uint64_t, Start> waiting;  // by number, so in the order of their coming
    std::size_t allowed = 0;
  };
  struct Next {
    std::string customer;
    Start start;
    TimePoint began;
  };

  State(TurnSettings limits, const Clock& steady) : settings(limits), clock(steady) {}

  std::size_t slow_max() const {
    return std::min(settings.slow_per_customer_max, settings.per_customer_max);
  }

  bool is_busy(const std::string& name, const Customer& customer, TimePoint now) const {
    const auto before = busy.find(name);
    double total = before == busy.end() ? 0 : before->second.now(now);
    for (const TimePoint began : customer.under_way) total += seconds(now - began);
    return total > seconds(kBusyMax) * static_cast<double>(slow_max());
  }

  /// Who waits longest among the customers with room, and goes to the end of the row; nobody where
  /// the store is full or another thread is at it.
  std::optional<Next> pick() {
    if (under_way >= settings.at_once_max) return std::nullopt;
    const TimePoint now = clock.steady();
    for (auto place = row.begin(); place != row.end(); ++place) {
      Customer& customer = customers[*place];
      const std::size_t most = is_busy(*place, customer, now) ? slow_max() : customer.allowed;
      if (customer.under_way.size() >= most) continue;
      const auto first = customer.waiting.begin();
      Next next{std::move(*place), std::move(first->second), now};
      customer.waiting.erase(first);
      customer.under_way.insert(now);
      ++under_way;
      row.erase(place);
      if (!customer.waiting.empty()) row.push_back(next.customer);
      return next;
    }
    return std::nullopt;
  }

  /// Starts all that may start. What is started may give its place back at once, so this goes round
  /// in a loop instead of calling itself.
  void go_on() {
    std::unique_lock lock(mutex);
    if (is_going_on) return;
    is_going_on = true;
    while (auto next = pick()) {
      lock.unlock();
      // What throws costs its own request: the row goes on, and so do all who wait in it.
      contain_faults("a turn at a store", [&] {
        next->start(std::make_shared<Turn>(shared_from_this(), next->customer, next->began));
      });
      next.reset();
      lock.lock();
    }
    is_going_on = false;
  }

  void give_back(const std::string& name, TimePoint began) {
    const std::lock_guard lock(mutex);
    const TimePoint now = clock.steady();
    --under_way;
    const auto found = customers.find(name);
    Customer& customer = found->second;
    customer.under_way.erase(customer.under_way.find(began));
    customer.allowed = now - began > kQuickMax
                           ? slow_max()
                           : std::min(customer.allowed + 1, settings.per_customer_max);
    if (busy.size() >= kRememberedMax) {
      std::erase_if(busy,
                    [now](const auto& each) { return each.second.now(now) < kForgottenSeconds; });
    }
    busy[name].add(now - began, now);
    forget_if_gone(found);
  }

  void forget_if_gone(std::map<std::string, Customer>::iterator customer) {
    if (!customer->second.under_way.empty() || !customer->second.waiting.empty()) return;
    customers.erase(customer);
  }

  const TurnSettings settings;
  const Clock& clock;
  std::mutex mutex;
  std::size_t under_way = 0;
  std::map<std::string, Customer> customers;  // those with requests under way or waiting
  std::map<std::string, Busy> busy;           // by customer, those of late
  std::deque<std::string> row;                // customers that wait, each once
  std::uint64_t last_number = 0;
  bool is_going_on = false;  // a thread is in go_on()
};

Turns::Turn::Turn(std::shared_ptr<State> state, std::string customer, TimePoint began)
    : state_(std::move(state)), customer_(std::move(customer)), began_(began) {}

Turns::Turn::~Turn() {
  if (!state_) return;
  state_->give_back(customer_, began_);
  state_->go_on();
}

Turns::Turns(TurnSettings settings, const Clock& clock)
    : state_(std::make_shared<Turn::State>(settings, clock)) {}

std::uint64_t Turns::take(const std::string& customer, Start start) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(state_->mutex);
    const auto [place, is_new] = state_->customers.try_emplace(customer);
    if (is_new) place->second.allowed = state_->slow_max();
    auto& waiting = place->second.waiting;
    if (waiting.empty()) state_->row.push_back(customer);
    number = ++state_->last_number;
    waiting.emplace(number, std::move(start));
  }
  state_->go_on();
  return number;
}

bool Turns::leave(const std::string& customer, std::uint64_t number) {
  Start left;  // what it holds is let go without the lock
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->customers.find(customer);
  if (found == state_->customers.end()) return false;
  auto& waiting = found->second.waiting;
  const auto place = waiting.find(number);
  if (place == waiting.end()) return false;
  left = std::move(place->second);
  waiting.erase(place);
  if (waiting.empty()) std::erase(state_->row, customer);
  state_->forget_if_gone(found);
  return true;
}

}  // namespace vigia::router
