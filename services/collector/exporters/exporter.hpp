// An exporter reads the disk log at its own cursor and hands what it finds to one destination.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "libs/net/client.hpp"
#include "libs/series/translator.hpp"
#include "libs/service/metrics.hpp"
#include "libs/tenancy/directory.hpp"
#include "services/collector/books/books.hpp"
#include "services/collector/clock/confirmed_time.hpp"
#include "services/collector/delivery/shared_requests.hpp"
#include "services/collector/exporters/exporter_settings.hpp"
#include "services/collector/exporters/routing.hpp"
#include "services/collector/marks/collector_id.hpp"
#include "services/collector/side/side_shares.hpp"

namespace vigia::collector::exporters {

/// What every exporter is built on; all of it outlives the exporters.
struct ExporterParts {
  disk_log::DiskLog& log;
  net::Client& client;
  series::SeriesCache& series;
  /// The directory as it stands; may give null.
  std::function<std::shared_ptr<const tenancy::Directory>()> directory;
  books::Books& books;
  service::MetricRegistry& metrics;
  const Clock& clock;
  /// Outlives the client too, whose last answers tell it the stores' clocks.
  clock::ConfirmedTime& time;
  /// Dead letters go to `<data_directory>/dead-letters/<exporter>`, the side queue to
  /// `…/side/<exporter>`.
  std::string data_directory;
  std::string collector_id = "";            ///< collector_id()
  side::SideShares* side_shares = nullptr;  ///< told of who is at its share; null: nobody asks
  /// What each exporter that sends keeps of a disk with little room for what it sets aside: a
  /// segment of the log, which is given free once all of it is sent or aside, and a window.
  std::uint64_t side_reserve_bytes = 0;
  /// By which intake judges, and whose series are the customers' active ones: judging_translation.
  wire::prometheus::TranslatorSettings judging = {};
  /// What exporters make alike is made once; null: each makes its own.
  delivery::SharedWork* shared = nullptr;
};

/// Thread contract: start and stop from one thread. Each exporter has one thread of its own.
class Exporter {
 public:
  virtual ~Exporter() = default;
  /// Takes a port where it needs one (kUnavailable names it) and begins to read.
  virtual Result<void> start() = 0;
  /// Ends after the request in flight or at the deadline. What was not answered stays queued. Safe
  /// twice or unstarted.
  virtual void stop(TimePoint deadline) noexcept = 0;
  /// Since when the destination has taken nothing of anybody, while there was something to send,
  /// and what it said last.
  struct Failing {
    TimePoint since{};
    std::string why;
  };
  /// Nothing where it takes data, or is not tried. Any thread.
  virtual std::optional<Failing> failing() { return std::nullopt; }
};

/// The cursor that an exporter reads at; the log must be opened with these.
disk_log::CursorSettings cursor_settings(const ExporterSettings& exporter);

/// Makes an exporter of a kind, with what the configuration says of that kind; kInvalid where that
/// makes none (a bad URL).
using MakeExporter = std::function<Result<std::unique_ptr<Exporter>>(
    const ExporterSettings& settings, const ExporterParts& parts)>;

/// An exporter as the configuration describes it.
struct ConfiguredExporter {
  ExporterSettings settings;
  MakeExporter make;
};

/// What the log is opened with, so that the books know what waits for the exporters at the start
/// and what the log drops at their cursors (on_queued, on_drop). Also after the books' last other
/// call.
disk_log::DiskLogEvents counting_events(const std::vector<ExporterSettings>& exporters,
                                        books::Books& books);

}  // namespace vigia::collector::exporters
