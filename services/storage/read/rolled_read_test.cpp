// Roll-ups as they are asked for: __rollup__="1h:sum" and its like.
#include "services/storage/read/rolled_read.hpp"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/dose.hpp"
#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/read/remote_read.hpp"
#include "services/storage/read/testing/naive_windows.hpp"
#include "services/storage/read/testing/random_writer.hpp"
#include "services/storage/read/testing/read_frames.hpp"
#include "services/storage/read/testing/read_samples_answer.hpp"
#include "services/storage/rolling/roller.hpp"
#include "services/storage/testing/storage_fixture.hpp"

namespace vigia::storage::read {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using wire::remote_read::Query;
using wire::remote_read::ResponseType;
constexpr TimestampMs kMinute = 60'000;
constexpr TimestampMs kHour = 60 * kMinute;
constexpr TimestampMs kDay = 24 * kHour;
constexpr auto kTypes = {ResponseType::kSamples, ResponseType::kStreamedXorChunks};

class RolledReadTest : public testing::Test {
 protected:
  static std::vector<Matcher> matchers(const std::string& metric, const std::string& rollup) {
    return {{MatchType::kEqual, "__name__", metric}, {MatchType::kEqual, "__rollup__", rollup}};
  }
  struct Answer {
    ResponseType type = ResponseType::kSamples;
    std::string body;
  };
  using Limit = std::shared_ptr<const store::WorkLimit>;
  Result<Answer> answer(const std::vector<Query>& queries, ResponseType type,
                        const std::string& customer = "cliente-a",
                        const Limit& limit = std::make_shared<const store::WorkLimit>()) {
    return answer(storage_.answers(), {queries, type}, customer, limit);
  }
  Result<Answer> answer(lanes::CustomerShares& shares,
                        const wire::remote_read::ReadRequest& request, const std::string& customer,
                        const Limit& limit) {
    const auto kept_from = [this](const CustomerId&, Resolution resolution) {
      return resolution == Resolution::kRaw ? kept_from_ms_ : rolled_kept_ms_;
    };
    const ReadLimits limits{.ahead_bytes_max = std::size_t{1} << (asked_++ % 3 * 12)};
    RemoteRead remote_read(storage_.cold().catalog(), storage_.reader(), limits, shares, kept_from);
    if (book_ != nullptr) remote_read.use_rollups(*book_);
    const CustomerId fence = CustomerId::parse(customer).value();
    if (request.response_type == ResponseType::kSamples) {
      auto samples = remote_read.samples(customer, fence, request, *limit);
      if (!samples) return forward(samples);
      return Answer{request.response_type, std::move(samples->body)};
    }
    auto stream = remote_read.chunks(customer, fence, request, limit);
    if (!stream) return forward(stream);
    Answer all{request.response_type, ""};
    for (;;) {
      auto piece = (*stream)->next(std::chrono::steady_clock::time_point::max());
      if (!piece) return forward(piece);
      if ((*piece)->empty()) return all;
      (*stream)->memory().release((*piece)->size());
      all.body += **piece;
    }
  }
  // Of an answer's one series.
  static Values values_of(const Answer& answer) {
    Values values;
    const auto add = [&](const std::vector<Sample>& samples) {
      for (const Sample& sample : samples) {
        EXPECT_TRUE(values.emplace(sample.timestamp_ms, sample.value).second);
      }
    };
    if (answer.type == ResponseType::kSamples) {
      for (const AnswerSeries& series : read_samples_answer(answer.body)) {
        EXPECT_THAT(series.label_names, ElementsAre("__name__", "customer_id", "node_id"));
        add(series.samples);
      }
      return values;
    }
    for (const Frame& frame : read_frames(answer.body)) {
      for (const FrameChunk& chunk : frame.chunks) {
        add(chunk::read_samples(chunk.data).value());
      }
    }
    return values;
  }
  Values read(const std::string& metric, const std::string& rollup, TimestampMs from_ms = 0,
              TimestampMs to_ms = INT64_MAX, ResponseType type = ResponseType::kSamples) {
    return values_of(answer({{from_ms, to_ms, matchers(metric, rollup)}}, type).value());
  }
  Error refused(const std::vector<Matcher>& matchers) {
    return answer({{0, INT64_MAX, matchers}}, ResponseType::kSamples).error();
  }

