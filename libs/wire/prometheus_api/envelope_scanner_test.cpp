// The scanner against simdjson, on whole answers, cut into pieces and damaged.
#include "libs/wire/prometheus_api/envelope_scanner.hpp"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "libs/base/testing/dose.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"

namespace vigia::wire::prometheus_api {
namespace {

constexpr std::string_view kStats =
    R"(,"stats":{"timings":{"evalTotalTime":0.1},"samples":{"peakSamples":42}})";

/// In pieces of that size.
Result<ScannedEnvelope> scan(std::string_view body, std::size_t piece = SIZE_MAX) {
  EnvelopeScanner scanner;
  for (std::size_t at = 0; at < body.size(); at += std::min(piece, body.size() - at)) {
    // A copy, so that a look behind it is a fault that the sanitizer sees.
    const std::vector<char> copy(
        body.begin() + static_cast<std::ptrdiff_t>(at),
        body.begin() + static_cast<std::ptrdiff_t>(at + std::min(piece, body.size() - at)));
    if (!scanner.take({copy.data(), copy.size()})) break;
  }
  return scanner.finish();
}

std::string_view at(std::string_view body, const ByteRange& range) {
  return body.substr(range.at, range.size);
}

/// As simdjson's reader that looks at every byte says.
bool is_json_object(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  return parser.parse(body).get_object().get(object) == simdjson::SUCCESS;
}

/// One that no reader can hold, though its letters are right: 1e999.
bool has_large_number(std::string_view body) {
  const auto is_digit = [](char letter) { return letter >= '0' && letter <= '9'; };
  for (std::size_t i = 0; i + 3 < body.size(); ++i) {
    if (body[i] != 'e' && body[i] != 'E') continue;
    const std::string_view behind = body.substr(i + (body[i + 1] == '+' ? 2 : 1)).substr(0, 3);
    if (behind.size() == 3 && std::all_of(behind.begin(), behind.end(), is_digit)) return true;
  }
  return false;
}

const std::vector<std::string>& answers() {
  static const std::vector<std::string> all{
      R"({"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"up",)"
      R"("a":"ñandú \"x\" 漢字 😀 \u00e9"},"values":[[1700000000.123,"1"],[1700000060,"NaN"],)"
      R"([-0.5e+10,"-1.5e-7"]]}]}})",
      std::string(R"({"status":"success","data":{"resultType":"vector","result":[])")
          .append(kStats)
          .append(R"(},"warnings":["w \"1\"","2"],"infos":["i"]})"),
      R"({"status":"error","errorType":"bad_data","error":"1:2: no \\ \u0041"})",
      R"( { "warnings" : [ ] , "data" : [ "a" , "b" , { "data" : null , "stats" : { } } ] , "status" : "success" } )",
      R"({"status":"success","data":12.5e3,"x":[true,false,null,0,-0,[[]],{}]})",
      R"({"status":"success","data":"stats","stats":{"a":1}})",
      R"({"status":"success"})",
      R"({})",
  };
  return all;
}

TEST(EnvelopeScanner, FindsTheMembersWhateverThePieces) {
  const std::string& body = answers()[1];
  for (std::size_t piece = 1; piece < body.size() + 2; ++piece) {
    const auto found = scan(body, piece);
    ASSERT_TRUE(found.has_value()) << piece;
    EXPECT_EQ(found->rest,
              R"({"status":"success","data":null,"warnings":["w \"1\"","2"],"infos":["i"]})");
    ASSERT_TRUE(found->data && found->stats) << piece;
    EXPECT_EQ(at(body, *found->data),
              std::string(R"({"resultType":"vector","result":[])").append(kStats) + "}");
    EXPECT_EQ(at(body, *found->stats), kStats);
    EXPECT_EQ("," + std::string("\"stats\":") + found->stats_text, kStats);
  }
}

TEST(EnvelopeScanner, SaysWhatSimdjsonSaysOfWholeAnswers) {
  for (const std::string& body : answers()) {
    ASSERT_TRUE(is_json_object(body)) << body;
    const auto read = Envelope::read(body);
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{7}, SIZE_MAX}) {
      const auto found = scan(body, piece);
      ASSERT_TRUE(found.has_value()) << body;
      const auto rest = Envelope::read(found->rest);
      ASSERT_EQ(rest.has_value(), read.has_value()) << body;
      if (!read) continue;
      EXPECT_EQ(rest->is_success(), read->is_success());
      EXPECT_EQ(rest->warnings(), read->warnings());
      EXPECT_EQ(rest->infos(), read->infos());
      EXPECT_EQ(rest->error_type(), read->error_type());
      EXPECT_EQ(rest->error(), read->error());
      // simdjson gives the spaces behind a value, too.
      const std::string_view data = found->data ? at(body, *found->data) : std::string_view();
      EXPECT_TRUE(read->data().starts_with(data)) << data;
      EXPECT_EQ(read->data().find_first_not_of(' ', data.size()), std::string_view::npos);
    }
  }
}

