// Deltas beside a simple model, driven by chance: several senders at once, requests out of order,
// failing disks, power cuts, restarts, checkpoints. What was sent is counted once, whatever
// happened, and no stream ever falls.
#include <deque>
#include <future>
#include <map>
#include <random>

#include <gtest/gtest.h>

#include "libs/base/testing/dose.hpp"
#include "services/collector/intake/testing/delta_bodies.hpp"
#include "services/collector/intake/testing/intake_fixture.hpp"

namespace vigia::collector::intake {
namespace {

constexpr int kSteps = 150;
constexpr int kRuns = 6;
constexpr int kRunsThorough = 200;
constexpr std::uint64_t kBeginS = 1'799'900'000;
constexpr std::uint64_t kStepS = 10;

/// Everything that ends with a process.
struct Life {
  Life(disk_log::MemoryFiles& files, const Clock& clock) {
    directory = *tenancy::Directory::parse("customers: [{id: cliente-a}, {id: cliente-b}]", "test");
    disk_log::DiskLogSettings log_settings;
    log_settings.directory = "/log";
    log_settings.segment_bytes = 16U << 10U;
    log_settings.cursor_interval = std::chrono::milliseconds(1);
    log_settings.cursors = {{.name = "otlphttp/cold"}, {.name = std::string(kDeltasCursor)}};
    auto opened = disk_log::DiskLog::open(log_settings, clock, {}, files);
    EXPECT_TRUE(opened) << opened.error().message;
    log = *std::move(opened);
    exporters::ExporterSettings cold;
    cold.id = "otlphttp/cold";
    cold.signals = {Signal::kMetrics};
    IntakeSettings settings;
    settings.deltas = DeltaSettings{.directory = "/log"};
    series = std::make_unique<series::SeriesCache>(series::SeriesCacheSettings{}, clock);
    intake = std::make_unique<Intake>(
        std::vector{cold}, settings,
        IntakeParts{log.get(), *series, [this] { return directory; }, books, metrics, clock,
                    nullptr, nullptr, nullptr, nullptr, files});
    EXPECT_TRUE(intake->start());
  }
  /// The lane first: what waits in it needs the log, which has nothing else in hand.
  ~Life() {
    intake.reset();
    log.reset();
  }

  service::MetricRegistry metrics;
  books::Books books{metrics};
  std::unique_ptr<series::SeriesCache> series;
  std::shared_ptr<const tenancy::Directory> directory;
  std::unique_ptr<disk_log::DiskLog> log;
  std::unique_ptr<Intake> intake;
};

class DeltaRun {
 public:
  explicit DeltaRun(std::uint64_t seed) : random_(seed) {
    files_.fail_when([this](std::string_view call, const std::string&) {
      return is_dead_ || (is_failing_ && (call == "write" || call == "sync" || call == "create"));
    });
    life_ = std::make_unique<Life>(files_, clock_);
  }

  void step() {
    switch (below(16)) {
      case 0:
        restart();
        break;
      case 1:
        cut_power();
        break;
      case 2:
        is_failing_ = !is_failing_;
        break;
      case 3:
      case 4:
        clock_.advance(std::chrono::seconds(11));  // time for a checkpoint, and for the disk
        break;
      case 5:
      case 6:
        read_log();
        break;
      case 7:
      case 8:
      case 9:
        hear_all();
        break;
      default:
        send(make_request());
    }
  }

  void finish() {
    is_failing_ = false;
    hear_until_all_is_taken();
    restart();
    read_log();
    for (const auto& [stream, total] : sent_) EXPECT_EQ(seen_[stream], total) << stream;
  }

 private:
  struct Request {
    std::string customer;
    std::string body;
    std::map<std::string, std::uint64_t> oldest;  // time of each stream
  };
  struct UnderWay {
    Request request;
    std::future<Result<Receipt>> answer;
  };

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  void hear_until_all_is_taken() {
    for (int turn = 0; turn < 200 && !(under_way_.empty() && unheard_.empty()); ++turn) {
      clock_.advance(std::chrono::seconds(2));
      hear_all();
    }
    EXPECT_TRUE(unheard_.empty()) << "nothing is taken any more";
  }

  Request make_request() {
    Request request{below(2) == 0 ? "cliente-a" : "cliente-b", "", {}};
    std::vector<DeltaValue> values;
    for (std::uint64_t left = 1 + below(6); left > 0; --left) {
      const std::string stream = "s" + std::to_string(below(5));
      const std::uint64_t time_s = times_[request.customer + stream] + kStepS;
      const auto value = static_cast<std::int64_t>(1 + below(100));
      if (is_too_far_ahead(request.customer, stream, time_s)) continue;
      times_[request.customer + stream] = time_s;
      request.oldest.emplace(stream, time_s);
      values.push_back({stream, kBeginS + time_s, value});
      sent_[request.customer + " " + stream] += value;
    }
    std::shuffle(values.begin(), values.end(), random_);
    request.body = delta_request(values, request.customer).SerializeAsString();
    return request;
  }

