// What a destination speaks, by its answers: a real server that answers as it is told to.
#include "services/collector/exporters/remote_write/negotiation.hpp"

#include <algorithm>
#include <future>

#include "libs/wire/remote_write/write_request_2.hpp"
#include "services/collector/exporters/testing/exporters_fixture.hpp"

namespace vigia::collector::exporters::remote_write {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

net::Response response_of(int status, std::string body = "",
                          std::optional<std::uint64_t> written = std::nullopt) {
  net::Response response;
  response.status = status;
  response.body = std::move(body);
  if (written)
    response.headers.add("x-prometheus-remote-write-samples-written", std::to_string(*written));
  return response;
}

class NegotiationTest : public ExportersTest {
 protected:
  void SetUp() override {
    ExportersTest::SetUp();
    destination_.speak_2();
  }
  /// "2.0.0" or "0.1.0" of every request so far.
  std::vector<std::string> versions() const {
    std::vector<std::string> found;
    for (const net::Request& request : destination_.requests())
      found.emplace_back(request.headers.get("x-prometheus-remote-write-version"));
    return found;
  }
  double version_shown() const {
    const std::string text = metrics_->expose(false);
    const std::string line =
        "vigia_exporter_remote_write_version{exporter=\"" + settings_.id + "\"} ";
    const std::size_t at = text.find(line);
    return at == std::string::npos ? 0 : std::stod(text.substr(at + line.size()));
  }
  static std::string gauges(const std::vector<std::string>& names) {
    collector::testing::MetricsBody body;
    body.resource("cliente-a");
    for (const std::string& name : names) body.gauge(name, kStartMs);
    return body.bytes();
  }
  void send_one(const std::string& name) {
    accept_gauge(name);
    settle();
  }
};

TEST_F(NegotiationTest, WhoAnswersWithWhatIsWrittenGets2Point0) {  // R-RW-1, R-RW-7
  destination_.answer_by([](const auto&) { return response_of(204, "", 1); });
  begin();
  send_one("a");
  send_one("b");
  EXPECT_THAT(versions(), ElementsAre("2.0.0", "2.0.0"));
  const net::Request request = destination_.requests()[0];
  EXPECT_EQ(request.headers.get("content-type"),
            "application/x-protobuf;proto=io.prometheus.write.v2.Request");
  EXPECT_EQ(request.headers.get("content-encoding"), "snappy");
  EXPECT_EQ(request.headers.get("x-vigia-customer"), "cliente-a");
  class Names final : public wire::remote_write::WriteVisitor {
   public:
    void on_series(const wire::remote_write::SeriesView& series) override {
      for (const auto& label : series.labels) {
        if (label.name == kNameLabel) found.emplace_back(label.value);
      }
    }
    std::vector<std::string> found;
  } names;
  ASSERT_TRUE(wire::remote_write::decode_request_2(request.body, {}, {}, names));
  EXPECT_THAT(names.found, ElementsAre("a"));
  EXPECT_EQ(version_shown(), 2);
  EXPECT_EQ(line().sent, 2U);
}

TEST_F(NegotiationTest, WhatOneExporterHasEncodedTheNextOneSends) {
  destination_.answer_by([](const auto&) { return response_of(204, "", 1); });
  begin();
  delivery::SharedRequests requests;
  const auto hot = make_remote_write_transport(&requests);
  const auto cold = make_remote_write_transport(&requests);
  std::string message;
  wire::remote_write::append_sample(
      message, wire::remote_write::encode_labels(Labels::from({{"__name__", "a"}})),
      {.timestamp_ms = kStartMs, .value = 1});
  const auto send = [&](delivery::MessageTransport& transport, const char* customer) {
    std::promise<delivery::Answer> answer;
    transport.send(*CustomerId::parse(customer), Signal::kMetrics, message,
                   [&answer](delivery::Answer given) { answer.set_value(std::move(given)); });
    EXPECT_EQ(answer.get_future().get().kind, delivery::Answer::Kind::kTaken);
  };
  send(*hot, "cliente-a");
  send(*cold, "cliente-a");
  EXPECT_EQ(requests.stats().taken, 1U);
  send(*hot, "cliente-b");
  EXPECT_EQ(requests.stats().taken, 1U) << "another customer's is not looked for";
  const auto sent = destination_.requests();
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0].body, sent[1].body);
  EXPECT_EQ(sent[2].headers.get("x-vigia-customer"), "cliente-b");
}

