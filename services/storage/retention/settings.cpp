#include "services/storage/retention/settings.hpp"

#include <string>

namespace vigia::storage::retention {
namespace {

constexpr Duration kIntervalMin = std::chrono::seconds(1);

Duration read_keep(const service::ConfigNode& node, Duration fallback) {
  const std::string text = node.text();
  // "-1d" would be read as a mistake of form; this is said in words, since the way out is 0.
  if (!text.empty() && text.front() == '-') {
    node.note_error("a retention can't be negative; 0 keeps for ever");
    return fallback;
  }
  return node.duration(fallback);
}

}  // namespace

RetentionSettings read_retention(const service::ConfigNode& node) {
  RetentionSettings keep;
  keep.raw = read_keep(node.child("raw"), keep.raw);
  keep.traces = read_keep(node.child("traces"), keep.traces);
  keep.logs = read_keep(node.child("logs"), keep.logs);
  // No roll-up is made yet. A file that is written for the time when they are must not fail, and
  // whoever wrote it must not believe that his samples are kept for two years.
  const auto read_rollup = [&](std::string_view key, Duration& value) {
    const service::ConfigNode rollup = node.child(key);
    value = read_keep(rollup, value);
    if (!rollup.is_present()) return;
    keep.without_effect += (keep.without_effect.empty() ? "" : ", ") + rollup.path();
  };
  read_rollup("rollup_5m", keep.rollup_5m);
  read_rollup("rollup_1h", keep.rollup_1h);
  read_rollup("rollup_1d", keep.rollup_1d);
  const service::ConfigNode interval = node.child("interval");
  keep.interval = interval.duration(keep.interval);
  if (keep.interval < kIntervalMin) interval.note_error("at least 1s");
  return keep;
}

}  // namespace vigia::storage::retention
