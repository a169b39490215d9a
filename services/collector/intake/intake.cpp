#include "services/collector/intake/intake.hpp"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "libs/model/customer_signal.hpp"
#include "libs/service/log.hpp"
#include "libs/tenancy/hot_shards.hpp"
#include "services/collector/bodies/item_cutter.hpp"
#include "services/collector/intake/limits.hpp"

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
                                 const Verdicts& verdicts, std::uint64_t filtered) {
  books::Books::Arrival arrival{.customer = customer,
                                .signal = request.signal,
                                .transport = request.transport,
                                .items = verdicts.items() + filtered,
                                .filtered = filtered};
  if (verdicts.rejected() == 0) return arrival;
  for (std::size_t i = 1; i < kRejectReasonCount; ++i) {
    const auto reason = static_cast<RejectReason>(i);
    if (const auto count = verdicts.rejected_for(reason); count > 0)
      arrival.rejected.emplace_back(reason, count);
  }
  return arrival;
}

/// What the sender of a delta is told where nobody adds it up; "": what the reason says.
std::string_view why_no_deltas(const IntakeSettings& settings) {
  if (settings.collectors < 2) return "";
  return "delta temporality: there are several collectors, and each would add up a part; send "
         "cumulative, or through the agent on the node, or have each sender keep to one collector "
         "and say so (vigia_auth: sticky_senders)";
}

/// Of one that has nodes of several shards each of them, whole.
std::string route_of(const tenancy::Customer& customer, std::uint32_t shards) {
  if (customer.hot_shards.empty()) return customer.hot_shard;
  return tenancy::join_hot_shards(customer.hot_shards, shards);
}

}  // namespace

Intake::Intake(const std::vector<exporters::ExporterSettings>& exporters, IntakeSettings settings,
               const IntakeParts& parts, std::vector<std::unique_ptr<Stage>> processors)
    : settings_(std::move(settings)),
      parts_(parts),
      rates_(parts.clock, settings_.collectors),
      told_(parts.clock),
      faults_told_(parts.clock),
      clock_doubt_(parts.clock, settings_.newest_record_ms),
      durations_(parts.metrics.histogram(
          "vigia_intake_duration_seconds",
          "Seconds from a whole request to its acknowledgement, the write to disk included",
          {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10})) {
  for (const exporters::ExporterSettings& exporter : exporters) {
    exporters_.emplace_back(exporter.id, exporters::Routing(exporter));
  }
  stages_.push_back(make_rate_gate(rates_));
  stages_.push_back(make_share_gate(parts_.side_shares, exporters_));
  stages_.push_back(make_form_stage(rates_, parts_.metrics, parts_.clock, parts_.is_memory_short));
  std::move(processors.begin(), processors.end(), std::back_inserter(stages_));
  stages_.push_back(make_check_stage(
      {settings_.translation, settings_.fills_missing_customer, parts_.series, parts_.clock,
       settings_.deltas && parts_.log != nullptr, why_no_deltas(settings_)},
      rates_));
  stages_.push_back(make_clock_stage(clock_doubt_, parts_.time, parts_.clock, parts_.metrics));
  stages_.push_back(make_rate_stage(rates_));
  // Last: a request that is refused must not use up times, and one without them is rare.
  stages_.push_back(make_time_stage([this] { return now_ns(); }));
  if (settings_.deltas && parts_.log != nullptr) {
    deltas_ = std::make_unique<DeltaLane>(
        *settings_.deltas,
        DeltaLane::Parts{
            .log = *parts_.log,
            .clock = parts_.clock,
            .metrics = parts_.metrics,
            .files = parts_.files,
            .customers =
                [this] {
                  const auto directory = parts_.directory();
                  return directory ? directory->customers().size() : 0;
                },
            .prepare = [this](Judged judged) { return prepare(std::move(judged)); },
            .finish = [this](Prepared prepared, const Result<disk_log::RecordHeader>& kept,
                             Done done) { finish(std::move(prepared), kept, std::move(done)); }});
  }
}

Result<void> Intake::start() { return deltas_ ? deltas_->start() : Result<void>{}; }

void Intake::stop() {
  if (deltas_) deltas_->stop();
}

