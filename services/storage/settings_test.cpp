#include "services/storage/settings.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "libs/cassandra/driver.hpp"
#include "services/storage/service.hpp"

namespace vigia::storage {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kSmallest = R"(
internal_token: secret
store: {rocksdb: {directory: /tmp/x}}
)";

std::string error_of(const std::string& text) {
  const auto file = service::ConfigFile::parse(text, "storage.yaml");
  if (!file) return file.error().message;
  const auto settings = read_settings(*file);
  return settings ? "" : settings.error().message;
}

TEST(SettingsTest, TheSmallestFileHasTheDefaults) {
  const auto file = service::ConfigFile::parse(kSmallest, "storage.yaml");
  const auto settings = read_settings(*file);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->listen, "127.0.0.1:9096");
  EXPECT_EQ(settings->metrics_listen, "127.0.0.1:9196");
  EXPECT_EQ(settings->store.rocksdb.directory, "/tmp/x");
  EXPECT_EQ(settings->store.rocksdb.scrub, std::chrono::hours(24 * 7));
  EXPECT_EQ(settings->memory_max, 1ULL << 30U);
  EXPECT_EQ(settings->retention.raw, std::chrono::hours(24 * 400));
}

TEST(SettingsTest, MemoryHasADefaultAndAFloor) {
  const auto file = service::ConfigFile::parse(std::string(kSmallest) + "memory_max: 2GiB\n", "f");
  const auto settings = read_settings(*file);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->memory_max, 2ULL << 30U);
  EXPECT_THAT(error_of(std::string(kSmallest) + "memory_max: 100MiB\n"), HasSubstr("256MiB"));
}

TEST(SettingsTest, LateMaxIsOffOrADayAtLeast) {
  const auto late_max = [](const std::string& text) {
    return read_settings(*service::ConfigFile::parse(kSmallest + text, "f")).value().late_max;
  };
  EXPECT_EQ(late_max(""), Duration());
  EXPECT_EQ(late_max("late_max: 0\n"), Duration());
  EXPECT_EQ(late_max("late_max: 7d\n"), std::chrono::hours(24 * 7));
  EXPECT_THAT(error_of(std::string(kSmallest) + "late_max: 23h\n"), HasSubstr("late_max: 0, or"));
}

TEST(SettingsTest, ZeroKeepsForEverAndNegativeIsAnError) {
  const auto file =
      service::ConfigFile::parse(std::string(kSmallest) + "retention: {raw: 0, logs: 1w}\n", "f");
  const auto settings = read_settings(*file);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->retention.raw, Duration(0));
  EXPECT_EQ(settings->retention.logs, std::chrono::hours(24 * 7));
  EXPECT_THAT(error_of(std::string(kSmallest) + "retention: {raw: -1d}\n"),
              HasSubstr("storage.yaml:4: retention.raw: a retention can't be negative"));
}

// Design 4.
TEST(SettingsTest, RollUpsAreMadeUnlessToldOtherwise) {
  constexpr auto kYear = std::chrono::hours(24 * 365);
  const auto settings = read_settings(*service::ConfigFile::parse(std::string(kSmallest), "f"));
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  const retention::RetentionSettings& keep = settings->retention;
  EXPECT_EQ(keep.raw, std::chrono::hours(24 * 400));
  const std::pair<retention::RollupKeep, Duration> kept[] = {
      {keep.rollup_5m, 2 * kYear}, {keep.rollup_1h, 2 * kYear}, {keep.rollup_1d, 5 * kYear}};
  for (const auto& [rolled, duration] : kept) {
    EXPECT_TRUE(rolled.is_made);
    EXPECT_EQ(rolled.keep, duration);
  }
}

TEST(SettingsTest, RollUpsAreKeptForATimeForEverOrNotMade) {
  const auto file = service::ConfigFile::parse(
      std::string(kSmallest) + "retention: {rollup_5m: off, rollup_1h: 0}\n", "f");
  const auto settings = read_settings(*file);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_FALSE(settings->retention.rollup_5m.is_made);
  EXPECT_TRUE(settings->retention.rollup_1h.is_made);
  EXPECT_EQ(settings->retention.rollup_1h.keep, Duration(0));
  EXPECT_TRUE(settings->retention.rollup_1d.is_made);
  const auto wrong =
      service::ConfigFile::parse(std::string(kSmallest) + "retention: {rollup_1d: never}\n", "f");
  EXPECT_FALSE(read_settings(*wrong).has_value());
}

