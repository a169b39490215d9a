// From a request's body to its place in the disk log: what the receivers hand over and what they
// answer.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/disk_log/disk_log.hpp"
#include "libs/model/signal.hpp"
#include "libs/model/verdicts.hpp"
#include "libs/series/series_cache.hpp"
#include "libs/service/metrics.hpp"
#include "libs/tenancy/directory.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"
#include "services/collector/books/books.hpp"
#include "services/collector/clock/clock_doubt.hpp"
#include "services/collector/clock/confirmed_time.hpp"
#include "services/collector/exporters/exporter_settings.hpp"
#include "services/collector/exporters/routing.hpp"
#include "services/collector/intake/checked.hpp"
#include "services/collector/intake/delta_lane.hpp"
#include "services/collector/intake/delta_settings.hpp"
#include "services/collector/intake/judged.hpp"
#include "services/collector/intake/rate_limiter.hpp"
#include "services/collector/intake/refusals_told.hpp"
#include "services/collector/intake/stage.hpp"
#include "services/collector/intake/stages.hpp"
#include "services/collector/side/side_shares.hpp"
#include "services/collector/side/trace_shares.hpp"

namespace vigia::collector::intake {

struct IntakeSettings {
  wire::prometheus::TranslatorSettings translation = {};
  /// A resource that names no customer is the token's; false: it is refused.
  bool fills_missing_customer = false;
  /// So many collectors share the customers' rates.
  std::uint32_t collectors = 1;
  std::int64_t newest_record_ms = 0;  ///< when the log's newest record came; 0: not known
  /// How deltas are added up; nothing: they are refused (`temporality`).
  std::optional<DeltaSettings> deltas = std::nullopt;
};

/// What intake is built on; all of it outlives the intake.
struct IntakeParts {
  /// Null measures the checks alone: what passes them is answered without being kept. Benchmarks
  /// only.
  disk_log::DiskLog* log = nullptr;
  series::SeriesCache& series;
  std::function<std::shared_ptr<const tenancy::Directory>()> directory;
  books::Books& books;
  service::MetricRegistry& metrics;
  const Clock& clock;
  /// Who is at its share of what lies aside and must stay there; null: nobody.
  const side::SideShares* side_shares = nullptr;
  /// Told what senders say of our clock; dates what is kept. Null: the wall clock, of benchmarks.
  clock::ConfirmedTime* time = nullptr;
  /// Where spans go that wait for their traces' verdict; null: into the log.
  disk_log::DiskLog* waiting = nullptr;
  /// Whose traces are too many there; null: nobody's.
  const side::TraceShares* trace_shares = nullptr;
  disk_log::FileSystem& files = disk_log::system_files();  ///< where states of deltas are kept
  /// While it says so, remote write is unpacked for customers alone who hold little of it. Empty:
  /// memory is never short.
  std::function<bool()> is_memory_short = {};
};

/// Thread contract: any thread.
class Intake {
 public:
  using Done = IntakeDone;

  /// `processors`, in their order: stages between the form and the check.
  Intake(const std::vector<exporters::ExporterSettings>& exporters, IntakeSettings settings,
         const IntakeParts& parts, std::vector<std::unique_ptr<Stage>> processors = {});

  /// Reads what streams of deltas came to. Once, before take, where the settings have deltas.
  /// Errors as DeltaLane::start.
  Result<void> start();
  /// Finishes what waits behind others. Nothing is taken afterwards; while the log is there.
  void stop();
  /// Judges the items, keeps body and verdicts in the log, counts into the books, and then calls
  /// `done` once: on the caller's thread, or on the log's writer when the record is durable. Never
  /// waits. Errors: kInvalid (no such message; every resource without a customer), kForbidden
  /// (every resource another customer's), kOverLimit (a rate, or the customer's share of the log or
  /// of what lies aside and must stay there: the same may pass later), kTooLarge (more than one
  /// request may hold, or than the customer's rates ever let pass at once),
  /// kUnavailable (log full; points ahead of a clock that is in doubt).
  void take(const tenancy::Customer& customer, ExportRequest request, Done done);
  /// See ClockDoubt.
  bool is_clock_in_doubt() { return clock_doubt_.is_in_doubt(); }
  /// Who is refused before it comes here goes into the same lines of the log.
  RefusalsTold& refusals_told() { return told_; }

 private:
  /// Through all stages. The batch then holds what its sender left out, and its verdicts.
  Result<void> judge(Batch& batch);
  std::int64_t now_ns() const;
  /// Enters a request that is refused as a whole into the books.
  void book_refused(const tenancy::Customer& customer, const ExportRequest& request,
                    std::uint64_t items, books::RequestReason reason, std::string_view why);
  Prepared prepare(Judged judged);
  /// The request as it came; or, where it is large, what was accepted of it in several records.
  /// kTooLarge where it cannot be cut.
  Result<std::vector<disk_log::DiskRecord>> records_of(Judged judged) const;
  /// Into the books, and what was refused into the log; `why` in the sender's words.
  void book(const books::Books::Arrival& arrival, std::string_view why);
  /// What processors could not run: counted, and told once a minute of each customer and processor.
  void book_faults(const Batch& batch);
  /// Of spans that wait: whether their customer may have more of them.
  Result<void> check_waiting(const CustomerId& customer) const;
  void append(Prepared prepared, Done done);
  /// Books and answers it: by its own error, or by what became of its records where it has some.
  void finish(Prepared prepared, const Result<disk_log::RecordHeader>& kept, Done done);

  IntakeSettings settings_;
  IntakeParts parts_;
  RateLimiter rates_;
  RefusalsTold told_;
  RefusalsTold faults_told_;
  clock::ClockDoubt clock_doubt_;
  std::vector<Way> exporters_;
  std::vector<std::unique_ptr<Stage>> stages_;
  service::Histogram& durations_;
  std::unique_ptr<DeltaLane> deltas_;  // last: its thread uses the above
};

}  // namespace vigia::collector::intake
