// HeadSet: what it does when open series hold more memory than they may.
#include <algorithm>

#include "libs/base/fault.hpp"
#include "services/storage/heads/head_set.hpp"

namespace vigia::storage::heads {
namespace {

constexpr std::size_t kMuch = 4;  // a quarter of the bound
constexpr Epoch kUnderWay = 10;   // how long two requests of one series may be under way

}  // namespace

void HeadSet::account(Shard& shard, customers::CustomerNumber customer, std::size_t before,
                      std::size_t after) {
  if (before == after) return;
  std::size_t& held = shard.held[customer.value];
  held += after - before;  // unsigned: may be less than nothing more
  memory_ += after - before;
  if (held == 0) shard.held.erase(customer.value);
}

std::size_t HeadSet::held_by(customers::CustomerNumber customer) const {
  std::size_t held = 0;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    const auto at = shard.held.find(customer.value);
    if (at != shard.held.end()) held += at->second;
  }
  return held;
}

customers::CustomerNumber HeadSet::who_holds_most() const {
  std::unordered_map<std::uint32_t, std::size_t> held;
  for (const Shard& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    for (const auto& [customer, bytes] : shard.held) held[customer] += bytes;
  }
  const auto most = std::max_element(
      held.begin(), held.end(),
      [](const auto& left, const auto& right) { return left.second < right.second; });
  return {most == held.end() ? 0 : most->first};
}

// What was within the bound is twice as much as it may be once memory is short: that is whoever
// holds much to blame for, and for the others the whole bound stands.
Result<void> HeadSet::check_room(customers::CustomerNumber customer) const {
  if (auto room = closed_.check_room(customer); !room) return room;
  const std::size_t bound = memory_max();
  const std::size_t memory = memory_;
  if (memory <= bound + bound / 4) return {};
  const bool is_all_full = memory > memory_max_ + memory_max_ / 2;
  if (!is_all_full && held_by(customer) <= bound / kMuch) return {};
  Error error{ErrorCode::kUnavailable,
              "storage: open series take more memory than they may, try again later"};
  error.retry_after = std::chrono::seconds(1);
  return tl::unexpected<Error>(std::move(error));
}

// Two requests may bring a series that is new, the second one first; where its head is forgotten in
// between the store has rows of it when the first one comes.
bool HeadSet::is_surely_new(const SeriesRef& series, Epoch epoch) const {
  return series.is_new && (last_forgotten_ == kNoEpoch || epoch > last_forgotten_ + kUnderWay);
}

Result<void> HeadSet::relieve() {
  const std::size_t bound = memory_max();
  if (relieved_parts_ == 0 && memory_ <= bound) return closed_.await_room();
  // It goes on to an eighth below the bound, so that it does not begin anew with each request; two
  // rounds are all there is to win (closing, then forgetting).
  if (memory_ <= bound - bound / 8 || relieved_parts_ == 2 * kParts) {
    relieved_parts_ = 0;
    return {};
  }
  if (auto room = closed_.await_much_room(); !room) return room;
  Shard& shard = shards_[next_relieved_];
  // One part a call, so that writes come in between. Who holds most is asked anew for each: after
  // some parts it may be another.
  relieve_part(shard, who_holds_most());
  next_relieved_ = (next_relieved_ + 1) % kParts;
  ++relieved_parts_;
  return {};
}

// A head that is forgotten costs its next sample a look into the store, so that comes second. One
// that waits for such a look, or whose late samples do, is needed there: they are logged by now.
void HeadSet::relieve_part(Shard& shard, customers::CustomerNumber customer) {
  const bool may_forget = relieved_parts_ >= kParts;
  const std::lock_guard lock(shard.mutex);
  for (auto at = shard.heads.begin(); at != shard.heads.end();) {
    Head& head = at->second;
    if (head.customer != customer) {
      ++at;
      continue;
    }
    const bool had_samples = !head.is_empty();
    {
      const Accounted accounted(*this, shard, head, head.memory_bytes());
      contain_faults("storage: closing a series",
                     [&] { sweep_head(store::SeriesId{at->first}, head, {.close_all = true}); });
    }
    if (had_samples && head.is_empty()) ++closed_for_memory_;
    const bool is_waited_for = head.awaits_store || shard.waiting.contains(at->first);
    if (may_forget && head.is_empty() && !is_waited_for) {
      account(shard, customer, head.memory_bytes(), 0);
      last_forgotten_ = std::max(last_forgotten_, head.last_append);
      at = shard.heads.erase(at);
    } else {
      ++at;
    }
  }
}

}  // namespace vigia::storage::heads
