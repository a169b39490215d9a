#include "services/collector/intake/intake.hpp"

#include <fmt/format.h>

#include "libs/wire/otlp/walker.hpp"
#include "services/collector/intake/metrics_check.hpp"
#include "services/collector/intake/records_check.hpp"
#include "services/collector/limits.hpp"

namespace vigia::collector {
namespace {

std::string_view items_name(Signal signal) {
  switch (signal) {
    case Signal::kMetrics:
      return "data points";
    case Signal::kTraces:
      return "spans";
    case Signal::kLogs:
      return "log records";
  }
  return "items";
}

std::string_view explain(RejectReason reason) {
  switch (reason) {
    case RejectReason::kForeign:
      return "resource attribute customer.id names another customer than the token";
    case RejectReason::kNoCustomer:
      return "resource attribute customer.id is missing";
    case RejectReason::kReserved:
      return "name or job is reserved for the provider";
    case RejectReason::kOverLimit:
      return "over the customer's active_series";
    case RejectReason::kUntranslatable:
      return "no Prometheus form (type, name, labels too many or too large, or time stamp 0)";
    case RejectReason::kTemporality:
      return "delta temporality; send cumulative, or through the agent on the node";
    case RejectReason::kFuture:
      return "time stamp more than 5 minutes ahead";
    case RejectReason::kInvalid:
      return "bad UTF-8, nesting deeper than 64, ids or buckets that do not fit";
    case RejectReason::kLabelValueBytes:
      return "a label is longer than the customer's label_value_bytes";
    case RejectReason::kLabelsPerSeries:
      return "more labels than the customer's labels_per_series";
    case RejectReason::kAttributes:
      return "more attributes than one item may have";
    case RejectReason::kResourceBytes:
      return "resource or scope larger than one may be";
    case RejectReason::kExpandedBytes:
      return "labels or resource times items of the request are too much; send smaller ones";
    case RejectReason::kNone:
      break;
  }
  return "";
}

/// Nothing of the request is kept because of whose it claims to be.
std::optional<Error> claim_error(Signal signal, const Verdicts& verdicts) {
  if (verdicts.items() == 0 || verdicts.accepted() > 0) return std::nullopt;
  if (verdicts.rejected_for(RejectReason::kForeign) > 0) {
    return Error{ErrorCode::kForbidden, describe(signal, verdicts), std::nullopt};
  }
  if (verdicts.rejected_for(RejectReason::kNoCustomer) > 0) {
    return Error{ErrorCode::kInvalid, describe(signal, verdicts), std::nullopt};
  }
  return std::nullopt;
}

Books::Arrival arrival_of(const CustomerId& customer, const Delivery& delivery,
                          const Verdicts& verdicts) {
  Books::Arrival arrival{.customer = customer,
                         .signal = delivery.signal,
                         .transport = delivery.transport,
                         .items = verdicts.items()};
  if (verdicts.rejected() == 0) return arrival;
  for (std::size_t i = 1; i < kRejectReasonCount; ++i) {
    const auto reason = static_cast<RejectReason>(i);
    if (const auto count = verdicts.rejected_for(reason); count > 0)
      arrival.rejected.emplace_back(to_string(reason), count);
  }
  return arrival;
}

}  // namespace

std::string describe(Signal signal, const Verdicts& verdicts) {
  if (verdicts.rejected() == 0) return "";
  std::string text =
      fmt::format("{} of {} {} refused", verdicts.rejected(), verdicts.items(), items_name(signal));
  std::string_view separator = ": ";
  for (std::size_t i = 1; i < kRejectReasonCount; ++i) {
    const auto reason = static_cast<RejectReason>(i);
    const auto count = verdicts.rejected_for(reason);
    if (count == 0) continue;
    text += fmt::format("{}{} {} ({})", separator, count, to_string(reason), explain(reason));
    separator = "; ";
  }
  if (text.size() > kAnswerTextMax) text.resize(kAnswerTextMax);
  return text;
}

Intake::Intake(const std::vector<ExporterSettings>& exporters,
               wire::prometheus::TranslatorSettings translation, const IntakeParts& parts)
    : translation_(std::move(translation)),
      parts_(parts),
      rates_(parts.clock),
      durations_(parts.metrics.histogram(
          "vigia_intake_duration_seconds",
          "Seconds from a whole request to its acknowledgement, the write to disk included",
          {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10})) {
  for (const ExporterSettings& exporter : exporters) {
    exporters_.emplace_back(exporter.id, Routing(exporter));
  }
}

Result<Verdicts> Intake::judge(const tenancy::Customer& customer, const Delivery& delivery) {
  if (delivery.signal != Signal::kMetrics) {
    return check_records(customer.id, delivery.signal, delivery.body);
  }
  const std::uint64_t rate = customer.limits.points_per_second;
  if (rate > 0) {
    auto items = wire::otlp::count_items(delivery.signal, delivery.body);
    if (!items) return forward(items);
    if (const auto wait = rates_.charge(customer.id, rate, *items)) {
      parts_.books.arrived({.customer = customer.id,
                            .signal = delivery.signal,
                            .transport = delivery.transport,
                            .items = *items,
                            .rejected = {{"rate", *items}}});
      return tl::unexpected<Error>(
          Error{ErrorCode::kOverLimit,
                fmt::format("over the customer's {} points per second", rate), *wait});
    }
  }
  MetricsCheckSettings settings;
  settings.translation = translation_;
  settings.now_ms = parts_.clock.wall_ms();
  settings.active_series_max = customer.limits.active_series;
  return check_metrics(customer.id, delivery.body, settings, parts_.series);
}

void Intake::take(const tenancy::Customer& customer, Delivery delivery, Done done) {
  const auto begin = parts_.clock.steady();
  Done timed = [this, begin, done = std::move(done)](Result<Receipt> receipt) {
    durations_.observe(std::chrono::duration<double>(parts_.clock.steady() - begin).count());
    done(std::move(receipt));
  };
  auto verdicts = judge(customer, delivery);
  if (!verdicts) {
    timed(forward(verdicts));
    return;
  }
  Books::Arrival arrival = arrival_of(customer.id, delivery, *verdicts);
  if (auto error = claim_error(delivery.signal, *verdicts)) {
    parts_.books.arrived(arrival);
    timed(tl::unexpected<Error>(std::move(*error)));
    return;
  }
  Receipt receipt{verdicts->items(), verdicts->rejected(), describe(delivery.signal, *verdicts)};
  if (verdicts->accepted() == 0 || parts_.log == nullptr) {
    parts_.books.arrived(arrival);
    timed(std::move(receipt));
    return;
  }
  append(record_of(customer, std::move(delivery), *verdicts), std::move(arrival),
         std::move(receipt), std::move(timed));
}

pipeline::DiskRecord Intake::record_of(const tenancy::Customer& customer, Delivery delivery,
                                       const Verdicts& verdicts) const {
  pipeline::DiskRecord record{.header = {.customer = customer.id, .signal = delivery.signal}};
  record.header.items = verdicts.items();
  record.header.rejected = verdicts.rejected();
  record.header.received_ms = parts_.clock.wall_ms();
  record.header.route = customer.hot_shard;
  record.header.verdicts = verdicts.encode();
  record.body = std::move(delivery.body);
  return record;
}

void Intake::append(pipeline::DiskRecord record, Books::Arrival arrival, Receipt receipt,
                    Done done) {
  for (const auto& [exporter, routing] : exporters_) {
    if (routing.takes(record.header.signal, record.header.route))
      arrival.exporters.push_back(exporter);
  }
  parts_.log->append(std::move(record), [this, arrival = std::move(arrival),
                                         receipt = std::move(receipt), done = std::move(done)](
                                            const Result<pipeline::RecordHeader>& kept) mutable {
    if (kept) {
      parts_.books.arrived(arrival);
      done(std::move(receipt));
      return;
    }
    arrival.rejected.emplace_back(kept.error().code == ErrorCode::kOverLimit ? "share" : "full",
                                  arrival.accepted());
    parts_.books.arrived(arrival);
    Error error = kept.error();
    if (is_retryable(error) && !error.retry_after) error.retry_after = kRetryAfter;
    done(tl::unexpected<Error>(std::move(error)));
  });
}

}  // namespace vigia::collector
