// A session of either protocol without a socket, for fuzzers.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/net/internal/core.hpp"
#include "libs/net/internal/output.hpp"

namespace vigia::net::internal {

class EchoingTalk final : public GrpcTalk {
 public:
  Result<std::string> answer(std::string_view message) override { return std::string(message); }
};

class EchoingHandler final : public Handler {
 public:
  std::unique_ptr<GrpcTalk> open_talk(const RequestHead& head) override {
    return head.path == "/a.B/Talk" ? std::make_unique<EchoingTalk>() : nullptr;
  }
  std::optional<Response> admit(RequestHead& head) override {
    if (head.path != "/refused") return std::nullopt;
    return refuse(head, {ErrorCode::kForbidden, "refused"});
  }
  void handle(Request request, Responder responder) override {
    Response response;
    response.headers = request.headers;
    response.body = std::move(request.body);
    responder.send(std::move(response));
  }
};

/// A connection without a socket: answers wait until the session has taken its bytes, as they do
/// on a loop.
class BareHost final : public SessionHost {
 public:
  class WaitingTarget final : public Responder::Target {
   public:
    WaitingTarget(BareHost& host, std::uint64_t id) : host_(host), id_(id) {}
    void answer(Response response) override {
      host_.answers.emplace_back(id_, std::move(response));
    }

   private:
    BareHost& host_;
    std::uint64_t id_;
  };

  explicit BareHost(ServerCore& core) : core_(core) {}
  std::shared_ptr<Responder::Target> make_target(std::uint64_t id, bool /*takes_gzip*/) override {
    return std::make_shared<WaitingTarget>(*this, id);
  }
  ServerCore& core() override { return core_; }
  TimePoint now() const override { return time; }
  const std::string& peer() const override { return peer_; }
  void forget(std::uint64_t /*id*/) override {}
  Holding head_bytes() const override { return core_.budgets->heads.open(peer_); }
  bool has_room_for(std::size_t /*bytes*/) override { return true; }
  bool is_full() override { return false; }
  bool is_encrypted() const override { return false; }
  OutputQueue& output() override { return output_; }

  TimePoint time;
  std::vector<std::pair<std::uint64_t, Response>> answers;

 private:
  ServerCore& core_;
  std::string peer_ = "127.0.0.1:1";
  OutputQueue output_;
};

inline void drop_output(OutputQueue& output) { output.pop(output.size()); }

/// All bytes, so many a read; answers go out between the reads.
inline void run(BareHost& host, ProtocolSession& session, std::string_view bytes,
                std::size_t piece) {
  while (!bytes.empty() && !session.is_done()) {
    session.receive(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    for (int round = 0; round < 100; ++round) {
      auto answers = std::exchange(host.answers, {});
      for (auto& [id, response] : answers) session.answer(id, std::move(response));
      session.fill();
      drop_output(host.output());
      if (host.answers.empty()) break;
    }
    host.time += std::chrono::seconds(1);
    session.tick();
  }
  session.end_input();
}

}  // namespace vigia::net::internal