constexpr const char* kClasses =
    "retention: {logs: 1w, rollup_5m: off, rollup_1h: 2y}\n"
    "retention_customers_file: /dev/null\n"
    "retention_classes: {long: {raw: 2y, rollup_1h: 5y}, ever: {raw: 0}}\n";

TEST(SettingsTest, AClassHasTheRestFromRetention) {
  using retention::DataKind;
  const auto file = service::ConfigFile::parse(std::string(kSmallest) + kClasses, "f");
  const auto settings = read_settings(*file);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->classes.customers_file, "/dev/null");
  const retention::Keeps& kept = settings->classes.classes.at("long");
  EXPECT_EQ(kept[DataKind::kRaw], std::chrono::hours(24 * 730));
  EXPECT_EQ(kept[DataKind::kRollup1h], std::chrono::hours(24 * 365 * 5));
  EXPECT_EQ(kept[DataKind::kLogs], std::chrono::hours(24 * 7));
  EXPECT_EQ(settings->classes.classes.at("ever")[DataKind::kRaw], Duration(0));
}

TEST(SettingsTest, MistakesOfClassesAreNamed) {
  const auto error = [](const std::string& more) { return error_of(kSmallest + more); };
  const std::string file = "retention_customers_file: /dev/null\n";
  EXPECT_THAT(error(file + "retention_classes: {long: {row: 2y}}\n"),
              HasSubstr("retention_classes.long.row"));
  EXPECT_THAT(error(file + "retention_classes: {long: {raw: -2y}}\n"),
              HasSubstr("retention_classes.long.raw: a retention can't be negative"));
  EXPECT_THAT(error(file + "retention_classes: {\"Long one\": {raw: 2y}}\n"),
              HasSubstr("a class is named by"));
  EXPECT_THAT(error("retention_classes: {long: {raw: 2y}}\n"),
              HasSubstr("nobody has a class without retention_customers_file"));
  EXPECT_THAT(error(file), HasSubstr("there are no retention_classes"));
  EXPECT_THAT(
      error(file + "retention: {rollup_5m: off}\nretention_classes: {long: {rollup_5m: 2y}}\n"),
      HasSubstr("made of all customers or of none: retention.rollup_5m is off"));
}

TEST(SettingsTest, WrongNamesOfTheCustomersFileAreToldWhereTheFileIsChecked) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/customers.yaml";
  const auto check = [&](const std::string& text) -> std::string {
    std::ofstream(path) << text;
    const auto file =
        service::ConfigFile::parse(std::string(kSmallest) + "retention_customers_file: " + path +
                                       "\nretention_classes: {long: {raw: 2y}}\n",
                                   "storage.yaml");
    EXPECT_TRUE(read_settings(*file).has_value()) << "a start goes on without";
    const auto checked = describe_program().check(*file);
    return checked ? "" : checked.error().message;
  };
  EXPECT_EQ(check("customers: [{id: a, class: long}]\n"), "");
  EXPECT_THAT(check("customers: [{id: a, class: lnog}]\n"),
              HasSubstr("customer \"a\" has class \"lnog\", which is none"));
  EXPECT_THAT(check("customers: [{id: a, class: x}, {id: b, class: y}, {id: c, class: long}]\n"),
              HasSubstr("and 1 more"));
  EXPECT_THAT(check("customers:\n- {id: a, class: long}\n- {id: a b, class: long}\n"),
              HasSubstr("customers.yaml:3: customer \"a b\""));
  EXPECT_THAT(check("customers: [{id: a}]\n"), HasSubstr("it names no class"));
  EXPECT_THAT(check("customers: [{id: a, class: long}, {id: a, class: long}]\n"),
              HasSubstr("given twice"));
  EXPECT_THAT(check("customer: []\n"), HasSubstr("customer"));
}

