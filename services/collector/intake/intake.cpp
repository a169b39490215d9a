#include "services/collector/intake/intake.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "libs/service/log.hpp"
#include "libs/wire/otlp/json.hpp"
#include "libs/wire/otlp/rewrite.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/collector/bodies/item_cutter.hpp"
#include "services/collector/intake/limits.hpp"
#include "services/collector/intake/metrics_check.hpp"
#include "services/collector/intake/records_check.hpp"

namespace vigia::collector::intake {
namespace {

constexpr double kMiB = 1024.0 * 1024.0;
constexpr std::uint64_t kMsToNs = 1'000'000;

/// Nothing of the request is kept because of whose it claims to be.
std::optional<Error> claim_error(Signal signal, const Checked& checked) {
  const Verdicts& verdicts = checked.verdicts;
  // A partial success would be read by nobody; a sender that is set up wrongly must see an error.
  if (verdicts.items() == 0 || verdicts.accepted() > 0) return std::nullopt;
  if (verdicts.rejected_for(RejectReason::kForeign) > 0) {
    return Error{ErrorCode::kForbidden, describe(signal, checked), std::nullopt};
  }
  if (verdicts.rejected_for(RejectReason::kNoCustomer) > 0) {
    return Error{ErrorCode::kInvalid, describe(signal, checked), std::nullopt};
  }
  return std::nullopt;
}

books::Books::Arrival arrival_of(const CustomerId& customer, const ExportRequest& request,
                                 const Verdicts& verdicts) {
  books::Books::Arrival arrival{.customer = customer,
                                .signal = request.signal,
                                .transport = request.transport,
                                .items = verdicts.items()};
  if (verdicts.rejected() == 0) return arrival;
  for (std::size_t i = 1; i < kRejectReasonCount; ++i) {
    const auto reason = static_cast<RejectReason>(i);
    if (const auto count = verdicts.rejected_for(reason); count > 0)
      arrival.rejected.emplace_back(to_string(reason), count);
  }
  return arrival;
}

/// Reason in the books for a whole request.
std::string_view refusal_reason(const Error& error) {
  return error.code == ErrorCode::kTooLarge ? "request_size" : "rate";
}

/// What the check has cost and what comes of it, for the customer's rates.
RequestCost cost_of(const ExportRequest& request, const Checked& checked) {
  // A histogram is as many values as it has series.
  return {
      request.signal,
      std::max<std::uint64_t>(checked.verdicts.items(), checked.values) + checked.empty_envelopes,
      std::max<std::uint64_t>(
          {request.sent_bytes, request.body.size(), checked.expanded_bytes / kExpansionFree})};
}

std::uint32_t items_max(Signal signal) {
  return signal == Signal::kMetrics ? kRequestPointsMax : kRequestRecordsMax;
}

}  // namespace

Intake::Intake(const std::vector<exporters::ExporterSettings>& exporters, IntakeSettings settings,
               const IntakeParts& parts)
    : settings_(std::move(settings)),
      parts_(parts),
      rates_(parts.clock, settings_.collectors),
      clock_doubt_(parts.clock, settings_.newest_record_ms),
      durations_(parts.metrics.histogram(
          "vigia_intake_duration_seconds",
          "Seconds from a whole request to its acknowledgement, the write to disk included",
          {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10})),
      clock_in_doubt_(parts.metrics.gauge(
          "vigia_clock_in_doubt",
          "1 while points ahead of our clock are refused retryably, since it may be behind")) {
  for (const exporters::ExporterSettings& exporter : exporters) {
    exporters_.emplace_back(exporter.id, exporters::Routing(exporter));
  }
}

Result<Checked> Intake::check(const tenancy::Customer& customer, const ExportRequest& request) {
  if (request.signal != Signal::kMetrics)
    return check_records(customer.id, request.signal, request.body);
  const MetricsCheckSettings settings{settings_.translation, parts_.clock.wall_ms(),
                                      customer.limits};
  return check_metrics(customer.id, request.body, settings, parts_.series);
}

Result<Checked> Intake::check_filled(const tenancy::Customer& customer, ExportRequest& request) {
  auto checked = check(customer, request);
  if (!checked || !settings_.fills_missing_customer ||
      checked->verdicts.rejected_for(RejectReason::kNoCustomer) == 0)
    return checked;
  auto filled =
      wire::otlp::with_additions(request.signal, request.body, {.customer = customer.id.text()});
  if (!filled) return forward(filled);
  request.body = *std::move(filled);
  // The whole body again: what it becomes with the attribute decides what is taken, and few need
  // it.
  return check(customer, request);
}

std::optional<Error> Intake::side_refusal(const tenancy::Customer& customer, Signal signal) const {
  if (parts_.side_shares == nullptr) return std::nullopt;
  for (const auto& [exporter, routing] : exporters_) {
    const auto hold = parts_.side_shares->find(exporter, customer.id);
    // Only what would go there: another signal, or another shard's data, is not held up by it.
    if (!hold || !routing.takes(signal, customer.hot_shard)) continue;
    return Error{
        ErrorCode::kOverLimit,
        fmt::format(
            "over the customer's share of what lies aside: {:.1f} MiB of {} wait for {}, which "
            "does not take them, and one customer may have {:.1f} MiB there now; nothing is lost, "
            "send again later. The provider finds why in the collector's log, and mends that "
            "destination or raises side_queue.customer_bytes_max of it",
            static_cast<double>(hold->bytes) / kMiB, customer.id.text(), exporter,
            static_cast<double>(hold->bytes_max) / kMiB),
        kRetryAfter};
  }
  return std::nullopt;
}

std::optional<Error> Intake::doubt(const CustomerId& customer, const ExportRequest& request,
                                   const Checked& checked) {
  if (request.signal != Signal::kMetrics) return std::nullopt;
  const std::uint32_t ahead = checked.verdicts.rejected_for(RejectReason::kFuture);
  clock_doubt_.note_points(customer, {checked.verdicts.items(), ahead,
                                      static_cast<std::int64_t>(checked.newest_ns / kMsToNs)});
  note_clock();
  if (ahead == 0 && !is_doubt_told_) return std::nullopt;
  const bool is_in_doubt = clock_doubt_.is_in_doubt();
  clock_in_doubt_.set(is_in_doubt ? 1 : 0);
  if (is_doubt_told_.exchange(is_in_doubt) != is_in_doubt) {
    if (is_in_doubt) {
      service::log_error(
          "our wall clock seems to be behind, or nobody has shown yet that it is right: what is "
          "ahead of it is refused retryably; compare it with the senders' and set it right",
          {{"wall_ms", std::to_string(parts_.clock.wall_ms())}});
    } else {
      service::log_info("our wall clock is no longer in doubt");
    }
  }
  if (!is_in_doubt || ahead == 0) return std::nullopt;
  return Error{ErrorCode::kUnavailable,
               fmt::format("{} of {} data points are ahead of the collector's clock, which is in "
                           "doubt: either it or the sender's is wrong; send again",
                           ahead, checked.verdicts.items()),
               kClockRetryAfter};
}

/// What is dated by us lies in stores for good.
std::int64_t Intake::now_ns() const {
  return parts_.time == nullptr ? parts_.clock.wall_ns() : parts_.time->now_or_wall_ns();
}

void Intake::note_clock() {
  if (parts_.time == nullptr) return;
  const clock::ClockDoubt::Word word = clock_doubt_.word();
  if (word.proof == clock::ClockDoubt::Proof::kRight) parts_.time->confirm(word.offset_ms);
  if (word.proof == clock::ClockDoubt::Proof::kAhead) parts_.time->contradict();
}

Result<void> Intake::add_times(const Checked& checked, ExportRequest& request) {
  if (checked.timeless == 0 || checked.verdicts.accepted() == 0) return {};
  // Times of this process are taken once each. After a step back they go on with the clock.
  const auto now_ns = static_cast<std::uint64_t>(this->now_ns());
  std::uint64_t last_ns = last_time_ns_.load();
  std::uint64_t first_ns = 0;
  do {
    const bool is_near = last_ns >= now_ns && last_ns - now_ns < kAddedTimesAheadMax_ns;
    first_ns = is_near ? last_ns + 1 : now_ns;
  } while (!last_time_ns_.compare_exchange_weak(last_ns, first_ns + checked.timeless - 1));
  auto body = wire::otlp::with_additions(request.signal, request.body, {.first_time_ns = first_ns});
  if (!body) return forward(body);
  request.body = *std::move(body);
  return {};
}

Result<void> Intake::convert(const tenancy::Customer& customer, ExportRequest& request) {
  if (!request.is_json) return {};
  auto protobuf = wire::otlp::json_to_protobuf(request.signal, request.body);
  if (!protobuf) {
    // What could not be read has cost the work of reading it.
    rates_.fine(customer.id, customer.limits, {request.signal, 0, request.sent_bytes});
    return forward(protobuf);
  }
  request.body = *std::move(protobuf);
  request.is_json = false;
  return {};
}

Result<Checked> Intake::judge(const tenancy::Customer& customer, ExportRequest& request) {
  request.sent_bytes = request.body.size();
  // Who has nothing left is told so before the work; else the work tells what is to be charged.
  const auto refuse_unread = [&](Error error, std::string_view reason) -> Result<Checked> {
    std::uint64_t items = 1;  // so many at least: JSON is not read to be refused
    if (!request.is_json)
      items = wire::otlp::count_items(request.signal, request.body,
                                      {.items = items_max(request.signal)})
                  .value_or(0);
    book_refused(customer, request, items, reason);
    return tl::unexpected<Error>(std::move(error));
  };
  if (auto asked =
          rates_.ask(customer.id, customer.limits, {request.signal, 0, request.body.size()});
      !asked)
    return refuse_unread(asked.error(), refusal_reason(asked.error()));
  if (auto error = side_refusal(customer, request.signal))
    return refuse_unread(*std::move(error), "side_share");
  if (auto converted = convert(customer, request); !converted) return forward(converted);
  auto checked = check_filled(customer, request);
  if (!checked) {
    const bool is_large = checked.error().code == ErrorCode::kTooLarge;
    const std::uint64_t items = is_large ? items_max(request.signal) : 0;
    rates_.fine(customer.id, customer.limits, {request.signal, items, request.body.size()});
    // So many at least: nobody has counted the rest.
    if (is_large) book_refused(customer, request, items, refusal_reason(checked.error()));
    return checked;
  }
  if (auto error = doubt(customer.id, request, *checked)) {
    book_refused(customer, request, checked->verdicts.items(), "clock");
    return tl::unexpected<Error>(std::move(*error));
  }
  if (auto charged = rates_.charge(customer.id, customer.limits, cost_of(request, *checked));
      !charged) {
    book_refused(customer, request, checked->verdicts.items(), refusal_reason(charged.error()));
    return forward(charged);
  }
  // Last: a request that is refused must not use up times, and one without them is rare.
  if (auto added = add_times(*checked, request); !added) return forward(added);
  return checked;
}

void Intake::book_refused(const tenancy::Customer& customer, const ExportRequest& request,
                          std::uint64_t items, std::string_view reason) {
  parts_.books.arrived({.customer = customer.id,
                        .signal = request.signal,
                        .transport = request.transport,
                        .items = items,
                        .rejected = {{reason, items}}});
}

void Intake::take(const tenancy::Customer& customer, ExportRequest request, Done done) {
  const auto begin = parts_.clock.steady();
  Done timed = [this, begin, done = std::move(done)](Result<Receipt> receipt) {
    durations_.observe(std::chrono::duration<double>(parts_.clock.steady() - begin).count());
    done(std::move(receipt));
  };
  auto checked = judge(customer, request);
  if (!checked) {
    timed(forward(checked));
    return;
  }
  const Verdicts& verdicts = checked->verdicts;
  books::Books::Arrival arrival = arrival_of(customer.id, request, verdicts);
  if (auto error = claim_error(request.signal, *checked)) {
    parts_.books.arrived(arrival);
    timed(tl::unexpected<Error>(std::move(*error)));
    return;
  }
  Receipt receipt{verdicts.items(), verdicts.rejected(), describe(request.signal, *checked)};
  // Nothing to keep, so nothing to wait for.
  if (verdicts.accepted() == 0 || parts_.log == nullptr) {
    parts_.books.arrived(arrival);
    timed(std::move(receipt));
    return;
  }
  auto records = records_of(customer, std::move(request), verdicts);
  if (!records) {
    arrival.rejected.emplace_back("request_size", arrival.accepted());
    parts_.books.arrived(arrival);
    timed(forward(records));
    return;
  }
  append(*std::move(records), std::move(arrival), std::move(receipt), std::move(timed));
}

disk_log::RecordHeader Intake::header_of(const tenancy::Customer& customer, Signal signal,
                                         std::uint32_t items) const {
  disk_log::RecordHeader header{.customer = customer.id, .signal = signal, .items = items};
  header.received_ms = now_ns() / static_cast<std::int64_t>(kMsToNs);
  header.route = customer.hot_shard;
  return header;
}

Result<std::vector<disk_log::DiskRecord>> Intake::records_of(const tenancy::Customer& customer,
                                                             ExportRequest request,
                                                             const Verdicts& verdicts) const {
  std::vector<disk_log::DiskRecord> records;
  // As received, verdicts beside it: no byte of an acknowledged body is rewritten here.
  if (request.body.size() <= kWholeBytesMax) {
    records.push_back(
        {header_of(customer, request.signal, verdicts.items()), std::move(request.body)});
    records.back().header.rejected = verdicts.rejected();
    records.back().header.verdicts = verdicts.encode();
    return records;
  }
  auto next = bodies::cut_items(
      request.signal, request.body, verdicts, 0,
      {.items_max = verdicts.items(),
       .bytes_max = kPieceBytes,
       .piece_bytes_max = kPieceBytes,
       .enclosing_bytes_max = kEnclosingBytesMax},
      [&](std::string&& piece, std::uint32_t items) {
        piece.shrink_to_fit();
        records.push_back({header_of(customer, request.signal, items), std::move(piece)});
        return true;
      });
  if (!next) return forward(next);
  return records;
}

void Intake::append(std::vector<disk_log::DiskRecord> records, books::Books::Arrival arrival,
                    Receipt receipt, Done done) {
  const disk_log::RecordHeader& header = records.front().header;
  clock_doubt_.note_record(header.received_ms);
  for (const auto& [exporter, routing] : exporters_) {
    if (routing.takes(header.signal, header.route)) arrival.exporters.push_back(exporter);
  }
  disk_log::DiskLog::Done kept_or_not =
      [this, arrival = std::move(arrival), receipt = std::move(receipt),
       done = std::move(done)](const Result<disk_log::RecordHeader>& kept) mutable {
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
      };
  if (records.size() == 1) {
    parts_.log->append(std::move(records.front()), std::move(kept_or_not));
  } else {
    parts_.log->append_all(std::move(records), std::move(kept_or_not));
  }
}

}  // namespace vigia::collector::intake
