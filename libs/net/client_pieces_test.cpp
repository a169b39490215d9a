// Answers that are taken piece by piece while they come.
#include <condition_variable>
#include <future>
#include <mutex>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "libs/net/client.hpp"
#include "libs/net/testing/server_fixture.hpp"

namespace vigia::net {
namespace {

using namespace std::chrono_literals;
using internal::EchoHandler;
using internal::small_settings;

class ClientPiecesTest : public testing::Test {
 protected:
  ClientPiecesTest() : server_(std::move(*Server::start(small_settings(), handler_))) {}

  ClientRequest request(std::string path, std::string body) {
    ClientRequest made;
    made.method = "POST";
    made.url = "http://" + server_->address() + path;
    made.body = std::move(body);
    return made;
  }

  EchoHandler handler_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_ = Client::create({});
};

/// Answers with what it was sent.
void send_back(Request got, Responder responder) {
  Response response;
  response.body = std::move(got.body);
  responder.send(std::move(response));
}

TEST_F(ClientPiecesTest, ABodyIsTakenPieceByPieceAndMayWait) {
  handler_.on_handle = send_back;
  std::string sent;
  for (int i = 0; sent.size() < 1'000'000; ++i) sent += std::to_string(i);
  auto asked = request("/a", sent);
  std::string got;
  std::mutex mutex;
  std::condition_variable has_paused;
  int offers = 0;
  int pauses = 0;
  asked.on_piece = [&](std::string_view piece) {
    // Every third offer is refused for now.
    const std::lock_guard lock(mutex);
    if (++offers % 3 == 0) {
      ++pauses;
      has_paused.notify_one();
      return PieceVerdict::kLater;
    }
    got += piece;
    return PieceVerdict::kTaken;
  };
  std::promise<Result<ClientResponse>> answered;
  auto answer = answered.get_future();
  const auto number = client_->send(std::move(asked), [&](Result<ClientResponse> response) {
    answered.set_value(std::move(response));
  });
  client_->resume(4'711);  // one that never was
  for (int resumed = 0; answer.wait_for(0s) != std::future_status::ready;) {
    std::unique_lock lock(mutex);
    if (!has_paused.wait_for(lock, 10ms, [&] { return pauses > resumed; })) continue;
    ++resumed;
    lock.unlock();
    EXPECT_EQ(client_->fetch(request("/b", "others go on"))->body, "others go on");
    client_->resume(number);
  }
  const auto response = answer.get();
  ASSERT_TRUE(response.has_value()) << response.error().message;
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "");
  EXPECT_TRUE(got == sent);
  EXPECT_GT(pauses, 2);
}

TEST_F(ClientPiecesTest, ABodyThatIsTakenInPiecesEndsWhereItIsTooLargeOrNotWanted) {
  handler_.on_handle = send_back;
  for (const bool is_wanted : {true, false}) {
    auto asked = request("/a", std::string(300'000, 'x'));
    std::size_t got = 0;
    asked.on_piece = [&got, is_wanted](std::string_view piece) {
      if (!is_wanted && got > 0) return PieceVerdict::kRefused;
      got += piece.size();
      return PieceVerdict::kTaken;
    };
    if (is_wanted) asked.response_bytes_max = 100'000;
    const auto cut = client_->fetch(std::move(asked));
    ASSERT_FALSE(cut.has_value());
    EXPECT_EQ(cut.error().code, ErrorCode::kTooLarge);
    EXPECT_GT(got, 0U);
    EXPECT_LE(got, 100'000U);
  }
}

TEST_F(ClientPiecesTest, WhatWaitsForItsReaderCanBeCancelledAndEndsWithTheClient) {
  handler_.on_handle = send_back;
  for (const bool is_cancelled : {true, false}) {
    auto asked = request("/a", std::string(300'000, 'x'));
    std::promise<void> paused;
    asked.on_piece = [&paused, is_first = true](std::string_view) mutable {
      if (std::exchange(is_first, false)) paused.set_value();
      return PieceVerdict::kLater;
    };
    std::promise<Result<ClientResponse>> answered;
    const auto number = client_->send(std::move(asked), [&](Result<ClientResponse> response) {
      answered.set_value(std::move(response));
    });
    paused.get_future().wait();
    is_cancelled ? client_->cancel(number) : client_->close();
    const auto response = answered.get_future().get();
    ASSERT_FALSE(response.has_value());
    EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
    client_->resume(number);
  }
}

}  // namespace
}  // namespace vigia::net
