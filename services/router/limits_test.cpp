// What a customer's own limits refuse, at every API, asked over a socket.
#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/gateway.hpp"
#include "services/router/testing/served_gateway.hpp"

namespace vigia::router {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::RecordingStore;
using testing::ServedGateway;
using ::testing::SizeIs;

const ServedGateway::Headers kOperator{{"authorization", "Bearer op"}};

/// A customer of each name that has that limit alone.
constexpr std::string_view kCustomers = R"(
customers:
  - {id: range, limits: {query_range_seconds: 600}, tokens: [{token: range, scope: read}]}
  - {id: steps, limits: {query_steps: 10}, tokens: [{token: steps, scope: read}]}
  - {id: series, limits: {query_series: 1}, tokens: [{token: series, scope: read}]}
  - {id: samples, limits: {query_samples: 50}, tokens: [{token: samples, scope: read}]}
  - {id: bytes, limits: {query_bytes: 60}, tokens: [{token: bytes, scope: read}]}
  - {id: lines, limits: {log_query_lines: 1}, tokens: [{token: lines, scope: read}]}
  - {id: none, tokens: [{token: none, scope: read}]}
operators: [{token: op, scope: read}]
)";

/// Two series, for which it says it held 70 samples.
constexpr const char* kTwoSeries =
    R"({"status":"success","data":{"resultType":"vector","result":[)"
    R"({"metric":{"customer_id":"x","metric":"a"},"value":[0,"1"]},)"
    R"({"metric":{"customer_id":"x","metric":"b"},"value":[0,"1"]}],)"
    R"("stats":{"timings":{},"samples":{"totalQueryableSamples":2,"peakSamples":70}}}})";
constexpr const char* kSeriesList =
    R"({"status":"success","data":[{"__name__":"a"},{"__name__":"b"}]})";

std::string line(std::int64_t time_ns) {
  return fmt::format(R"({{"time_ns":"{}","severity":"INFO","body":"x","trace_id":"","span_id":"",)"
                     R"("attributes":{{}},"resource":{{"customer.id":"lines"}}}})",
                     time_ns);
}