TEST(SettingsTest, AStoreIsMadeWhereNoneWasUnlessToldOtherwise) {
  const auto file = service::ConfigFile::parse(
      "internal_token: x\nstore: {create: never, known_file: /y, rocksdb: {directory: /x}}\n", "f");
  const auto settings = read_settings(*file);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_FALSE(settings->guard.may_create);
  EXPECT_EQ(settings->guard.known_file, "/y");
  EXPECT_THAT(error_of("internal_token: x\nstore: {create: yes, rocksdb: {directory: /x}}\n"),
              HasSubstr("if_missing or never"));
  const auto known = [](const std::string& path) {
    return error_of("internal_token: x\nstore: {known_file: " + path +
                    ", rocksdb: {directory: /x/store/}}\n");
  };
  EXPECT_THAT(known("/x/store/known"), HasSubstr("must lie outside"));
  EXPECT_THAT(known("/x/y/../store/z/known"), HasSubstr("must lie outside"));
  EXPECT_EQ(known("/x/store.known"), "");
}

TEST(SettingsTest, TheScrubIsOffOrAnHourAtLeast) {
  const auto scrub = [](const std::string& value) {
    const auto file = service::ConfigFile::parse(
        "internal_token: x\nstore: {rocksdb: {directory: /x, scrub: " + value + "}}\n", "f");
    return read_settings(*file)->store.rocksdb.scrub;
  };
  EXPECT_EQ(scrub("off"), Duration(0));
  EXPECT_EQ(scrub("30d"), std::chrono::hours(24 * 30));
  for (const std::string value : {"59m", "0", "-1d", "soon"}) {
    EXPECT_THAT(
        error_of("internal_token: x\nstore: {rocksdb: {directory: /x, scrub: " + value + "}}\n"),
        HasSubstr("scrub"))
        << value;
  }
}

TEST(SettingsTest, HealingIsOffUnlessAPrometheusIsNamed) {
  const auto heal = [](const std::string& text) {
    return read_settings(*service::ConfigFile::parse(kSmallest + text, "f")).value().heal;
  };
  EXPECT_EQ(heal("").prometheus, "");
  const healing::HealSettings usual = heal("heal: {prometheus: \"http://127.0.0.1:9090/\"}\n");
  EXPECT_EQ(usual.prometheus, "http://127.0.0.1:9090");
  EXPECT_EQ(usual.interval, std::chrono::hours(1));
  EXPECT_EQ(usual.settle, std::chrono::minutes(10));
  EXPECT_EQ(usual.back, std::chrono::hours(24 * 7));
  const auto error = [](const std::string& more) {
    return error_of(kSmallest + ("heal: {" + more + "}\n"));
  };
  EXPECT_THAT(error("interval: 1h"), HasSubstr("heal.prometheus"));
  EXPECT_THAT(error("prometheus: hot"), HasSubstr("http://"));
  EXPECT_THAT(error("prometheus: \"http://me:secret@hot/p\""),
              testing::AllOf(HasSubstr("must not name a user"), testing::Not(HasSubstr("secret"))));
  EXPECT_EQ(heal("heal: {prometheus: \"http://hot/of@me\"}\n").prometheus, "http://hot/of@me");
  EXPECT_THAT(error("prometheus: \"http://hot\", interval: 25h"), HasSubstr("1s to 24h"));
  EXPECT_THAT(error("prometheus: \"http://hot\", settle: 2d"), HasSubstr("0 to 24h"));
  EXPECT_THAT(error("prometheus: \"http://hot\", back: 400d"), HasSubstr("0 to 365d"));
}

TEST(SettingsTest, MistakesAreNamed) {
  EXPECT_THAT(error_of(std::string(kSmallest) + "retencion: {raw: 1d}\n"),
              HasSubstr("storage.yaml:4: retencion"));
  EXPECT_THAT(error_of("store: {rocksdb: {directory: /tmp/x}}\n"), HasSubstr("internal_token"));
  EXPECT_THAT(error_of("internal_token: x\n"), HasSubstr("store.rocksdb.directory"));
}

constexpr const char* kOnCassandra =
    "internal_token: x\n"
    "store: {cassandra: {directory: /x, contact_points: [\"node-1:9042\", \"node-2:9042\"]}}\n";

