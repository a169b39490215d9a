#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "libs/net/server.hpp"
#include "services/monitor/alerting/limits.hpp"
#include "services/monitor/alerting/mail_outcomes.hpp"
#include "services/monitor/alerting/mail_receivers.hpp"
#include "services/monitor/channels/channel_outcomes.hpp"
#include "services/monitor/channels/limits.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/nodes/nodes.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"

namespace vigia::monitor::alerting {
namespace {

const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");

class Outcomes : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE((*database_).write([](store::DatabaseConnection& c) {
      return channels::insert_channel(
          channels::ChannelRow{"1", kA, "webhook", "https://x.example/", "", 1}, c);
    }));
  }
  channels::ChannelOutcome kept() {
    return (*(*database_).read([](store::DatabaseConnection& c) {
             return channels::find_channel(kA, "1", c);
           }))
        ->outcome;
  }

  store::ScratchDatabase database_;
  ManualClock clock_{1'795'575'845'000};
  channels::ChannelOutcomes outcomes_{*database_, clock_};
};

TEST_F(Outcomes, AreKnownAtOnceAndKept) {
  const channels::ChannelRow channel{"1", kA, "webhook", "https://x.example/", "", 1};
  EXPECT_EQ(outcomes_.newest(channel), channels::ChannelOutcome());
  outcomes_.note_delivered(kA, "1");
  const auto delivered_ms = clock_.wall_ms();
  EXPECT_EQ(outcomes_.newest(channel), (channels::ChannelOutcome{delivered_ms, 0, ""}));
  EXPECT_EQ(kept(), channels::ChannelOutcome());
  ASSERT_TRUE(outcomes_.keep());
  EXPECT_EQ(kept(), (channels::ChannelOutcome{delivered_ms, 0, ""}));
  clock_.advance(std::chrono::seconds(5));
  outcomes_.note_failed(kA, "1", "its host answers 500");
  ASSERT_TRUE(outcomes_.keep());
  const channels::ChannelOutcome both{delivered_ms, clock_.wall_ms(), "its host answers 500"};
  EXPECT_EQ(kept(), both) << "another kind is written at once; when it last arrived stays";
  channels::ChannelOutcomes after_a_restart{*database_, clock_};
  after_a_restart.note_failed(kA, "1", "its host answers 502");
  ASSERT_TRUE(after_a_restart.keep());
  EXPECT_EQ(kept().delivered_ms, delivered_ms);
  EXPECT_EQ(kept().failure, "its host answers 502");
}

TEST_F(Outcomes, TheSameIsWrittenOnceAMinute) {
  outcomes_.note_delivered(kA, "1");
  ASSERT_TRUE(outcomes_.keep());
  const auto first = kept();
  clock_.advance(std::chrono::seconds(59));
  outcomes_.note_delivered(kA, "1");
  ASSERT_TRUE(outcomes_.keep());
  EXPECT_EQ(kept(), first);
  clock_.advance(std::chrono::seconds(2));
  ASSERT_TRUE(outcomes_.keep());
  EXPECT_GT(kept().delivered_ms, first.delivered_ms);
}

TEST_F(Outcomes, OfAnothersChannelNothingIsWritten) {
  outcomes_.note_failed(kB, "1", "its host answers 500");
  ASSERT_TRUE(outcomes_.keep());
  EXPECT_EQ(kept(), channels::ChannelOutcome());
}

// Over a real socket what Alertmanager counts, as a test sets it.
class Counters final : public net::Handler {
 public:
  Counters() {
    net::ServerSettings settings;
    settings.name = "counters";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    server_ = std::move(*net::Server::start(std::move(settings), *this));
  }
  ~Counters() override { server_->stop(SystemClock().steady()); }
  void handle(net::Request /*request*/, net::Responder responder) override {
    net::Response response;
    const std::scoped_lock lock(mutex_);
    response.body = text_;
    responder.send(std::move(response));
  }
  void set(const std::string& receiver, int tried, int failed) {
    const std::scoped_lock lock(mutex_);
    const auto labels = "{integration=\"email\",receiver_name=\"" + receiver + "\"} ";
    text_ = "alertmanager_notification_requests_total" + labels + std::to_string(tried) +
            "\nalertmanager_notification_requests_failed_total" + labels + std::to_string(failed) +
            "\n";
  }
  std::string url() const { return "http://" + server_->address(); }

 private:
  std::mutex mutex_;
  std::string text_;  ///< guarded by mutex_
  std::unique_ptr<net::Server> server_;
};

