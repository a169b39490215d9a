// A file that another program reads: what stands in it after each kind of answer.
#include "services/monitor/alerting/reloaded_file.hpp"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/monitor/alerting/file_write.hpp"
#include "services/monitor/testing/neighbour.hpp"

namespace vigia::monitor::alerting {
namespace {

using testing::answer_with;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

class ReloadedFileTest : public ::testing::Test {
 protected:
  std::string path() const { return folder_.file("rules/vigia.yml"); }
  std::string content() const { return read_file_or_empty(path()); }
  std::string previous() const { return read_file_or_empty(path() + ".previous"); }
  void put(const std::string& text) const {
    fs::create_directories(folder_.file("rules"));
    std::ofstream(path()) << text;
  }
  ReloadedFile file(mode_t mode = 0600) {
    return {ReloadParts{*client_, reloads_, failures_},
            Target{"rules of hot-0", path(), mode, reader_.url() + "/-/reload"}};
  }
  std::string counted() { return metrics_.expose(false); }
  static bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  }

  const TemporaryFolder folder_;
  testing::Neighbour reader_;
  std::unique_ptr<net::Client> client_ = net::Client::create({});
  service::MetricRegistry metrics_;
  service::Counter& reloads_ = metrics_.counter("reloads_total", "");
  service::Counter& failures_ = metrics_.counter("failures_total", "");
};

TEST_F(ReloadedFileTest, WritingTellsNobody) {
  auto rules = file(0644);
  ASSERT_TRUE(rules.write("a").has_value());
  EXPECT_EQ(content(), "a");
  EXPECT_THAT(reader_.asked(), IsEmpty());
  struct stat info{};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0644U & ~::umask(::umask(0)));
}

TEST_F(ReloadedFileTest, WhatIsWrittenAlreadyIsNotWrittenAgain) {
  put("a");
  const auto before = fs::last_write_time(path()) - std::chrono::hours(1);
  fs::last_write_time(path(), before);
  ASSERT_TRUE(file().write("a").has_value());
  EXPECT_EQ(fs::last_write_time(path()), before);
}

TEST_F(ReloadedFileTest, WhatIsTakenIsLoadedOnce) {
  auto rules = file();
  EXPECT_EQ(rules.load("a").value(), Verdict::kTaken);
  EXPECT_EQ(rules.load("a").value(), Verdict::kTaken);
  EXPECT_THAT(reader_.asked(), ElementsAre("POST /-/reload"));
  EXPECT_EQ(rules.load("b").value(), Verdict::kTaken);
  EXPECT_EQ(content(), "b");
  EXPECT_EQ(previous(), "a");
  EXPECT_TRUE(has(counted(), "reloads_total 2")) << counted();
  EXPECT_TRUE(has(counted(), "failures_total 0"));
}

// Somebody edited it: what the reader would load at its next start is not what it runs.
TEST_F(ReloadedFileTest, AFileThatSomebodyChangedIsWrittenAndLoadedAnew) {
  auto rules = file();
  ASSERT_EQ(rules.load("a").value(), Verdict::kTaken);
  put("by hand");
  EXPECT_EQ(rules.load("a").value(), Verdict::kTaken);
  EXPECT_EQ(content(), "a");
  EXPECT_EQ(previous(), "by hand");
  EXPECT_EQ(reader_.asked().size(), 2U);
}

TEST_F(ReloadedFileTest, WhatIsRefusedLeavesWhatTheReaderRuns) {
  auto rules = file();
  ASSERT_EQ(rules.load("good").value(), Verdict::kTaken);
  for (const int status : {500, 400}) {
    reader_.answer = [&](const net::Request&) { return answer_with(status, "line 7: no"); };
    EXPECT_EQ(rules.load("bad").value(), Verdict::kRefused) << status;
    EXPECT_EQ(content(), "good") << status;
    EXPECT_EQ(rules.refusal(), "line 7: no");
  }
  reader_.answer = [](const net::Request&) { return answer_with(200); };
  EXPECT_EQ(rules.load("better").value(), Verdict::kTaken);
  EXPECT_EQ(rules.refusal(), "") << "of another content";
  EXPECT_EQ(content(), "better");
}

// Right after a start: what the reader runs is what it read at its own, the file.
TEST_F(ReloadedFileTest, TheFirstRefusalLeavesWhatTheFileHeld) {
  put("of the last start");
  reader_.answer = [](const net::Request&) { return answer_with(500, "no"); };
  EXPECT_EQ(file().load("bad").value(), Verdict::kRefused);
  EXPECT_EQ(content(), "of the last start");
}

TEST_F(ReloadedFileTest, ARefusalIsKeptCut) {
  reader_.answer = [](const net::Request&) { return answer_with(500, std::string(10'000, 'x')); };
  auto rules = file();
  ASSERT_EQ(rules.load("bad").value(), Verdict::kRefused);
  EXPECT_EQ(rules.refusal(), std::string(500, 'x'));
}

// A proxy's 502, or a reader without the lifecycle interface: nothing is said of the file, and it
// is read when the reader starts.
TEST_F(ReloadedFileTest, WhoIsAwayFindsTheNewContentWhenItIsBack) {
  auto rules = file();
  for (const int status : {502, 404, 403}) {
    reader_.answer = [&](const net::Request&) { return answer_with(status); };
    EXPECT_EQ(rules.load("new").value(), Verdict::kAway) << status;
    EXPECT_EQ(content(), "new") << status;
  }
  EXPECT_TRUE(has(counted(), "failures_total 3")) << counted();
  reader_.answer = [](const net::Request&) { return answer_with(200); };
  EXPECT_EQ(rules.load("new").value(), Verdict::kTaken) << "it is told, though the file stands";
}

TEST_F(ReloadedFileTest, WhatCannotBeWrittenIsAnErrorAndNobodyIsTold) {
  fs::create_directories(path());  // a folder stands where the file should
  auto rules = file();
  const auto written = rules.write("a");
  ASSERT_FALSE(written.has_value());
  EXPECT_EQ(written.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(has(written.error().message, path())) << written.error().message;
  const auto loaded = rules.load("a");
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(reader_.asked(), IsEmpty());
  fs::remove(path());
  EXPECT_EQ(rules.load("a").value(), Verdict::kTaken) << "it goes on where the place is free";
}

}  // namespace
}  // namespace vigia::monitor::alerting