/// What is dated by us lies in stores for good.
std::int64_t Intake::now_ns() const {
  return parts_.time == nullptr ? parts_.clock.wall_ns() : parts_.time->now_or_wall_ns();
}

Result<void> Intake::judge(Batch& batch) {
  for (const auto& stage : stages_) {
    auto refusal = stage->accept(batch);
    if (!refusal) continue;
    const std::uint64_t items = refusal->items + batch.filtered;
    if (refusal->reason)
      book_refused(batch.customer, batch.request, items, *refusal->reason, refusal->error.message);
    else
      told_.tell(batch.customer.id, to_string(refusal->error.code), items, refusal->error.message);
    if (refusal->is_fined)
      rates_.fine(batch.customer.id, batch.customer.limits,
                  {batch.request.signal, items, batch.request.sent_bytes});
    return tl::unexpected<Error>(std::move(refusal->error));
  }
  return {};
}

void Intake::book_refused(const tenancy::Customer& customer, const ExportRequest& request,
                          std::uint64_t items, books::RequestReason reason, std::string_view why) {
  book({.customer = customer.id,
        .signal = request.signal,
        .transport = request.transport,
        .items = items,
        .rejected = {{reason, items}}},
       why);
}

void Intake::book(const books::Books::Arrival& arrival, std::string_view why) {
  parts_.books.arrived(arrival);
  for (const auto& [reason, items] : arrival.rejected)
    told_.tell(arrival.customer, reason.label(), items, why);
}

void Intake::book_faults(const Batch& batch) {
  for (const ProcessorFaults& each : batch.faults) {
    parts_.books.processor_failed(batch.customer.id, each.processor, each.faults);
    if (each.first.empty()) continue;
    const auto line = faults_told_.note(batch.customer.id, each.processor, each.faults);
    if (!line) continue;
    service::log_warn("a processor's text could not be run for items, which go on without it",
                      {{"customer_id", batch.customer.id.text()},
                       {"processor", std::string(each.processor)},
                       {"requests", std::to_string(line->requests)},
                       {"faults", std::to_string(line->items)},
                       {"first", each.first}});
  }
}

void Intake::take(const tenancy::Customer& customer, ExportRequest request, Done done) {
  const auto begin = parts_.clock.steady();
  Done timed = [this, begin, done = std::move(done)](Result<Receipt> receipt) {
    durations_.observe(std::chrono::duration<double>(parts_.clock.steady() - begin).count());
    done(std::move(receipt));
  };
  request.sent_bytes = request.body.size();
  Batch batch{customer, std::move(request)};
  auto accepted = judge(batch);
  book_faults(batch);
  if (!accepted) {
    timed(forward(accepted));
    return;
  }
  const bool has_deltas = batch.checked.deltas > 0;
  Judged judged{.customer = customer.id,
                .route = route_of(customer, batch.checked.shards),
                .request = std::move(batch.request),
                .checked = std::move(batch.checked),
                .filtered = batch.filtered};
  if (has_deltas && deltas_) return deltas_->take(std::move(judged), std::move(timed));
  Prepared prepared = prepare(std::move(judged));
  // Nothing to keep, so nothing to wait for.
  if (prepared.records.empty())
    finish(std::move(prepared), disk_log::RecordHeader{}, std::move(timed));
  else
    append(std::move(prepared), std::move(timed));
}

Prepared Intake::prepare(Judged judged) {
  const Checked& checked = judged.checked;
  const Verdicts& verdicts = checked.verdicts;
  const Signal signal = judged.request.signal;
  Prepared prepared{
      .arrival = arrival_of(judged.customer, judged.request, verdicts, judged.filtered),
      .receipt = {verdicts.items(), verdicts.rejected(), describe(signal, checked),
                  checked.written},
      .error = claim_error(signal, checked)};
  if (prepared.error || verdicts.accepted() == 0 || parts_.log == nullptr) return prepared;
  auto records = records_of(std::move(judged));
  if (!records) {
    prepared.error = std::move(records.error());
    return prepared;
  }
  prepared.records = *std::move(records);
  const disk_log::RecordHeader& header = prepared.records.front().header;
  clock_doubt_.note_record(header.received_ms);
  for (const auto& [exporter, routing] : exporters_) {
    if (routing.takes(signal, header.tag.route)) prepared.arrival.exporters.push_back(exporter);
  }
  return prepared;
}

