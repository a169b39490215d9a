#include "services/monitor/live/live_poller.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <stdexcept>

#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "libs/net/form.hpp"
#include "libs/net/server.hpp"
#include "services/monitor/live/limits.hpp"
#include "services/monitor/nodes/nodes.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"

namespace vigia::monitor::live {
namespace {

const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");
const NodeId kWeb = *NodeId::parse("web-01");
constexpr std::int64_t kNowMs = 1'795'575'845'000;
constexpr std::string_view kNothing =
    R"({"status":"success","data":{"resultType":"vector","result":[]}})";

/// Router, hot store and Alertmanager over real sockets; a test says what they answer.
class Neighbours : public net::Handler {
 public:
  using Answer = std::function<net::Response(const std::string& query)>;

  Neighbours() {
    net::ServerSettings settings;
    settings.name = "neighbours";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    server_ = std::move(*net::Server::start(std::move(settings), *this));
  }
  ~Neighbours() override { server_->stop(SystemClock().steady()); }

  void handle(net::Request request, net::Responder responder) override {
    net::Response response;
    if (request.path == "/api/v1/query") {
      const auto form = net::parse_form(request.body);
      response = answer(form->front().second);
    } else if (request.path == "/-/ready") {
      response.status = hot_status;
    } else {
      const auto form = net::parse_form(request.query);
      const auto filter = std::find_if(form->begin(), form->end(),
                                       [](const auto& one) { return one.first == "filter"; });
      response = alerts(filter == form->end() ? "" : filter->second);
    }
    responder.send(std::move(response));
  }
  std::string url() const { return "http://" + server_->address(); }

  static net::Response with(std::string_view body, int status = 200) {
    net::Response response;
    response.status = status;
    response.body = std::string(body);
    return response;
  }

  Answer answer = [](const std::string&) { return with(kNothing); };
  Answer alerts = [](const std::string&) { return with("[]"); };
  std::atomic<int> hot_status = 200;

 private:
  std::unique_ptr<net::Server> server_;
};

std::string up_of(const CustomerId& customer) {
  return R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up",)"
         R"("customer_id":")" +
         customer.text() + R"(","node_id":"web-01"},"value":[1795575845,"1"]}]}})";
}

bool asks_for(const std::string& query, const CustomerId& customer) {
  return query.find(customer.text()) != std::string::npos;
}

class LivePollerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE((*database_).write([](store::DatabaseConnection& c) -> Result<bool> {
      for (const auto& id : {kA, kB}) {
        const auto shard = id == kA ? "hot-0" : "hot-1";
        auto done = customers::insert_customer(
            customers::CustomerRow{id, id.text(), true, shard, {}, 5, 5}, c);
        if (!done) return done;
        auto node = nodes::register_node(
            nodes::NodeRow{id, kWeb, "", "", "10.0.0.1:8080", false, kNowMs, 0, kNowMs - 60'000},
            c);
        if (!node) return node;
      }
      return true;
    }));
  }
  std::string status_of(const CustomerId& customer) {
    const nodes::NodeRow node{customer, kWeb,           "", "", "10.0.0.1:8080", false, kNowMs,
                              0,        kNowMs - 60'000};
    return std::string(to_string(judge_node(node, *poller_.current(), clock_.wall_ms()).status));
  }
  /// `up` is 1 for everybody that is asked for, but for those in `sick`.
  void answer_all_but(const std::set<CustomerId>& sick, net::Response refusal) {
    neighbours_.answer = [sick, refusal](const std::string& query) {
      for (const auto& customer : sick) {
        if (asks_for(query, customer)) return refusal;
      }
      if (query.find("__name__=~\"up\"") == std::string::npos) return Neighbours::with(kNothing);
      return Neighbours::with(up_of(asks_for(query, kA) ? kA : kB));
    };
  }

  store::ScratchDatabase database_;
  Neighbours neighbours_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  ManualClock clock_{kNowMs * 1'000'000};
  service::MetricRegistry metrics_;
  RouterQueries router_{*client_, neighbours_.url(), "token"};
  LivePoller poller_{{*database_, router_, *client_, clock_, metrics_},
                     {neighbours_.url(), kLiveInterval, {{"hot-0", neighbours_.url()}}}};
};

