#include <algorithm>
#include <atomic>
#include <new>
#include <set>
#include <string>
#include <thread>
#include <tuple>

#include <gtest/gtest.h>

#include "libs/base/fault.hpp"
#include "libs/net/server.hpp"
#include "services/monitor/alerting/channel_addresses.hpp"
#include "services/monitor/alerting/channel_selection.hpp"
#include "services/monitor/alerting/file_write.hpp"
#include "services/monitor/alerting/publisher.hpp"
#include "services/monitor/channels/channel_check.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"

namespace vigia::monitor::alerting {
namespace {

const CustomerId kA = *CustomerId::parse("cliente-a");
const CustomerId kB = *CustomerId::parse("cliente-b");

std::string refusal(const std::string& type, const std::string& target,
                    const std::string& channel = "") {
  const auto checked = channels::check_channel_text(type, target, channel);
  return checked ? std::string() : checked.error().message;
}

TEST(ChannelCheck, TakesWhatAlertmanagerTakes) {
  for (const auto* url :
       {"https://hooks.slack.com/services/T/B/x", "http://192.0.2.1:8080/a?b=c#d",
        "https://a.example", "https://[2001:db8::1]:8443/x", "https://a.example/%41%2f?x=%20",
        "https://a.example:443/a:b;c", "https://a.example/(a)*'!$&,=+@"}) {
    EXPECT_EQ(refusal("webhook", url), "") << url;
    EXPECT_EQ(refusal("slack", url, "#ops"), "") << url;
  }
}

// D18: one of these kept everybody's channels out.
TEST(ChannelCheck, RefusesWhatGoCannotParse) {
  for (const auto* url : {"https://9.9.9.9/%zz",
                          "https://9.9.9.9/a%",
                          "https://9.9.9.9/a%4",
                          "https://9.9.9.9/?q=%g1",
                          "https://9.9.9.9/#%x",
                          "https://9.9.9.9:0/",
                          "https://9.9.9.9:65536/",
                          "https://9.9.9.9:/",
                          "https://9.9.9.9:1x/",
                          "https:///x",
                          "https://",
                          "https://:80/",
                          "https://[::1/x",
                          "https://::1/x",
                          "https://u@9.9.9.9/",
                          "https://u:p@9.9.9.9/",
                          "https://a%41.example/",
                          "https://x/{{ . }}",
                          "https://x/a b",
                          "https://x/\"",
                          "https://x/\x01",
                          "https://x/\x7f",
                          "https://x/ñ",
                          "ftp://9.9.9.9/",
                          "9.9.9.9/x",
                          "//9.9.9.9/x",
                          ""}) {
    EXPECT_NE(refusal("webhook", url), "") << url;
    EXPECT_NE(refusal("slack", url), "") << url;
  }
}

TEST(ChannelCheck, OddChannelsAndTypesAreRefused) {
  for (const auto& [type, target, channel] :
       {std::tuple("slack", "https://x.example/y", "{{ . }}"),
        std::tuple("webhook", "https://x.example/", "#a"), std::tuple("email", "a@b.example", "#a"),
        std::tuple("pager", "https://x.example/", "")}) {
    EXPECT_NE(refusal(type, target, channel), "") << type << channel;
  }
}

// D24
TEST(ChannelCheck, AddressesAreDotAtomsOfTheStandard) {
  for (const auto* address :
       {"ops@empresa.example", "o'brien@example.com", "a&b@example.com", "a/b=c!d@example.com",
        "first.last+tag@sub.example.com", "{x}~|`^?*#$%@example.com", "root@localhost",
        "ops@ejemplo.españa", "ops@EXAMPLE.com"}) {
    EXPECT_EQ(refusal("email", address), "") << address;
  }
  for (const auto& address : {std::string(".a@example.com"),
                              std::string("a.@example.com"),
                              std::string("a..b@example.com"),
                              std::string("a@-example.com"),
                              std::string("a@example-.com"),
                              std::string("a@example..com"),
                              std::string("a@.example.com"),
                              std::string("a@example.com."),
                              std::string("a@exa_mple.com"),
                              std::string("a"),
                              std::string("@example.com"),
                              std::string("a@"),
                              std::string("a b@example.com"),
                              std::string("\"a b\"@example.com"),
                              std::string("a@[192.0.2.1]"),
                              std::string("ñ@example.com"),
                              std::string("{{ .Labels }}@x.example"),
                              std::string("{{a}}@x.example"),
                              std::string(65, 'a') + "@example.com",
                              "a@" + std::string(64, 'b') + ".com"}) {
    EXPECT_NE(refusal("email", address), "") << address;
  }
}

TEST(ChannelCheck, SeveralAddressesGetAHint) {
  for (const auto* addresses :
       {"a@x.example, b@y.example", "a@x.example;b@y.example", "a@b@c.example"}) {
    EXPECT_NE(refusal("email", addresses).find("second channel"), std::string::npos) << addresses;
  }
}

TEST(ChannelCheck, ADomainGoesOutAsAscii) {
  EXPECT_EQ(*channels::wire_mail_address("ops@ejemplo.españa"), "ops@ejemplo.xn--espaa-rta");
  EXPECT_EQ(*channels::wire_mail_address("o'brien@example.com"), "o'brien@example.com");
}

// A consumer that refuses every configuration with one of the bad ones in it.
class Consumer {
 public:
  explicit Consumer(std::set<std::string> bad) : bad_(std::move(bad)) {}
  Verdict operator()(const std::vector<channels::ChannelRow>& channels) {
    ++tries;
    if (is_away) return Verdict::kAway;
    for (const auto& channel : channels) {
      if (bad_.contains(channel.id)) return Verdict::kRefused;
    }
    loaded.clear();
    for (const auto& channel : channels) loaded.insert(channel.id);
    for (const auto& one : must_stay) EXPECT_TRUE(loaded.contains(one)) << "not even for a moment";
    return Verdict::kTaken;
  }

