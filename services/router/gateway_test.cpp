#include "services/router/gateway.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/testing/served_gateway.hpp"

namespace vigia::router {
namespace {

using testing::ServedGateway;

const ServedGateway::Headers kReader{{"authorization", "Bearer read-a"}};
constexpr const char* kQuery = "/api/v1/query?query=up";
constexpr const char* kTrace = "/jaeger/api/traces/1f";
constexpr const char* kNowhere = "/lokix/api/v1/labels";

/// One hot store where nobody listens, and no other.
stores::StoresSettings one_hot_store() {
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
  return settings;
}

/// "401 PROMETHEUS unauthorized": the status, the form, and the word or code that it tells. What
/// is in no form at all is shown as it came.
std::string told(const net::ClientResponse& answer) {
  const std::string status = std::to_string(answer.status) + " ";
  const auto between = [&](std::string_view begin, std::string_view middle) -> std::string {
    if (!answer.body.starts_with(begin) || !answer.body.ends_with(middle.back())) return {};
    const std::size_t end = answer.body.find(middle.substr(0, middle.size() - 1), begin.size());
    if (end == std::string::npos) return {};
    return answer.body.substr(begin.size(), end - begin.size());
  };
  if (const auto word = between(R"({"status":"error","errorType":")", R"(","error":"})");
      !word.empty()) {
    return status + "prometheus " + word;
  }
  if (const auto code = between(R"({"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":)",
                                R"(,"msg":"})");
      !code.empty()) {
    return status + "jaeger " + code;
  }
  if (const auto word = between(R"({"error":")", R"(","message":"})"); !word.empty()) {
    return status + "plain " + word;
  }
  return status + answer.body;
}

/// What each kind of path tells. Nothing where it cannot come there.
struct Case {
  const char* what;
  const char* method;
  ServedGateway::Headers headers;
  std::string body;
  std::string query;
  std::string trace;
  std::string nowhere;
};

void expect_told(ServedGateway& gateway, const Case& each) {
  const auto expect = [&](const char* target, const std::string& expected) {
    if (expected.empty()) return;
    const auto answer = gateway.ask(each.method, target, each.headers, each.body);
    EXPECT_EQ(told(answer), expected) << each.what << " at " << target;
    EXPECT_EQ(answer.headers.get("content-type"), "application/json") << each.what;
  };
  expect(kQuery, each.query);
  expect(kTrace, each.trace);
  expect(kNowhere, each.nowhere);
}

TEST(Gateway, AnErrorHasTheFormOfItsPath) {
  ServedGateway gateway(one_hot_store());
  for (const Case& each : std::initializer_list<Case>{
           {"no token",
            "GET",
            {},
            "",
            "401 prometheus unauthorized",
            "401 jaeger 401",
            "401 plain unauthenticated"},
           {"a token of nobody's",
            "GET",
            {{"authorization", "Bearer x"}},
            "",
            "401 prometheus unauthorized",
            "401 jaeger 401",
            "401 plain unauthenticated"},
           {"an ingest token",
            "GET",
            {{"authorization", "Bearer ingest-a"}},
            "",
            "403 prometheus forbidden",
            "403 jaeger 403",
            "403 plain forbidden"},
           {"an operator's wrong customer",
            "GET",
            {{"authorization", "Bearer op"}, {"x-vigia-customer", "No!"}},
            "",
            "400 prometheus bad_data",
            "400 jaeger 400",
            "400 plain invalid"},
           {"what no store has", "GET", kReader, "", "", "404 jaeger 404", "404 plain not_found"},
           {"a store that does not answer", "GET", kReader, "", "503 prometheus unavailable", "",
            ""},
           {"a method that is not served", "DELETE", kReader, "", "405 prometheus bad_data",
            "405 jaeger 405", "404 plain not_found"},
           {"a body over the bound", "POST", kReader, std::string(5000, 'x'),
            "413 prometheus bad_data", "413 jaeger 413", "413 plain too_large"}}) {
    expect_told(gateway, each);
  }
}

