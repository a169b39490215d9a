#include "libs/service/log.hpp"

#include <gtest/gtest.h>

namespace vigia::service {
namespace {

std::string logged(LogFormat format, std::string_view message,
                   std::initializer_list<LogField> fields) {
  configure_log(LogLevel::kInfo, format, "vigia-test");
  testing::internal::CaptureStderr();
  log_warn(message, fields);
  return testing::internal::GetCapturedStderr();
}

TEST(Log, LogfmtIsOneLineAnEvent) {
  const std::string line = logged(LogFormat::kLogfmt, "up and running", {{"address", "[::1]:1"}});
  EXPECT_TRUE(line.starts_with("ts=20"));
  EXPECT_NE(line.find("level=warn service=vigia-test msg=\"up and running\" address=[::1]:1\n"),
            std::string::npos)
      << line;
}

// R-WEB-13.
TEST(Log, InputCannotForgeALine) {
  const auto* evil = "x\nts=2026 level=error msg=\"forged\"";
  for (const LogFormat format : {LogFormat::kLogfmt, LogFormat::kJson}) {
    const std::string line = logged(format, "m", {{"value", evil}});
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    EXPECT_NE(line.find(R"("x\nts=2026 level=error msg=\"forged\"")"), std::string::npos) << line;
  }
}

TEST(Log, JsonHasEveryField) {
  const std::string line = logged(LogFormat::kJson, "m", {{"bytes", "7"}});
  EXPECT_NE(line.find(R"("level":"warn","service":"vigia-test","msg":"m","bytes":"7"})"),
            std::string::npos)
      << line;
}

TEST(Log, QuieterLevelsAreNotWritten) {
  configure_log(LogLevel::kError, LogFormat::kLogfmt, "vigia-test");
  testing::internal::CaptureStderr();
  log_warn("quiet");
  log_debug("quiet");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace vigia::service
