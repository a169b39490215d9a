#include "services/router/api/prometheus/status_api.hpp"

#include <string>
#include <string_view>

#include "libs/json/writer.hpp"
#include "services/router/api/prometheus/answer.hpp"

namespace vigia::router::api::prometheus {
namespace {

// Go's clients read these into structures: each field has the type that it has in Prometheus.
constexpr std::string_view kNoFlags = "{}";
constexpr std::string_view kNoConfig = R"({"yaml":""})";
constexpr std::string_view kNoRuntimeInfo =
    R"({"startTime":"0001-01-01T00:00:00Z","CWD":"","hostname":"",)"
    R"("serverTime":"0001-01-01T00:00:00Z","reloadConfigSuccess":true,)"
    R"("lastConfigTime":"0001-01-01T00:00:00Z","corruptionCount":0,"goroutineCount":0,)"
    R"("GOMAXPROCS":0,"GOMEMLIMIT":0,"GOGC":"","GODEBUG":"","storageRetention":""})";
constexpr std::string_view kNoTsdb =
    R"({"headStats":{"numSeries":0,"numLabelPairs":0,"chunkCount":0,"minTime":0,"maxTime":0},)"
    R"("seriesCountByMetricName":[],"labelValueCountByLabelName":[],)"
    R"("memoryInBytesByLabelName":[],"seriesCountByLabelValuePair":[]})";

}  // namespace

void StatusApi::build_info(request::ApiRequest /*request*/, request::Exchange exchange) {
  const std::string version = stores_.coverage().version();
  if (version.empty()) {
    return exchange.fail({ErrorCode::kUnavailable, "the hot store has not answered yet"});
  }
  // Clients look at the version to know the dialect; the rest is nobody's business.
  vigia::json::JsonWriter info;
  info.begin_object().member("version", version);
  for (const char* hidden : {"revision", "branch", "buildUser", "buildDate", "goVersion"}) {
    info.member(hidden, "");
  }
  exchange.send(success(info.end_object().text(), {}));
}

void StatusApi::flags(request::ApiRequest /*request*/, request::Exchange exchange) {
  exchange.send(success(kNoFlags, {}));
}

void StatusApi::config(request::ApiRequest /*request*/, request::Exchange exchange) {
  exchange.send(success(kNoConfig, {}));
}

void StatusApi::runtime_info(request::ApiRequest /*request*/, request::Exchange exchange) {
  exchange.send(success(kNoRuntimeInfo, {}));
}

void StatusApi::tsdb(request::ApiRequest /*request*/, request::Exchange exchange) {
  exchange.send(success(kNoTsdb, {}));
}

}  // namespace vigia::router::api::prometheus