  // Of the store as it is open now: the book and the roller on it.
  void open_rollups(const rolling::MadeResolutions& made = {true, true, true}) {
    roller_.reset();
    book_ = rolling::RollupBook::open(*storage_.cold().chunks().due_days(), made).value();
    rolling::RollerSources sources;
    sources.now_ms = [this] { return storage_.clock().wall_ms(); };
    sources.first_day = [this] { return first_day_; };
    rolling::RollerSettings settings;
    settings.pause_per_mark = Duration(0);
    roller_ =
        std::make_unique<rolling::Roller>(storage_.cold(), *book_, std::move(sources), settings);
  }
  void close_rollups() {
    roller_.reset();
    book_.reset();
  }
  // Closes what is open and goes on until all is rolled up.
  void roll_all() {
    storage_.advance(std::chrono::hours(24));
    storage_.advance(std::chrono::hours(24 * 3650));
    while (roller_->roll_round()) {
    }
  }
  std::size_t days_due() {
    const auto customer = CustomerId::parse("cliente-a").value();
    return storage_.cold().chunks().due_days()->due(customer, {}, 10'000).value().size();
  }

  StorageFixture storage_;
  std::unique_ptr<rolling::RollupBook> book_;  // none: nothing is stored
  std::unique_ptr<rolling::Roller> roller_;
  TimestampMs kept_from_ms_ = 0;
  TimestampMs rolled_kept_ms_ = 0;
  std::size_t asked_ = 0;  // by it one series is read ahead, or some, or all
  std::uint32_t first_day_ = 0;
};

TEST_F(RolledReadTest, OneSampleAWindowStampedBeforeItsEnd) {
  const TimestampMs start = kNow - 2 * kHour;
  storage_.write("cliente-a", "m",
                 {{start, 7},
                  {start + 1, 1},
                  {start + kMinute, 4},
                  {start + kHour, 2},
                  {start + kHour + 1, 5}});
  for (const ResponseType type : kTypes) {
    const auto hours = [&](const char* rollup) { return read("m", rollup, 0, INT64_MAX, type); };
    EXPECT_THAT(hours("1h:sum"), ElementsAre(Pair(start - 1, 7), Pair(start + kHour - 1, 7),
                                             Pair(start + 2 * kHour - 1, 5)));
    EXPECT_THAT(hours("1h:last"), ElementsAre(Pair(start - 1, 7), Pair(start + kHour - 1, 2),
                                              Pair(start + 2 * kHour - 1, 5)));
    // The first is less than the one before it: two windows, and a reset of neither.
    EXPECT_THAT(hours("1h:resets"), ElementsAre(Pair(start - 1, 0), Pair(start + kHour - 1, 1),
                                                Pair(start + 2 * kHour - 1, 0)));
    EXPECT_THAT(hours("1h:dropped"), ElementsAre(Pair(start - 1, 0), Pair(start + kHour - 1, 4),
                                                 Pair(start + 2 * kHour - 1, 0)));
    EXPECT_THAT(hours("1d:count"), ElementsAre(Pair(start / kDay * kDay + kDay - 1, 5)));
    EXPECT_THAT(hours("1h:stale_time"), IsEmpty());
  }
}

// A window is in the answer where its stamp is in the range, and then whole.
TEST_F(RolledReadTest, NoWindowIsCutByTheRange) {
  const TimestampMs start = kNow - 3 * kHour;
  std::vector<Sample> samples;
  for (TimestampMs i = 1; i <= 180; ++i) samples.push_back({start + i * kMinute, 1});
  storage_.write("cliente-a", "m", samples);
  const TimestampMs stamp = start + 2 * kHour - 1;  // of the second
  for (const ResponseType type : kTypes) {
    const auto counts = [&](TimestampMs from_ms, TimestampMs to_ms) {
      return read("m", "1h:count", from_ms, to_ms, type);
    };
    EXPECT_THAT(counts(stamp, stamp), ElementsAre(Pair(stamp, 60)));
    EXPECT_THAT(counts(start + kHour + kMinute, stamp + kMinute), ElementsAre(Pair(stamp, 60)));
    EXPECT_THAT(counts(stamp + 1, stamp + kHour - 1), IsEmpty());
    EXPECT_THAT(counts(stamp - kHour, stamp - 1), ElementsAre(Pair(stamp - kHour, 60)));
    EXPECT_THAT(counts(stamp, stamp - 1), IsEmpty());
    EXPECT_THAT(counts(INT64_MIN, INT64_MIN), IsEmpty());
    EXPECT_THAT(counts(INT64_MAX, INT64_MAX), IsEmpty());
    EXPECT_EQ(counts(INT64_MIN, INT64_MAX).size(), 3U);
  }
}

// R-RR-1, R-RR-3: queries for roll-ups and for samples beside each other, each at its place.
TEST_F(RolledReadTest, QueriesKeepTheirPlaces) {
  storage_.write("cliente-a", "m", {{kNow - kHour, 1}, {kNow - kMinute, 3}});
  const std::vector<Query> queries = {{0, kNow + kHour, matchers("m", "1h:sum")},
                                      {0, kNow, {{MatchType::kEqual, "__name__", "m"}}},
                                      {0, kNow + kHour, matchers("m", "5m:max")}};
  const auto made = answer(queries, ResponseType::kSamples).value();
  std::vector<std::pair<std::size_t, std::size_t>> places;
  for (const AnswerSeries& series : read_samples_answer(made.body)) {
    places.emplace_back(series.query, series.samples.size());
  }
  EXPECT_THAT(places, ElementsAre(Pair(0, 2), Pair(1, 2), Pair(2, 2)));
}

TEST_F(RolledReadTest, CustomersStayApart) {
  storage_.write("cliente-a", "m", {{kNow, 1}});
  storage_.write("cliente-b", "m", {{kNow, 2}});
  for (const ResponseType type : kTypes) {
    const auto made = answer({{0, INT64_MAX, matchers("m", "1d:sum")}}, type, "cliente-b");
    EXPECT_THAT(values_of(made.value()), ElementsAre(Pair(kNow / kDay * kDay + kDay - 1, 2)));
  }
}

TEST_F(RolledReadTest, WhatIsNoQuestionIsRefused) {
  storage_.write("cliente-a", "m", {{kNow, 1}});
  const Matcher name{MatchType::kEqual, "__name__", "m"};
  const auto of = [&](MatchType type, const char* value) {
    return refused({name, {type, "__rollup__", value}});
  };
  for (const MatchType type : {MatchType::kNotEqual, MatchType::kRegex, MatchType::kNotRegex}) {
    EXPECT_EQ(of(type, "1h:sum").code, ErrorCode::kInvalid);
    EXPECT_THAT(of(type, "1h:sum").message, HasSubstr("no other operator"));
  }
  EXPECT_EQ(of(MatchType::kEqual, "").code, ErrorCode::kInvalid);
  EXPECT_EQ(of(MatchType::kEqual, "2h:sum").code, ErrorCode::kNotFound);
  EXPECT_EQ(of(MatchType::kEqual, "1h:median").code, ErrorCode::kNotFound);
  const Matcher asked = matchers("m", "1h:sum").back();
  EXPECT_EQ(refused({name, asked, asked}).code, ErrorCode::kInvalid);
}

TEST_F(RolledReadTest, NativeHistogramsAreNotThinned) {
  storage_.write_histograms("cliente-a", "h", {{kNow - kHour, "a histogram"}});
  const Error error = refused(matchers("h", "1h:count"));
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("native histograms"));
  // Where they lie out of the range there are none.
  EXPECT_TRUE(answer({{0, kNow - 2 * kHour, matchers("h", "1h:count")}}, ResponseType::kSamples)
                  .has_value());
}

// C46: of a window over the edge a part is gone, or goes any moment.
TEST_F(RolledReadTest, WindowsThatBeginBeforeWhatIsKeptDoNotExist) {
  std::vector<Sample> samples;
  for (TimestampMs i = 0; i < 240; ++i) samples.push_back({kNow - 4 * kHour + i * kMinute, 1});
  storage_.write("cliente-a", "m", samples);
  kept_from_ms_ = kNow - 3 * kHour + kMinute;
  const Error error = refused(matchers("m", "1h:count"));
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("2025-11-25T02:59:59.999Z"));
  const TimestampMs first = kNow - kHour - 1;
  for (const ResponseType type : kTypes) {
    EXPECT_THAT(read("m", "1h:count", first, kNow, type),
                ElementsAre(Pair(first, 60), Pair(first + kHour, 59)));
  }
  EXPECT_TRUE(
      answer({{first - kHour + 1, kNow, matchers("m", "1h:count")}}, ResponseType::kSamples));
  EXPECT_FALSE(answer({{first - kHour, kNow, matchers("m", "1h:count")}}, ResponseType::kSamples));
}