// B5: what made the answer about one customer fail took the live state from all of them.
TEST_F(LivePollerTest, OneCustomersQuestionsThatFailCostNoOtherItsState) {
  answer_all_but({kA}, Neighbours::with(R"({"error":"too many samples"})", 422));
  poller_.refresh();  // both in one group
  EXPECT_EQ(status_of(kB), "unknown");
  poller_.refresh();
  EXPECT_EQ(status_of(kB), "up");
  EXPECT_EQ(status_of(kA), "unknown");
  EXPECT_EQ(poller_.current()->router_problem, "");
  answer_all_but({}, {});
  poller_.refresh();
  EXPECT_EQ(status_of(kA), "up");
}

TEST_F(LivePollerTest, AnAnswerThatIsBriefUnderLoadLeavesWhatWasKnown) {
  answer_all_but({kB}, Neighbours::with("", 503));
  poller_.refresh();
  poller_.refresh();
  ASSERT_EQ(status_of(kA), "up");
  neighbours_.answer = [](const std::string&) { return Neighbours::with("", 503); };
  clock_.advance(std::chrono::seconds(20));
  poller_.refresh();
  EXPECT_EQ(status_of(kA), "up");
  clock_.advance(std::chrono::milliseconds(kLiveStateAgeMaxMs));
  poller_.refresh();
  EXPECT_EQ(status_of(kA), "unknown");
  EXPECT_TRUE(poller_.current()->away.contains(OwnPart::kRouter));
}

// Three customers' heavy queries made all groups too slow: the router was called away, though it
// had just told of our own parts, and everybody's alerts of silent nodes were held.
TEST_F(LivePollerTest, GroupsThatTakeTooLongAreNoRouterThatIsAway) {
  bool is_slow = true;
  std::vector<std::string> asked;
  neighbours_.answer = [&](const std::string& query) {
    const bool is_group = asks_for(query, kA) || asks_for(query, kB);
    if (is_group) asked.push_back(query);
    if (is_group && is_slow) clock_.advance(kLiveTimeout);
    const bool asks_up = query.find("__name__=~\"up\"") != std::string::npos;
    return Neighbours::with(asks_up ? up_of(asks_for(query, kA) ? kA : kB) : std::string(kNothing));
  };
  poller_.refresh();
  const auto live = poller_.current();
  EXPECT_EQ(live->router_problem, "");
  EXPECT_TRUE(live->away.empty());
  EXPECT_EQ(live->blind_ms, kNowMs) << "of the start";
  EXPECT_EQ(live->look_troubles,
            (std::map{std::pair(kA, LookTrouble::kLate), std::pair(kB, LookTrouble::kLate)}));
  EXPECT_FALSE(live->is_known()) << "nobody was answered for";
  is_slow = false;
  asked.clear();
  clock_.advance(kLiveInterval);
  poller_.refresh();
  for (const auto& query : asked) {
    EXPECT_FALSE(asks_for(query, kA) && asks_for(query, kB)) << "cut in halves: " << query;
  }
  EXPECT_EQ(status_of(kA), "up");
  EXPECT_EQ(status_of(kB), "up");
  EXPECT_TRUE(poller_.current()->look_troubles.empty());
}

TEST_F(LivePollerTest, AHotStoreThatIsAwayIsSeenAlthoughTheColdOneAnswers) {
  answer_all_but({kB}, Neighbours::with("", 503));
  neighbours_.hot_status = 503;
  poller_.refresh();
  poller_.refresh();
  EXPECT_TRUE(poller_.current()->away.contains(OwnPart::kHot));
  EXPECT_EQ(status_of(kA), "unknown");
  EXPECT_FALSE(poller_.current()->hot_blind_ms.contains(kB));  // lives on another shard
  neighbours_.hot_status = 200;
  clock_.advance(kLiveInterval);
  poller_.refresh();
  EXPECT_EQ(status_of(kA), "up");
}

// "Down since" was the time of the last answer, then that of the last note in the database.
TEST_F(LivePollerTest, WhenANodeLastAnsweredStaysKnownAndIsNoted) {
  answer_all_but({kB}, Neighbours::with("", 503));
  poller_.refresh();
  poller_.refresh();
  const NodeKey key(kA, kWeb);
  clock_.advance(kLiveInterval);
  poller_.refresh();
  const auto answered_ms = clock_.wall_ms();
  neighbours_.answer = [](const std::string& query) {
    if (query.find("__name__=~\"up\"") == std::string::npos) return Neighbours::with(kNothing);
    auto silent = up_of(kA);
    silent.replace(silent.rfind("\"1\""), 3, "\"0\"");
    return Neighbours::with(silent);
  };
  for (int i = 0; i < 10; ++i) {
    clock_.advance(kLiveInterval);
    poller_.refresh();
    EXPECT_EQ(poller_.current()->nodes.at(key).last_seen_ms(), answered_ms);
  }
  EXPECT_EQ(status_of(kA), "down");
  const auto noted =
      (*database_).read([](store::DatabaseConnection& c) { return nodes::find_node(kA, kWeb, c); });
  ASSERT_TRUE(noted && *noted);
  EXPECT_EQ((*noted)->last_seen_ms, answered_ms);
}

