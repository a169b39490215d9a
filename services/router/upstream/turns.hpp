// Who may ask a store next: a bound on requests at once, and fairness among those who wait.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

namespace vigia::router {

struct TurnSettings {
  std::size_t at_once_max = 20;      ///< as many as Prometheus itself evaluates at once
  std::size_t per_customer_max = 8;  ///< of them one customer's
};

/// A store works on few requests at once, and one customer may send many slow ones. So each has a
/// bounded part of its places, and what waits goes on customer by customer, each in its own order.
///
/// Any thread. Turns that were given may outlive it.
class Turns {
 public:
  explicit Turns(TurnSettings settings);

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
    Turn(std::shared_ptr<State> state, std::string customer);

   private:
    std::shared_ptr<State> state_;  // shared by all turns and the owner; null after a move
    std::string customer_;
  };

  using Start = std::function<void(std::shared_ptr<Turn> turn)>;

  /// Calls `start` once: at once, or later on the thread that gives a place back. It must not block
  /// and keeps the turn while the store works. Whoever has no customer is "".
  void take(const std::string& customer, Start start);

 private:
  std::shared_ptr<Turn::State> state_;
};

}  // namespace vigia::router