TEST(SettingsTest, TheStoreOnCassandraIsChosenByItsKey) {
  if (!vigia::cassandra::has_driver()) {
    EXPECT_THAT(error_of(kOnCassandra), HasSubstr("without Cassandra's driver"));
    return;
  }
  const auto file = service::ConfigFile::parse(kOnCassandra, "f");
  const auto settings = read_settings(*file);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->store.kind, "cassandra");
  const auto& cassandra = settings->store.cassandra;
  EXPECT_EQ(cassandra.directory, "/x");
  EXPECT_EQ(cassandra.gather, std::chrono::minutes(10));
  EXPECT_EQ(cassandra.speculative_after, std::chrono::milliseconds(500));
  EXPECT_EQ(cassandra.connection.contact_points.size(), 2U);
  EXPECT_EQ(cassandra.schema.keyspace, "observability");
  EXPECT_EQ(cassandra.connection.datacenter, "datacenter1");
  EXPECT_EQ(cassandra.schema.replication_factor, 3U);
  EXPECT_EQ(cassandra.classes[0].name, "400d");
  EXPECT_EQ(cassandra.classes[3].name, "5y");
  EXPECT_EQ(cassandra.events.logs, std::chrono::hours(24 * 30));
}

TEST(SettingsTest, MistakesOfTheStoreOnCassandraAreNamed) {
  if (!vigia::cassandra::has_driver()) GTEST_SKIP() << "built without Cassandra's driver";
  const auto error = [](const std::string& more, const std::string& retention = "") {
    return error_of("internal_token: x\nstore: {cassandra: {directory: /x, " + more + "}}\n" +
                    retention);
  };
  const std::string points = "contact_points: [\"n:9042\"]";
  EXPECT_EQ(error(points), "");
  EXPECT_THAT(error("keyspace: vigia"), HasSubstr("store.cassandra.contact_points"));
  EXPECT_THAT(error("contact_points: [node]"), HasSubstr("\"node\" is not host:port"));
  EXPECT_THAT(error(points + ", keyspace: \"a; DROP\""), HasSubstr("store.cassandra"));
  EXPECT_THAT(error(points + ", replication_factor: 0"), HasSubstr("replication_factor"));
  EXPECT_THAT(error(points + ", gather: 1h"), HasSubstr("0s to 30m"));
  EXPECT_EQ(error(points + ", speculative_after: 0s"), "");
  for (const char* after : {"99ms", "6s"}) {
    EXPECT_THAT(error(points + ", speculative_after: " + after), HasSubstr("100ms to 5s")) << after;
  }
  EXPECT_THAT(error(points + ", tls: {ca_file: /dev/null, cert_file: /dev/null}"),
              HasSubstr("go together"));
  EXPECT_THAT(error(points + ", tls: {ca_file: /nowhere/ca.pem}"), HasSubstr("/nowhere/ca.pem"));
  EXPECT_THAT(error(points + ", user: vigia"), HasSubstr("store.cassandra.password"));
  EXPECT_THAT(error(points + ", password: geheim"), HasSubstr("store.cassandra.user"));
  EXPECT_THAT(error(points + ", password: geheim"), Not(HasSubstr("geheim")));
  EXPECT_EQ(error(points + ", peers: [\"https://a:9096\", \"http://b:9096\"]"), "");
  for (const char* peer : {"a:9096", "https://", "https://token@a:9096", "https://a:9096/api"}) {
    EXPECT_THAT(error(points + ", peers: [\"" + peer + "\"]"),
                HasSubstr("is not http(s)://host:port"))
        << peer;
  }
  EXPECT_THAT(error(points + ", peers: [\"http://a:1\", \"http://a:1\"]"), HasSubstr("twice"));
  EXPECT_THAT(error(points, "retention: {raw: 9y}\n"), HasSubstr("longer than every class"));
  const std::string classes = "retention_customers_file: /dev/null\nretention_classes: ";
  EXPECT_EQ(error(points, classes + "{a: {raw: 2y, rollup_1h: 0}, b: {logs: 3y}}\n"), "");
  EXPECT_THAT(error(points, classes + "{a: {raw: 2y}, b: {rollup_1h: 9y}}\n"),
              testing::AllOf(HasSubstr("retention_classes.b: retention of rollup_1h"),
                             HasSubstr("longer than every class")));
  EXPECT_THAT(
      error_of("internal_token: x\nstore: {rocksdb: {directory: /y}, cassandra: {directory: "
               "/x, contact_points: [\"n:1\"]}}\n"),
      HasSubstr("a store is one of the two"));
}

}  // namespace
}  // namespace vigia::storage