/// A database that can be taken away.
class AwayDatabase final : public store::Database {
 public:
  explicit AwayDatabase(store::Database& inner) : inner_(inner) {}
  bool is_away = false;

 protected:
  Result<void> lend(
      bool is_write,
      const std::function<Result<void>(store::DatabaseConnection&)>& function) override {
    if (is_away) return fail(ErrorCode::kUnavailable, "the database is away");
    return is_write ? inner_.write(function) : inner_.read(function);
  }

 private:
  store::Database& inner_;
};

// The state grew old without a word of it, and after 45 s every node that pushes was down.
TEST_F(LivePollerTest, WithoutTheDatabaseWhoWasKnownIsLookedAt) {
  answer_all_but({kB}, Neighbours::with("", 503));
  AwayDatabase database(*database_);
  LivePoller poller({database, router_, *client_, clock_, metrics_}, {neighbours_.url(), {}});
  database.is_away = true;
  poller.refresh();
  EXPECT_FALSE(poller.current()->is_known());  // no look, so none that was answered
  database.is_away = false;
  poller.refresh();
  database.is_away = true;
  for (int i = 0; i < 3; ++i) {
    clock_.advance(std::chrono::minutes(1));
    poller.refresh();
  }
  EXPECT_EQ(poller.current()->router_problem, "");
  EXPECT_EQ(poller.current()->looked_ms.at(kA), clock_.wall_ms());
  EXPECT_NE(metrics_.expose(false).find("vigia_monitor_database_failures_total 4"),
            std::string::npos);
}

// Of those whose questions fail while the router answers others: theirs alone is unknown.
TEST_F(LivePollerTest, WhomNobodyLooksAtIsShown) {
  const auto is_unseen = [this](const CustomerId& customer) {
    return metrics_.expose(false).find("vigia_monitor_customer_is_unseen{customer_id=\"" +
                                       customer.text()) != std::string::npos;
  };
  answer_all_but({kA}, Neighbours::with(R"({"error":"too many samples"})", 422));
  poller_.refresh();
  poller_.refresh();
  EXPECT_FALSE(is_unseen(kA) || is_unseen(kB));
  clock_.advance(std::chrono::milliseconds(kLiveStateAgeMaxMs) + std::chrono::seconds(1));
  poller_.refresh();
  EXPECT_TRUE(is_unseen(kA));
  EXPECT_FALSE(is_unseen(kB));
  answer_all_but({}, {});
  poller_.refresh();
  EXPECT_FALSE(is_unseen(kA));
}

// A customer is asked about later than its look began: all were shown as unseen, and their alerts
// held, wherever questions took a millisecond.
TEST_F(LivePollerTest, WhoIsLookedAtIsSeenAlthoughQuestionsTakeTime) {
  neighbours_.answer = [this](const std::string& query) {
    clock_.advance(std::chrono::milliseconds(1));
    const bool asks_up = query.find("__name__=~\"up\"") != std::string::npos;
    return Neighbours::with(asks_up ? up_of(kA) : std::string(kNothing));
  };
  poller_.refresh();
  for (int i = 0; i < 2; ++i) {
    clock_.advance(std::chrono::milliseconds(kLiveStateAgeMaxMs));
    poller_.refresh();
  }
  EXPECT_EQ(status_of(kA), "up");
  EXPECT_EQ(metrics_.expose(false).find("vigia_monitor_customer_is_unseen{"), std::string::npos);
}

// What is thrown at a look costs that look and is counted; the thread goes on.
TEST_F(LivePollerTest, AThrowCostsOneLook) {
  answer_all_but({kB}, Neighbours::with("", 503));
  const auto before = fault_count();
  std::atomic<int> looks = 0;
  poller_.on_refresh([&] {
    const int look = ++looks;
    looks.notify_all();
    if (look == 1) throw std::runtime_error("a fault of ours");
  });
  // Throws on the first look, which then asks again after the pause of a second.
  neighbours_.answer = [](const std::string&) { return Neighbours::with("", 503); };
  poller_.start();
  looks.wait(0);
  looks.wait(1);
  poller_.stop();
  EXPECT_GE(looks, 2);
  EXPECT_EQ(fault_count(), before + 1);
}

