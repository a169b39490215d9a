// The side lane on a file system in memory, to a destination that takes everything, or everything
// but what is ahead of its clock.
#include "services/collector/side/side_lane.hpp"

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/disk_log/testing/memory_files.hpp"
#include "services/collector/delivery/body_packer.hpp"

namespace vigia::collector::side {
namespace {

using testing::Contains;

class Taking final : public delivery::MessageTransport {
 public:
  void send(const CustomerId& /*customer*/, Signal /*signal*/, std::string_view message,
            Task<void(delivery::Answer)> done) override {
    delivery::Answer answer;
    {
      const std::lock_guard lock(mutex_);
      ++requests;
      answer.is_too_new = message.find_first_of(too_new_) != std::string_view::npos;
      if (!answer.is_too_new) taken_ += message;
    }
    if (answer.is_too_new) answer.kind = delivery::Answer::Kind::kRetry;
    done(std::move(answer));
  }
  /// Units of these letters lie ahead of its clock.
  void set_too_new(const std::string& letters) {
    const std::lock_guard lock(mutex_);
    too_new_ = letters;
  }
  std::atomic<int> requests{0};
  std::string taken() const {
    const std::lock_guard lock(mutex_);
    return taken_;
  }

 private:
  mutable std::mutex mutex_;
  std::string taken_;
  std::string too_new_;
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

/// Has a fault, so many times.
class FaultyPacker final : public delivery::Packer {
 public:
  Result<delivery::Packed> pack(std::uint32_t index, const delivery::OtlpRecord& record,
                                delivery::Place from, std::size_t bytes_max,
                                delivery::Parcel& parcel) override {
    if (faults-- > 0) throw std::bad_alloc();
    return sound_->pack(index, record, from, bytes_max, parcel);
  }
  std::string describe(std::string_view unit) const override { return sound_->describe(unit); }
  std::atomic<int> faults{0};

 private:
  std::unique_ptr<delivery::Packer> sound_ = delivery::make_body_packer();
};

class Owner final : public SideLaneOwner {
 public:
  void on_side_sent(const CustomerId& /*customer*/, Signal /*signal*/,
                    std::uint64_t items) override {
    sent += items;
  }
  void on_side_dropped(const CustomerId& /*customer*/, Signal /*signal*/,
                       books::DropCause /*cause*/, std::uint64_t items) override {
    dropped += items;
  }
  void on_side_letter(const delivery::Parcel& /*parcel*/, std::string_view /*message*/,
                      const std::string& /*why*/, bool /*is_record*/) override {}
  void on_side_answer(const delivery::Parcel& /*parcel*/, std::size_t /*first*/,
                      std::size_t /*last*/, const delivery::Answer& /*answer*/,
                      Duration /*took*/) override {}
  bool may_be_refused(const CustomerId& customer) override {
    return !is_a_waiting || customer.text() != "a";
  }
  std::atomic<std::uint64_t> sent{0}, dropped{0};
  std::atomic<bool> is_a_waiting{false};
};

class SideLaneTest : public testing::Test {
 protected:
  SideLaneTest() {
    queue_ = *SideQueue::open(
        {.directory = "/side"}, clock_, [](const SideHead&) {}, [](const SideHead&) {}, files_);
    SideLaneSettings settings;
    settings.delivery.retry_initial = std::chrono::milliseconds(1);
    settings.delivery.retry_max = std::chrono::milliseconds(4);
    lane_ = std::make_unique<SideLane>(
        settings, SideLaneParts{*queue_, transport_, evidence_, nullptr, packer_, clock_, owner_});
  }
  void TearDown() override { lane_->stop(clock_.steady()); }

  SideEntry units(const std::string& letters) const {
    SideEntry entry{{.customer = customer_, .received_ms = 5, .items = letters.size()},
                    {.customer = customer_},
                    {}};
    for (const char letter : letters) {
      entry.parcel.units.push_back({.begin = entry.parcel.message.size(),
                                    .item = static_cast<std::uint32_t>(letter),
                                    .timestamp_ms = letter});
      entry.parcel.message += letter;
    }
    return entry;
  }
  SideEntry record(const std::string& body) const {
    SideEntry entry{
        {.customer = customer_, .received_ms = 5, .items = 1}, {.customer = customer_}, {}};
    entry.records.push_back({.items = 1});
    entry.records.back().pack({.stored = body});
    return entry;
  }
  void eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition() && std::chrono::steady_clock::now() < deadline)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_TRUE(condition());
  }

