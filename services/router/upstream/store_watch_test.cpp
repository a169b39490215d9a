#include "services/router/upstream/store_watch.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "libs/net/server.hpp"

namespace vigia::router::upstream {
namespace {

/// A store that lives, and lacks rows or not.
class LivingStore final : public net::Handler {
 public:
  explicit LivingStore(std::string says) : says_(std::move(says)) {}
  std::optional<net::Response> admit(net::RequestHead& /*head*/) override { return std::nullopt; }
  void handle(net::Request /*request*/, net::Responder responder) override {
    net::Response response;
    if (!says_.empty()) response.headers.add("X-Vigia-Incomplete", says_);
    responder.send(std::move(response));
  }
  bool reads_coding(const net::RequestHead& /*head*/, std::string_view /*coding*/) const override {
    return false;
  }

 private:
  const std::string says_;
};

// Remote read has no room for a warning: what storage lacks is learned from its /health.
TEST(StoreWatch, AStoreThatLacksRowsIsSeenTo) {
  for (const char* says : {"", "damaged-files", "index", "quarantine"}) {
    LivingStore store{std::string(says)};
    net::ServerSettings settings;
    settings.name = "store";
    settings.listen = "127.0.0.1:0";
    const auto server = net::Server::start(std::move(settings), store);
    ASSERT_TRUE(server.has_value()) << server.error().message;
    const SystemClock clock;
    std::atomic<int> told{0};
    const StoreWatch watch(
        {{"cold", "http://" + (*server)->address(), "/health", false}},
        [&](std::size_t, const StoreHealth&, const StoreWatch::Identity&) { ++told; }, clock);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (told == 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    ASSERT_GT(told, 0);
    EXPECT_EQ(watch.seen(0).lacks, says);
    EXPECT_EQ(is_of_some(says),
              std::string_view(says) == "index" || std::string_view(says) == "quarantine")
        << says;
  }
}

}  // namespace
}  // namespace vigia::router::upstream
