// Exporters from the disk log to a real server over a real client, which answers as it is told to.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/hex.hpp"
#include "libs/disk_log/testing/memory_files.hpp"
#include "libs/model/customer_signal.hpp"
#include "libs/net/compression.hpp"
#include "libs/net/server.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/collector/delivery/body_packer.hpp"
#include "services/collector/exporters/otlp/otlp_exporter.hpp"
#include "services/collector/exporters/otlp/otlp_transports.hpp"
#include "services/collector/exporters/push_exporter.hpp"
#include "services/collector/exporters/remote_write/remote_write_exporter.hpp"
#include "services/collector/exporters/remote_write/remote_write_transport.hpp"
#include "services/collector/testing/otlp_requests.hpp"

namespace vigia::collector::exporters {
namespace {
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kStartMs = 1'700'000'040'000;  // a full minute
constexpr std::int64_t kMillion = 1'000'000;

/// Names of the series in a remote-write body, with their number of samples.
std::vector<std::string> series_names(std::string_view body) {
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
    if (script_) response = script_(request);
    requests_.push_back(std::move(request));
    responder.send(std::move(response));
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
  std::unique_ptr<net::Server> server_;
};

class ExportersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char pattern[] = "/tmp/vigia-exporters-XXXXXX";
    ASSERT_NE(mkdtemp(pattern), nullptr);
    folder_ = pattern;
    settings_.may_be_shard = true;
    settings_.id = "prometheusremotewrite/cold";
    settings_.name = "cold";
    sender_.endpoint = destination_.url() + "/api/v1/write";
    settings_.signals = {Signal::kMetrics};
    sender_.retry_initial = std::chrono::milliseconds(2);
    sender_.retry_max = std::chrono::milliseconds(10);
  }
  void TearDown() override {
    end();
    std::filesystem::remove_all(folder_);
  }