TEST_F(LivePollerTest, AnAnswerThatIsTooLargeCostsItsCustomerAloneAtTheSameLook) {
  answer_all_but({kA}, Neighbours::with(std::string(kLiveAnswerBytesMax + 1, ' ')));
  poller_.refresh();  // both in one group
  EXPECT_EQ(status_of(kB), "up");
  EXPECT_EQ(status_of(kA), "unknown");
  EXPECT_EQ(poller_.current()->router_problem, "") << "the router is there";
  answer_all_but({}, {});
  poller_.refresh();
  EXPECT_EQ(status_of(kA), "up");
}

// B5: with 12,000 invented nodes on a loaded machine all were "the router does not answer" while
// one customer's questions took their time.
TEST_F(LivePollerTest, WhoIsAnsweredWaitsForNobodysSlowQuestions) {
  std::string status_meanwhile;
  neighbours_.answer = [&](const std::string& query) {
    if (asks_for(query, kA)) {
      if (!asks_for(query, kB)) status_meanwhile = status_of(kB);
      clock_.advance(kLiveTimeout);
      return Neighbours::with(kNothing);
    }
    const bool asks_up = query.find("__name__=~\"up\"") != std::string::npos;
    return Neighbours::with(asks_up ? up_of(kB) : std::string(kNothing));
  };
  poller_.refresh();  // both in one group, which is cut
  poller_.refresh();
  EXPECT_EQ(status_of(kB), "up");
  clock_.advance(std::chrono::milliseconds(kLiveStateAgeMaxMs) + std::chrono::seconds(1));
  ASSERT_EQ(status_of(kB), "unknown");
  poller_.refresh();
  EXPECT_EQ(status_meanwhile, "up") << "shown before A's answers were there";
  EXPECT_EQ(poller_.current()->router_problem, "");
  EXPECT_EQ(poller_.current()->blind_ms, kNowMs) << "nothing of ours is away but at the start";
}

// The wait for others' answers is no age of its own.
TEST_F(LivePollerTest, ACustomerIsJudgedByTheTimeAtWhichItWasAskedFor) {
  neighbours_.answer = [&](const std::string& query) {
    if (asks_for(query, kA)) clock_.advance(std::chrono::seconds(1));
    const bool asks_up = query.find("__name__=~\"up\"") != std::string::npos;
    return Neighbours::with(asks_up && asks_for(query, kB) ? up_of(kB) : std::string(kNothing));
  };
  neighbours_.hot_status = 503;
  poller_.refresh();
  poller_.refresh();
  const auto state = poller_.current();
  EXPECT_GE(state->looked_ms.at(kB), state->taken_ms);
  EXPECT_EQ(state->hot_blind_ms.at(kA), state->looked_ms.at(kA));
}

std::string alert_of(const CustomerId& customer, int number, std::size_t summary_bytes = 1) {
  const auto text = std::to_string(number);
  return R"({"fingerprint":")" + text + R"(","startsAt":"2026-11-25T02:00:00Z","labels":{)" +
         R"("alertname":"CustomerNodeDown","severity":"critical","customer_id":")" +
         customer.text() + R"(","node_id":"n-)" + text + R"("},"annotations":{"summary":")" +
         std::string(summary_bytes, 's') + R"("},"status":{"state":"active"}})";
}

std::string alerts_of(const CustomerId& customer, int count, std::size_t summary_bytes = 1) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    all += (all.empty() ? "" : ",") + alert_of(customer, i, summary_bytes);
  }
  return all;
}

/// Alertmanager of which A has `many` alerts and B one, and the provider one.
struct ManyAlerts {
  std::string many;
  std::vector<std::string> asked = {};
  net::Response operator()(const std::string& filter) {
    asked.push_back(filter);
    std::string all;
    const auto add = [&](const std::string& more) { all += (all.empty() ? "" : ",") + more; };
    if (asks_for(filter, kA)) add(many);
    if (asks_for(filter, kB)) add(alert_of(kB, 1));
    if (filter == R"(customer_id="")") {
      add(R"({"fingerprint":"p","startsAt":"2026-11-25T02:00:00Z","labels":{"alertname":"CollectorDown"},)"
          R"("annotations":{"summary":"s"},"status":{"state":"active"}})");
    }
    return Neighbours::with("[" + all + "]");
  }
};

