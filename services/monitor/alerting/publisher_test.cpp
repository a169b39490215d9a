// What the publisher does with its files, and with channels that are no good.
#include "services/monitor/alerting/publisher.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/monitor/alerting/file_write.hpp"
#include "services/monitor/store/testing/scratch_database.hpp"
#include "services/monitor/testing/neighbour.hpp"

namespace vigia::monitor::alerting {
namespace {

using testing::answer_with;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

const CustomerId kA = *CustomerId::parse("cliente-a");

class Publisher : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (database_.folder() / name).string(); }
  std::string content(const std::string& name) const { return read_file_or_empty(path(name)); }
  Target target(const std::string& name, const testing::Neighbour& reader,
                std::function<std::string()> render) const {
    return {"rules of " + name, path(name), 0600, reader.url() + "/-/reload", std::move(render)};
  }
  Result<void> start(PublisherSettings settings) {
    publisher_.emplace(PublisherParts{*database_, *client_, clock_, metrics_, addresses_},
                       std::move(settings));
    return publisher_->start();
  }
  PublisherSettings with_alertmanager(const testing::Neighbour& reader) const {
    PublisherSettings settings;
    settings.alertmanager_url = reader.url();
    settings.alertmanager_file = path("alertmanager.yml");
    return settings;
  }
  void add(const channels::ChannelRow& channel) {
    ASSERT_TRUE((*database_).write([&](store::DatabaseConnection& c) {
      return channels::insert_channel(channel, c);
    }));
  }
  channels::ChannelRow stored(const std::string& id) {
    const auto found = (*database_).read([&](store::DatabaseConnection& c) {
      return channels::find_channel(kA, id, c);
    });
    return found && *found ? **found : channels::ChannelRow{"", kA, "", "", "", 0};
  }
  /// Polls: the publisher works on its own thread.
  bool becomes_true(const std::function<bool()>& condition) const {
    const auto deadline = clock_.steady() + std::chrono::seconds(20);
    while (clock_.steady() < deadline) {
      if (condition()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  std::uint64_t failures() {
    const auto text = metrics_.expose(false);
    const std::string name = "\nvigia_monitor_reload_failures_total ";
    return std::stoull(text.substr(text.find(name) + name.size()));
  }

  store::ScratchDatabase database_;
  SystemClock clock_;
  service::MetricRegistry metrics_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  ChannelAddresses addresses_{*database_, [](const std::string&) { return Result<void>(); }};
  std::optional<AlertingPublisher> publisher_;
};

TEST_F(Publisher, OneReaderThatRefusesKeepsNoOtherFromItsRules) {
  testing::Neighbour refuses([](const net::Request&) { return answer_with(500, "no"); });
  testing::Neighbour takes;
  std::ofstream(path("hot-0.yml")) << "new";  // as a start finds it, and as the reader runs it
  std::atomic<int> version = 0;
  PublisherSettings settings;
  settings.targets = {target("hot-0.yml", refuses, [&] { return version == 0 ? "new" : "bad"; }),
                      target("hot-1.yml", takes, [&] { return std::to_string(version); })};
  ASSERT_TRUE(start(std::move(settings)).has_value());
  ASSERT_TRUE(becomes_true([&] { return takes.asked().size() == 1; }));
  version = 1;
  publisher_->wake();
  EXPECT_TRUE(becomes_true([&] { return takes.asked().size() == 2; }));
  EXPECT_EQ(content("hot-1.yml"), "1");
  EXPECT_EQ(content("hot-0.yml"), "new") << "the refused content does not stay";
}

TEST_F(Publisher, AStartWithAFileThatCannotBeWrittenEndsWithItsName) {
  testing::Neighbour reader;
  fs::create_directories(path("hot-0.yml"));
  PublisherSettings settings;
  settings.targets = {target("hot-0.yml", reader, [] { return "rules"; })};
  const auto started = start(std::move(settings));
  ASSERT_FALSE(started.has_value());
  EXPECT_EQ(started.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(started.error().message, HasSubstr(path("hot-0.yml")));
  EXPECT_TRUE(reader.asked().empty());
}

TEST_F(Publisher, AFileThatCannotBeWrittenLaterKeepsNoOtherFromBeingLoaded) {
  testing::Neighbour reader;
  std::atomic<int> version = 0;
  const auto render = [&] { return std::to_string(version); };
  PublisherSettings settings;
  settings.targets = {target("hot-0.yml", reader, render), target("hot-1.yml", reader, render)};
  ASSERT_TRUE(start(std::move(settings)).has_value());
  ASSERT_TRUE(becomes_true([&] { return reader.asked().size() == 2; }));
  const auto before = failures();
  fs::remove(path("hot-0.yml"));
  fs::create_directories(path("hot-0.yml"));
  version = 1;
  publisher_->wake();
  EXPECT_TRUE(becomes_true([&] { return content("hot-1.yml") == "1" && failures() > before; }));
  EXPECT_TRUE(becomes_true([&] { return reader.asked().size() == 3; })) << "hot-1 alone";
}

TEST_F(Publisher, MailWithoutAServerIsLeftOutWithTheReason) {
  testing::Neighbour reader;
  add({"mail", kA, "email", "a@a.example", "", 1});
  add({"hook", kA, "webhook", "https://8.8.8.8/x", "", 1});
  ASSERT_TRUE(start(with_alertmanager(reader)).has_value());
  EXPECT_TRUE(
      becomes_true([&] { return stored("mail").state == channels::ChannelState::kNotActive; }));
  EXPECT_THAT(stored("mail").reason, HasSubstr("alerting.mail"));
  EXPECT_TRUE(
      becomes_true([&] { return stored("hook").state == channels::ChannelState::kActive; }));
  EXPECT_THAT(content("alertmanager.yml"), HasSubstr("/cliente-a/hook"));
  EXPECT_THAT(content("alertmanager.yml"), Not(HasSubstr("a@a.example")));
}

// A database that lost channels must not take them from Alertmanager.
TEST_F(Publisher, ADatabaseInDoubtLeavesWhatAlertmanagerRuns) {
  testing::Neighbour reader;
  add({"hook", kA, "webhook", "https://8.8.8.8/x", "", 1});
  ASSERT_TRUE(start(with_alertmanager(reader)).has_value());
  ASSERT_TRUE(
      becomes_true([&] { return stored("hook").state == channels::ChannelState::kActive; }));
  const auto text = content("alertmanager.yml");
  ASSERT_TRUE((*database_).write([](store::DatabaseConnection& c) {
    return channels::delete_channel(kA, "hook", c);
  }));
  (*database_).raise_doubt("a test");
  const auto before = failures();
  publisher_->wake();
  EXPECT_TRUE(becomes_true([&] { return failures() > before; }));
  EXPECT_EQ(content("alertmanager.yml"), text);
}

// It kept every customer's channels from Alertmanager.
TEST_F(Publisher, ARowThatCannotBeReadIsOneRow) {
  testing::Neighbour reader;
  add({"bad", kA, "webhook", "https://8.8.8.8/bad", "", 1});
  add({"hook", kA, "webhook", "https://8.8.8.8/x", "", 1});
  ASSERT_TRUE((*database_).write([](store::DatabaseConnection& c) {
    return c.execute("UPDATE channels SET customer_id = 'no such id!' WHERE id = 'bad'", {});
  }));
  ASSERT_TRUE(start(with_alertmanager(reader)).has_value());
  EXPECT_TRUE(
      becomes_true([&] { return stored("hook").state == channels::ChannelState::kActive; }));
  EXPECT_THAT(content("alertmanager.yml"), HasSubstr("/cliente-a/hook"));
  EXPECT_THAT(content("alertmanager.yml"), Not(HasSubstr("no such id")));
}

TEST_F(Publisher, AlertmanagersFileIsLeftAloneWhereNoneIsNamed) {
  testing::Neighbour reader;
  add({"hook", kA, "webhook", "https://8.8.8.8/x", "", 1});
  PublisherSettings settings;
  settings.alertmanager_url = reader.url();
  settings.targets = {target("hot-0.yml", reader, [] { return "rules"; })};
  ASSERT_TRUE(start(std::move(settings)).has_value());
  EXPECT_TRUE(becomes_true([&] { return reader.asked().size() == 1; }));
  EXPECT_EQ(content("alertmanager.yml"), "");
  EXPECT_EQ(stored("hook").state, channels::ChannelState::kPending);
}

}  // namespace
}  // namespace vigia::monitor::alerting