Result<std::vector<disk_log::DiskRecord>> Intake::records_of(Judged judged) const {
  const Verdicts& verdicts = judged.checked.verdicts;
  ExportRequest& request = judged.request;
  std::vector<disk_log::DiskRecord> records;
  const disk_log::RecordTag tag{
      .owner = judged.customer.text(), .kind = kept_number(request.signal), .route = judged.route};
  const auto header_of = [&](std::uint32_t items) {
    disk_log::RecordHeader header{.tag = tag, .items = items};
    header.received_ms = now_ns() / static_cast<std::int64_t>(kMsToNs);
    return header;
  };
  // As received, verdicts beside it: no byte of an acknowledged body is rewritten here.
  if (request.body.size() <= kWholeBytesMax) {
    records.push_back({header_of(verdicts.items()), std::move(request.body)});
    records.back().header.rejected = verdicts.rejected();
    records.back().header.tag.note = verdicts.encode();
    return records;
  }
  auto next = bodies::cut_items({request.signal, request.body, verdicts},
                                {.items_max = verdicts.items(),
                                 .bytes_max = kPieceBytes,
                                 .piece_bytes_max = kPieceBytes,
                                 .enclosing_bytes_max = kEnclosingBytesMax},
                                [&](std::string&& piece, std::uint32_t items) {
                                  piece.shrink_to_fit();
                                  records.push_back({header_of(items), std::move(piece)});
                                  return true;
                                });
  if (!next) return forward(next);
  return records;
}

void Intake::append(Prepared prepared, Done done) {
  const bool waits = parts_.waiting != nullptr && prepared.arrival.signal == Signal::kTraces;
  const CustomerId customer = prepared.arrival.customer;
  std::vector<disk_log::DiskRecord> records = std::exchange(prepared.records, {});
  disk_log::DiskLog::Done kept_or_not =
      [this, prepared = std::move(prepared),
       done = std::move(done)](const Result<disk_log::RecordHeader>& kept) mutable {
        finish(std::move(prepared), kept, std::move(done));
      };
  disk_log::DiskLog* log = parts_.log;
  if (waits) {
    log = parts_.waiting;
    if (auto may = check_waiting(customer); !may) return kept_or_not(forward(may));
  }
  if (records.size() == 1) {
    log->append(std::move(records.front()), std::move(kept_or_not));
  } else {
    log->append_all(std::move(records), std::move(kept_or_not));
  }
}

/// What waits moves into the log later, where it is not asked again.
Result<void> Intake::check_waiting(const CustomerId& customer) const {
  if (parts_.trace_shares != nullptr && parts_.trace_shares->is_over(customer.text()))
    return fail(ErrorCode::kOverLimit,
                fmt::format("over the customer's share of the traces that tail_sampling holds in "
                            "memory: {} has begun too many within decision_wait; nothing is lost, "
                            "send again later, or ask the provider for a larger num_traces",
                            customer.text()));
  return parts_.log->check_share(customer.text());
}

void Intake::finish(Prepared prepared, const Result<disk_log::RecordHeader>& kept, Done done) {
  books::Books::Arrival& arrival = prepared.arrival;
  if (prepared.error) {
    if (arrival.accepted() > 0) arrival.refuse_rest(books::RequestReason::kRequestSize);
    book(arrival, prepared.error->message);
    done(tl::unexpected<Error>(std::move(*prepared.error)));
    return;
  }
  if (kept) {
    book(arrival, prepared.receipt.message);
    done(std::move(prepared.receipt));
    return;
  }
  arrival.refuse_rest(kept.error().code == ErrorCode::kOverLimit ? books::RequestReason::kShare
                                                                 : books::RequestReason::kFull);
  Error error = kept.error();
  book(arrival, error.message);
  if (is_retryable(error) && !error.retry_after) error.retry_after = kRetryAfter;
  done(tl::unexpected<Error>(std::move(error)));
}

}  // namespace vigia::collector::intake