std::size_t count_of(const std::optional<CustomerId>& customer, const LiveState& live) {
  return static_cast<std::size_t>(
      std::count_if(live.alerts.begin(), live.alerts.end(),
                    [&](const ActiveAlert& alert) { return alert.customer == customer; }));
}

TEST_F(LivePollerTest, OneCustomersManyAlertsAreCountedAndAskedForAlone) {
  constexpr int kMany = 1'500;
  ManyAlerts many{alerts_of(kA, kMany)};
  neighbours_.alerts = std::ref(many);
  poller_.refresh();
  const auto live = poller_.current();
  EXPECT_EQ(live->alerts_problem, "");
  EXPECT_EQ(count_of(kA, *live), kAlertsOfCustomerMax);
  EXPECT_EQ(live->alerts_sight(kA).left_out, kMany - kAlertsOfCustomerMax);
  EXPECT_EQ(live->alerts_sight(kA).firing_left_out, kMany - kAlertsOfCustomerMax);
  EXPECT_FALSE(live->alerts_sight(kA).is_at_least);
  EXPECT_EQ(count_of(kB, *live), 1U);
  EXPECT_EQ(live->alerts_sight(kB).left_out, 0U);
  EXPECT_EQ(count_of(std::nullopt, *live), 1U);
  many.asked.clear();
  clock_.advance(kLiveInterval);
  poller_.refresh();
  for (const auto& filter : many.asked) EXPECT_FALSE(asks_for(filter, kA)) << filter;
  EXPECT_EQ(count_of(kA, *poller_.current()), kAlertsOfCustomerMax) << "as it was known last";
  many.many = alerts_of(kA, 2);
  clock_.advance(kManyAlertsInterval);
  poller_.refresh();
  EXPECT_EQ(many.asked.back(), R"(customer_id=~"cliente-a")") << "alone, after the others";
  EXPECT_EQ(count_of(kA, *poller_.current()), 2U);
  EXPECT_EQ(poller_.current()->alerts_sight(kA).left_out, 0U);
}

TEST_F(LivePollerTest, MoreAlertsThanCanBeReadTakeNobodyElsesAway) {
  constexpr std::size_t kAnswerMax = 128U << 10U;
  constexpr std::size_t kLarge = 1U << 10U;
  ManyAlerts many{alerts_of(kA, static_cast<int>(kAnswerMax / kLarge), kLarge)};
  neighbours_.alerts = std::ref(many);
  LivePoller poller({*database_, router_, *client_, clock_, metrics_},
                    {neighbours_.url(), kLiveInterval, {}, kAnswerMax});
  poller.refresh();  // both in one group
  const auto live = poller.current();
  EXPECT_EQ(live->alerts_problem, "") << "Alertmanager is there";
  EXPECT_FALSE(live->away.contains(OwnPart::kAlertmanager));
  EXPECT_EQ(count_of(kB, *live), 1U);
  EXPECT_EQ(live->alerts_sight(kB).at_ms, live->taken_ms);
  EXPECT_TRUE(live->alerts_sight(kA).is_at_least) << "of its own a part is known";
  EXPECT_GE(count_of(kA, *live), 50U);
}

TEST_F(LivePollerTest, ACustomerWhoseAlertsAreNotAnsweredIsUnknownAlone) {
  ManyAlerts many{alerts_of(kA, 2)};
  neighbours_.alerts = std::ref(many);
  poller_.refresh();
  const auto before = poller_.current()->taken_ms;
  neighbours_.alerts = [&](const std::string& filter) {
    return asks_for(filter, kA) ? Neighbours::with("", 500) : many(filter);
  };
  clock_.advance(kLiveInterval);
  poller_.refresh();
  EXPECT_EQ(poller_.current()->alerts_problem, "");
  EXPECT_EQ(poller_.current()->alerts_sight(kA).at_ms, before);
  EXPECT_EQ(poller_.current()->alerts_sight(kB).at_ms, poller_.current()->taken_ms);
  neighbours_.alerts = [](const std::string&) { return Neighbours::with("", 500); };
  poller_.refresh();
  EXPECT_NE(poller_.current()->alerts_problem, "");
  EXPECT_TRUE(poller_.current()->away.contains(OwnPart::kAlertmanager));
}

}  // namespace
}  // namespace vigia::monitor::live
