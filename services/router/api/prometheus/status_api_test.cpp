#include "services/router/api/prometheus/status_api.hpp"

#include <string>

#include <gtest/gtest.h>

#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::prometheus {
namespace {

using testing::RecordingStore;
using testing::ServedGateway;

// Whatever the stores would say: it is of the provider's set-up.
TEST(StatusApi, HasTheFormAndNothingInIt) {
  const RecordingStore hot(200, R"({"status":"success","data":{"yaml":"secret"}})");
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", hot.url()}};
  ServedGateway gateway(std::move(settings));
  for (const auto& [path, data] : std::initializer_list<std::pair<std::string, std::string>>{
           {"flags", "{}"},
           {"config", R"({"yaml":""})"},
           {"runtimeinfo",
            R"({"startTime":"0001-01-01T00:00:00Z","CWD":"","hostname":"",)"
            R"("serverTime":"0001-01-01T00:00:00Z","reloadConfigSuccess":true,)"
            R"("lastConfigTime":"0001-01-01T00:00:00Z","corruptionCount":0,"goroutineCount":0,)"
            R"("GOMAXPROCS":0,"GOMEMLIMIT":0,"GOGC":"","GODEBUG":"","storageRetention":""})"},
           {"tsdb", R"({"headStats":{"numSeries":0,"numLabelPairs":0,"chunkCount":0,"minTime":0,)"
                    R"("maxTime":0},"seriesCountByMetricName":[],"labelValueCountByLabelName":[],)"
                    R"("memoryInBytesByLabelName":[],"seriesCountByLabelValuePair":[]})"}}) {
    for (const char* token : {"Bearer read-a", "Bearer op"}) {
      const auto answer = gateway.ask("GET", "/api/v1/status/" + path, {{"authorization", token}});
      EXPECT_EQ(answer.status, 200) << path;
      EXPECT_EQ(answer.body, R"({"status":"success","data":)" + data + "}") << path;
    }
    EXPECT_EQ(gateway.ask("GET", "/api/v1/status/" + path, {}).status, 401) << path;
    // The router itself reads hot's flags, and when its process began.
    if (path == "flags" || path == "runtimeinfo") continue;
    EXPECT_TRUE(hot.asked_at("/api/v1/status/" + path).empty()) << path;
  }
}

}  // namespace
}  // namespace vigia::router::api::prometheus
