#include "services/router/coverage/shard_coverage.hpp"

#include <algorithm>

namespace vigia::router::coverage {
namespace {

/// A collector that was brought up to date goes on under a name of its own: what it wrote without
/// one is the beginning of its run, not the end of a collector that has vanished.
void give_names(BeatsByCollector& beats, TimestampMs gap_max_ms) {
  const auto nameless = beats.find("");
  if (nameless == beats.end() || nameless->second.empty()) return;
  const std::vector<TimestampMs> old = nameless->second;
  bool is_followed = false;
  for (auto& [collector, times] : beats) {
    if (collector.empty() || times.empty()) continue;
    if (times.front() <= old.back() || times.front() - old.back() > gap_max_ms) continue;
    std::vector<TimestampMs> all;
    std::merge(old.begin(), old.end(), times.begin(), times.end(), std::back_inserter(all));
    times = std::move(all);
    is_followed = true;
  }
  if (is_followed) beats.erase(nameless);
}

}  // namespace

TimestampMs ShardCoverage::settle_ms() const {
  return std::min<TimestampMs>(std::chrono::milliseconds(kSettle).count(), gap_max_ms_);
}

void ShardCoverage::replace(BeatsByCollector beats) {
  forget();
  give_names(beats, gap_max_ms_);
  append(beats);
}

void ShardCoverage::append(const BeatsByCollector& beats) {
  for (const auto& [collector, times] : beats) {
    if (times.empty()) continue;
    const auto [place, is_new] = runs_.try_emplace(collector);
    Run& run = place->second;
    if (is_new) run.known_from_ms = times.front();
    for (const TimestampMs beat : times) {
      // Polls overlap, and a late one may bring what is known: a beat counts once, in order.
      if (run.count > 0 && beat <= run.last_ms) continue;
      if (run.count == 0 || beat - run.last_ms > gap_max_ms_) {
        run.is_after_a_hole = run.count > 0;
        run.first_ms = beat;
        run.count = 0;
      }
      run.last_ms = beat;
      ++run.count;
    }
  }
}

void ShardCoverage::note_ahead(const std::map<std::string, TimestampMs>& newest,
                               TimestampMs now_ms) {
  // What is not shown any more is gone with its store, or has come to pass.
  constexpr TimestampMs kKeptMs = std::chrono::milliseconds(2 * kForgottenAfter).count();
  std::erase_if(ahead_, [now_ms](const auto& known) {
    return known.second > now_ms + std::chrono::milliseconds(kAheadMin).count() ||
           known.second < now_ms - kKeptMs;
  });
  for (const auto& [collector, newest_ms] : newest) {
    TimestampMs& known_ms = ahead_[collector];
    known_ms = std::max(known_ms, newest_ms);
  }
}

bool ShardCoverage::is_forgotten(const Run& run, TimestampMs now_ms) {
  return now_ms - run.last_ms > std::chrono::milliseconds(kForgottenAfter).count();
}

std::map<std::string, ShardCoverage::Run> ShardCoverage::runs(TimestampMs now_ms) const {
  std::map<std::string, Run> found;
  for (const auto& [collector, run] : runs_) {
    if (!is_forgotten(run, now_ms)) found.emplace(collector, run);
  }
  return found;
}

std::optional<TimestampMs> ShardCoverage::covered_from(TimestampMs now_ms) const {
  std::optional<TimestampMs> first;
  std::optional<TimestampMs> hole_end;
  bool is_anybody_there = false;
  for (const auto& [collector, run] : runs_) {
    first = std::min(first.value_or(run.known_from_ms), run.known_from_ms);
    if (is_forgotten(run, now_ms)) continue;
    if (now_ms - run.last_ms > gap_max_ms_) return std::nullopt;
    is_anybody_there = true;
    // A collector that is new has no hole before its first heartbeat: it held nothing then.
    if (run.is_after_a_hole) hole_end = std::max(hole_end.value_or(run.first_ms), run.first_ms);
  }
  if (!is_anybody_there) return std::nullopt;
  TimestampMs from_ms = std::max(hole_end.value_or(*first), *first) + settle_ms();
  for (const auto& [collector, until_ms] : ahead_) {
    if (until_ms > now_ms) return std::nullopt;
    from_ms = std::max(from_ms, until_ms);
  }
  return from_ms;
}

}  // namespace vigia::router::coverage
