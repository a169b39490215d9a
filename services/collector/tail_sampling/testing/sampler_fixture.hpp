// For tests: a sampler with its logs and the disk log behind it, on a disk that loses power.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "libs/disk_log/testing/memory_files.hpp"
#include "libs/model/customer_signal.hpp"
#include "libs/model/verdicts.hpp"
#include "services/collector/bodies/moved_note.hpp"
#include "services/collector/tail_sampling/tail_sampler.hpp"
#include "services/collector/tail_sampling/testing/spans.hpp"

namespace vigia::collector::tail_sampling {

inline constexpr const char* kExporter = "otlphttp/cold";

class SamplerTest : public ::testing::Test {
 protected:
  ~SamplerTest() override { close(); }

  /// A collector's start, in its order.
  void open() {
    books_ = std::make_unique<books::Books>(*metrics_);
    TailSamplerParts parts{*books_, *metrics_, clock_, nullptr, shares_, {kExporter}};
    auto sampler = TailSampler::open(settings_, waiting_, std::move(parts), files_);
    ASSERT_TRUE(sampler) << sampler.error().message;
    sampler_ = *std::move(sampler);
    disk_log::DiskLogSettings log;
    log.directory = "/log";
    log.bytes_max = log_bytes_max_;
    log.segment_bytes = 64U << 10U;
    log.owner_word = "customer";
    log.cursors = {{.name = kExporter, .required = true}};
    disk_log::DiskLogEvents events;
    events.on_queued = [this](const disk_log::RecordHeader& header, std::string_view) {
      sampler_->note_moved(header);
      books_->queued_at_start(*CustomerId::parse(header.tag.owner), Signal::kTraces, kExporter,
                              header.items);
    };
    auto opened = disk_log::DiskLog::open(std::move(log), clock_, std::move(events), files_);
    ASSERT_TRUE(opened) << opened.error().message;
    log_ = *std::move(opened);
    sampler_->begin(*log_);
  }
  void close() {
    sampler_.reset();
    log_.reset();
    books_.reset();
    metrics_ = std::make_unique<service::MetricRegistry>();
  }
  /// kill -9 and the loss of the machine's power: what was not synced is gone.
  void cut_power() {
    files_.cut_power();
    // What the old logs would write as they end comes after the power has gone.
    files_.fail_when([](std::string_view, const std::string&) { return true; });
    close();
    files_.cut_power();
    files_.fail_when(nullptr);
    open();
  }

  /// As intake does: true where it was acknowledged.
  bool send(const SpansRequest& request, const std::string& customer = "cliente-a") {
    const auto items =
        static_cast<std::uint32_t>(request.resource_spans(0).scope_spans(0).spans_size());
    disk_log::DiskRecord record{{.tag = {.owner = customer,
                                         .kind = kept_number(Signal::kTraces),
                                         .route = "hot-0",
                                         .note = Verdicts(items).encode()},
                                 .items = items},
                                request.SerializeAsString()};
    record.header.received_ms = clock_.wall_ms();
    if (!sampler_->waiting_log().append_and_wait(std::move(record))) return false;
    books_->arrived({.customer = *CustomerId::parse(customer),
                     .signal = Signal::kTraces,
                     .transport = "grpc",
                     .items = items,
                     .exporters = {kExporter}});
    return true;
  }
  bool send_one(std::uint64_t trace_number, std::uint64_t span_number, bool is_error = false,
                const std::string& customer = "cliente-a") {
    SpansRequest request;
    add_span(request, trace_number, span_number, is_error);
    return send(request, customer);
  }
  void turn() { sampler_->turn(Duration::zero()); }
  /// So long that all that was sent is decided and passed.
  void settle() {
    turn();
    clock_.advance(settings_.decision_wait);
    for (int i = 0; i < 3; ++i) turn();
  }

  /// As an exporter does: names of the spans that reached the disk log, by customer. They are
  /// committed.
  std::multiset<std::string> arrived() {
    std::multiset<std::string> names;
    disk_log::Cursor& cursor = log_->cursor(kExporter);
    for (;;) {
      auto record = cursor.next(std::chrono::milliseconds(20));
      if (!record || !record->has_value()) return names;
      const disk_log::RecordHeader& header = (*record)->header;
      EXPECT_TRUE(bodies::moved_sequence(header.tag.note));
      EXPECT_EQ(header.tag.route, "hot-0");
      SpansRequest request;
      EXPECT_TRUE(request.ParseFromString((*record)->body));
      std::uint32_t items = 0;
      for (const auto& group : request.resource_spans()) {
        for (const auto& scope : group.scope_spans()) {
          for (const Span& span : scope.spans()) {
            names.insert(header.tag.owner + " " + span.name());
            ++items;
          }
        }
      }
      EXPECT_EQ(items, header.items);
      books_->sent(*CustomerId::parse(header.tag.owner), Signal::kTraces, kExporter, items);
      cursor.commit(header.next);
    }
  }
  books::Books::Line books(const std::string& customer = "cliente-a") const {
    return books_->line(*CustomerId::parse(customer), Signal::kTraces, kExporter);
  }
  void expect_balance(const std::string& customer = "cliente-a") const {
    const books::Books::Line line = books(customer);
    EXPECT_EQ(line.queued_at_start + line.received + line.unexplained,
              line.rejected + line.filtered + line.sent + line.dropped + line.queued);
    EXPECT_EQ(line.unexplained, 0U);
  }

  TailSamplingSettings settings_ = settings_of(
      "{decision_wait: 10s, policies: [{name: e, type: status_code, status_code: {status_codes: "
      "[ERROR]}}]}");
  WaitingLogSettings waiting_{"/log", 16U << 20U, 64U << 10U, 0.25};
  std::uint64_t log_bytes_max_ = 16U << 20U;
  disk_log::MemoryFiles files_;
  ManualClock clock_{1'800'000'000'000'000'000};
  std::unique_ptr<service::MetricRegistry> metrics_ = std::make_unique<service::MetricRegistry>();
  side::TraceShares shares_;
  std::unique_ptr<books::Books> books_;
  std::unique_ptr<disk_log::DiskLog> log_;
  std::unique_ptr<TailSampler> sampler_;
};

}  // namespace vigia::collector::tail_sampling
