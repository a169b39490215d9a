#include "services/collector/intake/stages.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include <fmt/format.h>

#include "libs/service/log.hpp"
#include "libs/tenancy/hot_shards.hpp"
#include "libs/wire/otlp/json.hpp"
#include "libs/wire/otlp/rewrite.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/collector/intake/known_metadata.hpp"
#include "services/collector/intake/limits.hpp"
#include "services/collector/intake/metrics_check.hpp"
#include "services/collector/intake/records_check.hpp"

namespace vigia::collector::intake {
namespace {

using books::RequestReason;

constexpr double kMiB = 1024.0 * 1024.0;
constexpr std::uint64_t kMsToNs = 1'000'000;

/// Reason in the books for a whole request.
RequestReason refusal_reason(const Error& error) {
  return error.code == ErrorCode::kTooLarge ? RequestReason::kRequestSize : RequestReason::kRate;
}

/// What the check has cost and what comes of it, for the customer's rates.
RequestCost cost_of(const Batch& batch) {
  const ExportRequest& request = batch.request;
  const Checked& checked = batch.checked;
  // A histogram is as many values as it has series. What processors took out was work too, and who
  // sends nothing else must not go without a bound.
  return {request.signal,
          std::max<std::uint64_t>(checked.verdicts.items(), checked.values) +
              checked.empty_envelopes + batch.filtered,
          std::max<std::uint64_t>(
              {request.sent_bytes, request.body.size(), checked.expanded_bytes / kExpansionFree})};
}

std::uint32_t items_max(Signal signal) {
  return signal == Signal::kMetrics ? kRequestPointsMax : kRequestRecordsMax;
}

/// Before anybody has walked over the body. So many at least: JSON and remote write are not read to
/// be refused.
Refusal refuse_unread(const ExportRequest& request, Error error, RequestReason reason) {
  std::uint64_t items = 1;
  if (!request.is_unread())
    items =
        wire::otlp::count_items(request.signal, request.body, {.items = items_max(request.signal)})
            .value_or(0);
  return {std::move(error), reason, items};
}

class RateGate final : public Stage {
 public:
  explicit RateGate(RateLimiter& rates) : rates_(rates) {}
  std::optional<Refusal> accept(Batch& batch) override {
    const auto asked = rates_.ask(batch.customer.id, batch.customer.limits,
                                  {batch.request.signal, 0, batch.request.body.size()});
    if (asked) return std::nullopt;
    return refuse_unread(batch.request, asked.error(), refusal_reason(asked.error()));
  }

 private:
  RateLimiter& rates_;
};

class ShareGate final : public Stage {
 public:
  ShareGate(const side::SideShares* shares, const std::vector<Way>& exporters)
      : shares_(shares), exporters_(exporters) {}
  std::optional<Refusal> accept(Batch& batch) override {
    if (shares_ == nullptr) return std::nullopt;
    // Which of several shards it is for is not read yet.
    const std::string route = tenancy::join_hot_shards(batch.customer.shards());
    for (const auto& [exporter, routing] : exporters_) {
      const auto hold = shares_->find(exporter, batch.customer.id);
      // Only what would go there: another signal, or another shard's data, is not held up by it.
      if (!hold || !routing.takes(batch.request.signal, route)) continue;
      return refuse_unread(
          batch.request,
          Error{
              ErrorCode::kOverLimit,
              fmt::format(
                  "over the customer's share of what lies aside: {:.1f} MiB of {} wait for {}, "
                  "which "
                  "does not take them, and one customer may have {:.1f} MiB there now; nothing is "
                  "lost, "
                  "send again later. The provider finds why in the collector's log, and mends that "
                  "destination or raises side_queue.customer_bytes_max of it",
                  static_cast<double>(hold->bytes) / kMiB, batch.customer.id.text(), exporter,
                  static_cast<double>(hold->bytes_max) / kMiB),
              kRetryAfter},
          RequestReason::kSideShare);
    }
    return std::nullopt;
  }

 private:
  const side::SideShares* shares_;
  const std::vector<Way>& exporters_;
};

class FormStage final : public Stage {
 public:
  FormStage(RateLimiter& rates, service::MetricRegistry& metrics, const Clock& clock,
            std::function<bool()> is_memory_short)
      : rates_(rates),
        is_memory_short_(std::move(is_memory_short)),
        known_metadata_(clock),
        metadata_left_out_(metrics.counter(
            "vigia_remote_write_metadata_left_out_total",
            "Metadata of remote write 1.0 past its customer's room, or of no metric's name")) {}
  std::optional<Refusal> accept(Batch& batch) override {
    ExportRequest& request = batch.request;
    if (request.remote_write) return read_remote_write(batch);
    if (!request.is_json) return std::nullopt;
    auto protobuf = wire::otlp::json_to_protobuf(request.signal, request.body);
    if (!protobuf) {
      // What could not be read has cost the work of reading it.
      rates_.fine(batch.customer.id, batch.customer.limits,
                  {request.signal, 0, request.sent_bytes});
      return Refusal{std::move(protobuf.error())};
    }
    request.body = *std::move(protobuf);
    request.is_json = false;
    return std::nullopt;
  }

