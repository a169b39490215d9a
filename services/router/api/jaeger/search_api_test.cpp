#include "services/router/api/jaeger/search_api.hpp"

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::jaeger {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::RecordingStore;
using testing::ServedGateway;

const ServedGateway::Headers kReader{{"authorization", "Bearer read-a"}};
const ServedGateway::Headers kOperator{{"authorization", "Bearer op"}};
constexpr const char* kSearch = "/jaeger/api/traces?service=shop&start=1000000&end=2000000";
constexpr const char* kAll[] = {"/jaeger/api/services", "/jaeger/api/services/shop/operations",
                                "/jaeger/api/operations?service=shop", kSearch,
                                "/jaeger/api/dependencies?endTs=2000&lookback=1000"};

stores::StoresSettings with_cold(const RecordingStore& cold) {
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
  settings.cold_url = cold.url();
  return settings;
}

/// What a caller is told where storage answers so.
std::string body_of(const std::string& target, const std::string& body) {
  const RecordingStore cold(200, body);
  ServedGateway gateway(with_cold(cold));
  return gateway.ask("GET", target, kReader).body;
}

/// At each path.
std::vector<net::ClientResponse> told_at_all(const std::string& body, int status = 200) {
  const RecordingStore cold(status, body);
  ServedGateway gateway(with_cold(cold));
  std::vector<net::ClientResponse> answers;
  for (const char* target : kAll) answers.push_back(gateway.ask("GET", target, kReader));
  return answers;
}

TEST(JaegerSearch, AnswersHaveJaegersShape) {
  EXPECT_EQ(body_of("/jaeger/api/services", R"({"status":"success","data":["a/b","shop"]})"),
            R"({"data":["a/b","shop"],"total":2,"limit":0,"offset":0,"errors":null})");
  const std::string operations =
      R"({"status":"success","data":[{"name":"GET","span_kind":""},)"
      R"({"name":"GET","span_kind":"server"},{"name":"a \"b\"","span_kind":"client"}]})";
  EXPECT_EQ(body_of("/jaeger/api/operations?service=shop", operations),
            R"({"data":[{"name":"GET","spanKind":""},{"name":"GET","spanKind":"server"},)"
            R"({"name":"a \"b\"","spanKind":"client"}],"total":3,"limit":0,"offset":0,)"
            R"("errors":null})");
  EXPECT_EQ(body_of("/jaeger/api/services/shop/operations", operations),
            R"({"data":["GET","a \"b\""],"total":2,"limit":0,"offset":0,"errors":null})");
  EXPECT_EQ(body_of(kSearch, R"({"status":"success","data":[{"traceID":"0a"}],"cursor":"00ff"})"),
            R"({"data":[{"traceID":"0a"}],"total":0,"limit":0,"offset":0,"errors":null})");
  EXPECT_EQ(body_of("/jaeger/api/dependencies",
                    R"({"status":"success","data":[{"parent":"a","child":"b","callCount":3}]})"),
            R"({"data":[{"parent":"a","child":"b","callCount":3}],"total":0,"limit":0,"offset":0,)"
            R"("errors":null})");
  EXPECT_EQ(body_of(kSearch, R"({"status":"success","data":[]})"),
            R"({"data":[],"total":0,"limit":0,"offset":0,"errors":null})");
}

TEST(JaegerSearch, WhatIsMissingIsToldBesideTheData) {
  const std::string ended =
      R"({"status":"success","data":[],"cursor":"00","warnings":["it took \"too\" long"]})";
  EXPECT_EQ(body_of(kSearch, ended), R"({"data":[],"total":0,"limit":0,"offset":0,)"
                                     R"("errors":[{"msg":"it took \"too\" long"}]})");
  const std::string cut = R"({"status":"success","data":[],"cursor":"00",)"
                          R"("warnings":["results truncated due to limit"]})";
  EXPECT_THAT(body_of(kSearch, cut), HasSubstr(R"("errors":null)")) << "as many as were asked for";
  EXPECT_THAT(body_of("/jaeger/api/services", cut),
              HasSubstr(R"("errors":[{"msg":"there are more than these 10000"}])"));
}

