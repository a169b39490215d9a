// What the destination is told of time: heartbeats of full minutes, and holes.
#include <gmock/gmock.h>

#include "services/collector/exporters/testing/exporters_fixture.hpp"

namespace vigia::collector::exporters {
namespace {

using ::testing::Contains;

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

}  // namespace
}  // namespace vigia::collector::exporters
