// Exporters from the disk log to a real server over a real client, which answers as it is told to.
#pragma once

#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/disk_log/testing/memory_files.hpp"
#include "libs/model/customer_signal.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/server.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/collector/exporters/otlp/otlp_exporter.hpp"
#include "services/collector/exporters/otlp/otlp_transports.hpp"
#include "services/collector/exporters/push_exporter.hpp"
#include "services/collector/exporters/remote_write/remote_write_exporter.hpp"
#include "services/collector/exporters/remote_write/remote_write_transport.hpp"
#include "services/collector/testing/otlp_requests.hpp"

namespace vigia::collector::exporters {

inline constexpr std::int64_t kMinuteMs = 60'000;
inline constexpr std::int64_t kStartMs = 1'700'000'040'000;  // a full minute
inline constexpr std::int64_t kMillion = 1'000'000;

/// Names of the series in a remote-write body, with their number of samples.
inline std::vector<std::string> series_names(std::string_view body) {
  class Names final : public wire::remote_write::WriteVisitor {
   public:
    void on_series(const wire::remote_write::SeriesView& series) override {
      for (const auto& label : series.labels) {
        if (label.name == kNameLabel)
          found.push_back(std::string(label.value) + "@" +
                          std::to_string(series.samples.at(0).timestamp_ms));
      }
    }
    std::vector<std::string> found;
  } names;
  EXPECT_TRUE(decode_request(body, {}, names));
  return names.found;
}

/// The server's side: keeps requests, answers by its script.
class Destination final : public net::Handler {
 public:
  Destination() {
    net::ServerSettings settings;
    settings.name = "destination";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    server_ = *net::Server::start(settings, *this);
  }
  ~Destination() override { server_->stop(SystemClock().steady()); }
  std::string url() const { return "http://" + server_->address(); }

  void handle(net::Request request, net::Responder responder) override {
    const std::lock_guard lock(mutex_);
    net::Response response;
    response.status = 204;
    if (!speaks_2_ && is_2(request)) {
      response.status = 415;
      responder.send(std::move(response));
      return;
    }
    if (script_) response = script_(request);
    requests_.push_back(std::move(request));
    responder.send(std::move(response));
  }
  static bool is_2(const net::Request& request) {
    return request.headers.get("x-prometheus-remote-write-version") == "2.0.0";
  }
  /// Else what comes in 2.0 is refused with 415, and not kept.
  void speak_2() {
    const std::lock_guard lock(mutex_);
    speaks_2_ = true;
  }
  /// Remote write's blocks, which decode_request reads.
  bool reads_coding(const net::RequestHead& /*head*/, std::string_view coding) const override {
    return coding == "snappy";
  }
  void answer_by(std::function<net::Response(const net::Request&)> script) {
    const std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  void answer(int status, std::string body = "") {
    answer_by([status, body](const net::Request&) {
      net::Response response;
      response.status = status;
      response.body = body;
      return response;
    });
  }
  std::vector<net::Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  /// "name@time" of every series that came, heartbeats or the others.
  std::vector<std::string> series(bool are_heartbeats) const {
    std::vector<std::string> found;
    for (const net::Request& request : requests()) {
      for (const std::string& name : series_names(request.body)) {
        if (name.starts_with("vigia_hot_hole")) continue;
        if (name.starts_with("vigia_hot_heartbeat") == are_heartbeats) found.push_back(name);
      }
    }
    return found;
  }

  /// The holes that were shown of single customers.
  std::size_t holes() const {
    std::size_t count = 0;
    for (const net::Request& request : requests()) {
      for (const std::string& name : series_names(request.body)) {
        count += name.starts_with("vigia_hot_hole") ? 1U : 0U;
      }
    }
    return count;
  }

 private:
  mutable std::mutex mutex_;
  std::function<net::Response(const net::Request&)> script_;
  std::vector<net::Request> requests_;
  bool speaks_2_ = false;
  std::unique_ptr<net::Server> server_;
};

class ExportersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    settings_.may_be_shard = true;
    settings_.id = "prometheusremotewrite/cold";
    settings_.name = "cold";
    sender_.http.endpoint = destination_.url() + "/api/v1/write";
    settings_.signals = {Signal::kMetrics};
    sender_.push.retry_initial = std::chrono::milliseconds(2);
    sender_.push.retry_max = std::chrono::milliseconds(10);
  }
  void TearDown() override { end(); }