TEST(JaegerSearch, WhatStorageRefusesIsToldInJaegersForm) {
  const auto error = [](int status, const std::string& said) {
    return R"({"data":null,"total":0,"limit":0,"offset":0,"errors":[{"code":)" +
           std::to_string(status) + R"(,"msg":")" + said + R"("}]})";
  };
  const std::string why = R"({"error":"x","message":"why"})";
  for (const int status : {400, 413, 429, 504}) {
    for (const auto& answer : told_at_all(why, status)) {
      EXPECT_EQ(answer.status, status);
      EXPECT_EQ(answer.body, error(status, "why"));
    }
  }
  for (const int status : {401, 404, 500, 503}) {
    for (const auto& answer : told_at_all(why, status)) {
      EXPECT_EQ(answer.status, 503);
      EXPECT_THAT(answer.body, HasSubstr("it answered " + std::to_string(status)));
    }
  }
  for (const char* body : {"", "{}", "[]", R"({"status":"success","data":{}})",
                           R"({"status":"success"})", R"({"status":"error","data":[]})"}) {
    for (const auto& answer : told_at_all(body)) {
      EXPECT_EQ(answer.body, error(503, "the long-term store does not answer as it should"))
          << body;
      EXPECT_NE(answer.headers.get("retry-after"), "");
    }
  }
}

TEST(JaegerSearch, ABadParameterAsksNoStore) {
  const RecordingStore cold(200, R"({"status":"success","data":[]})");
  ServedGateway gateway(with_cold(cold));
  for (const char* target :
       {"/jaeger/api/traces", "/jaeger/api/operations", "/jaeger/api/operations?spanKind=server",
        "/jaeger/api/operations?service=a&spanKind=x", "/jaeger/api/operations?service=a&service=b",
        "/jaeger/api/traces?service=shop&limit=0", "/jaeger/api/dependencies?lookback=1h"}) {
    EXPECT_EQ(gateway.ask("GET", target, kReader).status, 400) << target;
  }
  for (const char* target : kAll) {
    EXPECT_EQ(gateway.ask("POST", target, kReader).status, 405) << target;
  }
  EXPECT_TRUE(cold.asked().empty());
}

