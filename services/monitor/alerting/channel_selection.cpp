#include "services/monitor/alerting/channel_selection.hpp"

#include <span>
#include <utility>

namespace vigia::monitor::alerting {
namespace {

using Channels = std::span<const channels::ChannelRow>;

void append(std::vector<channels::ChannelRow>& to, Channels channels) {
  to.insert(to.end(), channels.begin(), channels.end());
}

class Search {
 public:
  Search(const TryChannels& attempt, std::size_t tries_max)
      : attempt_(attempt), tries_left_(tries_max) {}

  ChannelSelection run(std::vector<channels::ChannelRow> proven,
                       std::vector<channels::ChannelRow> fresh) {
    auto first = try_beside({}, proven);
    if (first == Verdict::kRefused) {
      // Another version of Alertmanager, say, may refuse what the last one took: then each is tried
      // anew, and the empty file tells whether it is channels at all that it refuses.
      fresh.insert(fresh.begin(), proven.begin(), proven.end());
      if (!proven.empty()) first = try_beside({}, {});
      proven.clear();
    }
    found_.is_away = first == Verdict::kAway;
    found_.is_whole_refused = first == Verdict::kRefused;
    found_.taken = std::move(proven);
    if (first != Verdict::kTaken) {
      append(found_.undecided, fresh);
      return std::move(found_);
    }
    decide(fresh);
    // What was tried last may be a refused half.
    if (!is_loaded_ && !found_.is_away) {
      found_.is_away = attempt_(found_.taken) == Verdict::kAway;
    }
    return std::move(found_);
  }

 private:
  Verdict try_beside(const std::vector<channels::ChannelRow>& base, Channels added) {
    auto all = base;
    append(all, added);
    const auto verdict = attempt_(all);
    is_loaded_ = verdict == Verdict::kTaken;
    return verdict;
  }

  void decide(Channels channels) {
    if (channels.empty()) return;
    if (found_.is_away || tries_left_ == 0) {
      append(found_.undecided, channels);
      return;
    }
    --tries_left_;
    const auto verdict = try_beside(found_.taken, channels);
    if (verdict == Verdict::kTaken) {
      append(found_.taken, channels);
    } else if (verdict == Verdict::kAway) {
      found_.is_away = true;
      append(found_.undecided, channels);
    } else if (channels.size() == 1) {
      append(found_.refused, channels);
    } else {
      // By halves: k bad channels of n cost k log n reloads, not n.
      const auto half = channels.size() / 2;
      decide(channels.first(half));
      decide(channels.subspan(half));
    }
  }

  const TryChannels& attempt_;
  std::size_t tries_left_;
  bool is_loaded_ = false;
  ChannelSelection found_;
};

}  // namespace

ChannelSelection select_channels(std::vector<channels::ChannelRow> proven,
                                 std::vector<channels::ChannelRow> fresh,
                                 const TryChannels& attempt, std::size_t tries_max) {
  return Search(attempt, tries_max).run(std::move(proven), std::move(fresh));
}

}  // namespace vigia::monitor::alerting