TEST(Gateway, SoHasOneThatTellsToComeAgain) {
  ServedGateway full(one_hot_store(), 0);
  expect_told(full, {"no place", "GET", kReader, "", "429 prometheus unavailable", "429 jaeger 429",
                     "404 plain not_found"});
  EXPECT_EQ(full.ask("GET", kTrace, kReader).headers.get("retry-after"), "1");
  full.directory().forget();
  expect_told(full, {"no directory", "GET", kReader, "", "503 prometheus unavailable",
                     "503 jaeger 503", "503 plain unavailable"});
  EXPECT_EQ(full.ask("GET", kTrace, {}).headers.get("retry-after"), "1");
}

// What a path of an API is not served has that API's form, too: its clients ask for more than there
// is.
TEST(Gateway, AnApisPathsAreKnownByHowTheyBegin) {
  ServedGateway gateway(one_hot_store());
  for (const auto& [target, expected] : std::initializer_list<std::pair<const char*, const char*>>{
           {"/api/v1/status/walreplay", "404 prometheus not_found"},
           {"/api/v1/query/", "404 prometheus not_found"},
           {"/jaeger/api/metrics/latencies", "404 jaeger 404"},
           {"/jaeger/", "404 jaeger 404"},
           {"/api/v1", "404 plain not_found"},
           {"/API/v1/query", "404 plain not_found"},
           {"/jaegerx/api/traces/1f", "404 plain not_found"},
           {"/federate", "400 no match[] parameter provided\n"},
           {"/federate/x", "404 there is nothing at this path\n"}}) {
    EXPECT_EQ(told(gateway.ask("GET", target, kReader)), expected) << target;
  }
}

/// What a store with this answer was told of whose data each request may read: "cliente-a", or ""
/// where that is not said. What stands twice is shown twice.
std::vector<std::string> customers_told(const ServedGateway::Headers& headers) {
  const testing::RecordingStore hot(200, R"({"status":"success","data":[]})");
  const testing::RecordingStore cold(200, R"({"status":"success","data":[]})");
  stores::StoresSettings settings = one_hot_store();
  settings.cold_url = cold.url();
  settings.hot_shards.front().url = settings.query_url = hot.url();
  ServedGateway gateway(std::move(settings));
  for (const char* target :
       {"/api/v1/labels", "/api/v1/label/job/values", "/api/v1/series?match[]=up", kTrace,
        // So much that its series are counted, at storage, and so old that it is asked what it
        // keeps of the customer.
        "/api/v1/query_range?query=abs(up)&start=0&end=864000&step=100"}) {
    const auto answer = gateway.ask("GET", target, headers);
    EXPECT_EQ(answer.status, 200) << target << answer.body;
  }
  std::vector<std::string> told;
  for (const net::Request& request : cold.asked()) {
    std::string customers;
    for (std::size_t i = 0; i < request.headers.count("x-vigia-customer"); ++i) {
      customers += request.headers.get("x-vigia-customer");
    }
    told.push_back(customers);
  }
  for (const net::Request& request : hot.asked()) {
    EXPECT_EQ(request.headers.count("x-vigia-customer"), 0U) << "hot knows none";
  }
  return told;
}

TEST(Gateway, StorageIsToldTheCallersCustomerWhateverTheCallerSent) {
  const std::vector<std::string> everything(5, "");
  const std::vector<std::string> of_a(6, "cliente-a");
  const std::vector<std::string> of_b(6, "cliente-b");
  EXPECT_EQ(customers_told(kReader), of_a);
  EXPECT_EQ(customers_told({{"authorization", "Bearer read-b"}}), of_b);
  EXPECT_EQ(customers_told({{"authorization", "Bearer read-a"}, {"x-vigia-customer", "cliente-b"}}),
            of_a);
  EXPECT_EQ(customers_told({{"authorization", "Bearer read-a"},
                            {"X-Vigia-Customer", "cliente-b"},
                            {"x-vigia-customer", "_provider"}}),
            of_a);
  EXPECT_EQ(customers_told({{"authorization", "Bearer op"}}), everything);
  EXPECT_EQ(customers_told({{"authorization", "Bearer op"}, {"x-vigia-customer", "cliente-b"}}),
            of_b);
}

