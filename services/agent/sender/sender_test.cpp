#include <filesystem>
#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <unistd.h>

#include "services/agent/sender/refused_store.hpp"
#include "services/agent/sender/sender_status.hpp"
#include "services/agent/sender/split_request.hpp"

namespace vigia::agent::sender {
namespace {

using opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using std::chrono::milliseconds;
using std::chrono::seconds;

ExportLogsServiceRequest parse(const std::string& body) {
  ExportLogsServiceRequest request;
  EXPECT_TRUE(request.ParseFromString(body));
  return request;
}

TEST(SplitRequest, CutsBetweenRecordsAndKeepsTheirEnvelopes) {
  ExportLogsServiceRequest request;
  auto* resource = request.add_resource_logs();
  resource->mutable_resource()->add_attributes()->set_key("service.name");
  resource->set_schema_url("s");
  auto* scope = resource->add_scope_logs();
  scope->mutable_scope()->set_name("scope");
  for (int number = 0; number < 5; ++number) {
    scope->add_log_records()->set_time_unix_nano(static_cast<std::uint64_t>(number));
  }
  const auto halves = split_request(request.SerializeAsString());
  ASSERT_TRUE(halves);
  const auto first = parse(halves->first);
  const auto second = parse(halves->second);
  EXPECT_EQ(first.resource_logs(0).scope_logs(0).log_records_size(), 2);
  EXPECT_EQ(second.resource_logs(0).scope_logs(0).log_records_size(), 3);
  EXPECT_EQ(second.resource_logs(0).scope_logs(0).log_records(2).time_unix_nano(), 4U);
  for (const auto& half : {first, second}) {
    EXPECT_EQ(half.resource_logs(0).resource().attributes(0).key(), "service.name");
    EXPECT_EQ(half.resource_logs(0).schema_url(), "s");
    EXPECT_EQ(half.resource_logs(0).scope_logs(0).scope().name(), "scope");
  }
}

TEST(SplitRequest, SingleRecordCannotBeCut) {
  ExportLogsServiceRequest request;
  request.add_resource_logs()->add_scope_logs()->add_log_records()->set_time_unix_nano(1);
  EXPECT_FALSE(split_request(request.SerializeAsString()));
  EXPECT_FALSE(split_request(""));
  EXPECT_FALSE(split_request("\x0a\xff"));
}

class RefusedStoreTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::remove_all(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::vector<std::string> bodies() const {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (entry.path().extension() == ".otlp") paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> found;
    for (const auto& path : paths) {
      std::ifstream file(path, std::ios::binary);
      found.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return found;
  }
  const std::filesystem::path folder_ =
      std::filesystem::path(testing::TempDir()) / ("vigia-refused-" + std::to_string(::getpid()));
  ManualClock clock_{1'795'574'400'000'000'000};
};

TEST_F(RefusedStoreTest, OldestMakeRoom) {
  RefusedStore store(folder_.string(), clock_);
  for (std::size_t number = 0; number < RefusedStore::kRequestsMax + 3; ++number) {
    ASSERT_TRUE(store.keep(Signal::kLogs, std::to_string(number), "because"));
  }
  const auto kept = bodies();
  ASSERT_EQ(kept.size(), RefusedStore::kRequestsMax);
  EXPECT_EQ(kept.front(), "3");
  EXPECT_EQ(kept.back(), std::to_string(RefusedStore::kRequestsMax + 2));
}

TEST_F(RefusedStoreTest, BytesAreBoundedToo) {
  RefusedStore store(folder_.string(), clock_);
  const std::string half(RefusedStore::kBytesMax / 2, 'x');
  ASSERT_TRUE(store.keep(Signal::kMetrics, "small", "because"));
  ASSERT_TRUE(store.keep(Signal::kMetrics, half, "because"));
  ASSERT_TRUE(store.keep(Signal::kMetrics, half, "because"));
  EXPECT_EQ(bodies().size(), 2U);
  EXPECT_FALSE(store.keep(Signal::kMetrics, half + half + "x", "because"));
}

TEST(SenderStatus, RefusalShowsForAWhile) {
  ManualClock clock{0};
  SenderStatus status(clock);
  EXPECT_FALSE(status.is_reachable());
  status.note_refused(Signal::kTraces, 5, "no such customer");
  EXPECT_TRUE(status.is_reachable());
  EXPECT_EQ(status.recent_refusal(), "no such customer");
  clock.advance(SenderStatus::kRefusalShown + seconds(1));
  EXPECT_EQ(status.recent_refusal(), "");
  EXPECT_EQ(status.counts(Signal::kTraces).refused_items, 5U);
}

TEST(HttpDate, IsReadAsRfc9110WritesIt) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), 784'111'777);
  for (const std::string_view text :
       {"", "Sunday, 06-Nov-94 08:49:37 GMT", "784111777", "Sun, 06 Nov 1994 08:49:37 GMTx"})
    EXPECT_FALSE(parse_http_date(text)) << text;
}

