#include "services/storage/ingest/exemplar_keeper.hpp"

#include <algorithm>
#include <utility>

#include "libs/base/fault.hpp"
#include "libs/service/log.hpp"

namespace vigia::storage::ingest {
namespace {

constexpr std::size_t kWaitingMax = 100'000;
constexpr Duration kMinute = std::chrono::minutes(1);

std::size_t count(const std::vector<OwnedExemplars>& exemplars) {
  std::size_t all = 0;
  for (const OwnedExemplars& owned : exemplars) all += owned.exemplars.size();
  return all;
}

}  // namespace

ExemplarKeeper::ExemplarKeeper(store::ExemplarStore& store, const Clock& clock,
                               std::uint64_t per_minute)
    : store_(store),
      clock_(clock),
      per_minute_(static_cast<double>(per_minute)),
      work_("storage: keeping exemplars", [this](std::vector<Item>& items) { work(items); }) {}

ExemplarKeeperStats ExemplarKeeper::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void ExemplarKeeper::keep(std::vector<OwnedExemplars> exemplars, Done done) {
  Item item{std::move(exemplars), std::move(done)};
  {
    const std::lock_guard lock(mutex_);
    admit(item.exemplars);
    const std::size_t more = count(item.exemplars);
    if (more > 0 && waiting_ + more <= kWaitingMax) {
      waiting_ += more;  // before its thread takes them
      if (work_.add(item)) return;
      waiting_ -= more;
    }
    stats_.failed += more;
  }
  item.done(0);
}

// The lock is held. By steady time: a step of the wall clock gives and takes nothing.
void ExemplarKeeper::admit(std::vector<OwnedExemplars>& exemplars) {
  forget_idle();
  for (OwnedExemplars& owned : exemplars) {
    Allowance& allowance = allowance_of(owned.customer);
    const auto kept = std::min(owned.exemplars.size(), static_cast<std::size_t>(allowance.left));
    allowance.left -= static_cast<double>(kept);
    stats_.limited += owned.exemplars.size() - kept;
    owned.exemplars.resize(kept);
  }
}

ExemplarKeeper::Allowance& ExemplarKeeper::allowance_of(const CustomerId& customer) {
  const TimePoint now = clock_.steady();
  Allowance& own = allowances_.try_emplace(customer, Allowance{per_minute_, now}).first->second;
  const std::chrono::duration<double, std::ratio<60>> minutes = now - own.as_of;
  own.left = std::min(per_minute_, own.left + per_minute_ * minutes.count());
  own.as_of = now;
  return own;
}

// Whoever has sent none for a minute has all of it again, as one who is not known.
void ExemplarKeeper::forget_idle() {
  const TimePoint now = clock_.steady();
  if (now < next_forgetting_) return;
  next_forgetting_ = now + kMinute;
  std::erase_if(allowances_, [&](const auto& one) { return one.second.as_of + kMinute <= now; });
}

void ExemplarKeeper::work(std::vector<Item>& items) {
  {
    const std::lock_guard lock(mutex_);
    for (const Item& item : items) waiting_ -= count(item.exemplars);
  }
  contain_faults("storage: keeping exemplars", [&] { write(items); });
  for (Item& item : items) {
    contain_faults("storage: answering a write", [&] { item.done(item.written); });
  }
}

// One sync for all requests that came while the one before was under way.
void ExemplarKeeper::write(std::vector<Item>& items) {
  std::size_t all = 0;
  for (Item& item : items) {
    all += count(item.exemplars);
    Result<void> done = fail(ErrorCode::kInternal, "storage: a fault of this program");
    contain_faults("storage: putting exemplars", [&] { done = put(item); });
    if (!done) item.written = 0;
  }
  const auto synced = store_.sync();
  if (!synced) {
    service::log_warn("exemplars are not kept", {{"error", synced.error().message}});
    for (Item& item : items) item.written = 0;
  }
  std::uint64_t written = 0;
  for (const Item& item : items) written += item.written;
  const std::lock_guard lock(mutex_);
  stats_.written += written;
  stats_.failed += all - written;
}

Result<void> ExemplarKeeper::put(Item& item) {
  for (const OwnedExemplars& owned : item.exemplars) {
    if (auto put = store_.put(owned.customer, owned.exemplars); !put) return put;
    item.written += owned.exemplars.size();
  }
  return {};
}

}  // namespace vigia::storage::ingest
