#include "services/monitor/alerting/watchdog.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include <gtest/gtest.h>

#include "libs/base/rfc3339.hpp"
#include "libs/json/strict_reader.hpp"
#include "libs/json/value.hpp"
#include "libs/json/writer.hpp"
#include "libs/net/routes.hpp"
#include "libs/net/server.hpp"
#include "services/monitor/alerting/limits.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"

namespace vigia::monitor::alerting {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::int64_t kNowMs = 1'795'575'845'000;
const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");

/// Two hot stores, Alertmanager and the provider's webhook over real sockets: what is posted is
/// kept and listed, as Alertmanager does.
class Neighbours : public net::Handler {
 public:
  Neighbours() {
    net::ServerSettings settings;
    settings.name = "neighbours";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    server_ = std::move(*net::Server::start(std::move(settings), *this));
  }
  ~Neighbours() override { server_->stop(SystemClock().steady()); }

  void handle(net::Request request, net::Responder responder) override {
    const std::scoped_lock lock(mutex_);
    net::Response response;
    if (request.path == "/hot-0/-/ready") {
      response.status = hot_status;
    } else if (request.path == "/hot-1/-/ready") {
      response.status = other_status;
    } else if (request.path == "/hook") {
      const auto message = *json::parse_json(request.body);
      const auto name = message["alerts"].items().front()["labels"]["alertname"].text();
      webhook.push_back(message["status"].text().value_or("") + " " + name.value_or(""));
    } else if (!is_alertmanager_there) {
      response.status = 503;
    } else if (request.method == "POST") {
      ++posts;
      const auto posted = json::parse_json(request.body);
      for (const auto& alert : posted->items()) keep(alert);
    } else {
      asked = request.query;
      response.body = list();
      const bool is_whole = asked.find("filter=") == std::string::npos;
      if (is_list_too_long && is_whole) response.status = 503;
    }
    responder.send(std::move(response));
  }

  void keep(const json::JsonValue& alert) {
    json::JsonWriter writer;
    writer.begin_object();
    std::string key;
    for (const auto* part : {"labels", "annotations"}) {
      writer.key(part).begin_object();
      for (const auto& [name, value] : alert[part].members()) {
        writer.member(name, *value.text());
        if (std::string_view(part) == "labels") key += name + "=" + *value.text() + ";";
      }
      writer.end_object();
    }
    writer.member("startsAt", *alert["startsAt"].text())
        .member("endsAt", *alert["endsAt"].text())
        .member("updatedAt", std::to_string(++updates))
        .end_object();
    alerts[key] = {writer.take(), *parse_rfc3339(*alert["endsAt"].text())};
  }
  std::string list() const {
    std::string body = "[";
    for (const auto& [key, alert] : alerts) {
      if (alert.second <= clock->wall_ms()) continue;
      body += (body.size() > 1 ? "," : "") + alert.first;
    }
    return body + "]";
  }
  /// As a hot store would: it stands for `length` from now.
  void raise(std::string_view labels, Duration length) {
    const auto ends_ms =
        clock->wall_ms() + std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
    auto alert = json::parse_json("{\"labels\":" + std::string(labels) +
                                  ",\"annotations\":{\"summary\":\"s\"},\"startsAt\":\"" +
                                  *format_rfc3339(clock->wall_ms()) + "\",\"endsAt\":\"" +
                                  *format_rfc3339(ends_ms) + "\"}");
    const std::scoped_lock lock(mutex_);
    keep(*alert);
  }
  /// Label sets of what stands.
  std::vector<std::string> standing() {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> found;
    for (const auto& [key, alert] : alerts) {
      if (alert.second > clock->wall_ms()) found.push_back(key);
    }
    return found;
  }
  std::string url() const { return "http://" + server_->address(); }

  const Clock* clock = nullptr;
  int hot_status = 200;
  int other_status = 200;  ///< of hot-1
  bool is_alertmanager_there = true;
  bool is_list_too_long = false;
  int posts = 0;
  int updates = 0;
  std::string asked;
  std::vector<std::string> webhook;

