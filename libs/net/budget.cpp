#include "libs/net/budget.hpp"

#include <algorithm>
#include <utility>

#include <sys/resource.h>

namespace vigia::net {

namespace {

constexpr std::uint64_t kReserveParts = 8;
constexpr std::uint64_t kShareOfFree = 2;
// Agents of one site behind one address translation; 312 addresses full of them reach 20,000.
constexpr std::uint64_t kSmallConnections = 64;
// An export of some 2,000 points: a thousand customers can each have one under way in 256 MiB.
constexpr std::uint64_t kSmallBodyBytes = 256U << 10U;
// One client's, who is behind with one connection.
constexpr std::uint64_t kSmallUnreadBytes = 1U << 20U;
// Of the files that a process may open: its logs, stores and own connections need some as well.
constexpr std::uint64_t kOtherFilesMax = 1024;

/// Connections beyond the limit of open files would keep the process from opening anything.
std::uint64_t within_file_limit(std::uint64_t connections_max) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return connections_max;
  const std::uint64_t files = limit.rlim_cur;
  return std::min(connections_max, files - std::min(files / 4, kOtherFilesMax));
}

}  // namespace

Budget::Account::~Account() { budget.forget(holder); }

Holding Budget::open(const std::string& holder) {
  const std::lock_guard lock(mutex_);
  std::weak_ptr<Account>& known = accounts_[holder];
  std::shared_ptr<Account> account = known.lock();
  if (!account) {
    account = std::make_shared<Account>(*this, holder);
    known = account;
  }
  holders_.store(accounts_.size(), std::memory_order_relaxed);
  return Holding(std::move(account));
}

void Budget::forget(const std::string& holder) {
  const std::lock_guard lock(mutex_);
  const auto entry = accounts_.find(holder);
  // Where it has been opened anew since, the entry is the new account's.
  if (entry != accounts_.end() && entry->second.expired()) accounts_.erase(entry);
  holders_.store(accounts_.size(), std::memory_order_relaxed);
}

bool Budget::is_over(const Account& account) const {
  const std::uint64_t total = this->total();
  if (total > max_) return true;
  const std::uint64_t held = account.held.load(std::memory_order_relaxed);
  if (held <= small_) return false;
  if (is_shut()) return true;
  const std::uint64_t room = max_ - max_ / kReserveParts;
  if (total > room) return true;
  if (!account.holder.empty() && held > kShareOfFree * (room - total)) return true;
  return is_pressed_.load(std::memory_order_relaxed) &&
         held * holders_.load(std::memory_order_relaxed) >= total;
}

Holding::Holding(Holding&& other) noexcept
    : account_(std::move(other.account_)), amount_(std::exchange(other.amount_, 0)) {}

Holding& Holding::operator=(Holding&& other) noexcept {
  if (this == &other) return *this;
  set(0);
  account_ = std::move(other.account_);
  amount_ = std::exchange(other.amount_, 0);
  return *this;
}

void Holding::set(std::uint64_t amount) {
  if (amount == amount_ || account_ == nullptr) return;
  const std::uint64_t more = amount - amount_;  // less is more, modulo 2^64
  account_->held.fetch_add(more, std::memory_order_relaxed);
  account_->budget.total_.fetch_add(more, std::memory_order_relaxed);
  amount_ = amount;
}

ServerBudgets::ServerBudgets(std::uint64_t connections_max, std::uint64_t head_bytes_max,
                             std::uint64_t body_bytes_max, std::uint64_t header_bytes_max,
                             std::uint64_t answer_bytes_max)
    : connections(within_file_limit(connections_max), kSmallConnections),
      heads(head_bytes_max, header_bytes_max),
      bodies(body_bytes_max, kSmallBodyBytes),
      answers(answer_bytes_max, kSmallUnreadBytes) {}

}  // namespace vigia::net
