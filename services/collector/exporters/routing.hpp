// Which exporter takes which record.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "libs/model/signal.hpp"
#include "libs/tenancy/directory.hpp"
#include "services/collector/exporters/exporter_settings.hpp"

namespace vigia::collector {

/// Answers for one exporter. An exporter takes the signals whose pipelines name it. Of metrics, one
/// whose name is a hot shard's ("hot-…", or the hot_shard of any customer) takes only the records
/// whose route it is; any other takes all. The route is a record's own (pipeline::RecordHeader::
/// route), set by intake to the customer's hot_shard, so that a customer's move changes nothing
/// that was acknowledged before. Thread contract: any thread.
class Routing {
 public:
  explicit Routing(const ExporterSettings& exporter);
  /// `directory` may be null (nothing was ever loaded).
  bool takes(Signal signal, std::string_view route,
             const std::shared_ptr<const tenancy::Directory>& directory);

  /// True for the exporter of a hot shard.
  bool is_shard(const std::shared_ptr<const tenancy::Directory>& directory);

 private:
  std::string name_;
  std::set<Signal> signals_;
  bool is_remote_write_;
  std::mutex mutex_;                                // guards the two below
  std::shared_ptr<const tenancy::Directory> seen_;  // shared with the source; is_shard_ is of it
  bool is_shard_ = false;
};

}  // namespace vigia::collector