 private:
  std::mutex mutex_;
  std::map<std::string, std::pair<std::string, std::int64_t>> alerts;
  std::unique_ptr<net::Server> server_;
};

const std::string kDown = "alertname=HotStoreDown;severity=critical;shard=hot-0;";
const std::string kSilent = "alertname=RulesNotEvaluated;severity=critical;shard=hot-0;";
constexpr auto kNodeOfA = R"({"alertname":"CustomerNodeDown","customer_id":"cliente-a"})";
constexpr auto kNodeOfB = R"({"alertname":"CustomerNodeDown","customer_id":"cliente-b"})";

class WatchdogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    neighbours_.clock = &clock_;
    ASSERT_TRUE((*database_).write([](store::DatabaseConnection& c) -> Result<bool> {
      auto done =
          customers::insert_customer(customers::CustomerRow{kA, "a", true, "hot-0", {}, 5, 5}, c);
      if (!done) return done;
      return customers::insert_customer(customers::CustomerRow{kB, "b", true, "hot-1", {}, 5, 5},
                                        c);
    }));
  }
  WatchdogSettings settings() const {
    return {neighbours_.url(),
            neighbours_.url() + "/hook",
            {{"hot-0", neighbours_.url() + "/hot-0", true},
             {"hot-1", neighbours_.url() + "/hot-1", false}},
            minutes(1),
            minutes(3)};
  }
  /// Looks every 5 s for so long; hot-0 tells its Watchdog each minute where it is there.
  void look_for(Duration length, bool beats = true) {
    for (Duration past{}; past < length; past += kWatchdogInterval) {
      const bool is_minute = past % minutes(1) == Duration::zero();
      if (beats && is_minute && neighbours_.hot_status == 200) {
        neighbours_.raise(R"({"alertname":"Watchdog","shard":"hot-0"})", minutes(4));
      }
      watchdog_.look();
      clock_.advance(kWatchdogInterval);
    }
  }
  bool stands(const std::string& key) {
    const auto all = neighbours_.standing();
    return std::find(all.begin(), all.end(), key) != all.end();
  }

  ManualClock clock_{kNowMs * 1'000'000};
  store::ScratchDatabase database_;
  Neighbours neighbours_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  service::MetricRegistry metrics_;
  Watchdog watchdog_{*database_, *client_, clock_, metrics_, settings()};
};

// R-AL-3, R-AL-5: it stands for twenty minutes.
TEST_F(WatchdogTest, AHotStoreThatIsAwayIsToldAndEndedWhenItIsBack) {
  look_for(minutes(2));
  EXPECT_EQ(neighbours_.posts, 0);
  EXPECT_NE(neighbours_.asked.find("filter="), std::string::npos) << "it reads its own alone";
  neighbours_.hot_status = 503;
  look_for(seconds(55));
  EXPECT_FALSE(stands(kDown)) << "a restart is no outage";
  look_for(minutes(20));
  EXPECT_TRUE(stands(kDown));
  EXPECT_FALSE(stands(kSilent)) << "that it is away explains its silence";
  neighbours_.hot_status = 200;
  look_for(seconds(5));
  EXPECT_FALSE(stands(kDown));
  EXPECT_TRUE(neighbours_.webhook.empty()) << "Alertmanager tells";
}

// A pair evaluates its rules as long as one of the two is there: nobody is woken for the other.
TEST_F(WatchdogTest, OneOfAPairIsAWarningAndBothAreAnOutage) {
  auto pair = settings();
  pair.shards[1].name = "hot-0";
  Watchdog watchdog{*database_, *client_, clock_, metrics_, pair};
  const auto look = [&](Duration length) {
    for (Duration past{}; past < length; past += kWatchdogInterval) {
      neighbours_.raise(R"({"alertname":"Watchdog","shard":"hot-0"})", minutes(4));
      watchdog.look();
      clock_.advance(kWatchdogInterval);
    }
  };
  const auto member = [&](const std::string& store) {
    return "alertname=HotStoreMemberDown;severity=warning;shard=hot-0;member=" + neighbours_.url() +
           store + ";";
  };
  neighbours_.raise(kNodeOfA, minutes(2));
  neighbours_.hot_status = 503;
  look(minutes(3));
  EXPECT_TRUE(stands(member("/hot-0")));
  EXPECT_FALSE(stands(kDown));
  EXPECT_FALSE(stands("alertname=CustomerNodeDown;customer_id=cliente-a;"))
      << "the other one would have moved its end on";
  neighbours_.other_status = 503;
  look(minutes(2));
  EXPECT_TRUE(stands(kDown));
  EXPECT_FALSE(stands(member("/hot-0"))) << "told once";
  EXPECT_FALSE(stands(member("/hot-1")));
  neighbours_.hot_status = 200;
  look(minutes(2));
  EXPECT_FALSE(stands(kDown));
  EXPECT_TRUE(stands(member("/hot-1")));
  neighbours_.other_status = 200;
  look(seconds(5));
  EXPECT_FALSE(stands(member("/hot-1")));
}