TEST_F(RolledReadTest, MemoryIsAskedForAndTimeIsHeeded) {
  std::vector<Sample> samples;
  for (TimestampMs i = 0; i < 1'000; ++i) samples.push_back({kNow - kDay + i * kMinute, 1});
  storage_.write("cliente-a", "m", samples);
  lanes::CustomerShares small("answers", 32U << 10U);
  const std::vector<Query> queries = {{0, INT64_MAX, matchers("m", "5m:sum")}};
  const auto unlimited = std::make_shared<const store::WorkLimit>();
  for (const ResponseType type : kTypes) {
    EXPECT_TRUE(answer(queries, type).has_value());
    const auto refused = answer(small, {queries, type}, "cliente-a", unlimited);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::kOverLimit);
    const ManualClock clock(0);
    const auto over = std::make_shared<const store::WorkLimit>(
        clock, std::chrono::seconds(9), std::make_shared<const std::atomic<bool>>(true));
    EXPECT_FALSE(answer(queries, type, "cliente-a", over).has_value());
  }
}

// What is stored is what is read: raw may go.
TEST_F(RolledReadTest, WhereRawIsGoneRollUpsAreRead) {
  open_rollups();
  const TimestampMs start = kNow / kDay * kDay;
  std::vector<Sample> samples;
  for (TimestampMs i = 1; i <= 3 * 24 * 60; ++i) samples.push_back({start + i * kMinute, 1});
  storage_.write("cliente-a", "m", samples);
  roll_all();
  ASSERT_EQ(days_due(), 0U);
  kept_from_ms_ = start + 2 * kDay + kHour;
  const TimestampMs gone_ms = roller_->let_raw_go(start + 2 * kDay + kHour).value().before_ms;
  ASSERT_GT(storage_.cold().chunks().expire(Resolution::kRaw, gone_ms).value(), 0U);
  for (const ResponseType type : kTypes) {
    EXPECT_THAT(read("m", "1d:count", 0, INT64_MAX, type),
                ElementsAre(Pair(start + kDay - 1, 1440), Pair(start + 2 * kDay - 1, 1440),
                            Pair(start + 3 * kDay - 1, 1440)));
    EXPECT_EQ(read("m", "1h:count", 0, INT64_MAX, type).size(), 72U);
    EXPECT_EQ(read("m", "5m:count", start + kHour, start + 2 * kHour, type).size(), 12U);
  }
  rolled_kept_ms_ = start + kDay;  // and they have a retention of their own (C46)
  EXPECT_EQ(read("m", "1d:count").size(), 2U);
  EXPECT_EQ(read("m", "1h:count").size(), 48U);
}

