// A remote read that wants no samples, as Prometheus sends for /api/v1/series: labels from the
// index, and no chunk is read.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/read/remote_read.hpp"
#include "services/storage/read/testing/read_frames.hpp"
#include "services/storage/read/testing/read_samples_answer.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"
#include "services/storage/testing/storage_fixture.hpp"

namespace vigia::storage::read {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using wire::remote_read::Query;
using wire::remote_read::ResponseType;

constexpr TimestampMs kDay = 24 * 3'600'000LL;

class CountedChunks final : public store::WatchedChunks {
 public:
  using WatchedChunks::WatchedChunks;
  int reads() const { return reads_; }

  std::unique_ptr<store::ChunkCursor> read(const CustomerId& customer,
                                           std::span<const store::SeriesKey> series,
                                           const store::ChunkQuery& query) override {
    ++reads_;
    return WatchedChunks::read(customer, series, query);
  }

 private:
  int reads_ = 0;
};

class LabelsAloneTest : public testing::TestWithParam<ResponseType> {
 protected:
  LabelsAloneTest() {
    const std::uint32_t first = store::day_of(kNow - 9 * kDay);
    const std::uint32_t last = store::day_of(kNow);
    resolve("cliente-a", "both_days", {first, last});
    resolve("cliente-a", "first_day", {first, first});
    resolve("cliente-a", "last_day", {last, last});
    resolve("cliente-b", "of_another", {last, last});
    storage_.write("cliente-a", "both_days", {{kNow - 9 * kDay, 1}, {kNow, 2}});
    storage_.write("cliente-a", "first_day", {{kNow - 9 * kDay, 1}});
    storage_.write("cliente-a", "last_day", {{kNow, 1}});
    storage_.write("cliente-b", "of_another", {{kNow, 1}});
  }
  void resolve(const std::string& customer, const std::string& metric,
               const store::DayRange& days) {
    const CustomerId id = CustomerId::parse(customer).value();
    const std::uint64_t seed = storage_.cold().catalog().seed_of(id).value();
    std::vector<store::NewSeries> series(1);
    series[0].labels = labels_of(customer, metric);
    series[0].wire_hash = store::hash_labels(seed, metric);
    series[0].days = days;
    ASSERT_TRUE(storage_.cold().catalog().resolve(id, series).has_value());
  }
  static Query asked(TimestampMs from_ms, TimestampMs to_ms, bool wants_labels_alone = true) {
    return {from_ms, to_ms, {{MatchType::kNotEqual, "__name__", ""}}, wants_labels_alone};
  }
  struct Found {
    std::size_t query;
    std::string metric;
    bool has_data;
    bool operator==(const Found&) const = default;
  };
  Result<std::vector<Found>> found(const std::vector<Query>& queries) {
    const RemoteRead remote_read(storage_.cold().catalog(), reader_, {}, storage_.answers(),
                                 [this](const CustomerId&, Resolution) { return kept_from_ms_; });
    std::vector<Found> found;
    if (GetParam() == ResponseType::kSamples) {
      const auto answer = remote_read.samples("cliente-a", customer_, {queries, GetParam()});
      if (!answer) return tl::unexpected<Error>(answer.error());
      for (const AnswerSeries& series : read_samples_answer(answer->body)) {
        EXPECT_THAT(series.label_names, ElementsAre("__name__", "customer_id", "node_id"));
        found.push_back({series.query, series.metric, !series.samples.empty()});
      }
      return found;
    }
    auto stream = remote_read.chunks("cliente-a", customer_, {queries, GetParam()},
                                     std::make_shared<const store::WorkLimit>());
    if (!stream) return tl::unexpected<Error>(stream.error());
    std::string frames;
    const auto no_end = std::chrono::steady_clock::time_point::max();
    for (;;) {
      const auto piece = (*stream)->next(no_end);
      if (!piece) return tl::unexpected<Error>(piece.error());
      if ((*piece)->empty()) break;
      frames += **piece;
    }
    for (const Frame& frame : read_frames(frames)) {
      found.push_back({static_cast<std::size_t>(frame.query), frame.metric, !frame.chunks.empty()});
    }
    return found;
  }

