// Live tails through the whole door, over a store to which a test gives lines one by one.
#include "services/router/api/loki/tail_api.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/check.hpp"
#include "libs/net/form.hpp"
#include "libs/net/testing/server_fixture.hpp"
#include "libs/net/testing/websocket_client.hpp"
#include "services/router/testing/served_gateway.hpp"

namespace vigia::router::api::loki {
namespace {

using net::internal::client_frame;
using net::internal::close_payload;
using net::internal::eventually;
using net::internal::RawClient;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::ServedGateway;
using ::testing::StartsWith;

constexpr std::int64_t kNsPerMs = 1'000'000;

/// Numbers its lines as they come, and gives those of a customer that are asked for, two a page.
/// Any thread.
class FollowedStore final : public net::Handler {
 public:
  FollowedStore() {
    net::ServerSettings settings;
    settings.name = "test";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    auto started = net::Server::start(std::move(settings), *this);
    CHECK(started.has_value());
    server_ = std::move(*started);
  }
  std::string url() const { return "http://" + server_->address(); }

  void come(const std::string& customer, const std::string& text, std::int64_t late_ns = 0) {
    const std::lock_guard lock(mutex_);
    const std::int64_t now_ns = SystemClock().wall_ns();
    lines_.push_back({customer, text, now_ns - late_ns, lines_.size() + 1});
  }
  /// So many answers from now on are 503.
  void fail(int answers) { failures_ = answers; }
  /// Of another store: it does not know in what order lines came.
  void forget_order() { knows_order_ = false; }
  /// That it was asked for last. It gives all the same, as an earlier program does.
  std::string filters() const {
    const std::lock_guard lock(mutex_);
    return filters_;
  }

  void handle(net::Request request, net::Responder responder) override {
    net::Response response;
    response.headers.add("content-type", "application/json");
    response.body = "{}";
    const std::string customer(request.headers.get("x-vigia-customer"));
    const auto form = net::parse_form(request.body);
    CHECK(form.has_value());
    const std::map<std::string, std::string> asked(form->begin(), form->end());
    if (request.path.starts_with("/api/v1/logs") && failures_ > 0) {
      --failures_;
      response.status = 503;
    } else if (request.path == "/api/v1/logs/arrivals") {
      response.body = arrivals(customer, asked);
      if (!knows_order_) {
        response.status = 400;
        response.body = R"({"code":"invalid","message":"this store does not know"})";
      }
    } else if (request.path == "/api/v1/logs") {
      response.body = page(customer, asked);
    }
    responder.send(std::move(response));
  }

 private:
  struct Came {
    std::string customer;
    std::string text;
    std::int64_t time_ns;
    std::size_t number;
  };
  using Asked = std::map<std::string, std::string>;

  std::string arrivals(const std::string& customer, const Asked& asked) const {
    const std::lock_guard lock(mutex_);
    std::string times;
    if (asked.contains("after")) {
      for (const Came& line : lines_) {
        if (line.customer != customer || line.number <= std::stoul(asked.at("after"))) continue;
        times +=
            fmt::format(R"({}["{}","{}"])", times.empty() ? "" : ",", line.time_ns, line.time_ns);
      }
    }
    return fmt::format(R"({{"status":"success","data":{{"upto":"{}","times":[{}]}}}})",
                       lines_.size(), times);
  }

  std::string page(const std::string& customer, const Asked& asked) {
    const std::lock_guard lock(mutex_);
    filters_ = asked.contains("lines") ? asked.at("lines") : "";
    const bool is_backward = asked.at("direction") == "backward";
    std::vector<Came> found;
    for (const Came& line : lines_) {
      const double second = static_cast<double>(line.time_ns / kNsPerMs) / 1'000;
      const bool is_asked = line.number > std::stoul(asked.at("arrived_after")) &&
                            line.number <= std::stoul(asked.at("arrived_upto")) &&
                            second >= std::stod(asked.at("start")) - 0.0005 &&
                            second <= std::stod(asked.at("end")) + 0.0005;
      if (line.customer == customer && is_asked) found.push_back(line);
    }
    if (is_backward) std::reverse(found.begin(), found.end());
    const std::size_t begin =
        asked.contains("cursor") ? std::stoul(asked.at("cursor"), nullptr, 16) : 0;
    const std::size_t end = std::min(begin + 2, found.size());
    std::string data;
    for (std::size_t i = begin; i < end; ++i) {
      data += fmt::format(
          R"({}{{"time_ns":"{}","severity":"INFO","body":"{}","trace_id":"","span_id":"",)"
          R"("attributes":{{}},"resource":{{"customer.id":"{}","service.name":"shop"}}}})",
          data.empty() ? "" : ",", found[i].time_ns, found[i].text, customer);
    }
    const std::string cursor = end < found.size() ? fmt::format(R"(,"cursor":"{:x}")", end) : "";
    return R"({"status":"success","data":[)" + data + "]" + cursor + "}";
  }