// More than are asked for together, with days that are made, marked and open.
TEST_F(RolledReadTest, ManySeriesAtOnceAreEachAsItsSamplesSay) {
  constexpr int kSeries = 150;
  open_rollups();
  const TimestampMs start = kNow / kDay * kDay;
  std::map<std::string, Values> wanted;
  const auto write = [&](int series, TimestampMs time_ms, double value) {
    const std::string metric = "m" + std::to_string(series);
    storage_.write("cliente-a", metric, {{time_ms, value}});
    wanted[metric][(time_ms - 1) / kHour * kHour + kHour - 1] += value;
  };
  for (int i = 0; i < 3 * kSeries; ++i) write(i / 3, start + (i % 3) * kDay + 7 * kHour, i + 1);
  roll_all();
  for (int i = 0; i < kSeries; i += 3) write(i, start + kDay + 7 * kHour - 1, 5);
  storage_.advance(std::chrono::hours(24));  // closed, and marked
  for (int i = 0; i < kSeries; i += 5) write(i, start + 7 * kHour - 2, 9);
  for (int i = 0; i < kSeries; i += 7) write(i, start + 2 * kDay + (i % 20) * kHour + 3, 2);
  auto all = matchers("m[0-9]+", "1h:sum");
  all.front().type = MatchType::kRegex;
  for (int i = 0; i < 3; ++i) {
    const auto made = answer({{0, INT64_MAX, all}}, ResponseType::kSamples).value();
    std::map<std::string, Values> found;
    for (const AnswerSeries& one : read_samples_answer(made.body)) {
      for (const Sample& each : one.samples) found[one.metric][each.timestamp_ms] = each.value;
    }
    EXPECT_EQ(found, wanted);
  }
}