TEST_F(NegotiationTest, ASuccessThatDoesNotSayWhatIsWrittenWroteNothing) {  // R-RW-7
  destination_.answer_by([](const auto&) { return response_of(204); });
  begin();
  send_one("a");
  send_one("b");
  // Once more at once, and then remembered.
  EXPECT_THAT(versions(), ElementsAre("2.0.0", "0.1.0", "0.1.0"));
  EXPECT_EQ(series_names(destination_.requests()[1].body)[0].substr(0, 2), "a@");
  EXPECT_EQ(line().sent, 2U);
  EXPECT_EQ(version_shown(), 1);
}

TEST_F(NegotiationTest, AfterAnHourItIsAskedAgain) {
  destination_.answer_by([](const net::Request& request) {
    return response_of(Destination::is_2(request) ? 415 : 204);
  });
  begin();
  send_one("a");
  clock_.advance(std::chrono::minutes(59));
  send_one("b");
  EXPECT_THAT(versions(), ElementsAre("2.0.0", "0.1.0", "0.1.0"));
  clock_.advance(std::chrono::minutes(2));
  destination_.answer_by([](const auto&) { return response_of(204, "", 1); });
  send_one("c");
  EXPECT_THAT(versions(), ElementsAre("2.0.0", "0.1.0", "0.1.0", "2.0.0"));
  EXPECT_EQ(version_shown(), 2);
  EXPECT_EQ(line().sent, 3U);
}

TEST_F(NegotiationTest, OneThatSpoke2Point0AndDoesNoLongerLosesNothing) {
  destination_.answer_by([](const auto&) { return response_of(204, "", 1); });
  begin();
  send_one("a");
  destination_.answer_by([](const net::Request& request) {
    return response_of(Destination::is_2(request) ? 415 : 204);
  });
  send_one("b");
  const auto found = versions();
  EXPECT_EQ(found.front(), "2.0.0");
  EXPECT_EQ(found.back(), "0.1.0");
  EXPECT_EQ(line().sent, 2U);
  EXPECT_EQ(line().dropped, 0U);
}

TEST_F(NegotiationTest, AnErrorThat1Point0DoesNotHaveIsTheVersions) {
  destination_.answer_by([](const net::Request& request) {
    return Destination::is_2(request) ? response_of(400, "what is this?") : response_of(204);
  });
  begin();
  send_one("a");
  EXPECT_THAT(versions(), ElementsAre("2.0.0", "0.1.0"));
  EXPECT_EQ(version_shown(), 1);
  EXPECT_EQ(line().sent, 1U);
}

TEST_F(NegotiationTest, AnErrorOfTheDataIsNotTheVersions) {
  destination_.answer_by([](const auto&) { return response_of(400, "bad label"); });
  begin();
  send_one("a");
  EXPECT_EQ(version_shown(), 2);
  EXPECT_EQ(line().dropped, 1U);
}

// R-RW-7: what was written must not be sent again, where it would be out of order.
TEST_F(NegotiationTest, APartialWriteIsCountedAndNotSearched) {
  destination_.answer_by([](const auto&) {
    return response_of(
        400, "out of order sample for series {__name__=\"b\", customer_id=\"cliente-a\"}\n", 2);
  });
  begin();
  accept(gauges({"a", "b", "c"}), Verdicts(3));
  settle();
  EXPECT_EQ(destination_.requests().size(), 1U);
  EXPECT_EQ(line().sent, 2U);
  EXPECT_EQ(line().dropped, 1U);
  EXPECT_THAT(dead_letters(), HasSubstr("out of order sample"));
  EXPECT_THAT(dead_letters(), HasSubstr("b{"));
}