 private:
  std::optional<Refusal> read_remote_write(Batch& batch) {
    ExportRequest& request = batch.request;
    const auto known = known_metadata_.of(batch.customer.id);
    if (is_memory_short_) made_.shut(is_memory_short_());
    batch.held = made_.open(batch.customer.id.text());
    series::PrometheusBodyLimits limits;
    limits.may_hold = [&held = batch.held](std::size_t bytes) {
      held.set(bytes);
      return !held.is_over();
    };
    auto made = series::read_remote_write(batch.customer.id, *request.remote_write, request.body,
                                          limits, known.get());
    if (!made && made.error().code == ErrorCode::kOverLimit) {
      made.error().retry_after = kRetryAfter;
      return Refusal{std::move(made.error()), RequestReason::kMemory, 1};
    }
    if (!made) {
      rates_.fine(batch.customer.id, batch.customer.limits,
                  {request.signal, 0, request.body.size()});
      if (made.error().code != ErrorCode::kTooLarge) return Refusal{std::move(made.error())};
      // So many at least: nobody has counted the rest.
      return Refusal{std::move(made.error()), RequestReason::kRequestSize, 1};
    }
    metadata_left_out_.add(made->metadata_left_out +
                           known_metadata_.note(batch.customer.id, std::move(made->said)));
    request.sent_bytes = made->message_bytes;
    request.body = std::move(made->body);
    batch.held.set(request.body.size());
    return std::nullopt;
  }

  RateLimiter& rates_;
  const std::function<bool()> is_memory_short_;
  KnownMetadata known_metadata_;
  service::Counter& metadata_left_out_;
  net::Budget made_{kRemoteWriteBytesMax, kRemoteWriteSmallBytes};  // of remote write, by customer
};

class CheckStage final : public Stage {
 public:
  CheckStage(const CheckSettings& settings, RateLimiter& rates)
      : settings_(settings), rates_(rates) {}
  std::optional<Refusal> accept(Batch& batch) override {
    const ExportRequest& request = batch.request;
    auto checked = check_filled(batch);
    if (checked) {
      batch.checked = *std::move(checked);
      return std::nullopt;
    }
    const bool is_large = checked.error().code == ErrorCode::kTooLarge;
    const std::uint64_t items = is_large ? items_max(request.signal) : 0;
    rates_.fine(batch.customer.id, batch.customer.limits,
                {request.signal, items, request.body.size()});
    if (!is_large) return Refusal{std::move(checked.error())};
    // So many at least: nobody has counted the rest.
    const RequestReason reason = refusal_reason(checked.error());
    return Refusal{std::move(checked.error()), reason, items};
  }

 private:
  Result<Checked> check(const Batch& batch) {
    if (batch.request.signal != Signal::kMetrics)
      return check_records(batch.customer.id, batch.request.signal, batch.request.body);
    const MetricsCheckSettings settings{settings_.translation,
                                        settings_.clock.wall_ms(),
                                        batch.customer.limits,
                                        batch.customer.hot_shards,
                                        batch.request.remote_write.has_value(),
                                        settings_.takes_deltas,
                                        settings_.why_no_deltas};
    return check_metrics(batch.customer.id, batch.request.body, settings, settings_.series);
  }
  Result<Checked> check_filled(Batch& batch) {
    auto checked = check(batch);
    if (!checked || !settings_.fills_missing_customer ||
        checked->verdicts.rejected_for(RejectReason::kNoCustomer) == 0)
      return checked;
    auto filled = wire::otlp::with_additions(batch.request.signal, batch.request.body,
                                             {.customer = batch.customer.id.text()});
    if (!filled) return forward(filled);
    batch.request.body = *std::move(filled);
    // The whole body again: what it becomes with the attribute decides what is taken, and few need
    // it.
    return check(batch);
  }

  CheckSettings settings_;
  RateLimiter& rates_;
};

class ClockStage final : public Stage {
 public:
  ClockStage(clock::ClockDoubt& doubt, clock::ConfirmedTime* time, const Clock& clock,
             service::MetricRegistry& metrics)
      : doubt_(doubt),
        time_(time),
        clock_(clock),
        gauge_(metrics.gauge(
            "vigia_clock_in_doubt",
            "1 while points ahead of our clock are refused retryably, since it may be behind")) {}
  std::optional<Refusal> accept(Batch& batch) override {
    if (batch.request.signal != Signal::kMetrics) return std::nullopt;
    const std::uint32_t ahead = batch.checked.verdicts.rejected_for(RejectReason::kFuture);
    doubt_.note_points(batch.customer.id,
                       {batch.checked.verdicts.items(), ahead,
                        static_cast<std::int64_t>(batch.checked.newest_ns / kMsToNs)});
    note_clock();
    if (ahead == 0 && !is_told_) return std::nullopt;
    const bool is_in_doubt = doubt_.is_in_doubt();
    gauge_.set(is_in_doubt ? 1 : 0);
    if (is_told_.exchange(is_in_doubt) != is_in_doubt) {
      if (is_in_doubt) {
        service::log_error(
            "our wall clock seems to be behind, or nobody has shown yet that it is right: what is "
            "ahead of it is refused retryably; compare it with the senders' and set it right",
            {{"wall_ms", std::to_string(clock_.wall_ms())}});
      } else {
        service::log_info("our wall clock is no longer in doubt");
      }
    }
    if (!is_in_doubt || ahead == 0) return std::nullopt;
    return Refusal{
        {ErrorCode::kUnavailable,
         fmt::format("{} of {} data points are ahead of the collector's clock, which is in "
                     "doubt: either it or the sender's is wrong; send again",
                     ahead, batch.checked.verdicts.items()),
         kClockRetryAfter},
        RequestReason::kClock,
        batch.checked.verdicts.items()};
  }