  std::set<std::string> loaded;
  std::set<std::string> must_stay;
  std::size_t tries = 0;
  bool is_away = false;

 private:
  std::set<std::string> bad_;
};

std::vector<channels::ChannelRow> channels(std::size_t from, std::size_t to) {
  std::vector<channels::ChannelRow> made;
  for (std::size_t i = from; i < to; ++i) {
    made.push_back(channels::ChannelRow{std::to_string(i), i % 2 == 0 ? kA : kB, "webhook",
                                        "https://x.example/", "", 1});
  }
  return made;
}

std::set<std::string> ids(const std::vector<channels::ChannelRow>& channels) {
  std::set<std::string> found;
  for (const auto& channel : channels) found.insert(channel.id);
  return found;
}

ChannelSelection select(Consumer& consumer, std::vector<channels::ChannelRow> proven,
                        std::vector<channels::ChannelRow> fresh, std::size_t tries_max = 64) {
  return select_channels(
      std::move(proven), std::move(fresh),
      [&](const std::vector<channels::ChannelRow>& all) { return consumer(all); }, tries_max);
}

TEST(ChannelSelection, ABadOneIsFoundAndTheRestIsLoaded) {
  Consumer consumer({"1007"});
  consumer.must_stay = ids(channels(0, 1000));
  const auto found = select(consumer, channels(0, 1000), channels(1000, 1016));
  EXPECT_EQ(ids(found.refused), std::set<std::string>{"1007"});
  EXPECT_EQ(found.taken.size(), 1015U);
  EXPECT_EQ(consumer.loaded, ids(found.taken));
  EXPECT_TRUE(found.undecided.empty());
  EXPECT_LE(consumer.tries, 12U);
}

TEST(ChannelSelection, AGoodOneCostsOneTryMore) {
  Consumer consumer({});
  const auto found = select(consumer, channels(0, 10), channels(10, 11));
  EXPECT_EQ(found.taken.size(), 11U);
  EXPECT_EQ(consumer.tries, 2U);
}

TEST(ChannelSelection, WhereAProvenOneIsRefusedAllAreLookedAtAnew) {
  Consumer consumer({"3", "12"});
  const auto found = select(consumer, channels(0, 10), channels(10, 20));
  EXPECT_EQ(ids(found.refused), (std::set<std::string>{"3", "12"}));
  EXPECT_EQ(consumer.loaded, ids(found.taken));
  EXPECT_EQ(found.taken.size(), 18U);
}

TEST(ChannelSelection, AConsumerThatIsAwayDecidesNothing) {
  Consumer consumer({});
  consumer.is_away = true;
  const auto found = select(consumer, channels(0, 2), channels(2, 4));
  EXPECT_TRUE(found.is_away);
  EXPECT_TRUE(found.refused.empty());
  EXPECT_EQ(found.undecided.size(), 2U);
}

TEST(ChannelSelection, OneThatTakesNothingAtAllAccusesNoChannel) {
  const auto found = select_channels(
      channels(0, 2), channels(2, 4),
      [](const std::vector<channels::ChannelRow>&) { return Verdict::kRefused; }, 64);
  EXPECT_TRUE(found.is_whole_refused);
  EXPECT_TRUE(found.refused.empty());
}

TEST(ChannelSelection, TheTriesAreBoundedAndWhatWasFoundIsLoaded) {
  std::set<std::string> bad;
  for (std::size_t i = 0; i < 1000; i += 2) bad.insert(std::to_string(i));
  Consumer consumer(bad);
  const auto found = select(consumer, {}, channels(0, 1000), 64);
  EXPECT_LE(consumer.tries, 66U);
  EXPECT_EQ(found.taken.size() + found.refused.size() + found.undecided.size(), 1000U);
  EXPECT_EQ(consumer.loaded, ids(found.taken));
  for (const auto& channel : found.refused) EXPECT_TRUE(bad.contains(channel.id));
}

class Channels : public ::testing::Test {
 protected:
  void add(const std::string& id, const CustomerId& customer, const std::string& target) {
    add(channels::ChannelRow{id, customer, "webhook", target, "", 1});
  }
  void add(const channels::ChannelRow& channel) {
    ASSERT_TRUE((*database_).write([&](store::DatabaseConnection& c) {
      return channels::insert_channel(channel, c);
    }));
  }
  channels::ChannelRow stored(const std::string& id) {
    const auto all = (*database_).read([](store::DatabaseConnection& c) {
      return channels::list_all_channels(c);
    });
    const auto found =
        std::find_if(all->begin(), all->end(),
                     [&](const channels::ChannelRow& channel) { return channel.id == id; });
    return found == all->end() ? channels::ChannelRow{"", kA, "", "", "", 0} : *found;
  }

