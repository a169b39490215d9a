#include <bit>
#include <limits>

#include <gtest/gtest.h>

#include "libs/model/ids.hpp"
#include "libs/model/labels.hpp"
#include "libs/model/matcher.hpp"
#include "libs/model/sample.hpp"
#include "libs/model/signal.hpp"
#include "libs/model/verdicts.hpp"

namespace vigia {
namespace {

TEST(CustomerId, TakesWhatThePatternTakes) {
  for (const auto& text :
       {std::string("a"), std::string("cliente-a"), std::string("9"), std::string(63, 'x')}) {
    EXPECT_TRUE(CustomerId::parse(text).has_value()) << text;
  }
}

// C64, R-SEC-9.
TEST(CustomerId, RefusesTheRest) {
  for (const auto& text :
       {std::string(), std::string("-a"), std::string("a-"), std::string("a--b"), std::string("A"),
        std::string("a.b"), std::string("_provider"), std::string("a b"), std::string("ñ"),
        std::string("a\0b", 3), std::string(64, 'x')}) {
    const auto id = CustomerId::parse(text);
    ASSERT_FALSE(id.has_value()) << text;
    EXPECT_EQ(id.error().code, ErrorCode::kInvalid);
  }
  EXPECT_TRUE(CustomerId::provider().is_provider());
}

TEST(NodeId, AllowsDotsAndUpperCase) {
  EXPECT_TRUE(NodeId::parse("prod-web-01.Example").has_value());
  for (const auto* text : {"", "a..b", ".a", "a_b", "a/b", "a b"})
    EXPECT_FALSE(NodeId::parse(text).has_value()) << text;
}

TEST(Labels, SortsAndDropsWhatIsEmpty) {
  const Labels labels = Labels::from({{"z", "1"}, {"a", "2"}, {"gone", ""}, {"a", "3"}});
  ASSERT_EQ(labels.size(), 2U);
  EXPECT_EQ(labels.get("a"), "3");
  EXPECT_EQ(labels.get("gone"), "");
  EXPECT_EQ(to_string(labels), R"({a="3",z="1"})");
}

TEST(Labels, NamesThatAreNotClassicAreShownInQuotes) {
  EXPECT_EQ(to_string(Labels::from({{"__name__", "http.requests"}, {"a", "1"}, {"my \"b\"", "2"}})),
            R"({"http.requests",a="1","my \"b\""="2"})");
  EXPECT_EQ(to_string(Labels::from({{"__name__", "über"}})), R"({"über"})");
  EXPECT_EQ(to_string(Labels::from({{"__name__", "a:b"}, {"c:d", "1"}})), R"(a:b{"c:d"="1"})");
}

TEST(Labels, SetAddsReplacesAndRemoves) {
  Labels labels = Labels::from({{"__name__", "up"}});
  labels.set("job", "x\"y");
  labels.set("job", "a\nb");
  EXPECT_EQ(to_string(labels), R"(up{job="a\nb"})");
  labels.set("job", "");
  EXPECT_EQ(to_string(labels), "up{}");
}

TEST(Sample, TheStaleMarkIsANanOfItsOwn) {
  EXPECT_TRUE(is_stale_mark(stale_mark()));
  EXPECT_FALSE(is_stale_mark(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_TRUE(is_stale_mark(normalized(stale_mark())));
  EXPECT_EQ(std::bit_cast<std::uint64_t>(normalized(std::numeric_limits<double>::quiet_NaN())),
            kNormalNanBits);
  EXPECT_TRUE(is_same_value(stale_mark(), stale_mark()));
  EXPECT_FALSE(is_same_value(0.0, -0.0));
}

TEST(Signal, IsNamedAsInPathsAndLabels) { EXPECT_EQ(to_string(Signal::kTraces), "traces"); }

TEST(Verdicts, SurviveTheDiskToTheItem) {
  Verdicts verdicts(1000);
  verdicts.reject(3, RejectReason::kFuture);
  verdicts.reject(4, RejectReason::kFuture);
  verdicts.reject(700, RejectReason::kReserved);
  const auto read = Verdicts::decode(verdicts.encode());
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->items(), 1000U);
  EXPECT_EQ(read->accepted(), 997U);
  EXPECT_EQ(read->rejected_for(RejectReason::kFuture), 2U);
  EXPECT_EQ(read->reason_of(700), RejectReason::kReserved);
  EXPECT_FALSE(read->is_rejected(5));
  EXPECT_FALSE(read->is_rejected(999));
}

TEST(Verdicts, SomethingElseMayStandBehindThem) {
  Verdicts verdicts(1000);
  verdicts.reject(3, RejectReason::kFuture);
  const std::string more("\0more", 5);
  const std::string bytes = verdicts.encode_before(more);
  EXPECT_EQ(Verdicts::behind(bytes), more);
  const auto read = Verdicts::decode(bytes);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->items(), 1000U);
  EXPECT_EQ(read->reason_of(3), RejectReason::kFuture);
  EXPECT_EQ(read->rejected(), 1U);
  EXPECT_EQ(Verdicts::behind(verdicts.encode()), "");
  EXPECT_EQ(Verdicts::behind(""), "");
  EXPECT_EQ(Verdicts::behind(Verdicts(7).encode_before("x")), "x");
}

TEST(Verdicts, WithoutRefusalsTakeOneNumber) {
  EXPECT_EQ(Verdicts(100).encode().size(), 1U);
  EXPECT_EQ(Verdicts::decode(Verdicts(100).encode())->accepted(), 100U);
}

TEST(Verdicts, DamagedBytesAreRefused) {
  Verdicts verdicts(10);
  verdicts.reject(9, RejectReason::kInvalid);
  const std::string good = verdicts.encode();
  EXPECT_FALSE(Verdicts::decode(good.substr(0, good.size() - 1)).has_value());
  EXPECT_FALSE(Verdicts::decode(good + good).has_value());
  EXPECT_FALSE(Verdicts::decode("").has_value());
  EXPECT_FALSE(Verdicts::decode(std::string("\x02\x01\x63", 3)).has_value());
}

TEST(Matcher, OperatorsAreAsPeopleWriteThem) {
  EXPECT_EQ(operator_of(MatchType::kEqual), "=");
  EXPECT_EQ(operator_of(MatchType::kNotEqual), "!=");
  EXPECT_EQ(operator_of(MatchType::kRegex), "=~");
  EXPECT_EQ(operator_of(MatchType::kNotRegex), "!~");
}

TEST(Verdicts, ALaterReasonReplacesTheFirst) {
  Verdicts verdicts(2);
  verdicts.reject(1, RejectReason::kFuture);
  verdicts.reject(1, RejectReason::kForeign);
  EXPECT_EQ(verdicts.rejected(), 1U);
  EXPECT_EQ(verdicts.rejected_for(RejectReason::kFuture), 0U);
  EXPECT_EQ(verdicts.rejected_for(RejectReason::kForeign), 1U);
}

}  // namespace
}  // namespace vigia