// Never silently less than raw has.
TEST_F(RolledReadTest, RollUpsThatAreKeptForLessThanRawAreRefusedBefore) {
  open_rollups();
  storage_.write("cliente-a", "m", {{kNow - kDay, 1}, {kNow, 1}});
  roll_all();
  kept_from_ms_ = kNow - 9 * kDay;
  rolled_kept_ms_ = kNow - kHour;
  EXPECT_EQ(refused(matchers("m", "1h:count")).code, ErrorCode::kNotFound);
  EXPECT_EQ(read("m", "1h:count", kNow - 1, INT64_MAX).size(), 1U);
}

TEST_F(RolledReadTest, RollUpsBeginWhereTheyWereFirstMade) {
  storage_.write("cliente-a", "m", {{kNow - 9 * kDay, 1}, {kNow, 1}});
  storage_.advance(std::chrono::hours(6));
  kept_from_ms_ = kNow - 20 * kDay;
  first_day_ = store::window_day_of(kept_from_ms_) + 2;
  open_rollups();
  EXPECT_EQ(refused(matchers("m", "1d:count")).code, ErrorCode::kNotFound);
  roll_all();
  kept_from_ms_ = kNow - kDay;  // raw goes on expiring: what was made stays
  const TimestampMs from = TimestampMs{first_day_} * kDay + 1;
  EXPECT_EQ(read("m", "1d:count", from, INT64_MAX).size(), 2U);
  const Error error =
      answer({{from - kDay, INT64_MAX, matchers("m", "1d:count")}}, ResponseType::kSamples).error();
  EXPECT_EQ(error.code, ErrorCode::kNotFound);
  EXPECT_THAT(error.message, HasSubstr("2025-11-07T23:59:59.999Z"));
}

TEST_F(RolledReadTest, NativeHistogramsAreToldOfWhereRawIsGone) {
  open_rollups();
  storage_.write_histograms("cliente-a", "h", {{kNow - kHour, "a histogram"}});
  roll_all();
  const TimestampMs gone_ms = roller_->let_raw_go(kNow + 30 * kDay).value().before_ms;
  ASSERT_GT(storage_.cold().chunks().expire(Resolution::kRaw, gone_ms).value(), 0U);
  EXPECT_EQ(refused(matchers("h", "1h:count")).code, ErrorCode::kNotFound);
}

// Not "nothing", which would be taken for an answer; and of others nothing is kept back.
TEST_F(RolledReadTest, ADayWhoseRawWentBeforeItWasRolledUpIsTold) {
  open_rollups();
  const TimestampMs start = kNow / kDay * kDay;
  for (const char* metric : {"lost", "whole"}) storage_.write("cliente-a", metric, {{start, 1}});
  roll_all();
  storage_.write("cliente-a", "lost", {{start + kHour, 1}});
  for (const char* metric : {"lost", "whole"}) {
    storage_.write("cliente-a", metric, {{start + 2 * kDay + kHour, 1}});
  }
  storage_.advance(std::chrono::hours(6));
  storage_.advance(std::chrono::hours(6));
  kept_from_ms_ = start + 2 * kDay;
  ASSERT_TRUE(book_->set_raw_gone(store::window_day_of(start + 1)).has_value());
  for (const bool is_looked_at : {false, true}) {
    if (is_looked_at) roller_->roll_round();
    for (const ResponseType type : kTypes) {
      const auto made = answer({{start, INT64_MAX, matchers("lost", "1h:count")}}, type);
      ASSERT_FALSE(made.has_value()) << is_looked_at;
      EXPECT_EQ(made.error().code, ErrorCode::kNotFound);
      EXPECT_THAT(made.error().message, HasSubstr("2025-11-26T00:59:59.999Z"));
      EXPECT_EQ(read("lost", "1h:count", start + kDay, INT64_MAX, type).size(), 1U);
      EXPECT_EQ(read("lost", "1h:count", 0, start - 1, type).size(), 1U);
      EXPECT_EQ(read("whole", "1h:count", 0, INT64_MAX, type).size(), 2U);
    }
  }
}