  store::ScratchDatabase database_;
};

// R-SEC-18.
// B9: the name leads inside by now.
TEST_F(Channels, ANameThatLeadsInsideLaterIsRefusedUntilItNoLongerDoes) {
  add("1", kA, "https://a.example/x");
  add("2", kB, "https://b.example/x");
  add(channels::ChannelRow{"3", kB, "email", "b@b.example", "", 1});
  Result<void> answer;
  ChannelAddresses addresses(*database_, [&](const std::string& url) {
    return url.find("a.example") == std::string::npos ? Result<void>() : answer;
  });
  EXPECT_FALSE(*addresses.look());
  answer = fail(ErrorCode::kInvalid, "private");
  EXPECT_TRUE(*addresses.look());
  EXPECT_EQ(addresses.refusal_of("1"), "private");
  EXPECT_EQ(addresses.refusal_of("2"), "");
  answer = fail(ErrorCode::kUnavailable, "the name server is away");
  EXPECT_FALSE(*addresses.look()) << "nothing new is known";
  EXPECT_EQ(addresses.refusal_of("1"), "private");
  answer = {};
  EXPECT_TRUE(*addresses.look());
  EXPECT_EQ(addresses.refusal_of("1"), "");
}

// Reloads as Alertmanager does: 500 with its words where the file holds what it does not take.
class Reader final : public net::Handler {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {
    net::ServerSettings settings;
    settings.name = "reader";
    settings.listen = "127.0.0.1:0";
    settings.loops = 1;
    auto started = net::Server::start(std::move(settings), *this);
    EXPECT_TRUE(started.has_value());
    server_ = std::move(*started);
  }
  void handle(net::Request /*request*/, net::Responder responder) override {
    net::Response response;
    if (read_file_or_empty(file_).find("poison") != std::string::npos) {
      response.status = 500;
      response.body = "failed to reload config: poison";
    }
    responder.send(std::move(response));
  }
  std::string url() const { return "http://" + server_->address(); }

 private:
  const std::string file_;
  std::unique_ptr<net::Server> server_;
};

/// The real client, which throws at the next request once it is told to.
class ThrowingClient final : public net::Client {
 public:
  void throw_once() { throws_ = true; }
  void close() override { client_->close(); }
  std::uint64_t send(net::ClientRequest request,
                     Task<void(Result<net::ClientResponse>)> done) override {
    if (throws_.exchange(false)) throw std::bad_alloc();
    return client_->send(std::move(request), std::move(done));
  }
  void cancel(std::uint64_t request) override { client_->cancel(request); }
  void call(net::ClientRequest request, std::string_view compression,
            Task<void(Result<net::GrpcReply>)> done) override {
    client_->call(std::move(request), compression, std::move(done));
  }