TEST(MailReceivers, AreFewerWhereThereAreManyNodes) {
  for (const auto& [nodes, receivers] : std::vector<std::pair<std::size_t, std::size_t>>{
           {0, 20}, {512, 20}, {513, 16}, {1024, 16}, {1025, 8}, {4096, 4}, {5000, 3}}) {
    EXPECT_EQ(mail_receivers_for(nodes), receivers) << nodes;
  }
  std::vector<channels::ChannelRow> channels;
  for (std::size_t i = 0; i < channels::kChannelsPerCustomerMax; ++i) {
    channels.push_back({"id" + std::to_string(i), kA, "email", "a@a.example", "", 1});
  }
  channels.push_back({"hook", kA, "webhook", "https://a.example", "", 1});
  const auto apart = mail_receivers(channels);
  ASSERT_EQ(apart.size(), channels::kChannelsPerCustomerMax);
  EXPECT_EQ(apart[3].name, "mail-id3");
  EXPECT_EQ(apart[3].told.size(), 1U);
  for (auto& channel : channels) channel.customer_nodes = 5'000;
  const auto together = mail_receivers(channels);
  ASSERT_EQ(together.size(), 3U);
  std::size_t told = 0;
  for (const auto& [name, some] : together) {
    EXPECT_TRUE(name.starts_with("mails-cliente-a-") && name.find("-of-3-") != std::string::npos)
        << name;
    told += some.size();
  }
  EXPECT_EQ(told, channels::kChannelsPerCustomerMax);
  const auto before = mail_group(channels[7]);
  channels.erase(channels.begin());
  EXPECT_EQ(mail_group(channels[6]), before) << "whoever else there is";
}

// Alertmanager remembers by name and place: whoever moved up took over what a neighbour was told.
TEST(MailReceivers, WithOtherMembersAreOtherReceivers) {
  std::vector<channels::ChannelRow> channels;
  for (int i = 0; i < 8; ++i) {
    channels.push_back({"id" + std::to_string(i), kA, "email", "a@a.example", "", 1 + i});
    channels.back().customer_nodes = 5'000;
  }
  using Places = std::map<std::string, std::pair<std::string, std::size_t>>;
  const auto places_of = [](const std::vector<channels::ChannelRow>& some) {
    Places places;
    for (const auto& receiver : mail_receivers(some)) {
      for (std::size_t i = 0; i < receiver.told.size(); ++i) {
        places[receiver.told[i].id] = {receiver.name, i};
      }
    }
    return places;
  };
  const auto all = places_of(channels);
  ASSERT_EQ(all.size(), channels.size());
  auto turned = channels;
  std::reverse(turned.begin(), turned.end());
  EXPECT_EQ(places_of(turned), all) << "those that are tried anew come last";
  for (const auto& gone : channels) {
    auto others = channels;
    std::erase_if(others, [&](const channels::ChannelRow& one) { return one.id == gone.id; });
    for (const auto& [id, place] : places_of(others)) {
      const bool was_beside = all.at(id).first == all.at(gone.id).first;
      EXPECT_EQ(place.first != all.at(id).first, was_beside) << id << " without " << gone.id;
      if (!was_beside) {
        EXPECT_EQ(place, all.at(id));
      }
    }
  }
  for (auto& channel : channels) {
    channel.language = "en";
    channel.outcome.delivered_ms = 5;
  }
  EXPECT_EQ(places_of(channels), all) << "what is told in another way is not told again";
}

// Something may have arrived at any of them, and at one only.
TEST_F(Outcomes, OfASharedReceiverNobodyIsShownANeighboursMail) {
  const channels::ChannelRow one{"1", kA, "email", "a@a.example", "", 1};
  const channels::ChannelRow other{"2", kA, "email", "b@a.example", "", 2};
  note_mails({"mails-cliente-a-1-of-3-0", {one, other}}, {true, false}, outcomes_);
  EXPECT_EQ(outcomes_.newest(one), channels::ChannelOutcome());
  EXPECT_EQ(outcomes_.newest(other), channels::ChannelOutcome());
  note_mails({"mails-cliente-a-1-of-3-0", {one, other}}, {true, true}, outcomes_);
  EXPECT_EQ(outcomes_.newest(one), outcomes_.newest(other));
  EXPECT_EQ(outcomes_.newest(one).delivered_ms, 0);
  EXPECT_NE(outcomes_.newest(one).failure.find("or to another of the customer"), std::string::npos);
  note_mails({"mails-cliente-a-2-of-3-0", {one}}, {true, false}, outcomes_);
  EXPECT_EQ(outcomes_.newest(one).delivered_ms, clock_.wall_ms()) << "it is alone there";
  note_mails({"mail-2", {other}}, {false, true}, outcomes_);
  EXPECT_EQ(outcomes_.newest(other).failure, "the mail server does not take the message");
}