  StorageFixture storage_;
  CountedChunks chunks_{storage_.cold().chunks()};
  SeriesReader reader_{storage_.heads(), chunks_};
  const CustomerId customer_ = CustomerId::parse("cliente-a").value();
  TimestampMs kept_from_ms_ = INT64_MIN;
};

TEST_P(LabelsAloneTest, NoChunkIsReadForThem) {
  EXPECT_THAT(found({asked(kNow - 1, kNow)}).value(),
              ElementsAre(Found{0, "both_days", false}, Found{0, "last_day", false}));
  EXPECT_THAT(found({asked(kNow - 10 * kDay, kNow)}).value(),
              ElementsAre(Found{0, "both_days", false}, Found{0, "first_day", false},
                          Found{0, "last_day", false}));
  EXPECT_THAT(found({asked(kNow - 30 * kDay, kNow - 29 * kDay)}).value(), IsEmpty());
  EXPECT_EQ(chunks_.reads(), 0);
}

// And a series that has a sample on the day, but none in the range, is not in an answer with them.
TEST_P(LabelsAloneTest, BesideAQueryThatWantsSamples) {
  EXPECT_THAT(found({asked(kNow - 1, kNow), asked(kNow - 1, kNow, false),
                     asked(kNow + 1, kNow + 2, false), asked(kNow + 1, kNow + 2)})
                  .value(),
              ElementsAre(Found{0, "both_days", false}, Found{0, "last_day", false},
                          Found{1, "both_days", true}, Found{1, "last_day", true},
                          Found{3, "both_days", false}, Found{3, "last_day", false}));
  EXPECT_GT(chunks_.reads(), 0);
}

// C46.
TEST_P(LabelsAloneTest, NothingOfDaysThatArePastTheirRetention) {
  kept_from_ms_ = kNow - kDay;
  EXPECT_THAT(found({asked(0, kNow - 2 * kDay)}).value(), IsEmpty());
  EXPECT_THAT(found({asked(0, kNow)}).value(),
              ElementsAre(Found{0, "both_days", false}, Found{0, "last_day", false}));
}

// The windows need not exist, as none of them is read.
TEST_P(LabelsAloneTest, WhateverRollUpsAreNamed) {
  kept_from_ms_ = kNow - kDay;
  Query query = asked(0, kNow);
  query.matchers.push_back({MatchType::kEqual, "__rollup__", "1h:sum"});
  EXPECT_THAT(found({query}).value(),
              ElementsAre(Found{0, "both_days", false}, Found{0, "last_day", false}));
  EXPECT_EQ(chunks_.reads(), 0);
  query.matchers.back().value = "2h:sum";
  EXPECT_EQ(found({query}).error().code, ErrorCode::kNotFound);
}

TEST_P(LabelsAloneTest, TheirMemoryIsBounded) {
  lanes::CustomerShares small("answers", 512);
  const RemoteRead remote_read(storage_.cold().catalog(), reader_, {}, small);
  const auto limit = std::make_shared<const store::WorkLimit>();
  const wire::remote_read::ReadRequest request{{asked(0, kNow)}, GetParam()};
  if (GetParam() == ResponseType::kSamples) {
    EXPECT_FALSE(remote_read.samples("cliente-a", customer_, request).has_value());
  } else {
    EXPECT_FALSE(remote_read.chunks("cliente-a", customer_, request, limit).has_value());
  }
}

INSTANTIATE_TEST_SUITE_P(Types, LabelsAloneTest,
                         testing::Values(ResponseType::kSamples, ResponseType::kStreamedXorChunks),
                         [](const auto& one) {
                           return one.param == ResponseType::kSamples ? "Samples" : "Chunks";
                         });

}  // namespace
}  // namespace vigia::storage::read
