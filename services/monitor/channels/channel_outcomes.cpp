#include "services/monitor/channels/channel_outcomes.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "services/monitor/channels/limits.hpp"

namespace vigia::monitor::channels {
namespace {

// Of what came last: something arrived, or it failed for that reason.
bool is_of_other_kind(const ChannelOutcome& one, const ChannelOutcome& other) {
  const auto has_failed = [](const ChannelOutcome& outcome) {
    return outcome.failed_ms > outcome.delivered_ms;
  };
  return has_failed(one) != has_failed(other) || one.failure != other.failure ||
         (one.delivered_ms == 0) != (other.delivered_ms == 0);
}

}  // namespace

bool ChannelOutcomes::is_due(const Known& known) const {
  if (known.outcome == known.written) return false;
  // A change from good to bad, or back, is written at once; that it goes on so only now and then,
  // as each message would otherwise be a write to the database.
  return is_of_other_kind(known.outcome, known.written) ||
         clock_.steady() - known.written_at >= kOutcomeInterval;
}

void ChannelOutcomes::note(const CustomerId& customer, const std::string& channel_id,
                           const std::function<void(ChannelOutcome&)>& change) {
  const std::scoped_lock lock(mutex_);
  const Key key(customer, channel_id);
  if (known_.size() >= kOutcomesMax && !known_.contains(key)) {
    // Those that are on disk can be read again; what is not written yet must stay.
    std::erase_if(known_, [](const auto& one) { return one.second.outcome == one.second.written; });
    if (known_.size() >= kOutcomesMax) return;
  }
  change(known_[key].outcome);
}

void ChannelOutcomes::note_delivered(const CustomerId& customer, const std::string& channel_id) {
  note(customer, channel_id,
       [this](ChannelOutcome& outcome) { outcome.delivered_ms = clock_.wall_ms(); });
}

void ChannelOutcomes::note_failed(const CustomerId& customer, const std::string& channel_id,
                                  std::string failure) {
  note(customer, channel_id, [&](ChannelOutcome& outcome) {
    outcome.failed_ms = clock_.wall_ms();
    outcome.failure = std::move(failure);
  });
}

ChannelOutcome ChannelOutcomes::newest(const ChannelRow& channel) const {
  ChannelOutcome newest = channel.outcome;
  const std::scoped_lock lock(mutex_);
  const auto found = known_.find(Key(channel.customer, channel.id));
  if (found == known_.end()) return newest;
  const auto& outcome = found->second.outcome;
  if (outcome.delivered_ms != 0) newest.delivered_ms = outcome.delivered_ms;
  if (outcome.failed_ms != 0) {
    newest.failed_ms = outcome.failed_ms;
    newest.failure = outcome.failure;
  }
  return newest;
}

Result<void> ChannelOutcomes::keep() {
  std::vector<NamedOutcome> due;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [key, known] : known_) {
      if (!is_due(known)) continue;
      due.push_back(NamedOutcome{key.first, key.second, known.outcome});
      if (due.size() >= kOutcomesKeptAtOnce) break;
    }
  }
  if (due.empty()) return {};
  auto written = database_.write([&](store::DatabaseConnection& connection) {
    return note_channel_outcomes(due, connection);
  });
  if (!written) return written;
  const std::scoped_lock lock(mutex_);
  for (const auto& one : due) {
    const auto found = known_.find(Key(one.customer, one.channel_id));
    if (found == known_.end()) continue;
    // What was written, not what is known by now: a message that came meanwhile is still due.
    found->second.written = one.outcome;
    found->second.written_at = clock_.steady();
  }
  return {};
}

}  // namespace vigia::monitor::channels
