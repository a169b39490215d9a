// A program beside the monitor, over a real socket, for tests.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libs/net/message.hpp"
#include "libs/net/server.hpp"

namespace vigia::monitor::testing {

/// An answer of that status and body.
net::Response answer_with(int status, std::string body = "");

/// Answers what the test says and remembers what it was asked. Thread contract: `answer` is set
/// while nobody asks; it is called on the server's thread.
class Neighbour : public net::Handler {
 public:
  using Answer = std::function<net::Response(const net::Request&)>;
  explicit Neighbour(Answer answer = [](const net::Request&) { return answer_with(200); });
  ~Neighbour() override;
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;

  void handle(net::Request request, net::Responder responder) override;
  std::string url() const { return "http://" + server_->address(); }
  /// "POST /-/reload", in the order in which they came.
  std::vector<std::string> asked() const;

  Answer answer;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> asked_;  ///< guarded by mutex_
  std::unique_ptr<net::Server> server_;
};

}  // namespace vigia::monitor::testing
