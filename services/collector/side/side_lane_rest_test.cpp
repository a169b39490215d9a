// What becomes of an entry of records of which some are done: nothing of it is sent or booked
// again.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/disk_log/testing/memory_files.hpp"
#include "services/collector/books/books.hpp"
#include "services/collector/side/side_lane.hpp"

namespace vigia::collector::side {
namespace {

constexpr std::string_view kExporter = "otlphttp/cold";

/// A record becomes one unit, which fills a piece.
class PiecePacker final : public delivery::Packer {
 public:
  Result<delivery::Packed> pack(std::uint32_t index, const delivery::OtlpRecord& record,
                                delivery::Place /*from*/, std::size_t /*bytes_max*/,
                                delivery::Parcel& parcel) override {
    delivery::Unit unit;
    unit.begin = parcel.message.size();
    unit.record = index;
    unit.item = delivery::Unit::kBody;
    parcel.units.push_back(unit);
    parcel.message += std::string(SideLane::kPieceBytesMax, record.body[0]);
    return delivery::Packed{std::nullopt, 1, 0};
  }
  std::string describe(std::string_view /*unit*/) const override { return ""; }
};

/// Takes everything, but for what a test does at a record before it is taken.
class Scripted final : public delivery::MessageTransport {
 public:
  /// The answer to the record's request; nothing: none comes.
  using Script = std::function<std::optional<delivery::Answer>(char record)>;

  explicit Scripted(Script script) : script_(std::move(script)) {}
  void send(const CustomerId& /*customer*/, Signal /*signal*/, std::string_view message,
            Task<void(delivery::Answer)> done) override {
    const auto answer = script_(message.front());
    if (!answer) return;
    if (answer->kind == delivery::Answer::Kind::kTaken) {
      const std::lock_guard lock(mutex_);
      taken_ += message.front();
    }
    done(*answer);
  }
  std::string taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

 private:
  const Script script_;
  mutable std::mutex mutex_;
  std::string taken_;
};

class BookingOwner final : public SideLaneOwner {
 public:
  explicit BookingOwner(books::Books& books) : books_(books) {}
  void on_side_sent(const CustomerId& customer, Signal signal, std::uint64_t items) override {
    books_.sent(customer, signal, kExporter, items);
  }
  void on_side_dropped(const CustomerId& customer, Signal signal, books::DropCause cause,
                       std::uint64_t items) override {
    books_.dropped(customer, signal, kExporter, cause, items);
  }
  void on_side_letter(const delivery::Parcel& /*parcel*/, std::string_view /*message*/,
                      const std::string& /*why*/, bool /*is_record*/) override {}
  void on_side_answer(const delivery::Parcel& /*parcel*/, std::size_t /*first*/,
                      std::size_t /*last*/, const delivery::Answer& /*answer*/,
                      Duration /*took*/) override {}

 private:
  books::Books& books_;
};

/// The system's, and as far ahead of it as the test says.
class AheadClock final : public Clock {
 public:
  TimePoint steady() const override { return system_.steady() + Duration(ahead_.load()); }
  std::int64_t wall_ns() const override { return system_.wall_ns(); }
  void advance(Duration time) { ahead_ += time.count(); }

 private:
  SystemClock system_;
  std::atomic<Duration::rep> ahead_{0};
};

class SideLaneRestTest : public testing::Test {
 protected:
  SideLaneRestTest() {
    files_.fail_when([this](std::string_view call, const std::string& /*path*/) {
      if (call != "write" || writes_to_fail_ == 0) return false;
      --writes_to_fail_;
      return true;
    });
    open();
    put("123");
  }
  void TearDown() override { lane_->stop(clock_.steady()); }

  /// As a process that begins: what waits is what the files say.
  void open(Duration retry = std::chrono::milliseconds(1)) {
    lane_.reset();
    found_ = 0;
    queue_ = *SideQueue::open(
        {.directory = "/side"}, clock_, [this](const SideHead& head) { found_ += head.items; },
        [](const SideHead&) {}, files_);
    SideLaneSettings settings;
    settings.delivery.retry_initial = settings.delivery.retry_max = retry;
    settings.delivery.request_bytes_max = 2 * SideLane::kPieceBytesMax;
    lane_ = std::make_unique<SideLane>(
        settings, SideLaneParts{*queue_, transport_, evidence_, nullptr, packer_, clock_, owner_});
  }
  void put(const std::string& bodies) {
    SideEntry entry{
        {.customer = customer_, .signal = Signal::kLogs, .received_ms = 5, .items = bodies.size()},
        {.customer = customer_},
        {}};
    for (const char body : bodies) {
      entry.records.push_back({.items = 1});
      entry.records.back().pack({.stored = std::string(1, body)});
    }
    books_.arrived({.customer = customer_,
                    .signal = Signal::kLogs,
                    .transport = "http",
                    .items = bodies.size(),
                    .exporters = {kExporter}});
    ASSERT_TRUE(queue_->put(std::move(entry)));
  }
  /// What is done at that record's requests. Before the lane starts.
  void at(char record, Scripted::Script script) {
    at_ = record;
    script_ = std::move(script);
  }
  bool is_first() const { return tries_ == 1; }
  static delivery::Answer not_now() {
    return {.kind = delivery::Answer::Kind::kRetry, .why = "503"};
  }
  void eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(condition());
  }
  books::Books::Line line() const { return books_.line(customer_, Signal::kLogs, kExporter); }
  void expect_each_once() {
    eventually([&] { return line().sent >= 3 && queue_->stats().entries == 0; });
    EXPECT_EQ(transport_.taken(), "123");
    EXPECT_EQ(line().sent, 3U);
    EXPECT_EQ(line().queued, 0U);
    EXPECT_EQ(line().unexplained, 0U);
  }