// A search by 2.0 would write a line of each value into Prometheus' log, again and again.
TEST_F(NegotiationTest, WhoseDataIsRefusedGets1Point0ForTenMinutes) {
  destination_.answer_by([](const net::Request& request) {
    if (Destination::is_2(request)) return response_of(400, "double for series {a=\"b\"}", 0);
    return series_names(request.body).size() > 1 ? response_of(400, "double") : response_of(204);
  });
  begin();
  accept(gauges({"a", "b", "c", "d"}), Verdicts(4));
  settle();
  auto found = versions();
  EXPECT_EQ(found[0], "2.0.0");
  EXPECT_EQ(std::count(found.begin(), found.end(), "2.0.0"), 1);
  EXPECT_EQ(line().sent, 4U);
  EXPECT_EQ(version_shown(), 2) << "the destination speaks it";
  clock_.advance(std::chrono::minutes(11));
  destination_.answer_by([](const auto&) { return response_of(204, "", 1); });
  send_one("e");
  EXPECT_EQ(versions().back(), "2.0.0");
}

TEST_F(NegotiationTest, WhatAPartialWriteDoesNotNameIsCountedAllTheSame) {
  destination_.answer_by([](const auto&) { return response_of(400, "two are bad", 1); });
  begin();
  accept(gauges({"a", "b", "c"}), Verdicts(3));
  settle();
  EXPECT_EQ(destination_.requests().size(), 1U);
  EXPECT_EQ(line().sent, 1U);
  EXPECT_EQ(line().dropped, 2U);
}

TEST_F(NegotiationTest, WhereNothingWasWrittenTheBadIsSearched) {
  destination_.answer_by([](const net::Request& request) {
    return request.body.find("bad") != std::string::npos ? response_of(400, "bad label", 0)
                                                         : response_of(204, "", 1);
  });
  begin();
  accept(gauges({"good", "bad", "fine"}), Verdicts(3));
  settle();
  EXPECT_EQ(line().sent, 2U);
  EXPECT_EQ(line().dropped, 1U);
  EXPECT_THAT(dead_letters(), HasSubstr("bad{"));
}

TEST(JudgeRemoteWrite2, BySaidNumbers) {
  using Kind = delivery::Answer::Kind;
  const auto judged = [](int status, std::string body, std::optional<std::uint64_t> written,
                         std::uint64_t values) {
    net::ClientResponse response;
    response.status = status;
    response.body = std::move(body);
    if (written)
      response.headers.add("X-Prometheus-Remote-Write-Samples-Written", std::to_string(*written));
    return judge_remote_write_2(response, values);
  };
  EXPECT_EQ(judged(400, "out of order exemplar", 5, 5).kind, Kind::kTaken);
  EXPECT_EQ(judged(400, "out of order exemplar", 5, 5).rejected, 0U);
  EXPECT_EQ(judged(400, "out of order sample", 3, 5).rejected, 2U);
  EXPECT_EQ(judged(400, "out of order sample", 0, 5).kind, Kind::kRefused);
  const auto all = judged(400, "double for series {a=\"b\"}\nold for series {a=\"c\"}", 0, 2);
  EXPECT_EQ(all.kind, Kind::kRefused);
  EXPECT_EQ(all.lines, 2U);
  const auto ahead = judged(
      400, "out of order sample\nout of bounds: timestamp is too far in the future for series {}",
      3, 5);
  EXPECT_EQ(ahead.kind, Kind::kRetry);
  EXPECT_TRUE(ahead.is_too_new);
  EXPECT_EQ(judged(500, "", 0, 5).kind, Kind::kBroken);
  EXPECT_EQ(judged(204, "", 5, 5).kind, Kind::kTaken);
}

}  // namespace
}  // namespace vigia::collector::exporters::remote_write
