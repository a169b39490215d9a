#include "libs/service/program.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "libs/service/health.hpp"

namespace vigia::service {
namespace {

using testing::ExitedWithCode;

class Recorded final : public Running {
 public:
  void stop(TimePoint deadline) noexcept override {
    const bool is_later = deadline > SystemClock().steady();
    std::fprintf(stderr, "stopped before the deadline: %d\n", is_later ? 1 : 0);
  }
};

using Start = std::function<Result<std::unique_ptr<Running>>()>;

ProgramDescription description(Start start) {
  ProgramDescription program;
  program.name = "vigia-example";
  program.summary = "An example.";
  program.config_help = "  listen: 127.0.0.1:1  where it listens";
  program.prepare = [start](const ConfigFile& file) -> Result<Start> {
    file.root().child("listen").text();
    if (auto result = file.finish(); !result) return forward(result);
    return start;
  };
  return program;
}

class ProgramTest : public testing::Test {
 protected:
  ProgramTest() {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    std::ofstream(good_) << "listen: 127.0.0.1:0\n";
    std::ofstream(bad_) << "listen: x\nlitsen: y\n";
  }

  [[noreturn]] static void run(std::vector<std::string> arguments, const Start& start) {
    arguments.insert(arguments.begin(), "vigia-example");
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    std::fflush(stdout);
    dup2(2, 1);  // a death test sees stderr alone
    std::exit(run_program(static_cast<int>(pointers.size()), pointers.data(), description(start)));
  }

  static Result<std::unique_ptr<Running>> start_and_signal(int signal) {
    // From a thread of the service's own: it must not be the one that takes the signal.
    std::thread([signal] { kill(getpid(), signal); }).join();
    return std::make_unique<Recorded>();
  }

  /// One a test: tests run at once, and one that rewrites a file must not be read by another.
  static std::string path_of(const std::string& name) {
    const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
    return testing::TempDir() + "vigia_" + test->name() + "_" + name;
  }

  std::string good_ = path_of("good.yaml");
  std::string bad_ = path_of("bad.yaml");
  Start never_ = []() -> Result<std::unique_ptr<Running>> { std::abort(); };
};

TEST_F(ProgramTest, StopsOnTheSignalsAndExitsWith0) {
  for (const int signal : {SIGTERM, SIGINT}) {
    EXPECT_EXIT(run({"--config", good_}, [signal] { return start_and_signal(signal); }),
                ExitedWithCode(0), "stopped before the deadline: 1");
  }
}

TEST_F(ProgramTest, ABadConfigurationIsOneLineAnd2) {
  EXPECT_EXIT(run({"--config", bad_}, never_), ExitedWithCode(2),
              "^[^\n]*bad.yaml:2: litsen: the key is not known\n$");
  EXPECT_EXIT(run({"--config", "/nonexistent.yaml"}, never_), ExitedWithCode(2),
              "^/nonexistent.yaml: cannot be opened\n$");
  EXPECT_EXIT(run({"--config", bad_, "--check-config"}, never_), ExitedWithCode(2), "litsen");
}

TEST_F(ProgramTest, CheckConfigStartsNothing) {
  EXPECT_EXIT(run({"--config", good_, "--check-config"}, never_), ExitedWithCode(0), "valid");
}

TEST_F(ProgramTest, SeveralConfigurationsAreOne) {
  EXPECT_EXIT(run({"--config", bad_, "--config", "file:" + good_, "--check-config"}, never_),
              ExitedWithCode(2), "^[^\n]*bad.yaml:2: litsen: the key is not known\n$");
  EXPECT_EXIT(run({"--config", good_, "--config", good_, "--check-config"}, never_),
              ExitedWithCode(0), "good.yaml, [^\n]*good.yaml: the configuration is valid");
  EXPECT_EXIT(run({"--config", good_, "--config", "yaml:listen: x"}, never_), ExitedWithCode(2),
              "only files are read");
  EXPECT_EXIT(run({"--config", good_, good_}, never_), ExitedWithCode(2), "good.yaml");
}

TEST_F(ProgramTest, BadFlagsAre2) {
  EXPECT_EXIT(run({"--cofnig", good_}, never_), ExitedWithCode(2), "--cofnig");
  EXPECT_EXIT(run({}, never_), ExitedWithCode(2), "--config FILE is required");
  EXPECT_EXIT(run({"--config", good_, "--log-level", "loud"}, never_), ExitedWithCode(2), "loud");
}

TEST_F(ProgramTest, HelpAndVersion) {
  EXPECT_EXIT(run({"--help"}, never_), ExitedWithCode(0), "where it listens");
  EXPECT_EXIT(run({"--version"}, never_), ExitedWithCode(0), "vigia-example " VIGIA_VERSION);
}

TEST_F(ProgramTest, AFaultAtTheStartIs2WhereItCanBeMendedElse1) {
  const auto failing = [](ErrorCode code) -> Start {
    return [code]() -> Result<std::unique_ptr<Running>> { return fail(code, "taken\nport"); };
  };
  EXPECT_EXIT(run({"--config", good_}, failing(ErrorCode::kUnavailable)), ExitedWithCode(2),
              "^taken port\n$");
  EXPECT_EXIT(run({"--config", good_}, failing(ErrorCode::kInternal)), ExitedWithCode(1), "taken");
}

std::string fetch(const std::string& address, const std::string& arguments) {
  FILE* pipe = popen(("curl -sS -i -m 10 http://" + address + arguments).c_str(), "r");
  std::string all;
  char buffer[4096];
  while (const std::size_t size = fread(buffer, 1, sizeof buffer, pipe)) all.append(buffer, size);
  pclose(pipe);
  return all;
}

TEST(MetricsServer, ServesBothFormatsByAccept) {
  MetricRegistry registry;
  registry.counter("x_total", "X.").add(2);
  auto server = MetricsServer::start("127.0.0.1:0", registry);
  ASSERT_TRUE(server.has_value());
  const std::string text = fetch((*server)->address(), "/metrics");
  EXPECT_NE(text.find("content-type: text/plain; version=0.0.4"), std::string::npos) << text;
  EXPECT_NE(text.find("\nx_total 2\n"), std::string::npos) << text;
  const std::string open = fetch(
      (*server)->address(), "/metrics -H 'Accept: application/openmetrics-text;version=1.0.0'");
  EXPECT_NE(open.find("content-type: application/openmetrics-text; version=1.0.0"),
            std::string::npos)
      << open;
  EXPECT_TRUE(open.ends_with("# EOF\n"));
  EXPECT_NE(fetch((*server)->address(), "/").find("404"), std::string::npos);
}

TEST(Health, ShowsAStatusWordOnly) {
  net::Routes routes;
  std::atomic<bool> is_ready = false;
  add_health_routes(routes, [&is_ready] { return is_ready.load(); });
  net::ServerSettings settings;
  settings.listen = "127.0.0.1:0";
  settings.loops = 1;
  auto server = net::Server::start(settings, routes);
  ASSERT_TRUE(server.has_value());
  const std::string address = (*server)->address();
  EXPECT_TRUE(fetch(address, "/health").ends_with("\r\n\r\n{\"status\":\"ok\"}"));
  const std::string before = fetch(address, "/ready");
  EXPECT_TRUE(before.starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(before.ends_with("\r\n\r\n{\"status\":\"unavailable\"}"));
  is_ready = true;
  EXPECT_TRUE(fetch(address, "/ready").starts_with("HTTP/1.1 200 "));
}

}  // namespace
}  // namespace vigia::service
