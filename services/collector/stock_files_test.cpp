// Configurations as users of the OpenTelemetry Collector bring them: tests/golden/stock.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "services/collector/settings.hpp"

namespace vigia::collector {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = "tests/golden/stock";

std::string content(const fs::path& file) {
  std::ifstream stream(file);
  EXPECT_TRUE(stream) << file;
  std::ostringstream all;
  all << stream.rdbuf();
  return all.str();
}

/// What a start would say: the line that ends it, or every key without effect.
std::string told(const fs::path& file) {
  const auto parsed = service::ConfigFile::parse(content(file), file.filename().string());
  if (!parsed) return parsed.error().message + "\n";
  const auto settings = read_settings(*parsed);
  if (!settings) return settings.error().message + "\n";
  std::string text = "loads\n";
  for (const std::string& note : settings->notes) text += note + "\n";
  return text;
}

std::set<fs::path> files_of(const fs::path& folder) {
  std::set<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") files.insert(entry.path());
  }
  return files;
}

void compare(const std::set<fs::path>& files, bool loads) {
  for (fs::path file : files) {
    const std::string now = told(file);
    EXPECT_EQ(now.starts_with("loads\n"), loads) << file << ": " << now;
    const fs::path golden = file.replace_extension(".told");
    if (std::getenv("WRITE_GOLDEN") != nullptr) std::ofstream(golden) << now;
    EXPECT_EQ(now, content(golden)) << golden;
  }
}

TEST(CollectorStockFiles, EachIsRefusedAtTheLineThatCannotBe) {
  const auto files = files_of(kFolder);
  EXPECT_GE(files.size(), 10U);
  compare(files, false);
}

TEST(CollectorStockFiles, ThoseOfOurPartsLoadWithATokenAsked) {
  const auto files = files_of(kFolder / "adopted");
  EXPECT_GE(files.size(), 3U);
  compare(files, true);
}

// As --config given twice.
TEST(CollectorStockFiles, ALaterFileIsLaidOverAnEarlierOne) {
  const std::string folder = kFolder / "layered";
  const auto alone = service::ConfigFile::load(folder + "/base.yaml");
  ASSERT_TRUE(alone.has_value()) << alone.error().message;
  const auto refused = read_settings(*alone);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message,
            folder + "/base.yaml:2: extensions: vigia_auth is needed: who may send");
  const auto file = service::ConfigFile::load_all({folder + "/base.yaml", folder + "/site.yaml"});
  ASSERT_TRUE(file.has_value()) << file.error().message;
  const auto settings = read_settings(*file);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  ASSERT_EQ(settings->receivers.size(), 2U);
  EXPECT_EQ(settings->processors.memory_limiter.limit_bytes, 1024U << 20U);
  EXPECT_EQ(settings->health_endpoint, "127.0.0.1:13133");
  EXPECT_EQ(settings->storage.directory, "/var/lib/vigia/collector");
  EXPECT_EQ(settings->signals.size(), 3U);
  EXPECT_EQ(settings->exporters.size(), 1U);
}

// The file of the seed's tree, as it lies beside the collector.
TEST(CollectorStockFiles, TheFileOfTheSeedLoads) {
  ::setenv("VIGIA_INTERNAL_TOKEN", "internal", 1);
  ::setenv("VIGIA_CUSTOMERS", "/dev/null", 1);
  const auto file = service::ConfigFile::load("services/collector/otel-collector-config.yaml");
  ASSERT_TRUE(file.has_value()) << file.error().message;
  const auto settings = read_settings(*file);
  ASSERT_TRUE(settings.has_value()) << settings.error().message;
  EXPECT_EQ(settings->exporters.size(), 4U);
  EXPECT_TRUE(settings->notes.empty());
}

}  // namespace
}  // namespace vigia::collector