  void be_hot_shard() {
    settings_.id = "prometheusremotewrite/hot-0";
    settings_.name = "hot-0";
    settings_.hot_shard = true;
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
    const ExporterParts parts{*log_,     *client_, *series_, directory(), *books_,
                              *metrics_, clock_,   time_,    folder_};
    if (packer_) {
      Means means = is_otlp_
                        ? otlp::means_of(settings_, otlp::make_http_transport(sender_, *client_))
                        : remote_write::means_of(settings_, parts,
                                                 remote_write::make_transport(sender_, *client_));
      means.packer = std::move(packer_);
      exporter_ = std::make_unique<PushExporter>(settings_, sender_, parts, std::move(means));
    } else {
      auto exporter = is_otlp_ ? otlp::make_http(settings_, sender_, parts)
                               : remote_write::make(settings_, sender_, parts);
      ASSERT_TRUE(exporter) << exporter.error().message;
      exporter_ = *std::move(exporter);
    }
    ASSERT_TRUE(exporter_->start());
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
                     .rejected = {{"invalid", verdicts.rejected()}},
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
    std::ifstream file(folder_ + "/dead-letters/" +
                       (settings_.name == "hot-0" ? "prometheusremotewrite~hot-0.jsonl"
                        : is_otlp_                ? "otlphttp~cold.jsonl"
                                                  : "prometheusremotewrite~cold.jsonl"));
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  ManualClock clock_{kStartMs * kMillion};
  clock::ConfirmedTime time_{clock_};
  disk_log::MemoryFiles files_;
  std::string folder_;
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

TEST_F(ExportersTest, ASampleArrivesWithItsCustomerAndTheProtocolsHeaders) {  // R-RW-1, R-EXP-7
  sender_.headers = {{"Authorization", "Bearer x"}, {"Content-Encoding", "none of yours"}};
  begin();
  accept_gauge("probe");
  settle();
  const net::Request request = destination_.requests().at(0);
  EXPECT_EQ(request.headers.get("x-vigia-customer"), "cliente-a");
  EXPECT_EQ(request.headers.get("x-prometheus-remote-write-version"), "0.1.0");
  EXPECT_EQ(request.headers.get("content-type"), "application/x-protobuf");
  EXPECT_EQ(request.headers.get("content-encoding"), "snappy");
  EXPECT_EQ(request.headers.count("content-encoding"), 1U);
  EXPECT_EQ(request.headers.get("authorization"), "Bearer x");
  EXPECT_THAT(request.headers.get("user-agent"), HasSubstr("vigia"));
  EXPECT_THAT(series_names(request.body), Contains("probe@" + std::to_string(kStartMs)));
  EXPECT_EQ(line().sent, 1U);
}

TEST_F(ExportersTest, WhatWasRejectedIsNotSentAndTheBooksAgree) {
  begin();
  Verdicts verdicts(2);
  verdicts.reject(0, RejectReason::kReserved);
  accept(collector::testing::MetricsBody()
             .resource("cliente-a")
             .gauge("bad", kStartMs)
             .gauge("good", kStartMs)
             .bytes(),
         verdicts);
  settle();
  const auto names = destination_.series(false);
  EXPECT_THAT(names, Contains("good@" + std::to_string(kStartMs)));
  EXPECT_THAT(names, ::testing::Not(Contains(HasSubstr("bad"))));
  EXPECT_EQ(line().rejected, 1U);
  EXPECT_EQ(line().sent, 1U);
}

TEST_F(ExportersTest, ARecordThatNamesNobodyIsDamageAndTheOthersArrive) {
  open_log();
  // As another program, or a fault of ours, might leave them: whole, and of nobody.
  for (const disk_log::RecordTag& tag :
       {disk_log::RecordTag{.owner = "Not an id", .kind = kept_number(Signal::kMetrics)},
        disk_log::RecordTag{.owner = "cliente-a", .kind = 9}, disk_log::RecordTag{}})
    ASSERT_TRUE(log_->append_and_wait({{.tag = tag, .items = 5}, "a body"}));
  accept_gauge("probe");
  end();
  begin();
  settle();
  EXPECT_EQ(line().queued_at_start, 1U);
  EXPECT_EQ(line().sent, 1U);
  EXPECT_THAT(destination_.series(false), Contains("probe@" + std::to_string(kStartMs)));
  // A state that every reader of the log's losses sees: the hole in the heartbeats,
  // StoredDataDamaged.
  EXPECT_EQ(log_->stats().damaged_records, 3U);
  EXPECT_TRUE(log_->stats().is_damage_recent);
  EXPECT_EQ(log_->cursor(settings_.id).lost(), 3U);
}

/// Has a fault that some bodies bring to light, in the middle of its work, so many times.
class FaultyPacker final : public delivery::Packer {
 public:
  explicit FaultyPacker(int times = 1'000'000) : times_(times) {}
  Result<delivery::Packed> pack(std::uint32_t index, const delivery::OtlpRecord& body,
                                delivery::Place from, std::size_t bytes_max,
                                delivery::Parcel& to) override {
    auto packed = sound_->pack(index, body, from, bytes_max, to);
    if (body.body.find("poison") != std::string_view::npos && times_-- > 0)
      throw std::out_of_range("not foreseen");
    return packed;
  }
  std::string describe(std::string_view unit) const override { return sound_->describe(unit); }

 private:
  std::atomic<int> times_;
  std::unique_ptr<delivery::Packer> sound_ = delivery::make_body_packer();
};

TEST_F(ExportersTest, ARecordThatBringsAFaultOfOursToLightIsSetAsideAlone) {
  is_otlp_ = true;
  settings_.id = "otlphttp/cold";
  settings_.signals = {Signal::kLogs};
  packer_ = std::make_unique<FaultyPacker>();
  begin();
  for (const char* name : {"good_1", "poison", "good_2"})
    accept(collector::testing::one_gauge("cliente-a", name, kStartMs), Verdicts(1), Signal::kLogs);
  settle(Signal::kLogs);
  EXPECT_EQ(line(Signal::kLogs).sent, 2U);
  EXPECT_EQ(line(Signal::kLogs).dropped, 1U);
  EXPECT_THAT(dead_letters(), HasSubstr("a fault of this program"));
  EXPECT_THAT(dead_letters(), HasSubstr(to_hex("poison")));
  std::string sent;
  for (const net::Request& request : destination_.requests()) sent += request.body;
  EXPECT_THAT(sent, HasSubstr("good_1"));
  EXPECT_THAT(sent, HasSubstr("good_2"));
  EXPECT_EQ(sent.find("poison"), std::string::npos);
}

TEST_F(ExportersTest, AFaultOfOursThatPassesCostsNothing) {
  is_otlp_ = true;
  settings_.id = "otlphttp/cold";
  settings_.signals = {Signal::kLogs};
  packer_ = std::make_unique<FaultyPacker>(3);  // as where memory is short
  open_log();
  for (const char* name : {"good_1", "poison", "good_2"})
    accept(collector::testing::one_gauge("cliente-a", name, kStartMs), Verdicts(1), Signal::kLogs);
  start_exporter();
  settle(Signal::kLogs);
  EXPECT_EQ(line(Signal::kLogs).sent, 3U);
  EXPECT_EQ(dead_letters(), "");
}

// It is not the record that is to blame, which nobody has seen.
TEST_F(ExportersTest, AFaultWhileTheLogIsReadCostsNoRecordHoweverOftenItComes) {
  const auto faults = std::make_shared<std::atomic<int>>(0);
  open_log();
  for (const char* name : {"good_1", "good_2"}) accept_gauge(name);
  files_.fail_when(
      [faults, starting = std::this_thread::get_id()](std::string_view call, const auto&) {
        const bool is_exporter = std::this_thread::get_id() != starting;
        if (is_exporter && call == "read" && ++*faults <= 9) throw std::bad_alloc();
        return false;
      });
  start_exporter();
  settle();
  EXPECT_GT(*faults, 9);
  EXPECT_EQ(line().sent, 2U);
  EXPECT_EQ(line().dropped, 0U);
}

TEST_F(ExportersTest, NoHeartbeatMarksAMinuteOfWhichARecordWasGivenUpForAFaultOfOurs) {
  be_hot_shard();
  packer_ = std::make_unique<FaultyPacker>();
  begin();
  eventually([this] { return destination_.series(true).size() == 1; });
  accept_gauge("poison");
  settle();
  EXPECT_EQ(line().dropped, 1U);
  EXPECT_THAT(dead_letters(), HasSubstr("a fault of this program"));
  // The marks, which are everybody's, go on behind it.
  eventually([this] {
    clock_.advance(std::chrono::seconds(30));
    return destination_.series(true).size() > 1;
  });
  EXPECT_EQ(destination_.holes(), 1U);
}

/// Has a fault that some messages bring to light, on the exporter's own thread.
class FaultyTransport final : public delivery::MessageTransport {
 public:
  void send(const CustomerId& /*customer*/, Signal /*signal*/, std::string_view message,
            Task<void(delivery::Answer)> done) override {
    if (message.find("poison") != std::string_view::npos) throw std::out_of_range("not foreseen");
    {
      const std::lock_guard lock(mutex_);
      taken_ += message;
    }
    done(delivery::Answer{});
  }
  std::string taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

 private:
  mutable std::mutex mutex_;
  std::string taken_;
};

TEST_F(ExportersTest, AFaultOfOursWhileAWindowIsDeliveredCostsTheRecordThatBringsItToLight) {
  is_otlp_ = true;
  settings_.id = "otlphttp/cold";
  settings_.signals = {Signal::kLogs};
  open_log();
  for (const char* name : {"good_1", "poison", "good_2"})
    accept(collector::testing::one_gauge("cliente-a", name, kStartMs), Verdicts(1), Signal::kLogs);
  auto transport = std::make_unique<FaultyTransport>();
  const FaultyTransport& destination = *transport;
  exporter_ =
      std::make_unique<PushExporter>(settings_, sender_,
                                     ExporterParts{*log_, *client_, *series_, directory(), *books_,
                                                   *metrics_, clock_, time_, folder_},
                                     otlp::means_of(settings_, std::move(transport)));
  ASSERT_TRUE(exporter_->start());
  settle(Signal::kLogs);
  EXPECT_EQ(line(Signal::kLogs).sent, 2U);
  EXPECT_EQ(line(Signal::kLogs).dropped, 1U);
  EXPECT_THAT(destination.taken(), HasSubstr("good_1"));
  EXPECT_THAT(destination.taken(), HasSubstr("good_2"));
}

TEST_F(ExportersTest, ARefusedSampleGoesToTheDeadLettersAlone) {
  destination_.answer_by([](const net::Request& request) {
    net::Response response;
    response.status = 204;
    for (const std::string& name : series_names(request.body)) {
      if (!name.starts_with("bad")) continue;
      response.status = 500;
      response.body = "too old sample";
    }
    return response;
  });
  begin();
  for (const char* name : {"good_1", "bad", "good_2"}) accept_gauge(name);
  settle();
  EXPECT_EQ(line().sent, 2U);
  EXPECT_EQ(line().dropped, 1U);
  EXPECT_THAT(dead_letters(), HasSubstr("too old sample"));
  EXPECT_THAT(dead_letters(), HasSubstr("bad{"));
  EXPECT_EQ(dead_letters().find("good"), std::string::npos);
}

TEST_F(ExportersTest, AWrongTokenAtTheDestinationLosesNothing) {
  destination_.answer(401);
  begin();
  accept_gauge("probe");
  eventually([this] { return destination_.requests().size() >= 3; });
  EXPECT_EQ(line().queued, 1U);
  destination_.answer(204);
  settle();
  EXPECT_EQ(line().sent, 1U);
}

TEST_F(ExportersTest, WhatWaitsAtTheEndIsCountedAtTheStartAndSentOnce) {
  destination_.answer(503);
  begin();
  accept_gauge("probe");
  eventually([this] { return !destination_.requests().empty(); });
  restart();
  EXPECT_EQ(line().queued_at_start, 1U);
  destination_.answer(204);
  settle();
  EXPECT_EQ(line().sent, 1U);
  const std::size_t sent = destination_.requests().size();
  log_->sync_cursors();
  restart();
  accept_gauge("another");
  settle();
  const auto requests = destination_.requests();
  for (std::size_t i = sent; i < requests.size(); ++i)
    EXPECT_THAT(series_names(requests[i].body),
                ::testing::Not(Contains("probe@" + std::to_string(kStartMs))));
}

TEST_F(ExportersTest, WhatIsTooOldForAnOptionalDestinationIsDroppedCounted) {
  settings_.max_age = std::chrono::hours(1);
  destination_.answer(503);
  begin();
  accept_gauge("probe");
  eventually([this] { return !destination_.requests().empty(); });
  clock_.advance(std::chrono::hours(2));
  settle();
  EXPECT_EQ(line().dropped, 1U);
  EXPECT_EQ(line().sent, 0U);
  destination_.answer(204);
  accept_gauge("young");
  settle();
  EXPECT_EQ(line().sent, 1U);
}

TEST_F(ExportersTest, HeartbeatsMarkFullMinutesAndSkipNone) {
  be_hot_shard();
  begin();
  const auto beats = [this] { return destination_.series(true); };
  const auto at = [](int minute) {
    return "vigia_hot_heartbeat@" + std::to_string(kStartMs + minute * kMinuteMs);
  };
  const auto has_beat = [&](int minute) {
    const auto found = beats();
    return std::find(found.begin(), found.end(), at(minute)) != found.end();
  };
  eventually([&] { return beats().size() == 1; });  // the minute under way when it began
  destination_.answer(503);
  clock_.advance(std::chrono::minutes(3));
  const std::size_t before = destination_.requests().size();
  eventually([&] { return destination_.requests().size() > before; });
  destination_.answer(204);
  eventually([&] { return has_beat(2); });
  for (int minute = 0; minute <= 2; ++minute) EXPECT_THAT(beats(), Contains(at(minute)));
  restart();
  clock_.advance(std::chrono::minutes(2));
  eventually([&] { return has_beat(4); });
  EXPECT_THAT(beats(), Contains(at(3)));
}

TEST_F(ExportersTest, NoHeartbeatMarksAMinuteWhoseDataTheLogHasDroppedInHand) {
  be_hot_shard();
  settings_.max_age = std::chrono::hours(1);
  begin();
  eventually([this] { return destination_.series(true).size() == 1; });
  destination_.answer(503);
  accept_gauge("probe");
  eventually([this] { return destination_.series(false).size() > 1; });
  clock_.advance(std::chrono::hours(2));
  settle();
  EXPECT_EQ(line().dropped, 1U);
  destination_.answer(204);
  accept_gauge("young");
  settle();
  // The hole is wider than any reader of heartbeats bridges, and begins where the data is missing.
  // The exporter may see the loss only after this: the hole ends some minutes later then.
  eventually([this] {
    clock_.advance(std::chrono::seconds(30));
    return destination_.series(true).size() > 1;
  });
  EXPECT_THAT(
      destination_.series(true),
      ::testing::Not(Contains("vigia_hot_heartbeat@" + std::to_string(kStartMs + kMinuteMs))));
}

TEST_F(ExportersTest, WhatTheShardRefusesIsAHoleOfItsCustomerAlone) {  // A5
  be_hot_shard();
  begin();
  eventually([this] { return destination_.series(true).size() == 1; });
  destination_.answer(400, "duplicate sample for timestamp");
  accept_gauge("conflict");
  settle();
  EXPECT_EQ(line().dropped, 1U);
  destination_.answer(204);
  // The marks, which are everybody's, go on behind it.
  eventually([this] {
    clock_.advance(std::chrono::seconds(30));
    return destination_.series(true).size() > 1;
  });
  EXPECT_EQ(destination_.holes(), 1U);
}

TEST_F(ExportersTest, WhileTheLogCannotBeReadNothingIsMarked) {  // A13
  be_hot_shard();
  open_log();
  accept_gauge("probe");
  files_.fail_when([](std::string_view call, const std::string& path) {
    return (call == "open" || call == "read") && path.find("segment") != std::string::npos;
  });
  start_exporter();
  clock_.advance(std::chrono::minutes(3));
  std::this_thread::sleep_for(std::chrono::milliseconds(1200));  // two tries of the log
  EXPECT_THAT(destination_.series(true), ::testing::IsEmpty());
  files_.fail_when({});
  settle();
  eventually([this] { return !destination_.series(true).empty(); });
}

TEST_F(ExportersTest, WhatLiesAsideIsQueuedOverARestartAndIsAHoleOfItsCustomer) {
  be_hot_shard();
  std::atomic<bool> is_sick{true};
  destination_.answer_by([&is_sick](const net::Request& request) {
    net::Response response;
    response.status = 204;
    for (const std::string& name : series_names(request.body)) {
      if (is_sick && name.starts_with("sick")) response.status = 500;
    }
    return response;
  });
  begin();
  accept_gauge("sick");
  accept_gauge("well");
  const auto has = [this](const std::string& name) {
    const auto found = destination_.series(false);
    return std::count(found.begin(), found.end(), name + "@" + std::to_string(kStartMs)) > 1;
  };
  eventually([&] { return has("well"); });  // in the first try, then without the other
  eventually([&] { return line().sent == 1; });
  EXPECT_EQ(line().queued, 1U);
  restart();
  EXPECT_EQ(line().queued_at_start, 1U);
  clock_.advance(std::chrono::minutes(3));
  accept_gauge("later");
  eventually([&] { return line().sent == 1; });
  eventually([this] {
    const auto found = destination_.series(true);
    return std::count(found.begin(), found.end(),
                      "vigia_hot_heartbeat@" + std::to_string(kStartMs + 3 * kMinuteMs)) > 0;
  });
  EXPECT_GT(destination_.holes(), 0U) << "of the one customer";
  is_sick = false;
  settle();
  EXPECT_EQ(line().sent, 2U);
  const std::size_t holes = destination_.holes();
  clock_.advance(std::chrono::minutes(1));
  eventually([this] {
    const auto found = destination_.series(true);
    return std::count(found.begin(), found.end(),
                      "vigia_hot_heartbeat@" + std::to_string(kStartMs + 4 * kMinuteMs)) > 0;
  });
  EXPECT_EQ(destination_.holes(), holes) << "none any more";
}

// The refused series settles the point for the books; the others are still to be sent.
TEST_F(ExportersTest, OnAFullDiskTheRestOfAPointOfWhichASeriesIsRefusedStaysInTheLog) {
  std::atomic<bool> is_sick{true};
  std::string refused;
  std::set<std::string> taken;
  std::mutex mutex;  // of these two
  destination_.answer_by([&](const net::Request& request) {
    const std::lock_guard lock(mutex);
    const auto names = series_names(request.body);
    const bool is_sicks = !names.empty() && names[0].starts_with("h");
    if (refused.empty() && is_sicks) refused = names[0];
    const bool has_refused = std::find(names.begin(), names.end(), refused) != names.end();
    net::Response response;
    response.status = 204;
    if (is_sick && is_sicks) response.status = has_refused ? 400 : 500;
    if (is_sicks && !is_sick) taken.insert(names.begin(), names.end());
    return response;
  });
  begin();
  std::ofstream(folder_ + "/side") << "in the way";  // as on a full disk, nothing can be put there
  accept(collector::testing::MetricsBody().resource("cliente-a").histogram("h", kStartMs).bytes(),
         Verdicts(1));
  accept(collector::testing::one_gauge("cliente-b", "well", kStartMs), Verdicts(1),
         Signal::kMetrics, "cliente-b");
  eventually([this] {
    return metrics_->expose(false).find("vigia_exporter_side_is_full{exporter=\"" + settings_.id +
                                        "\"} 1") != std::string::npos;
  });
  is_sick = false;
  std::filesystem::remove(folder_ + "/side");
  eventually([&] {
    const std::lock_guard lock(mutex);
    return taken.size() >= 2;
  });
  settle();
}

TEST_F(ExportersTest, WhatExpiresBeforeTheExporterRunsIsInTheBooksAndMakesAHole) {
  be_hot_shard();
  settings_.max_age = std::chrono::hours(1);
  begin();
  eventually([this] { return destination_.series(true).size() == 1; });
  destination_.answer(503);
  accept_gauge("probe");
  eventually([this] { return destination_.series(false).size() > 0; });
  end();
  clock_.advance(std::chrono::hours(2));
  open_log();
  clock_.advance(std::chrono::minutes(61));  // a wall clock that is ahead at a start is doubted
  eventually([this] { return line().dropped == 1; });
  EXPECT_EQ(line().queued_at_start, 1U);
  EXPECT_EQ(line().queued, 0U);
  destination_.answer(204);
  start_exporter();
  accept_gauge("young");
  settle();
  // The exporter may see the loss only after this: the hole ends some minutes later then.
  eventually([this] {
    clock_.advance(std::chrono::seconds(30));
    return destination_.series(true).size() > 1;
  });
  const auto beats = destination_.series(true);
  for (int minute = 1; minute <= 120; ++minute)
    EXPECT_THAT(beats, ::testing::Not(Contains("vigia_hot_heartbeat@" +
                                               std::to_string(kStartMs + minute * kMinuteMs))));
}

TEST_F(ExportersTest, AHoleIsMadeOnceOverRestarts) {
  be_hot_shard();
  settings_.max_age = std::chrono::hours(1);
  open_log();
  accept_gauge("probe");
  clock_.advance(std::chrono::hours(2));
  eventually([this] { return line().dropped == 1; });
  start_exporter();
  accept_gauge("young");
  settle();
  // The exporter may see the loss only after this: the hole ends some minutes later then.
  eventually([this] {
    clock_.advance(std::chrono::seconds(30));
    return !destination_.series(true).empty();
  });
  const std::size_t beats = destination_.series(true).size();
  restart();
  clock_.advance(std::chrono::minutes(1));
  eventually([&] { return destination_.series(true).size() > beats; });
}

TEST_F(ExportersTest, SpansGoAsTheyCameToTheirPath) {
  is_otlp_ = true;
  settings_.id = "otlphttp/cold";
  sender_.endpoint = destination_.url();
  settings_.signals = {Signal::kTraces, Signal::kLogs};
  begin();
  accept(collector::testing::one_span("cliente-a"), Verdicts(1), Signal::kTraces);
  settle(Signal::kTraces);
  accept(collector::testing::one_record("cliente-a"), Verdicts(1), Signal::kLogs);
  settle(Signal::kLogs);
  const auto requests = destination_.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[0].path, "/v1/traces");
  EXPECT_EQ(requests[0].body, collector::testing::one_span("cliente-a"));
  EXPECT_EQ(requests[0].headers.get("x-vigia-customer"), "cliente-a");
  EXPECT_EQ(requests[1].path, "/v1/logs");
}

TEST_F(ExportersTest, OtlpPartialSuccessAndFinalRefusalAreBooked) {  // R-EXP-1, R-EXP-4
  is_otlp_ = true;
  settings_.id = "otlphttp/cold";
  sender_.endpoint = destination_.url();
  settings_.signals = {Signal::kTraces};
  // ExportTraceServiceResponse { partial_success { rejected_spans: 1 } }
  destination_.answer(200, "\x0a\x02\x08\x01");
  begin();
  const std::string two =
      collector::testing::one_span("cliente-a") + collector::testing::one_span("cliente-a");
  accept(two, Verdicts(2), Signal::kTraces);
  settle(Signal::kTraces);
  EXPECT_EQ(line(Signal::kTraces).sent, 1U);
  EXPECT_EQ(line(Signal::kTraces).dropped, 1U);
  destination_.answer(400, "no");
  accept(two, Verdicts(2), Signal::kTraces);
  settle(Signal::kTraces);
  EXPECT_EQ(line(Signal::kTraces).dropped, 3U);
  EXPECT_THAT(dead_letters(), HasSubstr("HTTP 400: no"));
}

TEST_F(ExportersTest, OfAMetricsRequestThatADestinationRefusesOnlyTheBadPointIsGivenUp) {
  is_otlp_ = true;
  settings_.id = "otlphttp/cold";
  sender_.endpoint = destination_.url();
  destination_.answer_by([](const net::Request& request) {
    net::Response response;
    const auto body = net::decompress("gzip", request.body, 1U << 20U);
    const std::string& plain = body ? *body : request.body;
    response.status = plain.find("poison") == std::string::npos ? 200 : 400;
    return response;
  });
  begin();
  collector::testing::MetricsBody body;
  body.resource("cliente-a");
  for (int i = 0; i < 9; ++i) body.gauge(i == 4 ? "poison" : "good_" + std::to_string(i), kStartMs);
  accept(body.bytes(), Verdicts(9));
  settle();
  EXPECT_EQ(line().sent, 8U);
  EXPECT_EQ(line().dropped, 1U);
}

TEST_F(ExportersTest, APointThatHasNoSeriesAnyMoreIsNotTakenForSent) {
  begin();
  // A rule that intake had not when it took the second one: a time stamp of 0.
  accept(collector::testing::MetricsBody()
             .resource("cliente-a")
             .gauge("good", kStartMs)
             .gauge("timeless", 0)
             .bytes(),
         Verdicts(2));
  settle();
  EXPECT_EQ(line().sent, 1U);
  EXPECT_EQ(line().dropped, 1U);
  EXPECT_THAT(dead_letters(), HasSubstr("no Prometheus form"));
}

TEST_F(ExportersTest, AnEndpointThatIsNoUrlIsRefusedAtStart) {
  sender_.endpoint = "127.0.0.1:9090";
  open_log();
  const auto exporter = remote_write::make(
      settings_, sender_,
      {*log_, *client_, *series_, directory(), *books_, *metrics_, clock_, time_, folder_});
  ASSERT_FALSE(exporter);
  EXPECT_THAT(exporter.error().message, HasSubstr("prometheusremotewrite/cold"));
}

}  // namespace
}  // namespace vigia::collector::exporters