// After the first byte nobody could be told why there is no more.
TEST_F(RolledReadTest, WhatDoesNotExistIsToldBeforeTheFirstByte) {
  open_rollups();
  const std::vector<Matcher> all{{MatchType::kRegex, "node_id", ".*"}, matchers("", "1h:count")[1]};
  const CustomerId a = CustomerId::parse("cliente-a").value();
  for (const int round : {0, 1, 2, 3}) {
    storage_.write("cliente-a", "a_floats", {{kNow - kHour, 1}});
    storage_.write_histograms("cliente-a", "z_histograms", {{kNow - kHour, "a histogram"}});
    if (round >= 2) roll_all();
    const ReadLimits of{.ahead_bytes_max = round % 2 * std::size_t{1U << 20U}};
    RemoteRead reader(storage_.cold().catalog(), storage_.reader(), of, storage_.answers());
    reader.use_rollups(*book_);
    const auto chunks = [&](TimestampMs to_ms) {
      return reader.chunks(a.text(), a, {{{0, to_ms, all}}, ResponseType::kStreamedXorChunks},
                           std::make_shared<const store::WorkLimit>());
    };
    ASSERT_FALSE(chunks(kNow)) << round;
    EXPECT_EQ(chunks(kNow).error().code, ErrorCode::kNotFound);
    EXPECT_TRUE(chunks(kNow - 2 * kDay).has_value());
  }
}

double scale_of(const Values& values) {
  double scale = 0;
  for (const auto& [time, value] : values) {
    if (!std::isnan(value)) scale += std::abs(value);
  }
  return scale;
}

class RolledPropertyTest : public RolledReadTest {
 protected:
  RolledPropertyTest() : random_(seed_) {}

  Values write(const std::string& metric) {
    const auto roll = [this] {
      if (roller_ != nullptr) roller_->roll_round();
    };
    const auto restart = [this] {
      const bool is_rolling = roller_ != nullptr;
      close_rollups();
      storage_.restart();
      if (is_rolling) open_rollups();
    };
    return RandomWriter(storage_, static_cast<std::uint32_t>(random_()), roll, restart)
        .write(metric);
  }
  // Every part, resolution and type of a range that chance chooses.
  void compare(const std::string& metric, const Values& all) {
    const TimestampMs from =
        all.begin()->first + static_cast<TimestampMs>(random_() % kDay) - kHour;
    const TimestampMs to = from + static_cast<TimestampMs>(random_() % (20 * kDay));
    const std::map<std::string, TimestampMs> widths = {
        {"5m", 5 * kMinute}, {"1h", kHour}, {"1d", kDay}};
    for (const auto& [name, width] : widths) {
      for (const std::string_view part : rollup::kPartNames) {
        const Values expected = naive_windows(all, from, to, width, std::string(part));
        for (const ResponseType type : kTypes) {
          SCOPED_TRACE(metric + " " + name + ":" + std::string(part));
          const Values found = read(metric, name + ":" + std::string(part), from, to, type);
          ASSERT_NO_FATAL_FAILURE(compare(found, expected, std::string(part), scale_of(all)));
        }
      }
    }
  }
  static void compare(const Values& found, const Values& expected, const std::string& part,
                      double scale) {
    ASSERT_EQ(found.size(), expected.size());
    for (const auto& [stamp, value] : found) {
      ASSERT_TRUE(expected.contains(stamp)) << stamp;
      ASSERT_TRUE(is_close(value, expected.at(stamp), part, scale))
          << stamp << ": " << value << ", of the samples " << expected.at(stamp);
    }
  }

  const std::uint32_t seed_ = std::random_device{}();
  std::mt19937 random_;
};

// C44, C47: gauges, counters that begin anew on every edge, gaps, stale marks, late samples.
TEST_F(RolledPropertyTest, EveryPartIsThatOfTheSamples) {
  SCOPED_TRACE(testing::Message() << "seed " << seed_);
  for (int round = 0; round < dose(4, 60); ++round) {
    const std::string metric = "m" + std::to_string(round);
    const Values all = write(metric);
    ASSERT_NO_FATAL_FAILURE(compare(metric, all));
  }
}

// Whatever the roller has done by now, and also of what it did not do: the same.
TEST_F(RolledPropertyTest, HowFarTheRollerIsChangesNoAnswer) {
  SCOPED_TRACE(testing::Message() << "seed " << seed_);
  open_rollups();
  std::map<std::string, Values> series;
  for (int round = 0; round < dose(5, 60); ++round) {
    const std::string metric = "m" + std::to_string(round);
    series.emplace(metric, write(metric));
    ASSERT_NO_FATAL_FAILURE(compare(metric, series.at(metric)));
  }
  for (const auto& [metric, all] : series) ASSERT_NO_FATAL_FAILURE(compare(metric, all));
  roll_all();
  EXPECT_EQ(days_due(), 0U);
  EXPECT_GT(roller_->stats().windows, 0U);
  for (const auto& [metric, all] : series) ASSERT_NO_FATAL_FAILURE(compare(metric, all));
}

}  // namespace
}  // namespace vigia::storage::read
