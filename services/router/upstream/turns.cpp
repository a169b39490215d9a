#include "services/router/upstream/turns.hpp"

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "libs/base/fault.hpp"

namespace vigia::router {

struct Turns::Turn::State : std::enable_shared_from_this<State> {
  struct Customer {
    std::size_t under_way = 0;
    std::deque<Start> waiting;
  };
  struct Next {
    std::string customer;
    Start start;
  };

  explicit State(TurnSettings limits) : settings(limits) {}

  /// Who waits longest among the customers with room, and goes to the end of the row; nobody where
  /// the store is full or another thread is at it.
  std::optional<Next> pick() {
    if (under_way >= settings.at_once_max) return std::nullopt;
    for (auto place = row.begin(); place != row.end(); ++place) {
      Customer& customer = customers[*place];
      if (customer.under_way >= settings.per_customer_max) continue;
      Next next{std::move(*place), std::move(customer.waiting.front())};
      customer.waiting.pop_front();
      ++customer.under_way;
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
        next->start(std::make_shared<Turn>(shared_from_this(), next->customer));
      });
      next.reset();
      lock.lock();
    }
    is_going_on = false;
  }

  const TurnSettings settings;
  std::mutex mutex;
  std::size_t under_way = 0;
  std::map<std::string, Customer> customers;  // those with requests under way or waiting
  std::deque<std::string> row;                // customers that wait, each once
  bool is_going_on = false;                   // a thread is in go_on()
};

Turns::Turn::Turn(std::shared_ptr<State> state, std::string customer)
    : state_(std::move(state)), customer_(std::move(customer)) {}

Turns::Turn::~Turn() {
  if (!state_) return;
  {
    const std::lock_guard lock(state_->mutex);
    --state_->under_way;
    const auto found = state_->customers.find(customer_);
    if (--found->second.under_way == 0 && found->second.waiting.empty()) {
      state_->customers.erase(found);
    }
  }
  state_->go_on();
}

Turns::Turns(TurnSettings settings) : state_(std::make_shared<Turn::State>(settings)) {}

void Turns::take(const std::string& customer, Start start) {
  {
    const std::lock_guard lock(state_->mutex);
    auto& waiting = state_->customers[customer].waiting;
    if (waiting.empty()) state_->row.push_back(customer);
    waiting.push_back(std::move(start));
  }
  state_->go_on();
}

}  // namespace vigia::router
