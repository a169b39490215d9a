// What the destination does not take: aside, and on a full disk in the log.
#include <gmock/gmock.h>

#include "services/collector/exporters/testing/exporters_fixture.hpp"

namespace vigia::collector::exporters {
namespace {

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
  std::ofstream(folder_.file("side"))
      << "in the way";  // as on a full disk, nothing can be put there
  accept(collector::testing::MetricsBody().resource("cliente-a").histogram("h", kStartMs).bytes(),
         Verdicts(1));
  accept(collector::testing::one_gauge("cliente-b", "well", kStartMs), Verdicts(1),
         Signal::kMetrics, "cliente-b");
  eventually([this] {
    return metrics_->expose(false).find("vigia_exporter_side_is_full{exporter=\"" + settings_.id +
                                        "\"} 1") != std::string::npos;
  });
  is_sick = false;
  std::filesystem::remove(folder_.file("side"));
  eventually([&] {
    const std::lock_guard lock(mutex);
    return taken.size() >= 2;
  });
  settle();
}

}  // namespace
}  // namespace vigia::collector::exporters
