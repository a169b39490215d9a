// A server whose requests have owners by their paths, and handlers that can be held up.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "libs/net/server.hpp"
#include "libs/net/testing/server_fixture.hpp"

namespace vigia::net {

using internal::EchoHandler;
using internal::RawClient;
using internal::small_settings;

inline std::string get(std::string_view path) {
  return "GET " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

inline std::string post(std::string_view path, std::string_view headers, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: x\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

class ShareTest : public testing::Test {
 protected:
  ShareTest() {
    settings_.loops = 1;
    settings_.body_bytes_max = 64U << 20U;
    // "/a/…" is owned by a.
    handler_.on_admit = [](RequestHead& head) -> std::optional<Response> {
      const std::size_t end = head.path.find('/', 1);
      if (end != std::string::npos) head.owner = head.path.substr(1, end - 1);
      return std::nullopt;
    };
  }
  void start() {
    auto server = Server::start(settings_, handler_);
    ASSERT_TRUE(server.has_value()) << server.error().message;
    server_ = std::move(*server);
  }
  RawClient connect(const std::string& from = "127.0.0.1") {
    return RawClient(server_->port(), 0, from);
  }

  EchoHandler handler_;
  ServerSettings settings_ = small_settings();
  std::unique_ptr<Server> server_;
};

/// Blocks the handler's threads for requests of an owner until it is opened.
class Gate {
 public:
  void pass(const Request& request) {
    std::unique_lock lock(mutex_);
    ++inside_;
    order_.push_back(request.path);
    changed_.wait_for(lock, std::chrono::seconds(10), [this] { return is_open_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  std::size_t inside() {
    const std::lock_guard lock(mutex_);
    return inside_;
  }
  std::vector<std::string> order() {
    const std::lock_guard lock(mutex_);
    return order_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t inside_ = 0;
  std::vector<std::string> order_;
  bool is_open_ = false;
};

inline void answer_fine(Responder& responder) {
  Response response;
  response.body = "fine.";
  responder.send(std::move(response));
}

}  // namespace vigia::net