  mutable std::mutex mutex_;
  std::vector<Came> lines_;
  std::string filters_;
  std::atomic<int> failures_{0};
  std::atomic<bool> knows_order_{true};
  std::unique_ptr<net::Server> server_;  // after what its thread reads
};

stores::StoresSettings over(const FollowedStore& store) {
  stores::StoresSettings settings;
  settings.cold_url = store.url();
  return settings;
}

class TailApiTest : public ::testing::Test {
 protected:
  static std::string opening(const std::string& token, const std::string& more = "",
                             const std::string& query = "query=%7Bservice_name%3D%22shop%22%7D") {
    return "GET /loki/api/v1/tail?" + query + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
           token +
           "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
           more + "\r\n";
  }
  RawClient connect() const {
    const std::string url = gateway_.url();
    return RawClient(static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1))));
  }
  RawClient open(const std::string& token, const std::string& more = "") const {
    RawClient client = connect();
    client.send(opening(token, more));
    EXPECT_THAT(client.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
    return client;
  }
  /// The whole answer to a request that is none of a tail's.
  std::string refused(std::string request) const {
    const std::string upgrade = "Connection: Upgrade";
    const std::size_t at = request.find(upgrade);
    if (at != std::string::npos) {
      request.insert(at + upgrade.size(), ", close");
    } else {
      request.insert(request.size() - 2, "Connection: close\r\n");
    }
    RawClient client = connect();
    client.send(request);
    return client.read_all();
  }

  FollowedStore store_;
  ServedGateway gateway_{over(store_)};
};

TEST_F(TailApiTest, LinesOfBeforeAndAsTheyCome) {
  store_.come("cliente-a", "antes-1");
  store_.come("cliente-a", "antes-2");
  store_.come("cliente-a", "antes-3");
  RawClient client = open("read-a");
  const std::string history = client.read_until("antes-3\"]");
  EXPECT_LT(history.find("antes-1"), history.find("antes-2"));
  store_.come("cliente-a", "ahora");
  const std::string live = client.read_until("ahora\"]");
  EXPECT_THAT(live, AllOf(HasSubstr(R"("service_name":"shop")"), Not(HasSubstr("antes"))));
}

TEST_F(TailApiTest, EachCustomersTailIsOfItsOwnLines) {
  RawClient a = open("read-a");
  RawClient b = open("read-b");
  store_.come("cliente-a", "de-a");
  store_.come("cliente-b", "de-b");
  EXPECT_THAT(a.read_until("de-a\"]"), Not(HasSubstr("de-b")));
  EXPECT_THAT(b.read_until("de-b\"]"), Not(HasSubstr("de-a")));
}

TEST_F(TailApiTest, ALateLineIsGivenOnce) {
  RawClient client = open("read-a");
  store_.come("cliente-a", "primera");
  client.read_until("primera\"]");
  store_.come("cliente-a", "atrasada", std::chrono::nanoseconds(std::chrono::minutes(30)).count());
  EXPECT_THAT(client.read_until("atrasada\"]"), Not(HasSubstr("primera")));
  store_.come("cliente-a", "ultima");
  EXPECT_THAT(client.read_until("ultima\"]"), Not(HasSubstr("atrasada")));
}

TEST_F(TailApiTest, AFaultOfTheStoreLosesAndRepeatsNothing) {
  RawClient client = open("read-a");
  store_.come("cliente-a", "antes");
  client.read_until("antes\"]");
  for (int i = 0; i < 5; ++i) store_.come("cliente-a", fmt::format("linea-{}", i));
  store_.fail(2);
  const std::string lines = client.read_until("linea-4\"]");
  EXPECT_THAT(lines, Not(HasSubstr("antes")));
  for (int i = 0; i < 5; ++i) {
    const std::string line = fmt::format("linea-{}", i);
    EXPECT_NE(lines.find(line), std::string::npos);
    EXPECT_EQ(lines.find(line), lines.rfind(line));
  }
}