// What is no JSON for one is none for the other, wherever a letter is lost, added or another.
TEST(EnvelopeScanner, RefusesWhatSimdjsonRefuses) {
  std::mt19937 random(20'261'130);
  constexpr std::string_view kLetters =
      "{}[]:,\"\\0123456789.eE+-truefalsn \n\t\x01\x7f\xc3\xa9\xed\xa0\xff";
  const auto any = [&random](std::size_t below) { return random() % below; };
  int whole = 0;
  int broken = 0;
  for (int round = 0; round < dose(20'000, 2'000'000); ++round) {
    std::string body = answers()[any(answers().size())];
    for (std::size_t changes = 1 + any(3); changes > 0 && !body.empty(); --changes) {
      const std::size_t place = any(body.size());
      const char letter = kLetters[any(kLetters.size())];
      switch (any(3)) {
        case 0:
          body[place] = letter;
          break;
        case 1:
          body.insert(place, 1, letter);
          break;
        default:
          body.erase(place, 1);
      }
    }
    const bool is_good = scan(body, 1 + any(40)).has_value();
    if (is_good != is_json_object(body) && !(is_good && has_large_number(body))) {
      ADD_FAILURE() << (is_good ? "taken: " : "refused: ") << body;
    }
    is_good ? ++whole : ++broken;
  }
  EXPECT_GT(whole, 1'000);
  EXPECT_GT(broken, 1'000);
}

TEST(EnvelopeScanner, RefusesWhatReadersCouldTakeInTwoWays) {
  EXPECT_FALSE(scan(R"({"status":"success","data":1,"data":2})").has_value());
  EXPECT_FALSE(scan(R"([])").has_value());
  EXPECT_FALSE(scan(R"("x")").has_value());
  EXPECT_FALSE(scan("").has_value());
  EXPECT_FALSE(scan(R"({"status":"success","data":{}}{})").has_value());
}

// Whatever a store sends beside its data, it takes no more memory than that.
TEST(EnvelopeScanner, KeepsNoMoreThanItsBounds) {
  EnvelopeScanner scanner;
  ASSERT_TRUE(scanner.take(R"({"warnings":[")"));
  const std::string much(64U << 10U, 'w');
  int pieces = 0;
  while (scanner.take(much)) ++pieces;
  EXPECT_EQ(pieces, 3);
  EXPECT_FALSE(scanner.finish().has_value());

  const std::string long_stats = R"({"status":"success","data":{"a":1,"stats":{"x":")" +
                                 std::string(EnvelopeScanner::kStatsBytesMax, 'x') + R"("}}})";
  const auto found = scan(long_stats, 100);
  ASSERT_TRUE(found.has_value());
  EXPECT_FALSE(found->stats.has_value()) << "they stay in the answer";
  EXPECT_LE(found->stats_text.size(), EnvelopeScanner::kStatsBytesMax);

  EXPECT_FALSE(scan(R"({"data":)" + std::string(JsonWalk::kDepthMax, '[')).has_value());
  const std::string deep(JsonWalk::kDepthMax - 1, '[');
  EXPECT_TRUE(scan(R"({"data":)" + deep + std::string(deep.size(), ']') + "}").has_value());
}

TEST(EnvelopeScanner, CountsTheSeries) {
  for (
      const auto& [data, series] : std::initializer_list<std::pair<std::string, std::uint64_t>>{
          {R"({"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"1"],[2,"2"]]},{}]})",
           2},
          {R"({"result":[],"stats":{"x":[1,2,3],"result":[{}]}})", 0},
          {R"({"a":[{},{}],"result":[{"result":[1,2]}]})", 1},
          {R"(["result",{"result":[1]}])", 0}}) {
    const auto found = scan(R"({"x":[[[1]]],"data":)" + data + R"(,"y":{"result":[1]}})", 3);
    ASSERT_TRUE(found.has_value()) << data;
    EXPECT_EQ(found->results, series) << data;
  }
}

TEST(EnvelopeScanner, StatisticsElsewhereAreNone) {
  for (const auto* body :
       {R"({"status":"success","data":{"stats":{"samples":{}}}})",  // no comma to take along
        R"({"status":"success","data":{"a":{"b":1,"stats":2}}})",
        R"({"status":"success","data":{"a":"b","c":["stats",",\"stats\":"]},"stats":{}})",
        R"({"status":"success","data":[1,"stats"]})"}) {
    const auto found = scan(body);
    ASSERT_TRUE(found.has_value()) << body;
    EXPECT_FALSE(found->stats.has_value()) << body;
  }
}

}  // namespace
}  // namespace vigia::wire::prometheus_api
