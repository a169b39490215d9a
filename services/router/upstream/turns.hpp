// Who may ask a store next: a bound on requests at once, and fairness among those who wait.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/task.hpp"

namespace vigia::router::upstream {

/// Half of this machine's cores, at least one.
std::size_t half_of_the_cores();

struct TurnSettings {
  std::size_t at_once_max = 20;      ///< as many as Prometheus itself evaluates at once
  std::size_t per_customer_max = 8;  ///< of them one customer's, whose requests are quick
  /// Of them one customer's that are not. Prometheus gives a request a core and asks nobody, so
  /// this leaves cores to the others.
  std::size_t slow_per_customer_max = half_of_the_cores();
};

/// What one customer has under way in several rows of a store together: begins with `slow_most`
/// places and has more by the rule of Turns, up to `most`. Without it one customer had its slow
/// places once in each row, and so all cores of a small store. Any thread; for Turns alone.
class CustomerPlaces {
 public:
  CustomerPlaces(std::size_t most, std::size_t slow_most)
      : most_(most), slow_most_(std::min(most, slow_most)) {}

  /// One more row, whose `go_on` is called when a place is free; before the first request. Gives
  /// its number.
  std::size_t add_row(std::function<void()> go_on);
  /// A row begins to hold requests of the customer's. Where it throws nothing is kept.
  void enter(const std::string& customer);
  /// The row holds none any more.
  void leave(const std::string& customer) noexcept;
  /// Takes a place where there is one. The customer has entered.
  bool take(const std::string& customer) noexcept;
  void give_back(const std::string& customer, bool was_quick) noexcept;
  /// All rows go on, this one last: none of a customer's rows waits for ever behind another.
  void wake(std::size_t row) const;

 private:
  struct Customer {
    std::size_t rows = 0;
    std::size_t under_way = 0;
    std::size_t allowed = 0;
  };

  const std::size_t most_;
  const std::size_t slow_most_;
  std::vector<std::function<void()>> rows_;
  std::mutex mutex_;
  std::map<std::string, Customer> customers_;
};

/// A store works on few requests at once, and one customer may send many slow ones. So each has a
/// bounded part of its places, and what waits goes on customer by customer, each in its own order.
///
/// Nobody knows beforehand how long a request will take. A customer begins with
/// `slow_per_customer_max` places, has one more for each request that was done within kQuickMax, up
/// to `per_customer_max`, and is back at the beginning after one that was not, and whenever none of
/// its own is under way or waits: quick ones of an hour ago say nothing of what comes at once now.
/// While it has kept the store busy for more than kBusyMax for each of those first places, of late
/// (a second counts half after kHalfLife), it has these alone.
///
/// Several rows of a store may share one CustomerPlaces, which then bounds a customer in all of
/// them together.
///
/// Any thread. Turns that were given may outlive it.
class Turns {
 public:
  static constexpr auto kQuickMax = std::chrono::milliseconds(250);
  static constexpr auto kBusyMax = std::chrono::seconds(20);
  static constexpr auto kHalfLife = std::chrono::seconds(60);

  /// The clock must outlive it and its turns.
  Turns(TurnSettings settings, const Clock& clock,
        std::shared_ptr<CustomerPlaces> together = nullptr);

  /// One place at the store, given back when it is destroyed.
  class Turn {
   public:
    Turn(Turn&& other) noexcept = default;
    Turn& operator=(Turn&&) noexcept = delete;
    ~Turn();

   private:
    friend class Turns;
    struct State;

   public:
    /// For Turns alone, which knows a State.
    Turn(std::shared_ptr<State> state, std::string customer, TimePoint began);

   private:
    std::shared_ptr<State> state_;  // shared by all turns and the owner; null after a move
    std::string customer_;
    TimePoint began_;
  };

  using Start = Task<void(std::shared_ptr<Turn> turn)>;

  /// Calls `start` once: at once, or later on the thread that gives a place back. It must not block
  /// and keeps the turn while the store works. Whoever has no customer is "". Gives a number, for
  /// leave. Where this throws for lack of memory `start` is let go uncalled and nothing is kept;
  /// what `start` throws costs its own place alone.
  std::uint64_t take(const std::string& customer, Start start);
  /// Lets go a `start` that waits still, uncalled; true where it did.
  bool leave(const std::string& customer, std::uint64_t number);

 private:
  std::shared_ptr<Turn::State> state_;
};

}  // namespace vigia::router::upstream