 private:
  std::atomic<bool> throws_{false};
  std::unique_ptr<net::Client> client_ = net::Client::create({});
};

class Publishing : public Channels {
 protected:
  void start(const std::string& url) {
    PublisherSettings settings;
    settings.alertmanager_url = url;
    settings.alertmanager_file = file();
    publisher_.emplace(PublisherParts{*database_, client_, clock_, metrics_, addresses_},
                       std::move(settings));
    ASSERT_TRUE(publisher_->start().has_value());
  }
  std::string file() const { return (database_.folder() / "alertmanager.yml").string(); }
  // Polls; the publisher works on its own thread.
  bool becomes(const std::string& id, channels::ChannelState state) {
    const auto deadline = clock_.steady() + std::chrono::seconds(10);
    while (clock_.steady() < deadline) {
      if (stored(id).state == state) return true;
      std::this_thread::yield();
    }
    return false;
  }

  SystemClock clock_;
  service::MetricRegistry metrics_;
  ThrowingClient client_;
  ChannelAddresses addresses_{*database_, [](const std::string&) { return Result<void>(); }};
  std::optional<AlertingPublisher> publisher_;
};

TEST_F(Publishing, ARefusedChannelIsLeftOutAndToldAndTheOthersWork) {
  Reader reader(file());
  add("poison", kA, "https://9.9.9.9/x");
  add("unfit", kA, "https://9.9.9.9/%zz");
  add("good", kB, "https://8.8.8.8/b");
  start(reader.url());
  EXPECT_TRUE(becomes("good", channels::ChannelState::kActive));
  EXPECT_TRUE(becomes("poison", channels::ChannelState::kNotActive));
  EXPECT_TRUE(becomes("unfit", channels::ChannelState::kNotActive));
  EXPECT_NE(stored("poison").reason.find("Alertmanager does not take it"), std::string::npos);
  EXPECT_NE(stored("unfit").reason.find("hexadecimal"), std::string::npos);
  add("later", kB, "https://8.8.8.8/later");
  publisher_->wake();
  EXPECT_TRUE(becomes("later", channels::ChannelState::kActive));
  const auto text = read_file_or_empty(file());
  EXPECT_NE(text.find("/cliente-b/later"), std::string::npos);
  EXPECT_NE(text.find("/cliente-b/good"), std::string::npos);
  EXPECT_EQ(text.find("poison"), std::string::npos) << text;
  EXPECT_EQ(text.find("unfit"), std::string::npos) << text;
}

TEST_F(Publishing, AFaultOfOursCostsThatRoundAlone) {
  Reader reader(file());
  add("first", kA, "https://8.8.8.8/a");
  start(reader.url());
  ASSERT_TRUE(becomes("first", channels::ChannelState::kActive));
  const std::uint64_t before = fault_count();
  client_.throw_once();
  add("second", kB, "https://8.8.8.8/b");
  publisher_->wake();
  const auto deadline = clock_.steady() + std::chrono::seconds(10);
  while (fault_count() == before && clock_.steady() < deadline) std::this_thread::yield();
  EXPECT_EQ(fault_count(), before + 1);
  publisher_->wake();
  EXPECT_TRUE(becomes("second", channels::ChannelState::kActive));
  EXPECT_NE(read_file_or_empty(file()).find("/cliente-a/first"), std::string::npos);
  EXPECT_EQ(fault_count(), before + 1);
}

TEST_F(Publishing, AFileWrittenWhileTheReaderIsAwayHoldsNothingUntried) {
  add(channels::ChannelRow{"old", kB, "webhook", "https://8.8.8.8/old", "", 1,
                           channels::ChannelState::kActive, ""});
  add("poison", kA, "https://9.9.9.9/x");
  start("http://127.0.0.1:1");
  const auto text = read_file_or_empty(file());
  EXPECT_NE(text.find("/cliente-b/old"), std::string::npos);
  EXPECT_EQ(text.find("poison"), std::string::npos) << "it could not start with this";
  EXPECT_EQ(stored("poison").state, channels::ChannelState::kPending);
}

}  // namespace
}  // namespace vigia::monitor::alerting
