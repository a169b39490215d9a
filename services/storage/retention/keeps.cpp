#include "services/storage/retention/keeps.hpp"

namespace vigia::storage::retention {

std::string_view to_string(DataKind kind) {
  switch (kind) {
    case DataKind::kRollup5m:
      return "rollup_5m";
    case DataKind::kRollup1h:
      return "rollup_1h";
    case DataKind::kRollup1d:
      return "rollup_1d";
    case DataKind::kTraces:
      return "traces";
    case DataKind::kLogs:
      return "logs";
    case DataKind::kRaw:
      break;
  }
  return "raw";
}

DataKind kind_of(Resolution resolution) {
  switch (resolution) {
    case Resolution::kFiveMinutes:
      return DataKind::kRollup5m;
    case Resolution::kHour:
      return DataKind::kRollup1h;
    case Resolution::kDay:
      return DataKind::kRollup1d;
    case Resolution::kRaw:
      break;
  }
  return DataKind::kRaw;
}

Keeps keeps_of(const RetentionSettings& settings) {
  return {{settings.raw, settings.rollup_5m.keep, settings.rollup_1h.keep, settings.rollup_1d.keep,
           settings.traces, settings.logs}};
}

bool is_longer(Duration left, Duration right) {
  if (right == Duration(0)) return false;
  return left == Duration(0) || left > right;
}

Duration longer(Duration left, Duration right) { return is_longer(left, right) ? left : right; }

}  // namespace vigia::storage::retention