TEST_F(WatchdogTest, WhatARunBeforeToldIsEndedByThisOne) {
  neighbours_.raise(R"({"alertname":"HotStoreDown","severity":"critical","shard":"hot-0"})",
                    minutes(5));
  ASSERT_TRUE(stands(kDown));
  look_for(seconds(5));
  EXPECT_FALSE(stands(kDown));
}

TEST_F(WatchdogTest, AStoreThatAnswersAndTellsNothingIsTold) {
  look_for(minutes(2));
  look_for(minutes(2), false);
  EXPECT_FALSE(stands(kSilent));
  look_for(minutes(4), false);
  EXPECT_TRUE(stands(kSilent));
  look_for(minutes(1));
  EXPECT_FALSE(stands(kSilent));
}

// Alerts that nobody renews end after four minutes, and Alertmanager would tell that as a cure.
TEST_F(WatchdogTest, AlertsOfALostStoreAreKeptAliveAndNoOthers) {
  neighbours_.raise(kNodeOfA, minutes(4));
  neighbours_.raise(kNodeOfB, minutes(4));
  neighbours_.hot_status = 503;
  look_for(minutes(10));
  EXPECT_TRUE(stands("alertname=CustomerNodeDown;customer_id=cliente-a;"));
  EXPECT_FALSE(stands("alertname=CustomerNodeDown;customer_id=cliente-b;")) << "hot-1 is there";
  neighbours_.hot_status = 200;
  look_for(minutes(6));
  EXPECT_FALSE(stands("alertname=CustomerNodeDown;customer_id=cliente-a;"))
      << "from then on its store alone keeps it";
}

TEST_F(WatchdogTest, MoreAlertsThanAreReadMakeNoAlertmanagerThatIsAway) {
  neighbours_.hot_status = 503;
  neighbours_.is_list_too_long = true;
  look_for(minutes(5));
  EXPECT_TRUE(stands(kDown));
  EXPECT_TRUE(neighbours_.webhook.empty());
}

TEST_F(WatchdogTest, WithoutAlertmanagerTheProvidersWebhookIsTold) {
  look_for(seconds(10));
  neighbours_.is_alertmanager_there = false;
  look_for(minutes(10));
  EXPECT_EQ(neighbours_.webhook, std::vector<std::string>{"firing AlertmanagerDown"});
  neighbours_.hot_status = 503;
  look_for(minutes(5));
  ASSERT_EQ(neighbours_.webhook.size(), 2U);
  EXPECT_EQ(neighbours_.webhook[1], "firing HotStoreDown");
  neighbours_.is_alertmanager_there = true;
  neighbours_.hot_status = 200;
  look_for(seconds(10));
  std::sort(neighbours_.webhook.begin() + 2, neighbours_.webhook.end());
  EXPECT_EQ(neighbours_.webhook,
            (std::vector<std::string>{"firing AlertmanagerDown", "firing HotStoreDown",
                                      "resolved AlertmanagerDown", "resolved HotStoreDown"}));
}

TEST_F(WatchdogTest, TheWallClockDecidesNothingOfIt) {
  look_for(minutes(1));
  clock_.set_wall_ns((kNowMs + 3'600'000) * 1'000'000);
  look_for(minutes(3));
  EXPECT_FALSE(stands(kDown));
  EXPECT_FALSE(stands(kSilent));
}

}  // namespace
}  // namespace vigia::monitor::alerting
