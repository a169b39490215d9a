// Intake on a log of its own, for one customer.
#pragma once

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/disk_log/testing/memory_files.hpp"
#include "services/collector/intake/intake.hpp"
#include "services/collector/testing/otlp_requests.hpp"

namespace vigia::collector::intake {

class IntakeTest : public ::testing::Test {
 protected:
  IntakeTest() {
    exporters::ExporterSettings cold;
    cold.id = "otlphttp/cold";
    cold.signals = {Signal::kMetrics, Signal::kTraces, Signal::kLogs};
    exporters_ = {cold};
    directory_ = *tenancy::Directory::parse("customers: [{id: cliente-a}]", "test");
  }
  ~IntakeTest() override {
    log_.reset();
    intake_.reset();
  }

  Intake& intake() {
    if (!intake_) {
      disk_log::DiskLogSettings settings;
      settings.directory = folder_.path();
      settings.bytes_max = log_bytes_max_;
      settings.segment_bytes = 64U << 10U;
      settings.cursors = {{.name = "otlphttp/cold", .required = true}};
      if (settings_.deltas) settings.cursors.push_back({.name = std::string(kDeltasCursor)});
      log_ = use_memory_ ? *disk_log::DiskLog::open(settings, clock_, {}, files_)
                         : *disk_log::DiskLog::open(settings, clock_);
      intake_ = std::make_unique<Intake>(
          exporters_, settings_,
          IntakeParts{log_.get(), series_, [this] { return directory_; }, books_, metrics_, clock_,
                      &side_shares_, nullptr, nullptr, nullptr,
                      use_memory_ ? files_ : disk_log::system_files()},
          std::move(processors_));
      EXPECT_TRUE(intake_->start());
    }
    return *intake_;
  }

  Result<Receipt> take(std::string body, Signal signal = Signal::kMetrics) {
    std::promise<Result<Receipt>> answer;
    intake().take(customer_, {signal, "grpc", std::move(body)},
                  [&answer](Result<Receipt> receipt) { answer.set_value(std::move(receipt)); });
    return answer.get_future().get();
  }

  std::int64_t now() const { return clock_.wall_ms(); }
  books::Books::Line books(Signal signal = Signal::kMetrics) const {
    return books_.line(customer_.id, signal, "otlphttp/cold");
  }
  /// The next record that was acknowledged: a cursor gives it a moment after its answer.
  std::optional<disk_log::DiskRecord> next_record() {
    auto record = log_->cursor("otlphttp/cold").next(std::chrono::seconds(5));
    return record ? *record : std::nullopt;
  }
  /// The stock counter, as a scrape shows it.
  std::uint64_t shown_as_accepted() const {
    const std::string name =
        R"(otelcol_receiver_accepted_metric_points{receiver="otlp",transport="grpc"} )";
    const std::string text = metrics_.expose(false);
    const std::size_t at = text.find(name);
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + name.size()));
  }
  std::uint64_t appended() const { return log_->stats().appended_records; }

  const TemporaryFolder folder_;
  disk_log::MemoryFiles files_;
  bool use_memory_ = false;
  std::atomic<int> looks_ = 0;  // from the log's thread too, which syncs once more as it ends
  std::uint64_t log_bytes_max_ = 64U << 20U;
  ManualClock clock_{1'800'000'000'000'000'000};
  service::MetricRegistry metrics_;
  books::Books books_{metrics_};
  series::SeriesCache series_{{}, clock_};
  std::vector<exporters::ExporterSettings> exporters_;
  IntakeSettings settings_;
  std::vector<std::unique_ptr<Stage>> processors_;
  side::SideShares side_shares_;
  std::shared_ptr<const tenancy::Directory> directory_;
  tenancy::Customer customer_{*CustomerId::parse("cliente-a"), "A", "hot-0", {}, 0, {}};
  std::unique_ptr<disk_log::DiskLog> log_;
  std::unique_ptr<Intake> intake_;
};

/// Resource{Spans,Logs} of cliente-a with one scope whose items are those bytes.
inline std::string records_of(const std::string& items, const std::string& resource_text = "") {
  std::string resource;
  {
    protozero::pbf_writer writer(resource);
    for (const auto& [key, value] :
         {std::pair<std::string, std::string>{"customer.id", "cliente-a"}, {"k", resource_text}}) {
      protozero::pbf_writer attribute(writer, 1);
      attribute.add_string(1, key);
      protozero::pbf_writer any(attribute, 2);
      any.add_string(1, value);
    }
  }
  std::string group;
  protozero::pbf_writer writer(group);
  writer.add_message(1, resource);
  writer.add_message(2, items);
  std::string body;
  protozero::pbf_writer(body).add_message(1, group);
  return body;
}

inline std::string repeated(std::string_view bytes, std::size_t times) {
  std::string out;
  out.reserve(bytes.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += bytes;
  return out;
}

}  // namespace vigia::collector::intake
