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

namespace vigia::router::upstream {
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

std::size_t CustomerPlaces::add_row(std::function<void()> go_on) {
  rows_.push_back(std::move(go_on));
  return rows_.size() - 1;
}

void CustomerPlaces::enter(const std::string& customer) {
  const std::lock_guard lock(mutex_);
  const auto [place, is_new] = customers_.try_emplace(customer);
  if (is_new) place->second.allowed = slow_most_;
  ++place->second.rows;
}

void CustomerPlaces::leave(const std::string& customer) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = customers_.find(customer);
  if (--found->second.rows == 0) customers_.erase(found);
}

bool CustomerPlaces::take(const std::string& customer) noexcept {
  const std::lock_guard lock(mutex_);
  Customer& found = customers_.find(customer)->second;
  if (found.under_way >= found.allowed) return false;
  ++found.under_way;
  return true;
}

void CustomerPlaces::give_back(const std::string& customer, bool was_quick) noexcept {
  const std::lock_guard lock(mutex_);
  Customer& found = customers_.find(customer)->second;
  --found.under_way;
  found.allowed = was_quick ? std::min(found.allowed + 1, most_) : slow_most_;
}

void CustomerPlaces::wake(std::size_t row) const {
  for (std::size_t i = 1; i <= rows_.size(); ++i) rows_[(row + i) % rows_.size()]();
}

struct Turns::Turn::State : std::enable_shared_from_this<State> {
  using Begins = std::multiset<TimePoint>;
  /// One that waits, with all the memory that its turn will need: once it stands in the row nothing
  /// that may throw comes between a place that is counted and the turn that gives it back.
  struct Waiting {
    Start start;
    std::shared_ptr<Turn> turn;  // of nobody yet
    Begins::node_type begin;
  };
  struct Customer {
    Begins under_way;                          // when each began
    std::map<std::uint64_t, Waiting> waiting;  // by number, so in the order of their coming
    std::size_t allowed = 0;
    bool has_entered = false;  // `together`
  };

  State(TurnSettings limits, const Clock& steady, std::shared_ptr<CustomerPlaces> shared)
      : settings(limits), clock(steady), together(std::move(shared)) {}

  /// Once, before the first request.
  void join() {
    if (!together) return;
    number_of_row = together->add_row([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->go_on();
    });
  }

  /// After a place was given back.
  void wake() {
    if (together) return together->wake(number_of_row);
    go_on();
  }

  std::size_t slow_max() const {
    return std::min(settings.slow_per_customer_max, settings.per_customer_max);
  }

  bool is_busy(const std::string& name, const Customer& customer, TimePoint now) const {
    const auto before = busy.find(name);
    double total = before == busy.end() ? 0 : before->second.now(now);
    for (const TimePoint began : customer.under_way) total += seconds(now - began);
    return total > seconds(kBusyMax) * static_cast<double>(slow_max());
  }

  static Waiting make_waiting(const std::string& customer, Start start) {
    Begins one = {TimePoint{}};
    return {std::move(start), std::make_shared<Turn>(nullptr, customer, TimePoint{}),
            one.extract(one.begin())};
  }

  /// The customer's first that waits, and the customer to the end of the row.
  Waiting begin(std::deque<std::string>::iterator place, Customer& customer, TimePoint now) {
    const auto first = customer.waiting.begin();
    Waiting next = std::move(first->second);
    customer.waiting.erase(first);
    next.begin.value() = now;
    customer.under_way.insert(std::move(next.begin));
    ++under_way;
    next.turn->began_ = now;
    next.turn->state_ = shared_from_this();
    std::rotate(place, place + 1, row.end());
    if (customer.waiting.empty()) row.pop_back();
    return next;
  }

  /// Who waits longest among the customers with room; nobody where the store is full.
  std::optional<Waiting> pick() noexcept {
    if (under_way >= settings.at_once_max) return std::nullopt;
    const TimePoint now = clock.steady();
    for (auto place = row.begin(); place != row.end(); ++place) {
      Customer& customer = customers.find(*place)->second;
      const std::size_t most = is_busy(*place, customer, now) ? slow_max() : customer.allowed;
      if (customer.under_way.size() >= most) continue;
      if (!together || together->take(*place)) return begin(place, customer, now);
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
      contain_faults("a turn at a store", [&] { next->start(std::move(next->turn)); });
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
    const bool was_quick = now - began <= kQuickMax;
    customer.allowed =
        was_quick ? std::min(customer.allowed + 1, settings.per_customer_max) : slow_max();
    if (together) together->give_back(name, was_quick);
    forget_if_gone(found);
    // Last: what is not remembered for lack of memory costs a little fairness and no place.
    contain_faults("a turn at a store", [&] {
      if (busy.size() >= kRememberedMax) {
        std::erase_if(busy,
                      [now](const auto& each) { return each.second.now(now) < kForgottenSeconds; });
      }
      busy[name].add(now - began, now);
    });
  }

  /// All of it or, where it throws, nothing.
  std::uint64_t add(const std::string& name, Waiting next) {
    std::map<std::uint64_t, Waiting>::node_type gone;  // let go without the lock
    const std::lock_guard lock(mutex);
    const auto [place, is_new] = customers.try_emplace(name);
    const bool is_in_row = !place->second.waiting.empty();
    try {
      if (is_new) place->second.allowed = slow_max();
      if (is_new && together) {
        together->enter(name);
        place->second.has_entered = true;
      }
      place->second.waiting.emplace(last_number + 1, std::move(next));
      if (!is_in_row) row.push_back(name);
    } catch (...) {
      gone = place->second.waiting.extract(last_number + 1);
      forget_if_gone(place);
      throw;
    }
    return ++last_number;
  }

  void forget_if_gone(std::map<std::string, Customer>::iterator customer) {
    if (!customer->second.under_way.empty() || !customer->second.waiting.empty()) return;
    if (customer->second.has_entered) together->leave(customer->first);
    customers.erase(customer);
  }

  const TurnSettings settings;
  const Clock& clock;
  const std::shared_ptr<CustomerPlaces> together;  // or null; its lock is taken within `mutex`
  std::size_t number_of_row = 0;                   // there
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
  state_->wake();
}

Turns::Turns(TurnSettings settings, const Clock& clock, std::shared_ptr<CustomerPlaces> together)
    : state_(std::make_shared<Turn::State>(settings, clock, std::move(together))) {
  state_->join();
}

std::uint64_t Turns::take(const std::string& customer, Start start) {
  const std::uint64_t number =
      state_->add(customer, Turn::State::make_waiting(customer, std::move(start)));
  state_->go_on();
  return number;
}

bool Turns::leave(const std::string& customer, std::uint64_t number) {
  Turn::State::Waiting left;  // what it holds is let go without the lock
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

}  // namespace vigia::router::upstream
