// What the clients of a server may hold together, with a share for each: who holds much is refused
// before who holds little.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace vigia::net {

class Holding;

/// An amount of bytes or connections that holders share by name.
///
/// A holder may have twice what is still free: alone two thirds of the whole, two holders two
/// fifths each, n holders 2/(2n+1) each. So something is always left for the next one. When more
/// holders come, one that has more than this keeps it and grows no further, until all have the
/// same. A holder of no more than `small` is bounded by the whole alone, an eighth of which is kept
/// for such small holders.
///
/// Thread contract: any thread. Its holdings end before it does.
class Budget {
 public:
  /// `max` of all holders together.
  Budget(std::uint64_t max, std::uint64_t small) : max_(max), small_(small) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;

  /// An empty holding of that holder, beside others it may have. Where the name is "" it stands for
  /// many who cannot be told apart, and goes by the whole alone.
  Holding open(const std::string& holder);

  std::uint64_t total() const { return total_.load(std::memory_order_relaxed); }
  std::uint64_t max() const { return max_; }
  /// While pressed, those who hold more than the mean (and more than `small`) are over their share.
  void press(bool is_pressed) { is_pressed_.store(is_pressed, std::memory_order_relaxed); }
  /// While shut, all who hold more than `small` are.
  void shut(bool is_shut) { is_shut_.store(is_shut, std::memory_order_relaxed); }
  bool is_shut() const { return is_shut_.load(std::memory_order_relaxed); }
  std::uint64_t small() const { return small_; }

 private:
  friend class Holding;

  /// Shared by all holdings of one holder; the last one takes it away.
  struct Account {
    Account(Budget& of, std::string name) : budget(of), holder(std::move(name)) {}
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;
    ~Account();

    Budget& budget;
    const std::string holder;
    std::atomic<std::uint64_t> held{0};
  };

  bool is_over(const Account& account) const;
  void forget(const std::string& holder);

  const std::uint64_t max_;
  const std::uint64_t small_;
  std::atomic<std::uint64_t> total_{0};
  std::atomic<std::uint64_t> holders_{0};
  std::atomic<bool> is_pressed_{false};
  std::atomic<bool> is_shut_{false};
  std::mutex mutex_;
  std::unordered_map<std::string, std::weak_ptr<Account>> accounts_;  // guarded by mutex_
};

/// One place where a holder keeps something: given back when it ends. One thread at a time.
class Holding {
 public:
  Holding() = default;  ///< of nobody: counts nothing
  Holding(Holding&& other) noexcept;
  Holding& operator=(Holding&& other) noexcept;
  ~Holding() { set(0); }

  void set(std::uint64_t amount);
  std::uint64_t amount() const { return amount_; }
  bool is_open() const { return account_ != nullptr; }
  /// Whether the holder has, with what is set here, more than it may. What is over stays counted
  /// until it is set lower.
  bool is_over() const { return account_ != nullptr && account_->budget.is_over(*account_); }
  /// Another, empty one of the same holder.
  Holding beside() const { return Holding(account_); }

 private:
  friend class Budget;
  explicit Holding(std::shared_ptr<Budget::Account> account) : account_(std::move(account)) {}

  std::shared_ptr<Budget::Account> account_;  // shared with the holder's other holdings
  std::uint64_t amount_ = 0;
};

/// The budgets of one server, or of several in a process that share them.
struct ServerBudgets {
  ServerBudgets(std::uint64_t connections_max, std::uint64_t head_bytes_max,
                std::uint64_t body_bytes_max, std::uint64_t header_bytes_max,
                std::uint64_t answer_bytes_max);

  Budget connections;  ///< by address
  Budget heads;        ///< bytes of heads being received or waiting for their bodies; by address
  Budget bodies;       ///< bytes of bodies being received or waiting to be unpacked; by owner
  Budget answers;      ///< bytes of answers that are not read yet; by address
  std::atomic<std::uint64_t> answers_refused{0};  ///< for what their addresses had not read
  /// Held by whoever works on a body that is worked on alone: one for all servers.
  std::mutex large_body;
};

}  // namespace vigia::net
