#include "services/collector/side/left_aside.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/disk_log/file_system.hpp"
#include "services/collector/side/side_queue.hpp"

namespace vigia::collector::side {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

class LeftAsideTest : public testing::Test {
 protected:
  void set_aside(const std::string& exporter, std::string_view customer, std::int64_t received_ms) {
    auto queue = *SideQueue::open(
        {.directory = side_folder(folder_.path(), exporter)}, clock_, [](const SideHead&) {},
        [](const SideHead&) {}, disk_log::system_files());
    const CustomerId id = *CustomerId::parse(customer);
    SideEntry entry{{.customer = id, .received_ms = received_ms, .items = 3}, {.customer = id}, {}};
    entry.parcel.message = "abc";
    for (std::size_t i = 0; i < 3; ++i) entry.parcel.units.push_back({.begin = i});
    ASSERT_TRUE(queue->put(std::move(entry)).has_value());
  }
  std::vector<LeftAside> find(const std::vector<std::string>& exporters) {
    return *find_left_aside(folder_.path(), exporters);
  }

  ManualClock clock_{1'700'000'000'000'000'000};
  const TemporaryFolder folder_;
};

TEST_F(LeftAsideTest, NothingWhereNothingWasEverSetAside) { EXPECT_THAT(find({}), IsEmpty()); }

TEST_F(LeftAsideTest, TellsWhatWaitsOfExportersThatAreNotConfigured) {
  set_aside("otlphttp/cold", "a", 70);
  set_aside("otlphttp/cold", "a", 50);
  set_aside("otlphttp/cold", "b", 60);
  set_aside("otlphttp/kept", "c", 40);
  const auto left = find({"otlphttp/kept", "otlphttp/archive"});
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].exporter, "otlphttp/cold");
  EXPECT_EQ(left[0].customers, 2U);
  EXPECT_EQ(left[0].items, 9U);
  EXPECT_EQ(left[0].oldest_received_ms, 50);
  EXPECT_EQ(left[0].unreadable, 0U);
  EXPECT_THAT(find({"otlphttp/kept", "otlphttp/cold"}), IsEmpty()) << "with the name it is sent";
}

TEST_F(LeftAsideTest, WhatCannotBeReadIsToldAndStays) {
  set_aside("otlphttp/cold", "a", 70);
  const std::string folder = side_folder(folder_.path(), "otlphttp/cold");
  const auto names = *disk_log::system_files().list(folder);
  ASSERT_THAT(names, SizeIs(1));
  std::fstream file(folder + "/" + names[0]);
  file.seekp(12);
  file.put('\xff');
  file.close();
  const auto left = find({});
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left[0].unreadable, 1U);
  EXPECT_EQ(*disk_log::system_files().list(folder), names);
}

}  // namespace
}  // namespace vigia::collector::side