  void be_hot_shard() {
    settings_.id = "prometheusremotewrite/hot-0";
    settings_.name = "hot-0";
    settings_.hot_shard = "hot-0";
  }
  void begin() {
    open_log();
    start_exporter();
  }
  void open_log() {
    time_.resume(clock_.wall_ms());
    books_.emplace(*(metrics_ = std::make_unique<service::MetricRegistry>()));
    series_.emplace(series::SeriesCacheSettings{}, clock_);
    disk_log::DiskLogSettings log;
    log.directory = "/log";
    log.cursors = {cursor_settings(settings_)};
    log.cursor_interval = std::chrono::milliseconds(2);
    log_ = *disk_log::DiskLog::open(log, clock_, counting_events({settings_}, *books_), files_);
  }
  void start_exporter() {
    const ExporterParts parts{*log_,     *client_, *series_, directory(),   *books_,
                              *metrics_, clock_,   time_,    folder_.path()};
    if (packer_) {
      Means means =
          is_otlp_ ? otlp::means_of(settings_, otlp::make_http_transport(sender_.http, *client_))
                   : remote_write::means_of(settings_, parts, make_remote_write_transport());
      means.packer = std::move(packer_);
      exporter_ = std::make_unique<PushExporter>(settings_, sender_.push, parts, std::move(means));
    } else {
      auto exporter = is_otlp_ ? otlp::make_http(settings_, sender_, parts)
                               : remote_write::make(settings_, sender_, parts);
      ASSERT_TRUE(exporter) << exporter.error().message;
      exporter_ = *std::move(exporter);
    }
    ASSERT_TRUE(exporter_->start());
  }
  std::unique_ptr<delivery::MessageTransport> make_remote_write_transport(
      delivery::SharedRequests* requests = nullptr) {
    return remote_write::make_transport(
        sender_.http, *client_,
        std::make_shared<remote_write::Negotiation>(
            remote_write::Negotiation::Settings{settings_.id}, clock_, *metrics_),
        clock_, requests);
  }
  void end() {
    if (exporter_) exporter_->stop(SystemClock().steady());
    exporter_.reset();
    log_.reset();
  }
  void restart() {
    end();
    begin();
  }
  static std::function<std::shared_ptr<const tenancy::Directory>()> directory() {
    return [] { return std::shared_ptr<const tenancy::Directory>(); };
  }

  /// As intake does: booked before it can be read.
  void accept(std::string body, const Verdicts& verdicts, Signal signal = Signal::kMetrics,
              std::string_view customer = "cliente-a") {
    const CustomerId id = *CustomerId::parse(customer);
    books_->arrived({.customer = id,
                     .signal = signal,
                     .transport = "grpc",
                     .items = verdicts.items(),
                     .rejected = {{RejectReason::kInvalid, verdicts.rejected()}},
                     .exporters = {settings_.id}});
    ASSERT_TRUE(log_->append_and_wait({{.tag = {.owner = id.text(),
                                                .kind = kept_number(signal),
                                                .route = "hot-0",
                                                .note = verdicts.encode()},
                                        .items = verdicts.items(),
                                        .rejected = verdicts.rejected(),
                                        .received_ms = clock_.wall_ms()},
                                       std::move(body)}));
  }
  void accept_gauge(const std::string& name) {
    accept(collector::testing::one_gauge("cliente-a", name, kStartMs), Verdicts(1));
  }
  books::Books::Line line(Signal signal = Signal::kMetrics) const {
    return books_->line(*CustomerId::parse("cliente-a"), signal, settings_.id);
  }
  /// Waits until nothing is queued, then checks the equation.
  void settle(Signal signal = Signal::kMetrics) {
    eventually([&] { return line(signal).queued == 0; });
    const books::Books::Line books = line(signal);
    EXPECT_EQ(books.queued_at_start + books.received,
              books.rejected + books.sent + books.dropped + books.queued);
    EXPECT_EQ(books.unexplained, 0U);
  }
  template <typename Condition>
  void eventually(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      clock_.advance(std::chrono::milliseconds(1));  // so that back-offs end
    }
    EXPECT_TRUE(condition());
  }
  std::string dead_letters() const {
    std::ifstream file(folder_.path() + "/dead-letters/" +
                       (settings_.name == "hot-0" ? "prometheusremotewrite~hot-0.jsonl"
                        : is_otlp_                ? "otlphttp~cold.jsonl"
                                                  : "prometheusremotewrite~cold.jsonl"));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  ManualClock clock_{kStartMs * kMillion};
  clock::ConfirmedTime time_{clock_};
  disk_log::MemoryFiles files_;
  const TemporaryFolder folder_;
  Destination destination_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  ExporterSettings settings_;
  SenderSettings sender_;
  bool is_otlp_ = false;                      // over HTTP; else remote write
  std::unique_ptr<delivery::Packer> packer_;  // instead of the one that the settings ask for, once
  std::unique_ptr<service::MetricRegistry> metrics_;
  std::optional<books::Books> books_;
  std::optional<series::SeriesCache> series_;
  std::unique_ptr<disk_log::DiskLog> log_;
  std::unique_ptr<Exporter> exporter_;
};

}  // namespace vigia::collector::exporters
