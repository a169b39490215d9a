#include "services/collector/exporters/routing.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/tenancy/hot_shards.hpp"

namespace vigia::collector::exporters {
namespace {

std::string shard_of(const ExporterSettings& exporter) {
  return exporter.may_be_shard ? exporter.hot_shard : "";
}

std::string doubt(const std::string& shard, const ExporterSettings* exporter) {
  if (exporter == nullptr)
    return fmt::format("customers are assigned to the hot shard {}, which has no exporter", shard);
  return fmt::format(
      "customers are assigned to the hot shard {}, but the exporter {} is not one (hot_shard: "
      "true) "
      "and gets the data of all customers",
      shard, exporter->id);
}

}  // namespace

Routing::Routing(const ExporterSettings& exporter)
    : signals_(exporter.signals.begin(), exporter.signals.end()), shard_(shard_of(exporter)) {}

bool Routing::takes(Signal signal, std::string_view route) const {
  return signals_.count(signal) > 0 &&
         (shard_.empty() || tenancy::is_among_hot_shards(route, shard_));
}

std::vector<std::string> routing_doubts(const std::vector<ExporterSettings>& exporters,
                                        const tenancy::Directory& directory) {
  std::set<std::string> shards;
  for (const auto& customer : directory.customers()) {
    for (std::string& shard : customer.shards()) shards.insert(std::move(shard));
  }
  std::set<std::string> there;
  for (const ExporterSettings& exporter : exporters) there.insert(shard_of(exporter));
  there.erase("");
  std::vector<std::string> doubts;
  for (const std::string& shard : shards) {
    const auto exporter =
        std::find_if(exporters.begin(), exporters.end(), [&](const ExporterSettings& settings) {
          return settings.may_be_shard && settings.name == shard;
        });
    const bool is_there = exporter != exporters.end();
    if (there.count(shard) > 0) continue;
    // A collector without any hot shard is one that feeds the cold store alone.
    if (is_there || !there.empty()) doubts.push_back(doubt(shard, is_there ? &*exporter : nullptr));
  }
  return doubts;
}

}  // namespace vigia::collector::exporters
