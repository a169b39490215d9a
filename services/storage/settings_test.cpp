#include "services/storage/settings.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vigia::storage {
namespace {

using testing::HasSubstr;

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

TEST(SettingsTest, RetentionsOfWhatIsNotMadeYetAreToldByTheirKeys) {
  struct Case {
    const char* retention;
    const char* told;
  };
  for (const Case& each :
       {Case{"{raw: 1d}", ""}, Case{"{rollup_1h: 2y}", "retention.rollup_1h"},
        Case{"{rollup_1d: 0, rollup_5m: 1y}", "retention.rollup_5m, retention.rollup_1d"}}) {
    const auto file = service::ConfigFile::parse(
        std::string(kSmallest) + "retention: " + each.retention + "\n", "f");
    const auto settings = read_settings(*file);
    ASSERT_TRUE(settings.has_value()) << settings.error().message;
    EXPECT_EQ(settings->retention.without_effect, each.told);
  }
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

TEST(SettingsTest, MistakesAreNamed) {
  EXPECT_THAT(error_of(std::string(kSmallest) + "retencion: {raw: 1d}\n"),
              HasSubstr("storage.yaml:4: retencion"));
  EXPECT_THAT(error_of("store: {rocksdb: {directory: /tmp/x}}\n"), HasSubstr("internal_token"));
  EXPECT_THAT(error_of("internal_token: x\n"), HasSubstr("store.rocksdb.directory"));
  EXPECT_THAT(error_of("internal_token: x\nstore: {cassandra: {keyspace: vigia}}\n"),
              HasSubstr("no Cassandra store"));
}

}  // namespace
}  // namespace vigia::storage
