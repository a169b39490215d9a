#include "services/router/spool/stored_stream.hpp"

#include <utility>

#include <gtest/gtest.h>

#include "libs/net/compression.hpp"

namespace vigia::router::spool {
namespace {

using wire::prometheus_api::StoredBytes;

/// Bytes of which every second piece has to be waited for.
class SlowBytes final : public StoredBytes {
 public:
  explicit SlowBytes(std::string text) : text_(std::move(text)) {}
  std::uint64_t size() const override { return text_.size(); }
  Result<std::optional<std::string>> read_at_once(std::uint64_t at,
                                                  std::size_t count) const override {
    if (is_broken) return fail(ErrorCode::kDeadline, "too slow");
    if (++asked_ % 2 == 0) return std::nullopt;
    return text_.substr(at, count);
  }
  void read_later(std::uint64_t at, std::size_t count,
                  Task<void(Result<std::string>)> done) const override {
    late_ = [this, at, count, done = std::move(done)] { done(text_.substr(at, count)); };
  }
  void give_late() { std::exchange(late_, nullptr)(); }
  void drop_late() { late_ = nullptr; }
  bool has_late() const { return static_cast<bool>(late_); }
  bool is_broken = false;

 private:
  const std::string text_;
  mutable int asked_ = 0;
  mutable Task<void()> late_;
};

struct Sent {
  std::string text;
  std::size_t largest = 0;
  int wakes = 0;
  bool is_whole = false;
};

Sent send(net::Response& response, SlowBytes& bytes) {
  Sent sent;
  response.waker->attach([&sent] { ++sent.wakes; });
  for (;;) {
    auto piece = response.stream();
    if (!piece) return sent;
    if (!*piece) {
      if (!bytes.has_late()) continue;  // it was only made
      EXPECT_FALSE(response.stream()->has_value()) << "asked once more before it is there";
      bytes.give_late();
      continue;
    }
    if ((*piece)->empty()) break;
    sent.largest = std::max(sent.largest, (*piece)->size());
    sent.text += **piece;
  }
  sent.is_whole = true;
  return sent;
}

std::string digits(std::size_t bytes) {
  std::string text;
  for (int i = 0; text.size() < bytes; ++i) text += std::to_string(i) + ",";
  text.resize(bytes);
  return text;
}

TEST(StoredStream, SendsHeadRangesAndTailWhateverHasToBeWaitedFor) {
  const std::string text = digits(1'000'000);
  const auto bytes = std::make_shared<SlowBytes>(text);
  const BodyParts body{"{head", bytes, {{10, 700'000}, {700'020, 0}, {700'020, 5}}, "tail}"};
  // Two of one answer, each with its own place in it.
  for (int i = 0; i < 2; ++i) {
    net::Response response;
    send_stored(response, body);
    const Sent sent = send(response, *bytes);
    EXPECT_TRUE(sent.is_whole);
    EXPECT_TRUE(sent.text ==
                "{head" + text.substr(10, 700'000) + text.substr(700'020, 5) + "tail}");
    EXPECT_LE(sent.largest, 64U << 10U);
    EXPECT_GT(sent.wakes, 0);
  }
}

TEST(StoredStream, IsCompressedForWhoTakesThat) {
  const std::string text = digits(1'000'000);
  const auto bytes = std::make_shared<SlowBytes>(text);
  net::Response response;
  send_stored(response, {"{head", bytes, {{10, 900'000}, {950'000, 5}}, "tail}"});
  response.stream = response.gzip_stream;
  const Sent sent = send(response, *bytes);
  EXPECT_TRUE(sent.is_whole);
  EXPECT_LT(sent.text.size(), 500'000U);
  const auto plain = net::decompress("gzip", sent.text, 2'000'000);
  ASSERT_TRUE(plain.has_value()) << plain.error().message;
  EXPECT_TRUE(*plain == "{head" + text.substr(10, 900'000) + text.substr(950'000, 5) + "tail}");
}

TEST(StoredStream, BreaksOffWhereItCannotBeRead) {
  const auto bytes = std::make_shared<SlowBytes>(digits(200'000));
  net::Response response;
  send_stored(response, {"{", bytes, {{0, 200'000}}, "}"});
  EXPECT_EQ(response.stream()->value(), "{");
  EXPECT_TRUE(response.stream()->has_value());
  EXPECT_FALSE(response.stream()->has_value()) << "waits";
  bytes->drop_late();
  EXPECT_FALSE(response.stream().has_value()) << "nobody reads it";

  net::Response packed;
  send_stored(packed, {"{", bytes, {{0, 200'000}}, "}"});
  EXPECT_FALSE(packed.gzip_stream()->has_value()) << "waits";
  bytes->drop_late();
  EXPECT_FALSE(packed.gzip_stream().has_value()) << "nobody reads it";

  net::Response other;
  send_stored(other, {"", bytes, {{0, 200'000}}, "}"});
  bytes->is_broken = true;
  EXPECT_FALSE(other.stream().has_value());
}

}  // namespace
}  // namespace vigia::router::spool
