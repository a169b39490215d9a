#include "services/storage/retention/settings.hpp"

#include <string>

namespace vigia::storage::retention {
namespace {

constexpr Duration kIntervalMin = std::chrono::seconds(1);

// 0 keeps for ever, as of all others: not to make them has a word of its own.
RollupKeep read_rollup(const service::ConfigNode& node, const RollupKeep& fallback) {
  if (!node.is_present()) return fallback;
  if (node.text() == "off") return {fallback.keep, false};
  return {read_keep(node, fallback.keep), true};
}

}  // namespace

Duration read_keep(const service::ConfigNode& node, Duration fallback) {
  const std::string text = node.text();
  // "-1d" would be read as a mistake of form; this is said in words, since the way out is 0.
  if (!text.empty() && text.front() == '-') {
    node.note_error("a retention can't be negative; 0 keeps for ever");
    return fallback;
  }
  return node.duration(fallback);
}

RetentionSettings read_retention(const service::ConfigNode& node) {
  RetentionSettings keep;
  keep.raw = read_keep(node.child("raw"), keep.raw);
  keep.traces = read_keep(node.child("traces"), keep.traces);
  keep.logs = read_keep(node.child("logs"), keep.logs);
  keep.rollup_5m = read_rollup(node.child("rollup_5m"), keep.rollup_5m);
  keep.rollup_1h = read_rollup(node.child("rollup_1h"), keep.rollup_1h);
  keep.rollup_1d = read_rollup(node.child("rollup_1d"), keep.rollup_1d);
  const service::ConfigNode interval = node.child("interval");
  keep.interval = interval.duration(keep.interval);
  if (keep.interval < kIntervalMin) interval.note_error("at least 1s");
  return keep;
}

}  // namespace vigia::storage::retention