  const CustomerId customer_ = *CustomerId::parse("a");
  AheadClock clock_;
  disk_log::MemoryFiles files_;
  std::atomic<int> writes_to_fail_{0};
  char at_ = 0;
  Scripted::Script script_;
  std::atomic<int> tries_{0};  // of that record
  Scripted transport_{[this](char record) -> std::optional<delivery::Answer> {
    if (record != at_) return delivery::Answer{};
    ++tries_;
    return script_(record);
  }};
  PiecePacker packer_;
  service::MetricRegistry registry_;
  books::Books books_{registry_};
  BookingOwner owner_{books_};
  std::shared_ptr<delivery::Evidence> evidence_ = std::make_shared<delivery::Evidence>();
  std::unique_ptr<SideQueue> queue_;
  std::unique_ptr<SideLane> lane_;
  std::uint64_t found_ = 0;
};

// The whole entry came again, and what had been booked of it was booked once more.
TEST_F(SideLaneRestTest, WhatIsDoneIsNotDoneAgainWhereWhatIsLeftCannotBeWritten) {
  at('2', [this](char) {
    if (is_first()) writes_to_fail_ = 6;  // what is left of the piece and of the entry, by turns
    return writes_to_fail_ > 0 ? not_now() : delivery::Answer{};
  });
  lane_->start();
  expect_each_once();
  EXPECT_EQ(tries_, 4);
}

TEST_F(SideLaneRestTest, TheRestIsWrittenWhereThePiecesOwnCouldNotBe) {
  open(std::chrono::hours(1));
  const std::uint64_t bytes = queue_->stats().bytes;
  at('2', [this](char) {
    writes_to_fail_ = 1;
    return not_now();
  });
  lane_->start();
  eventually([&] { return queue_->stats().bytes < bytes; });
  EXPECT_EQ(writes_to_fail_, 0);
  EXPECT_EQ(queue_->stats().items, 2U);
  EXPECT_EQ(line().queued, 2U);
}

TEST_F(SideLaneRestTest, ATurnThatEndsWhileNothingCanBeWrittenRepeatsNothing) {
  at('1', [this](char) {
    if (is_first()) {
      clock_.advance(SideLane::kTurnMax);
      writes_to_fail_ = 1;
    }
    return delivery::Answer{};
  });
  lane_->start();
  expect_each_once();
  EXPECT_EQ(writes_to_fail_, 0);
}

TEST_F(SideLaneRestTest, AFaultOfOursInMidEntryRepeatsNothing) {
  at('2', [this](char) {
    if (is_first()) throw std::bad_alloc();
    return delivery::Answer{};
  });
  lane_->start();
  eventually([&] {
    clock_.advance(std::chrono::seconds(1));
    return line().sent >= 3;
  });
  expect_each_once();
}

// It was the whole entry that lay there: at each upgrade what was done of it came again.
TEST_F(SideLaneRestTest, AStopInMidEntryLeavesTheRest) {
  at('2', [this](char) {
    return is_first() ? std::nullopt : std::optional<delivery::Answer>(delivery::Answer{});
  });
  lane_->start();
  eventually([&] { return tries_ == 1; });
  lane_->stop(clock_.steady());
  EXPECT_EQ(transport_.taken(), "1");
  open();
  EXPECT_EQ(found_, 2U);
  lane_->start();
  expect_each_once();
}

TEST_F(SideLaneRestTest, AStopWritesTheRestThatCouldNotBeWrittenBefore) {
  open(std::chrono::hours(1));
  at('2', [this](char) {
    writes_to_fail_ = 2;
    return not_now();
  });
  lane_->start();
  eventually([&] { return tries_ == 1 && writes_to_fail_ == 0; });
  lane_->stop(clock_.steady());
  open();
  EXPECT_EQ(found_, 2U);
}

}  // namespace
}  // namespace vigia::collector::side