  const CustomerId customer_ = *CustomerId::parse("a");
  AheadClock clock_;
  disk_log::MemoryFiles files_;
  Taking transport_;
  FaultyPacker packer_;
  Owner owner_;
  std::shared_ptr<delivery::Evidence> evidence_ = std::make_shared<delivery::Evidence>();
  std::unique_ptr<SideQueue> queue_;
  std::unique_ptr<SideLane> lane_;
};

// The queue asks the lane under its own lock, and the lane must not ask the queue under its.
TEST_F(SideLaneTest, FollowingAndPickingDoNotWaitForEachOther) {
  // Of many, so that a look at who is wanted takes long enough to be met.
  for (int i = 0; i < 300; ++i) {
    SideEntry entry = units("xyz");
    entry.head.customer = *CustomerId::parse("a" + std::to_string(i));
    ASSERT_TRUE(queue_->put(std::move(entry), std::chrono::hours(1)));
  }
  ASSERT_TRUE(queue_->put(units("xyz"), std::chrono::hours(1)));
  lane_->start();
  std::atomic<bool> is_over{false};
  std::thread waking([&] {
    while (!is_over) lane_->wake();
  });
  for (int i = 0; i < 20'000; ++i) {
    lane_->mark_slow(customer_);
    EXPECT_TRUE(lane_->is_followed(customer_, Signal::kMetrics));
  }
  is_over = true;
  waking.join();
}

// Its windows were tried one by one while the destination failed over all of them, and held others'
// up for a probe each.
TEST_F(SideLaneTest, WhoIsInTroubleIsFollowedWhileSomethingFreshWaits) {
  const auto is_followed = [this](Signal signal) { return lane_->is_followed(customer_, signal); };
  ASSERT_TRUE(queue_->put(units("xyz")));
  queue_->delay(customer_, std::chrono::hours(1));
  EXPECT_FALSE(is_followed(Signal::kMetrics));
  lane_->mark_troubled(customer_, Signal::kMetrics);
  clock_.advance(10 * SideLane::kTroubledFor);
  EXPECT_TRUE(is_followed(Signal::kMetrics));
  EXPECT_FALSE(is_followed(Signal::kLogs));
  EXPECT_FALSE(lane_->is_followed(*CustomerId::parse("b"), Signal::kMetrics));
}

TEST_F(SideLaneTest, SuspectsAloneAreFollowedForAMomentOnly) {
  SideEntry suspects = units("xyz");
  suspects.head.stage = delivery::Parcel::SearchStage::kSuspect;
  ASSERT_TRUE(queue_->put(std::move(suspects), std::chrono::hours(1)));
  lane_->mark_troubled(customer_, Signal::kMetrics);
  EXPECT_TRUE(lane_->is_followed(customer_, Signal::kMetrics));
  clock_.advance(SideLane::kTroubledFor);
  EXPECT_FALSE(lane_->is_followed(customer_, Signal::kMetrics));
}

TEST_F(SideLaneTest, WhatIsTakenWholeEndsTheTrouble) {
  lane_->mark_troubled(customer_, Signal::kMetrics);
  clock_.advance(SideLane::kTroubledFor);
  ASSERT_TRUE(queue_->put(units("xyz")));
  lane_->start();
  eventually([&] { return owner_.sent == 3; });
  // Though more waits by now.
  ASSERT_TRUE(queue_->put(units("uv"), std::chrono::hours(1)));
  EXPECT_FALSE(lane_->is_followed(customer_, Signal::kMetrics));
}

// All of the customer's waited with it, until its time had come.
TEST_F(SideLaneTest, WhatIsAheadOfTheDestinationsClockHoldsUpNothingElse) {
  transport_.set_too_new("Z");
  ASSERT_TRUE(queue_->put(units("Z")));
  ASSERT_TRUE(queue_->put(record("body")));
  lane_->mark_troubled(customer_, Signal::kMetrics);
  clock_.advance(SideLane::kTroubledFor);
  evidence_->note_taken(clock_.steady(), true);
  lane_->start();
  eventually([&] { return owner_.sent == 1; });
  EXPECT_EQ(transport_.taken(), "body");
  eventually([&] { return !lane_->is_followed(customer_, Signal::kMetrics); });
  EXPECT_EQ(queue_->stats().items, 1U);
  // Its time comes.
  transport_.set_too_new("");
  clock_.advance(SideLane::kTooNewWaitMax);
  eventually([&] { return owner_.sent == 2; });
  EXPECT_EQ(transport_.taken(), "bodyZ");
  EXPECT_EQ(owner_.dropped, 0U);
}

TEST_F(SideLaneTest, WhatIsAheadBecomesOneEntryThatIsTriedNowAndThen) {
  transport_.set_too_new("Z");
  evidence_->note_taken(clock_.steady(), true);
  for (const char* letters : {"Z", "BA", "ZC"}) ASSERT_TRUE(queue_->put(units(letters)));
  lane_->start();
  eventually([&] { return owner_.sent == 3 && queue_->stats().entries == 1; });
  EXPECT_EQ(transport_.taken(), "ABC");
  EXPECT_EQ(queue_->stats().items, 2U);
  const int requests = transport_.requests;
  clock_.advance(SideLane::kTooNewWait);
  evidence_->note_taken(clock_.steady(), true);
  eventually([&] { return transport_.requests > requests; });
  EXPECT_EQ(transport_.taken(), "ABC");
  EXPECT_EQ(queue_->stats().items, 2U);
}

TEST_F(SideLaneTest, OfWhomTooMuchWasRefusedWaitsAndNobodyElseDoes) {
  owner_.is_a_waiting = true;
  ASSERT_TRUE(queue_->put(units("xyz")));
  SideEntry of_b = units("uv");
  of_b.head.customer = of_b.parcel.customer = *CustomerId::parse("b");
  ASSERT_TRUE(queue_->put(std::move(of_b)));
  lane_->start();
  eventually([&] { return owner_.sent == 2; });
  EXPECT_EQ(transport_.taken(), "uv");
  EXPECT_EQ(queue_->stats().items, 3U);
  owner_.is_a_waiting = false;
  eventually([&] { return owner_.sent == 5; });
  EXPECT_EQ(transport_.taken(), "uvxyz");
}

TEST_F(SideLaneTest, AnEntryThatCannotBeReadNowIsNotLost) {
  ASSERT_TRUE(queue_->put(units("xyz")));
  std::atomic<int> failures{0};
  files_.fail_when([&](std::string_view call, const std::string& path) {  // as without descriptors
    return call == "open" && path.ends_with(".side") && ++failures <= 3;
  });
  lane_->start();
  eventually([&] { return owner_.sent == 3; });
  EXPECT_EQ(transport_.taken(), "xyz");
  EXPECT_EQ(owner_.dropped, 0U);
  EXPECT_GE(failures, 3);
}

TEST_F(SideLaneTest, ADamagedEntryIsCountedAndItsFileKept) {
  ASSERT_TRUE(queue_->put(units("xyz")));
  const std::string path = "/side/0000000000000001.side";
  std::string bytes = files_.content(path);
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  files_.set_content(path, bytes);
  lane_->start();
  eventually([&] { return owner_.dropped == 3; });
  EXPECT_EQ(transport_.taken(), "");
  EXPECT_THAT(files_.names("/side"), Contains("0000000000000001.side.damaged"));
}

TEST_F(SideLaneTest, AFaultOfOursThatPassesCostsNoRecord) {
  SideEntry entry{{.customer = customer_, .signal = Signal::kLogs, .received_ms = 5, .items = 1},
                  {.customer = customer_},
                  {}};
  entry.records.push_back({.items = 1});
  entry.records.back().pack({.stored = "body"});
  ASSERT_TRUE(queue_->put(std::move(entry)));
  packer_.faults = 3;
  lane_->start();
  eventually([&] { return owner_.sent == 1; });
  EXPECT_EQ(transport_.taken(), "body");
  EXPECT_EQ(owner_.dropped, 0U);
}

TEST_F(SideLaneTest, AFaultOfOursThatStaysCostsTheRecord) {
  SideEntry entry{{.customer = customer_, .signal = Signal::kLogs, .received_ms = 5, .items = 1},
                  {.customer = customer_},
                  {}};
  entry.records.push_back({.items = 1});
  entry.records.back().pack({.stored = "body"});
  ASSERT_TRUE(queue_->put(std::move(entry)));
  packer_.faults = 1'000'000;
  lane_->start();
  eventually([&] { return owner_.dropped == 1; });
  eventually([&] { return queue_->stats().entries == 0; });  // counted before its file goes
}

}  // namespace
}  // namespace vigia::collector::side