/// "PATH?BODY of CUSTOMER" of each request that storage saw.
std::vector<std::string> seen(const RecordingStore& cold) {
  std::vector<std::string> texts;
  for (const net::Request& request : cold.asked()) {
    std::string text = request.path + "?" + request.query + request.body + " of ";
    for (std::size_t i = 0; i < request.headers.count("x-vigia-customer"); ++i) {
      text += request.headers.get("x-vigia-customer");
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

TEST(JaegerSearch, StorageIsToldTheCallersCustomerAndNothingElseOfTheCaller) {
  const RecordingStore cold(200, R"({"status":"success","data":[]})");
  ServedGateway gateway(with_cold(cold));
  const std::string more = "&customer=cliente-b&customer_id=cliente-b&cursor=00&matcher=a%3Db";
  for (const auto& headers : {kReader, ServedGateway::Headers{{"authorization", "Bearer read-a"},
                                                              {"x-vigia-customer", "cliente-b"},
                                                              {"x-scope-orgid", "cliente-b"}}}) {
    for (const std::string target :
         {"/jaeger/api/services?x=1", "/jaeger/api/services/shop/operations?x=1",
          "/jaeger/api/operations?service=shop", kSearch,
          "/jaeger/api/dependencies?endTs=2000&lookback=1000"}) {
      const auto answer = gateway.ask("GET", target + more, headers);
      EXPECT_EQ(answer.status, 200) << target << answer.body;
    }
  }
  const std::vector<std::string> once{
      "/api/v1/services?limit=10000 of cliente-a",
      "/api/v1/operations?limit=10000&service=shop of cliente-a",
      "/api/v1/operations?limit=10000&service=shop of cliente-a",
      "/api/v1/traces?service=shop&start=1.000&end=2.000&limit=20 of cliente-a",
      "/api/v1/dependencies?start=1.000&end=2.000 of cliente-a"};
  std::vector<std::string> twice = once;
  twice.insert(twice.end(), once.begin(), once.end());
  EXPECT_EQ(seen(cold), twice);
}

// As jaeger-ui asks for the operations of "team/shop".
TEST(JaegerSearch, AServicesNameMayHaveASlash) {
  const RecordingStore cold(200, R"({"status":"success","data":[]})");
  ServedGateway gateway(with_cold(cold));
  EXPECT_EQ(gateway.ask("GET", "/jaeger/api/services/team%2Fshop/operations", kReader).status, 200);
  EXPECT_EQ(gateway.ask("GET", "/jaeger/api/services/team/shop/operations", kReader).status, 404);
  EXPECT_THAT(seen(cold),
              ElementsAre("/api/v1/operations?limit=10000&service=team%2Fshop of cliente-a"));
}

TEST(JaegerSearch, AnOperatorNamesTheCustomer) {
  const RecordingStore cold(200, R"({"status":"success","data":[]})");
  ServedGateway gateway(with_cold(cold));
  for (const char* target : kAll) {
    const auto answer = gateway.ask("GET", target, kOperator);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_THAT(answer.body, HasSubstr("X-Vigia-Customer")) << target;
  }
  EXPECT_TRUE(cold.asked().empty());
  ServedGateway::Headers named = kOperator;
  named.emplace_back("x-vigia-customer", "cliente-b");
  EXPECT_EQ(gateway.ask("GET", "/jaeger/api/services", named).status, 200);
  EXPECT_THAT(seen(cold), ElementsAre("/api/v1/services?limit=10000 of cliente-b"));
}

TEST(JaegerSearch, WithoutAStoreForTracesThereAreNone) {
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
  ServedGateway gateway(settings);
  for (const char* target : kAll) {
    EXPECT_EQ(gateway.ask("GET", target, kReader).status, 404) << target;
  }
  settings.cold_url = "http://127.0.0.1:9";
  ServedGateway lonely(settings);
  for (const char* target : kAll) {
    const auto answer = lonely.ask("GET", target, kReader);
    EXPECT_EQ(answer.status, 503) << target;
    EXPECT_THAT(answer.body, ::testing::Not(HasSubstr("127.0.0.1"))) << target;
  }
}

// What one customer's answers hold is bounded while they arrive, and while they are written anew.
TEST(JaegerSearch, AnAnswerPastTheCustomersShareIsRefused) {
  const RecordingStore cold(
      200, R"({"status":"success","data":[")" + std::string(200'000, 'x') + R"("]})");
  stores::StoresSettings settings = with_cold(cold);
  settings.answers_bytes_total_max = 100'000;
  ServedGateway gateway(settings);
  EXPECT_EQ(gateway.ask("GET", kSearch, kReader).status, 429);
  settings.answers_bytes_total_max = 500'000;  // arrives, and has no room beside itself
  ServedGateway narrow(settings);
  const auto answer = narrow.ask("GET", kSearch, kReader);
  EXPECT_EQ(answer.status, 429) << answer.body.size();
  settings.answers_bytes_total_max = 4'000'000;
  ServedGateway wide(settings);
  EXPECT_EQ(wide.ask("GET", kSearch, kReader).status, 200);
}

/// A store that answers nothing but how it is, and tells when whoever asked is gone.
class EndlessStore final : public net::Handler {
 public:
  EndlessStore() {
    net::ServerSettings settings;
    settings.name = "store";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    server_ = std::move(net::Server::start(std::move(settings), *this).value());
  }
  std::string url() const { return "http://" + server_->address(); }
  void handle(net::Request request, net::Responder responder) override {
    if (request.path == "/health") return responder.send({});
    responder.on_gone([this] { gone_.set_value(); });
    held_.push_back(std::move(responder));
    asked_.set_value();
  }
  bool is_asked() { return asked_.get_future().wait_for(kLongest) == std::future_status::ready; }
  bool is_left() { return gone_.get_future().wait_for(kLongest) == std::future_status::ready; }

 private:
  static constexpr std::chrono::seconds kLongest{60};
  std::promise<void> asked_;
  std::promise<void> gone_;
  std::vector<net::Responder> held_;     // of the server's one loop
  std::unique_ptr<net::Server> server_;  // after what its thread uses
};

TEST(JaegerSearch, AClientThatLeavesTakesItsSearchAlong) {
  EndlessStore cold;
  stores::StoresSettings settings;
  settings.hot_shards = {{"hot-0", "http://127.0.0.1:9"}};
  settings.cold_url = cold.url();
  const ServedGateway gateway(settings);
  const auto client = net::Client::create({});
  net::ClientRequest request;
  request.url = gateway.url() + kSearch;
  request.headers.add("authorization", "Bearer read-a");
  request.timeout = std::chrono::minutes(2);
  const auto number = client->send(std::move(request), [](const auto&) {});
  ASSERT_TRUE(cold.is_asked());
  client->cancel(number);
  EXPECT_TRUE(cold.is_left());
}

}  // namespace
}  // namespace vigia::router::api::jaeger
