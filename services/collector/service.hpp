// The collector: its parts in their order.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/service/program.hpp"
#include "services/collector/settings.hpp"

namespace vigia::collector {

/// A collector that runs. Thread contract: start, stop and the destructor from one thread.
class CollectorService : public service::Running {
 public:
  /// Errors name the port that is taken, the folder that is locked, the file that is wrong.
  static Result<std::unique_ptr<CollectorService>> start(Settings settings);
  /// Addresses of the doors in the order of the settings, with the ports really taken.
  virtual std::vector<std::string> addresses() const = 0;
  /// Where the own metrics are, likewise.
  virtual std::string metrics_address() const = 0;
};

/// CollectorService::start, for whoever runs any service; the heap is told of the memory limit.
Result<std::unique_ptr<service::Running>> start(Settings settings);

/// For service::run_program.
service::ProgramDescription describe_program();

}  // namespace vigia::collector