TEST_F(TailApiTest, FiltersInFrontAreTheStoresAndAreRunAgain) {
  RawClient client = connect();
  client.send(opening(
      "read-a", "", "query=%7Bservice_name%3D%22shop%22%7D%20%7C%3D%20%22si%22%20%21~%20%22no%22"));
  client.read_until("\r\n\r\n");
  for (const char* text : {"nada", "si-1", "si-no", "si-2"}) store_.come("cliente-a", text);
  EXPECT_THAT(client.read_until("si-2\"]"),
              AllOf(HasSubstr("si-1"), Not(HasSubstr("nada")), Not(HasSubstr("si-no"))));
  EXPECT_EQ(store_.filters(), R"(|= "si" !~ "no")");
}

TEST_F(TailApiTest, LabelsAreToldApartForWhoAsksSo) {
  RawClient client = open("read-a", "X-Loki-Response-Encoding-Flags: categorize-labels\r\n");
  store_.come("cliente-a", "hola");
  EXPECT_THAT(client.read_until("]}"), HasSubstr(R"("hola",{)"));
}

TEST_F(TailApiTest, ATokenThatIsNoLongerOneEndsIt) {
  RawClient client = open("read-a");
  gateway_.directory().revoke("read-a");
  EXPECT_THAT(client.read_all(), HasSubstr(close_payload(1008)));
}

TEST_F(TailApiTest, ACustomerHasSoManyAndAnotherItsOwn) {
  std::vector<RawClient> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(open("read-a"));
  EXPECT_THAT(refused(opening("read-a")),
              AllOf(StartsWith("HTTP/1.1 429 "), HasSubstr("close one")));
  open("read-b");
  clients.pop_back();
  EXPECT_TRUE(eventually([&] {
    RawClient again = connect();
    again.send(opening("read-a"));
    return again.read_until("\r\n").starts_with("HTTP/1.1 101 ");
  }));
}

TEST_F(TailApiTest, WhatIsNoneIsRefusedInHttp) {
  const auto ask = [&](const std::string& query) { return refused(opening("read-a", "", query)); };
  EXPECT_THAT(ask("query=rate(%7Bservice_name%3D%22x%22%7D%5B1m%5D)"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("a tail is of lines")));
  EXPECT_THAT(ask("query=%7B"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask(""), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("query=%7Ba%3D%22b%22%7D&delay_for=6"),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("delay_for can't be greater than 5")));
  EXPECT_THAT(ask("query=%7Ba%3D%22b%22%7D&delay_for=1.5"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("query=%7Ba%3D%22b%22%7D&limit=5001"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(refused(opening("nobody")), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(refused(opening("ingest-a")), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(refused(opening("op")),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("one customer at a time")));
  const std::string plain = "GET /loki/api/v1/tail?query=x HTTP/1.1\r\nHost: x\r\n";
  EXPECT_THAT(refused(plain + "Authorization: Bearer read-a\r\n\r\n"),
              AllOf(StartsWith("HTTP/1.1 426 "), HasSubstr("upgrade: websocket\r\n")));
  EXPECT_THAT(refused(plain + "\r\n"), StartsWith("HTTP/1.1 401 "));
}

// read-a as the password of HTTP Basic, as a browser keeps one.
TEST_F(TailApiTest, APageOfAnotherSiteMayNotReadAlong) {
  const auto with = [](const std::string& origin) {
    std::string request = opening("read-a", "Origin: " + origin + "\r\n");
    return request.replace(request.find("Bearer read-a"), 13, "Basic eDpyZWFkLWE=");
  };
  EXPECT_THAT(refused(with("https://elsewhere.example")), StartsWith("HTTP/1.1 403 "));
  RawClient own = connect();
  own.send(with("http://x"));
  EXPECT_THAT(own.read_until("\r\n\r\n"), StartsWith("HTTP/1.1 101 "));
}

TEST_F(TailApiTest, AStoreThatCannotBeFollowedIsToldInHttp) {
  store_.forget_order();
  EXPECT_THAT(refused(opening("read-a")),
              AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("this store does not know")));
  store_.fail(1);
  EXPECT_THAT(refused(opening("read-a")), StartsWith("HTTP/1.1 503 "));
}

TEST(TailApiWithoutStoreTest, ThereIsNothingToFollow) {
  ServedGateway gateway{stores::StoresSettings{}};
  const auto answer = gateway.ask("GET", "/loki/api/v1/tail?query=%7Ba%3D%22b%22%7D",
                                  {{"authorization", "Bearer read-a"}});
  EXPECT_EQ(answer.status, 426);
}

}  // namespace
}  // namespace vigia::router::api::loki