  /// A point that waits while more newer ones of its stream are taken than are remembered would be
  /// refused, and told so (DeltaLaneTest.WhatTooManyHaveOvertakenIsRefusedAndTold).
  bool is_too_far_ahead(const std::string& customer, const std::string& stream,
                        std::uint64_t time_s) const {
    const auto waits = [&](const Request& request) {
      const auto oldest = request.oldest.find(stream);
      return request.customer == customer && oldest != request.oldest.end() &&
             time_s > oldest->second + kStepS * deltas::KnownTimes::kRememberedMax;
    };
    return std::any_of(unheard_.begin(), unheard_.end(), waits) ||
           std::any_of(under_way_.begin(), under_way_.end(),
                       [&](const UnderWay& one) { return waits(one.request); });
  }

  void send(Request request) {
    auto promise = std::make_shared<std::promise<Result<Receipt>>>();
    const tenancy::Customer customer{*CustomerId::parse(request.customer), "", "hot-0", {}, 0, {}};
    auto answer = promise->get_future();
    life_->intake->take(
        customer, {Signal::kMetrics, "grpc", request.body},
        [promise](Result<Receipt> receipt) { promise->set_value(std::move(receipt)); });
    under_way_.push_back({std::move(request), std::move(answer)});
  }

  /// Waits for all answers, and sends again, soon or late, what was not taken.
  void hear_all() {
    for (UnderWay& one : std::exchange(under_way_, {})) {
      const auto receipt = one.answer.get();
      if (!receipt) unheard_.push_back(std::move(one.request));
    }
    std::shuffle(unheard_.begin(), unheard_.end(), random_);
    const std::uint64_t all = unheard_.size();
    const std::uint64_t some = below(4) == 0 ? below(all + 1) : all;
    for (std::uint64_t one = 0; one < some; ++one) {
      send(std::move(unheard_.front()));
      unheard_.pop_front();
    }
  }

  void restart() {
    life_->intake->stop();
    hear_none();
    life_ = nullptr;
    life_ = std::make_unique<Life>(files_, clock_);
  }

  /// Whoever has heard nothing before the power went hears nothing.
  void cut_power() {
    for (UnderWay& one : std::exchange(under_way_, {})) {
      const bool is_heard =
          one.answer.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
      if (is_heard && one.answer.get()) continue;
      unheard_.push_back(std::move(one.request));
    }
    is_dead_ = true;  // nothing that is still under way leaves a trace
    life_ = nullptr;
    files_.cut_power(below(3) == 0 ? 0.5 : 0);
    is_failing_ = is_dead_ = false;
    life_ = std::make_unique<Life>(files_, clock_);
  }

  void hear_none() {
    for (UnderWay& one : std::exchange(under_way_, {})) {
      if (!one.answer.get()) unheard_.push_back(std::move(one.request));
    }
    is_failing_ = false;
  }

  /// As an exporter: in order, and everything once.
  void read_log() {
    disk_log::Cursor& cursor = life_->log->cursor("otlphttp/cold");
    for (;;) {
      auto record = cursor.next(std::chrono::milliseconds(20));
      if (!record || !record->has_value()) return;
      const disk_log::RecordHeader& header = (*record)->header;
      if (header.sequence > last_sequence_) {
        last_sequence_ = header.sequence;
        for (const DeltaValue& value : accepted_sums(**record)) {
          std::int64_t& seen = seen_[header.tag.owner + " " + value.stream];
          EXPECT_GE(value.value, seen) << header.tag.owner << " " << value.stream;
          seen = value.value;
        }
      }
      cursor.commit(header.next);
    }
  }

  std::mt19937_64 random_;
  disk_log::MemoryFiles files_;
  ManualClock clock_{1'800'000'000'000'000'000};
  std::atomic<bool> is_failing_{false};
  std::atomic<bool> is_dead_{false};
  std::map<std::string, std::uint64_t> times_;
  std::map<std::string, std::int64_t> sent_, seen_;
  std::deque<UnderWay> under_way_;
  std::deque<Request> unheard_;
  std::uint64_t last_sequence_ = 0;
  std::unique_ptr<Life> life_;
};

// R-PM-5.
TEST(DeltaLaneModel, WhatWasSentIsCountedOnceWhateverHappens) {
  const int runs = dose(kRuns, kRunsThorough);
  for (int run = 0; run < runs; ++run) {
    SCOPED_TRACE("seed " + std::to_string(run));
    DeltaRun one(static_cast<std::uint64_t>(run));
    for (int step = 0; step < kSteps; ++step) one.step();
    one.finish();
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace vigia::collector::intake
