// Which exporter takes which record.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/signal.hpp"
#include "libs/tenancy/directory.hpp"
#include "services/collector/exporters/exporter_settings.hpp"

namespace vigia::collector::exporters {

/// Answers for one exporter. An exporter takes the signals whose pipelines name it. Of metrics, a
/// hot shard's takes only the records whose route is that shard, each of the two that write a pair
/// all of them; any other takes all. What is a hot
/// shard stands in the configuration and changes with it alone, never with the customers: a record
/// is counted, read and dropped by one answer. The route is a record's own
/// (disk_log::RecordTag::route), set by intake to the customer's hot_shard, or to those of several
/// that its nodes lie in, so that a
/// customer's move changes nothing that was acknowledged before. Thread contract: any thread;
/// nothing in it changes.
class Routing {
 public:
  explicit Routing(const ExporterSettings& exporter);
  bool takes(Signal signal, std::string_view route) const;
  /// True for the exporter of a hot shard.
  bool is_shard() const { return !shard_.empty(); }

 private:
  std::set<Signal> signals_;
  std::string shard_;  // "": none
};

/// Where customers and exporters do not fit together, a sentence each, for the log: a shard that is
/// somebody's and has no exporter, or one that is not declared a shard and so gets all data.
std::vector<std::string> routing_doubts(const std::vector<ExporterSettings>& exporters,
                                        const tenancy::Directory& directory);

}  // namespace vigia::collector::exporters
