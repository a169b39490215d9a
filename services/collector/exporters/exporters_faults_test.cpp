// Faults of ours: the record that brings one to light is set aside, and costs no other.
#include <atomic>
#include <memory>
#include <stdexcept>

#include <gmock/gmock.h>

#include "libs/base/hex.hpp"
#include "services/collector/delivery/body_packer.hpp"
#include "services/collector/exporters/testing/exporters_fixture.hpp"

namespace vigia::collector::exporters {
namespace {

using ::testing::HasSubstr;

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
      std::make_unique<PushExporter>(settings_, sender_.push,
                                     ExporterParts{*log_, *client_, *series_, directory(), *books_,
                                                   *metrics_, clock_, time_, folder_.path()},
                                     otlp::means_of(settings_, std::move(transport)));
  ASSERT_TRUE(exporter_->start());
  settle(Signal::kLogs);
  EXPECT_EQ(line(Signal::kLogs).sent, 2U);
  EXPECT_EQ(line(Signal::kLogs).dropped, 1U);
  EXPECT_THAT(destination.taken(), HasSubstr("good_1"));
  EXPECT_THAT(destination.taken(), HasSubstr("good_2"));
}

}  // namespace
}  // namespace vigia::collector::exporters