class ClockOffsetTest : public testing::Test {
 protected:
  // 784'111'777 s is the date below; the clock stands half a second later, and `ahead` more.
  void answer(double ahead, Duration took = milliseconds(10)) {
    clock_.set_wall_ns(static_cast<std::int64_t>((784'111'777.5 + ahead) * 1e9));
    const auto asked = offset_.ask();
    clock_.advance(took);
    offset_.note(asked, "Sun, 06 Nov 1994 08:49:37 GMT");
  }
  ManualClock clock_{0};
  ClockOffset offset_{clock_};
};

TEST_F(ClockOffsetTest, IsKnownToASecondAndSettles) {
  EXPECT_FALSE(offset_.seconds());
  answer(0);
  EXPECT_NEAR(*offset_.seconds(), 0, 0.51);
  const double settled = *offset_.seconds();
  answer(0.2);
  answer(-0.2);
  EXPECT_EQ(*offset_.seconds(), settled);
  answer(360);
  EXPECT_NEAR(*offset_.seconds(), 360, 0.51);
  answer(-360);
  EXPECT_NEAR(*offset_.seconds(), -360, 0.51);
}

TEST_F(ClockOffsetTest, SlowAnswersAndStepsMeanwhileSayNothing) {
  answer(100, seconds(11));
  EXPECT_FALSE(offset_.seconds());
  const auto asked = offset_.ask();
  clock_.set_wall_ns(clock_.wall_ns() + 3'600'000'000'000);
  offset_.note(asked, "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_FALSE(offset_.seconds());
  offset_.note(offset_.ask(), "yesterday");
  EXPECT_FALSE(offset_.seconds());
}

TEST(DescribeOffset, NamesTheDirection) {
  EXPECT_EQ(describe_offset(360.2), "this node's clock is 360 s ahead of the collector's");
  EXPECT_EQ(describe_offset(-7), "this node's clock is 7 s behind the collector's");
}

// Points were refused as ahead, for good, and the agent said healthy.
TEST(SenderStatus, PointsFromTheFutureAreToldWhereTheClockIsToBlame) {
  ManualClock clock{784'111'777'000'000'000 + 360'000'000'000};
  SenderStatus status(clock);
  EXPECT_EQ(status.recent_future(), "");
  status.note_future(12);
  EXPECT_THAT(status.recent_future(), testing::HasSubstr("12 so far: compare the clocks"));
  status.clock_offset().note(status.clock_offset().ask(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_THAT(status.recent_future(), testing::HasSubstr("360 s ahead of the collector's"));
  clock.advance(SenderStatus::kRefusalShown + seconds(1));
  EXPECT_EQ(status.recent_future(), "");
  clock.set_wall_ns(784'111'777'000'000'000);
  status.note_future(1);  // an application's own clock
  status.clock_offset().note(status.clock_offset().ask(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(status.recent_future(), "");
}

// A collector that doubts its own clock refuses retryably: which clock it is must be seen here too.
TEST(SenderStatus, AFailureSaysHowFarTheClocksAreApart) {
  ManualClock clock{784'111'777'000'000'000 + 360'000'000'000};
  SenderStatus status(clock);
  status.note_failure("its clock is in doubt");
  EXPECT_EQ(status.failure(), "its clock is in doubt");
  status.clock_offset().note(status.clock_offset().ask(), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(status.failure(),
            "its clock is in doubt; this node's clock is 360 s ahead of the collector's");
  status.note_sent(Signal::kMetrics, 1, 0);
  EXPECT_EQ(status.failure(), "");
}

}  // namespace
}  // namespace vigia::agent::sender