// Nodes register themselves by pushing: nobody else says that a customer has grown.
TEST_F(Outcomes, ACustomerThatGrowsHasItsChannelsToldByFewerReceivers) {
  const auto client = net::Client::create({});
  int others = 0;
  MailOutcomes mails(*database_, *client, outcomes_, "http://127.0.0.1:1", [&] { ++others; });
  const auto add_nodes = [&](std::size_t first, std::size_t end) {
    ASSERT_TRUE((*database_).write([&](store::DatabaseConnection& c) -> Result<bool> {
      for (std::size_t i = first; i < end; ++i) {
        nodes::NodeRow node{kA, *NodeId::parse("n" + std::to_string(i)), "", "", "", true, 5, 0, 0};
        auto added = nodes::register_node(node, c);
        if (!added) return added;
      }
      return true;
    }));
  };
  ASSERT_TRUE((*database_).write([](store::DatabaseConnection& c) {
    return channels::insert_channel(channels::ChannelRow{"2", kA, "email", "a@a.example", "", 1},
                                    c);
  }));
  add_nodes(0, kMailNodesApart);
  EXPECT_FALSE(mails.look()) << "Alertmanager is away; the channels are known all the same";
  EXPECT_FALSE(mails.look());
  EXPECT_EQ(others, 0);
  add_nodes(kMailNodesApart, kMailNodesApart + 1);
  EXPECT_FALSE(mails.look());
  EXPECT_EQ(others, 1);
  EXPECT_FALSE(mails.look());
  EXPECT_EQ(others, 1);
}

// A channel that is left out of Alertmanager is in no receiver, so not in its name either.
TEST_F(Outcomes, OfMailsAreThoseOfTheReceiversThatAlertmanagerHas) {
  std::vector<channels::ChannelRow> channels;
  const auto is_left_out = [](const channels::ChannelRow& one) {
    return one.state == channels::ChannelState::kNotActive;
  };
  for (int i = 0; i < 20; ++i) {
    channels.push_back({"m" + std::to_string(i), kA, "email", "a@a.example", "", 1 + i});
    channels.back().state =
        i % 2 == 0 ? channels::ChannelState::kNotActive : channels::ChannelState::kActive;
    channels.back().customer_nodes = kMailNodesApart + 1;
  }
  ASSERT_TRUE((*database_).write([&](store::DatabaseConnection& c) -> Result<bool> {
    for (std::size_t i = 0; i <= kMailNodesApart; ++i) {
      nodes::NodeRow node{kA, *NodeId::parse("n" + std::to_string(i)), "", "", "", true, 5, 0, 0};
      if (auto added = nodes::register_node(node, c); !added) return added;
    }
    for (const auto& channel : channels) {
      if (auto added = channels::insert_channel(channel, c); !added) return forward(added);
    }
    return true;
  }));
  Counters alertmanager;
  const auto client = net::Client::create({});
  MailOutcomes mails(*database_, *client, outcomes_, alertmanager.url(), [] {});
  auto active = channels;
  std::erase_if(active, is_left_out);
  for (const auto& [name, told] : mail_receivers(active)) {
    alertmanager.set(name, 5, 0);
    ASSERT_TRUE(mails.look());
    alertmanager.set(name, 9, 3);
    ASSERT_TRUE(mails.look());
    for (const auto& one : told) {
      EXPECT_NE(outcomes_.newest(one).failure, "") << one.id << " of " << name;
    }
  }
  for (const auto& one : channels) {
    EXPECT_EQ(outcomes_.newest(one) == channels::ChannelOutcome(), is_left_out(one)) << one.id;
  }
}

TEST(MailOutcomes, AreReadFromAlertmanagersCounters) {
  const auto counts = read_mail_counts(
      "# TYPE alertmanager_notification_requests_total counter\n"
      "alertmanager_notification_requests_total{integration=\"email\",receiver_name=\"mail-1\"} 6\n"
      "alertmanager_notification_requests_failed_total{integration=\"email\",receiver_name=\"mail-"
      "1\"}"
      " 2\n"
      "alertmanager_notification_requests_total{integration=\"slack\",receiver_name=\"mail-2\"} 6\n"
      "alertmanager_notification_requests_total{integration=\"email\"} 9\n"
      "alertmanager_notification_requests_total{integration=\"email\",receiver_name=\"mail-3\"} "
      "1e+06");
  ASSERT_EQ(counts.size(), 2U) << "without its receiver's name a count is nobody's";
  EXPECT_EQ(counts.at("mail-1").tried, 6);
  EXPECT_EQ(counts.at("mail-1").failed, 2);
  EXPECT_EQ(counts.at("mail-3").tried, 1e6);
}

TEST(MailOutcomes, AreWhatCameSinceTheLastLook) {
  const auto change = [](std::optional<MailCounts> before, MailCounts now) {
    const auto found = mail_change(before, now);
    return std::pair(found.has_arrived, found.has_failed);
  };
  EXPECT_EQ(change({}, {5, 2}), std::pair(false, false)) << "long ago, perhaps";
  EXPECT_EQ(change(MailCounts{5, 2}, {5, 2}), std::pair(false, false));
  EXPECT_EQ(change(MailCounts{5, 2}, {6, 2}), std::pair(true, false));
  EXPECT_EQ(change(MailCounts{5, 2}, {6, 3}), std::pair(false, true));
  EXPECT_EQ(change(MailCounts{5, 2}, {9, 3}), std::pair(true, true));
  EXPECT_EQ(change(MailCounts{5, 2}, {1, 0}), std::pair(true, false)) << "Alertmanager began anew";
}

}  // namespace
}  // namespace vigia::monitor::alerting