/// As a client sends it, which no path or parameter here has a % in.
std::string escaped(std::string_view target) {
  std::string out;
  for (const char c : target) {
    if (std::string_view("{}[]\" |").find(c) == std::string_view::npos) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

class LimitsTest : public ::testing::Test {
 protected:
  net::ClientResponse ask(const std::string& whose, const std::string& target) {
    return gateway_.ask("GET", escaped(target), {{"authorization", "Bearer " + whose}});
  }
  /// "422" and the body, which has to name the limit.
  void expect_refused(const std::string& whose, const std::string& target, int status,
                      std::string_view limit) {
    const auto before = refused(limit);
    const auto answer = ask(whose, target);
    EXPECT_EQ(answer.status, status) << target << ": " << answer.body;
    EXPECT_THAT(answer.body, HasSubstr(fmt::format("over the limit {} (", limit))) << target;
    EXPECT_EQ(refused(limit), before + 1) << target;
  }
  void expect_answered(const std::string& whose, const std::string& target) {
    const auto answer = ask(whose, target);
    EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
  }
  std::uint64_t refused(std::string_view limit) {
    return gateway_.metrics()
        .counter("vigia_router_queries_refused_total", "", {{"limit", std::string(limit)}})
        .value();
  }
  static stores::StoresSettings settings(const RecordingStore& hot, const RecordingStore& cold) {
    stores::StoresSettings settings;
    settings.hot_shards = {{"hot-0", hot.url()}};
    settings.cold_url = cold.url();
    return settings;
  }

  const std::int64_t now_s_ = SystemClock().wall_ms() / 1'000;
  const std::string lines_ =
      fmt::format(R"({{"status":"success","data":[{},{}]}})", line((now_s_ - 9) * 1'000'000'000),
                  line((now_s_ - 8) * 1'000'000'000));
  const RecordingStore hot_{200,
                            R"({"status":"success","data":[]})",
                            {{"/api/v1/query", kTwoSeries},
                             {"/api/v1/query_range", kTwoSeries},
                             {"/api/v1/series", kSeriesList}}};
  const RecordingStore cold_{200,
                             R"({"status":"success","data":[]})",
                             {{"/api/v1/series", kSeriesList}, {"/api/v1/logs", lines_}}};
  ServedGateway gateway_{settings(hot_, cold_), kCustomers, {}};
};

TEST_F(LimitsTest, TheTimeThatIsTouched) {
  const std::string from = std::to_string(now_s_ - 900);
  const std::string to = std::to_string(now_s_);
  const std::string limit = "query_range_seconds";
  expect_answered("range", "/api/v1/query?query=up[5m]");
  expect_refused("range", "/api/v1/query?query=rate(up[11m])", 422, limit);
  // From the earliest to the latest: what lies between is no matter.
  expect_answered("range", "/api/v1/query?query=up offset 1w");
  expect_refused("range", "/api/v1/query?query=up - up offset 1w", 422, limit);
  expect_refused("range", "/api/v1/query?query=max_over_time(up[11m:1m])", 422, limit);
  // Five minutes of look-back before the first step.
  const auto range = [&](int length) {
    return fmt::format("/api/v1/query_range?query=up&start={}&end={}&step=60", now_s_ - length,
                       now_s_);
  };
  expect_answered("range", range(300));
  expect_refused("range", range(301), 422, limit);
  const std::string times = "&start=" + from + "&end=" + to;
  expect_refused("range", "/api/v1/series?match[]=up" + times, 422, limit);
  expect_refused("range", "/api/v1/labels?x=1" + times, 422, limit);
  expect_refused("range", "/api/v1/label/a/values?x=1" + times, 422, limit);
  expect_refused("range", "/api/v1/query_exemplars?query=up" + times, 422, limit);
  expect_refused("range", "/loki/api/v1/query_range?query={a=\"b\"}" + times, 400, limit);
  expect_refused("range",
                 "/loki/api/v1/query_range?query=rate({a=\"b\"}[10m])&start=" + to +
                     "&end=" + std::to_string(now_s_ + 60),
                 400, limit);
  expect_refused("range", "/loki/api/v1/query?query=rate({a=\"b\"}[11m])", 400, limit);
  expect_refused("range", "/loki/api/v1/labels?x=1" + times, 400, limit);
  expect_refused("range", "/loki/api/v1/label/a/values?x=1" + times, 400, limit);
  expect_refused("range", "/loki/api/v1/series?match[]={a=\"b\"}" + times, 400, limit);
  expect_refused("range", "/loki/api/v1/index/stats?query={a=\"b\"}" + times, 400, limit);
  expect_refused("range",
                 fmt::format("/jaeger/api/traces?service=s&start={}000000&end={}000000", from, to),
                 422, limit);
  expect_refused("range", "/jaeger/api/dependencies?lookback=900000", 422, limit);
  EXPECT_THAT(ask("none", "/api/v1/series?match[]=up" + times).body, HasSubstr("success"));
}

TEST_F(LimitsTest, AListWhoseBeginNobodyNamedBeginsAsEarlyAsItMay) {
  const auto answer = ask("range", "/api/v1/series?match[]=up&end=" + std::to_string(now_s_));
  EXPECT_EQ(answer.status, 200);
  EXPECT_THAT(answer.body, HasSubstr("this is of the time since "));
  const std::string start = fmt::format("start={}.000", now_s_ - 600);
  EXPECT_THAT(hot_.asked_at("/api/v1/series").back(), HasSubstr(start));
  EXPECT_THAT(cold_.asked_at("/api/v1/series").back(), HasSubstr(start));
  EXPECT_THAT(ask("none", "/api/v1/series?match[]=up").body, Not(HasSubstr("warnings")));
  EXPECT_THAT(hot_.asked_at("/api/v1/series").back(), Not(HasSubstr("start=")));
  expect_answered("range", "/api/v1/query_exemplars?query=up");
  expect_answered("range", "/loki/api/v1/labels");
  expect_answered("range", "/loki/api/v1/query_range?query={a=\"b\"}");
  const auto told = HasSubstr(R"("errors":[{"msg":"this is of the time since )");
  for (const std::string target :
       {"/jaeger/api/traces?service=s", "/jaeger/api/dependencies?x=1"}) {
    expect_answered("range", target);
    EXPECT_THAT(ask("range", target).body, told) << target;
    EXPECT_THAT(ask("none", target).body, HasSubstr(R"("errors":null)")) << target;
  }
  for (const std::string target :
       {"/jaeger/api/traces?service=s&lookback=5m", "/jaeger/api/dependencies?lookback=300000"}) {
    EXPECT_THAT(ask("range", target).body, HasSubstr(R"("errors":null)")) << target;
  }
}

/// Whoever names them: a sum beyond what a number holds is no time.
TEST_F(LimitsTest, TimesAtTheEndsOfWhatANumberHolds) {
  for (const char* query : {"count_over_time({a=\"b\"}[5m])", "rate({a=\"b\"}[5m] offset -1h)",
                            "count_over_time({a=\"b\"}[292y])"}) {
    for (const char* time :
         {"9223372036854775807", "9223372036854775806", "-9223372036854775808"}) {
      const std::string target = fmt::format("query?query={}&time={}", query, time);
      const int status = ask("none", "/loki/api/v1/" + target).status;
      EXPECT_TRUE(status == 200 || status == 400) << target << ": " << status;
    }
  }
}

TEST_F(LimitsTest, StepsOfARangeQuery) {
  const auto range = [&](const char* api, int steps) {
    return fmt::format("{}?query=vector(1)&start={}&end={}&step=1", api, now_s_ - steps + 1,
                       now_s_);
  };
  expect_answered("steps", range("/api/v1/query_range", 10));
  expect_refused("steps", range("/api/v1/query_range", 11), 422, "query_steps");
  expect_answered("steps", range("/loki/api/v1/query_range", 10));
  expect_refused("steps", range("/loki/api/v1/query_range", 11), 400, "query_steps");
  // Prometheus' own bound is everybody's, and has its words.
  EXPECT_EQ(ask("steps", range("/api/v1/query_range", 11'002)).status, 400);
}

TEST_F(LimitsTest, SeriesOfAnAnswer) {
  expect_refused("series", "/api/v1/query?query=up", 422, "query_series");
  expect_refused("series", "/api/v1/series?match[]=up", 422, "query_series");
  EXPECT_THAT(hot_.asked_at("/api/v1/series").back(), HasSubstr("limit=2"));
  expect_answered("series", "/api/v1/series?match[]=up&limit=1");
  expect_answered("none", "/api/v1/query?query=up");
}

TEST_F(LimitsTest, SamplesOnceAfterAndThenBefore) {
  // Beside what the router asks for itself.
  const auto asked = [this] {
    const auto all = hot_.asked_at("/api/v1/query");
    return std::count_if(all.begin(), all.end(), [](const std::string& one) {
      return one.find(R"(query=up{customer_id="samples"})") != std::string::npos;
    });
  };
  expect_refused("samples", "/api/v1/query?query=up", 422, "query_samples");
  EXPECT_EQ(asked(), 1);
  expect_refused("samples", "/api/v1/query?query=up", 422, "query_samples");
  EXPECT_EQ(asked(), 1) << "what is known is not evaluated";
  expect_answered("none", "/api/v1/query?query=up");
}

TEST_F(LimitsTest, BytesOfAnAnswerOfWhateverKind) {
  expect_refused("bytes", "/api/v1/query?query=up", 422, "query_bytes");
  expect_refused("bytes", "/api/v1/series?match[]=up", 422, "query_bytes");
  expect_refused("bytes", "/api/v1/parse_query?query=up", 422, "query_bytes");
  expect_refused("bytes", "/loki/api/v1/status/buildinfo", 400, "query_bytes");
  expect_answered("none", "/api/v1/query?query=up");
}

TEST_F(LimitsTest, LinesOfALogQuery) {
  expect_refused("lines", "/loki/api/v1/query_range?query={level=\"info\"}", 400,
                 "log_query_lines");
  expect_refused("lines", "/loki/api/v1/query?query=count_over_time({level=\"info\"}[1m])", 400,
                 "log_query_lines");
}

// Of which none came here.
TEST_F(LimitsTest, LinesThatStorageLookedAt) {
  const RecordingStore cold(
      200, R"({"status":"success","data":[],"looked_at":{"records":2,"bytes":2,"work_us":1}})");
  ServedGateway gateway(settings(hot_, cold), kCustomers, {});
  for (const char* target :
       {"/loki/api/v1/query_range?query={level=\"info\"} |= \"y\"",
        "/loki/api/v1/query?query=sum(count_over_time({level=\"info\"} |= \"y\" [1m]))",
        "/loki/api/v1/detected_fields?query={level=\"info\"} |= \"y\""}) {
    const auto refused = gateway.ask("GET", escaped(target), {{"authorization", "Bearer lines"}});
    EXPECT_EQ(refused.status, 400) << target << refused.body;
    EXPECT_THAT(refused.body, HasSubstr("log_query_lines (1)")) << target;
    EXPECT_EQ(gateway.ask("GET", escaped(target), {{"authorization", "Bearer none"}}).status, 200);
  }
}

TEST_F(LimitsTest, OperatorsHaveTheRoutersOwn) {
  access::QueryLimits limits;
  limits.steps = 3;
  ServedGateway gateway(settings(hot_, cold_), kCustomers, limits);
  const auto ask = [&](int steps, ServedGateway::Headers headers) {
    headers.emplace_back("authorization", "Bearer op");
    return gateway.ask(
        "GET", fmt::format("/api/v1/query_range?query=vector(1)&start=1&end={}&step=1", steps),
        headers);
  };
  EXPECT_EQ(ask(3, {}).status, 200);
  const auto refused = ask(4, {});
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body,
              HasSubstr(R"("errorType":"execution","error":"over the limit query_steps (3): )"));
  // Whoever asks as a customer has what that one has.
  EXPECT_EQ(ask(10, {{"x-vigia-customer", "steps"}}).status, 200);
  EXPECT_EQ(ask(11, {{"x-vigia-customer", "steps"}}).status, 422);
}

// It was taken for a store that is away: then nobody's queries were answered by hot until that was
// read anew, and the other member was asked for the same page.
TEST(Limits, APageOverItsCustomersLimitSaysNothingOfTheStore) {
  const RecordingStore::Bodies pages{{"/federate", std::string(16'000, '#')}};
  const RecordingStore hot(404, "{}", pages);
  const RecordingStore other(404, "{}", pages);
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", hot.url(), other.url()}};
  ServedGateway gateway(settings, kCustomers, {});
  const auto answer =
      gateway.ask("GET", "/federate?match[]=up", {{"authorization", "Bearer bytes"}});
  EXPECT_EQ(answer.status, 422) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("query_bytes"));
  EXPECT_EQ(hot.asked_at("/federate").size() + other.asked_at("/federate").size(), 1U);
}

}  // namespace
}  // namespace vigia::router
