#include "services/collector/exporters/routing.hpp"

#include <algorithm>

namespace vigia::collector {
namespace {

constexpr std::string_view kShardPrefix = "hot-";

}  // namespace

Routing::Routing(const ExporterSettings& exporter)
    : name_(exporter.name),
      signals_(exporter.signals.begin(), exporter.signals.end()),
      is_remote_write_(exporter.kind == ExporterKind::kPrometheusRemoteWrite) {}

bool Routing::takes(Signal signal, std::string_view route,
                    const std::shared_ptr<const tenancy::Directory>& directory) {
  if (signals_.count(signal) == 0) return false;
  if (!is_remote_write_ || route == name_) return true;
  return !is_shard(directory);
}

bool Routing::is_shard(const std::shared_ptr<const tenancy::Directory>& directory) {
  if (!is_remote_write_) return false;
  if (name_.starts_with(kShardPrefix)) return true;
  if (!directory) return false;
  const std::lock_guard lock(mutex_);
  if (seen_ != directory) {
    const auto& customers = directory->customers();
    is_shard_ = std::any_of(customers.begin(), customers.end(),
                            [this](const auto& customer) { return customer.hot_shard == name_; });
    seen_ = directory;
  }
  return is_shard_;
}

}  // namespace vigia::collector