/// What a label look-up and a query are answered where the long-term store refuses both, and hot
/// answers `hot`, or is not there where that is empty.
std::vector<net::ClientResponse> told_of_refusal(const std::string& hot) {
  const testing::RecordingStore cold(
      429, R"({"status":"error","errorType":"unavailable","error":"9 series; narrow it"})");
  const testing::RecordingStore query(
      200, R"({"status":"success","data":{"resultType":"vector","result":[]},"warnings":[)"
           R"("remote_read: remote server http://127.0.0.1:1/api/v1/read returned HTTP status )"
           R"(429 Too Many Requests: 9 series; narrow it"]})");
  const testing::RecordingStore answering(200, hot);
  stores::StoresSettings settings = one_hot_store();
  settings.cold_url = cold.url();
  settings.query_url = query.url();
  if (!hot.empty()) settings.hot_shards.front().url = answering.url();
  ServedGateway gateway(std::move(settings));
  return {gateway.ask("GET", "/api/v1/labels", kReader), gateway.ask("GET", kQuery, kReader)};
}

TEST(Gateway, AStoreThatRefusesIsNotOneThatDoesNotAnswer) {
  using ::testing::HasSubstr;
  for (const net::ClientResponse& answer : told_of_refusal("")) {
    EXPECT_EQ(answer.status, 429) << answer.body;
    EXPECT_THAT(answer.body, HasSubstr("9 series; narrow it"));
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("127.0.0.1")));
  }
  const std::string missing =
      "cold part missing: the long-term store has refused this (9 series; narrow it)";
  const auto labels = told_of_refusal(R"({"status":"success","data":["job"]})").front();
  EXPECT_EQ(labels.status, 200) << labels.body;
  EXPECT_THAT(labels.body, HasSubstr(missing));
  const auto vector =
      told_of_refusal(R"({"status":"success","data":{"resultType":"vector","result":[]}})").back();
  EXPECT_EQ(vector.status, 200) << vector.body;
  EXPECT_THAT(vector.body, HasSubstr(missing));
}

std::uint64_t read_apart(ServedGateway& gateway, const char* why) {
  return gateway.metrics().counter("vigia_router_requests_apart_total", "", {{"why", why}}).value();
}

// On each of some hundred connections one such text kept the loops from everybody for seconds.
TEST(Gateway, WhoseTextsAreDearToReadWaitsAmongHisOwn) {
  ServedGateway gateway(one_hot_store());
  std::string dear = "/api/v1/query?query=x%7B";
  for (int i = 0; i < 32; ++i) dear += fmt::format("a{}%3D~%22%5C%5CpL%5C%5CpN%22,", i);
  dear += "%7D";
  for (int i = 0; i < 50; ++i) {
    const auto answer = gateway.ask("GET", dear, kReader);
    EXPECT_THAT(answer.body, ::testing::HasSubstr("the regexes of the query are too many"));
  }
  const std::uint64_t costly = read_apart(gateway, "costly");
  EXPECT_GT(costly, 0U);
  gateway.ask("GET", kQuery, {{"authorization", "Bearer read-b"}});
  EXPECT_EQ(read_apart(gateway, "costly"), costly);
  EXPECT_EQ(read_apart(gateway, "large"), 0U);
}

TEST(Gateway, HealthNeedsNoToken) {
  ServedGateway gateway(one_hot_store());
  for (const char* target : {"/health", "/ready", "/-/healthy", "/-/ready"}) {
    EXPECT_EQ(gateway.ask("GET", target, {}).status, 200) << target;
  }
  EXPECT_EQ(gateway.ask("GET", "/", {}).status, 401);
  EXPECT_EQ(gateway.ask("GET", "/", kReader).status, 200);
}

}  // namespace
}  // namespace vigia::router