 private:
  void note_clock() {
    if (time_ == nullptr) return;
    const clock::ClockDoubt::Word word = doubt_.word();
    if (word.proof == clock::ClockDoubt::Proof::kRight) time_->confirm(word.offset_ms);
    if (word.proof == clock::ClockDoubt::Proof::kAhead) time_->contradict();
  }

  clock::ClockDoubt& doubt_;
  clock::ConfirmedTime* time_;
  const Clock& clock_;
  service::Gauge& gauge_;
  std::atomic<bool> is_told_{false};
};

class RateStage final : public Stage {
 public:
  explicit RateStage(RateLimiter& rates) : rates_(rates) {}
  std::optional<Refusal> accept(Batch& batch) override {
    auto charged = rates_.charge(batch.customer.id, batch.customer.limits, cost_of(batch));
    if (charged) return std::nullopt;
    const RequestReason reason = refusal_reason(charged.error());
    return Refusal{std::move(charged.error()), reason, batch.checked.verdicts.items()};
  }

 private:
  RateLimiter& rates_;
};

class TimeStage final : public Stage {
 public:
  explicit TimeStage(std::function<std::int64_t()> now_ns) : now_ns_(std::move(now_ns)) {}
  std::optional<Refusal> accept(Batch& batch) override {
    const std::uint64_t timeless = batch.checked.timeless;
    if (timeless == 0 || batch.checked.verdicts.accepted() == 0) return std::nullopt;
    ExportRequest& request = batch.request;
    auto body = wire::otlp::with_additions(request.signal, request.body,
                                           {.first_time_ns = take_times(timeless)});
    if (!body) return Refusal{std::move(body.error())};
    request.body = *std::move(body);
    const bool are_spans = request.signal == Signal::kTraces;
    batch.checked.warning =
        fmt::format("{} {} and got {}", timeless,
                    are_spans ? "spans came without a start" : "log records came without a time",
                    are_spans ? "that of their end, or of their receipt" : "that of their receipt");
    return std::nullopt;
  }

 private:
  /// The first of so many. Times of this process are taken once each. After a step back they go on
  /// with the clock.
  std::uint64_t take_times(std::uint64_t count) {
    const auto now_ns = static_cast<std::uint64_t>(now_ns_());
    std::uint64_t last_ns = last_time_ns_.load();
    std::uint64_t first_ns = 0;
    do {
      const bool is_near = last_ns >= now_ns && last_ns - now_ns < kAddedTimesAheadMax_ns;
      first_ns = is_near ? last_ns + 1 : now_ns;
    } while (!last_time_ns_.compare_exchange_weak(last_ns, first_ns + count - 1));
    return first_ns;
  }

  std::function<std::int64_t()> now_ns_;
  std::atomic<std::uint64_t> last_time_ns_{0};  // of those that were added
};

}  // namespace

std::unique_ptr<Stage> make_rate_gate(RateLimiter& rates) {
  return std::make_unique<RateGate>(rates);
}

std::unique_ptr<Stage> make_share_gate(const side::SideShares* shares,
                                       const std::vector<Way>& exporters) {
  return std::make_unique<ShareGate>(shares, exporters);
}

std::unique_ptr<Stage> make_form_stage(RateLimiter& rates, service::MetricRegistry& metrics,
                                       const Clock& clock, std::function<bool()> is_memory_short) {
  return std::make_unique<FormStage>(rates, metrics, clock, std::move(is_memory_short));
}

std::unique_ptr<Stage> make_check_stage(const CheckSettings& settings, RateLimiter& rates) {
  return std::make_unique<CheckStage>(settings, rates);
}

std::unique_ptr<Stage> make_clock_stage(clock::ClockDoubt& doubt, clock::ConfirmedTime* time,
                                        const Clock& clock, service::MetricRegistry& metrics) {
  return std::make_unique<ClockStage>(doubt, time, clock, metrics);
}

std::unique_ptr<Stage> make_rate_stage(RateLimiter& rates) {
  return std::make_unique<RateStage>(rates);
}

std::unique_ptr<Stage> make_time_stage(std::function<std::int64_t()> now_ns) {
  return std::make_unique<TimeStage>(std::move(now_ns));
}

}  // namespace vigia::collector::intake
