// What every exporter that sends does with a record, and what the books say of it.
#include <gmock/gmock.h>

#include "services/collector/exporters/testing/exporters_fixture.hpp"

namespace vigia::collector::exporters {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(ExportersTest, ASampleArrivesWithItsCustomerAndTheProtocolsHeaders) {  // R-RW-1, R-EXP-7
  sender_.http.headers = {{"Authorization", "Bearer x"}, {"Content-Encoding", "none of yours"}};
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
  sender_.http.endpoint = "127.0.0.1:9090";
  open_log();
  const auto exporter = remote_write::make(
      settings_, sender_,
      {*log_, *client_, *series_, directory(), *books_, *metrics_, clock_, time_, folder_.path()});
  ASSERT_FALSE(exporter);
  EXPECT_THAT(exporter.error().message, HasSubstr("prometheusremotewrite/cold"));
}

}  // namespace
}  // namespace vigia::collector::exporters
