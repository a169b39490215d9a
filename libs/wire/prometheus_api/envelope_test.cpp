#include "libs/wire/prometheus_api/envelope.hpp"

#include <memory>
#include <string>

#include <gtest/gtest.h>

namespace vigia::wire::prometheus_api {
namespace {

TEST(Envelope, DataStaysAsItCame) {
  const auto read = Envelope::read(
      R"({"status":"success","data":{"resultType":"vector","result":[{"value":[1.5,"0.10"]}]},)"
      R"("warnings":["w \"1\""],"infos":["i"]})");
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->is_success());
  EXPECT_EQ(read->data(), R"({"resultType":"vector","result":[{"value":[1.5,"0.10"]}]})");
  EXPECT_EQ(read->warnings(), std::vector<std::string>{"w \"1\""});
  EXPECT_EQ(read->infos(), std::vector<std::string>{"i"});
}

TEST(Envelope, SurvivesBeingMoved) {
  auto read = Envelope::read(R"({"status":"success","data":"x"})");
  ASSERT_TRUE(read.has_value());
  const Envelope moved = std::move(*read);
  EXPECT_EQ(moved.data(), "\"x\"");
}

TEST(Envelope, ErrorsCarryTypeAndText) {
  const auto read =
      Envelope::read(R"({"status":"error","errorType":"bad_data","error":"1:2: no"})");
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->is_success());
  EXPECT_EQ(read->error_type(), "bad_data");
  EXPECT_EQ(read->error(), "1:2: no");
}

TEST(Envelope, AnythingElseIsCorrupt) {
  for (const auto* text :
       {"", "x", "[]", "{}", "{\"status\":1}", "<html>", "{\"status\":\"succ", "{\"data\":{}}"}) {
    const auto read = Envelope::read(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, ErrorCode::kCorrupt);
  }
}

TEST(Envelope, StatsAreReadAndLeftOut) {
  const std::string stats =
      R"(,"stats":{"timings":{"evalTotalTime":0.1},"samples":{"totalQueryableSamples":7,"peakSamples":42}})";
  const std::string data =
      R"({"resultType":"vector","result":[{"metric":{"a":"b","stats":",\"stats\":{"},"value":[1,"1"]}])";
  for (const std::string_view tail : {R"(})", R"(,"warnings":["w"]})"}) {
    auto read = Envelope::read(
        std::string(Envelope::kPlainStart).append(data).append(stats).append("}").append(tail));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->peak_samples(false), 42U);
    EXPECT_EQ(read->data(), data + stats + "}");
    EXPECT_EQ(read->peak_samples(true), 42U);
    EXPECT_EQ(read->data(), data + "}");
    EXPECT_EQ(read->peak_samples(true), std::nullopt);
    const bool is_plain = read->warnings().empty();
    EXPECT_EQ(std::move(*read).take_plain().has_value(), is_plain);
  }
}

TEST(Envelope, WhatLooksLikeStatsAndIsNoneStays) {
  for (const std::string_view data :
       {R"({"result":[{"metric":{"a":"b","stats":"x"}}]})", R"({"a":1,"stats":{"samples":{}}})",
        R"({"a":1,"stats":{"samples":{"peakSamples":"many"}}})", R"([])", R"({})"}) {
    auto read = Envelope::read(std::string(Envelope::kPlainStart).append(data).append("}"));
    ASSERT_TRUE(read.has_value()) << data;
    EXPECT_EQ(read->peak_samples(true), std::nullopt) << data;
    EXPECT_EQ(read->data(), data);
  }
}

/// Bytes "elsewhere".
class KeptBytes final : public StoredBytes {
 public:
  explicit KeptBytes(std::string body) : body_(std::move(body)) {}
  std::uint64_t size() const override { return body_.size(); }
  Result<std::optional<std::string>> read_at_once(std::uint64_t at,
                                                  std::size_t count) const override {
    return body_.substr(at, count);
  }
  void read_later(std::uint64_t at, std::size_t count,
                  Task<void(Result<std::string>)> done) const override {
    done(body_.substr(at, count));
  }

 private:
  const std::string body_;
};

std::string stored_data(const Envelope& envelope) {
  std::string data;
  for (const ByteRange& range : envelope.stored_data()) {
    data += *envelope.stored()->read_at_once(range.at, range.size).value();
  }
  return data;
}

TEST(Envelope, OneThatIsStoredHasTheSameBesideItsData) {
  const std::string stats = R"(,"stats":{"samples":{"peakSamples":42}})";
  const std::string data = R"({"resultType":"vector","result":[])";
  const std::string body =
      R"({"status":"success","data":)" + data + stats + R"(},"warnings":["w"],"infos":["i"]})";
  EnvelopeScanner scanner;
  ASSERT_TRUE(scanner.take(body));
  auto read =
      Envelope::read_stored(std::move(*scanner.finish()), std::make_shared<KeptBytes>(body));
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->is_success());
  EXPECT_TRUE(read->is_stored());
  EXPECT_EQ(read->warnings(), std::vector<std::string>{"w"});
  EXPECT_EQ(read->infos(), std::vector<std::string>{"i"});
  EXPECT_EQ(read->peak_samples(false), 42U);
  EXPECT_EQ(stored_data(*read), data + stats + "}");
  EXPECT_EQ(read->data_size(), (data + stats + "}").size());
  EXPECT_EQ(read->data(), "null");
  EXPECT_EQ(read->peak_samples(true), 42U);
  const Envelope other = *read;  // shares what is stored
  EXPECT_EQ(read->peak_samples(true), std::nullopt);
  EXPECT_EQ(stored_data(other), data + "}");
  EXPECT_EQ(other.data_size(), (data + "}").size());
  EXPECT_EQ(std::move(*read).take_plain(), std::nullopt);
}

}  // namespace
}  // namespace vigia::wire::prometheus_api
