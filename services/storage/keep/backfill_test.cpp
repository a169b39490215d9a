#include "services/storage/keep/backfill.hpp"

#include <gmock/gmock.h>

#include "libs/wire/remote_read/read_response.hpp"
#include "libs/wire/remote_write/write_fields.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::storage::keep {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

// What a message of remote write says, series by series.
class Seen final : public wire::remote_write::WriteVisitor {
 public:
  void on_series(const wire::remote_write::SeriesView& series) override {
    std::string text;
    for (const auto& label : series.labels) {
      text += std::string(label.name) + "=" + std::string(label.value) + " ";
    }
    for (const auto& sample : series.samples) {
      text += std::to_string(sample.timestamp_ms) + ":" + std::to_string(sample.value) + " ";
    }
    text += std::to_string(series.histograms.size());
    series_.push_back(text);
  }
  std::vector<std::string> series_;
};

std::string response_of(int series) {
  wire::remote_read::SamplesResponse response;
  response.begin_query();
  for (int i = 0; i < series; ++i) {
    const std::string histogram = "\x08\x01\x78" + std::string(1, static_cast<char>(i + 1));
    response.add_series(Labels::from({{"__name__", "m"}, {"n", std::to_string(i)}}),
                        {{1'000, 1.0 * i}, {2'000, 7}}, {histogram});
  }
  return wire::remote_write::unpack_block(response.finish(), {}).value();
}

TEST(BackfillMessages, ASeriesOfTheAnswerIsASeriesOfTheWrite) {
  std::vector<std::string> messages;
  std::uint64_t items = 0;
  const auto read =
      each_write_of(response_of(2), 1U << 20U, [&](std::string_view message, std::uint64_t count) {
        messages.emplace_back(message);
        items += count;
        return Result<void>();
      });
  ASSERT_TRUE(read.has_value());
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(items, 6U);
  Seen seen;
  ASSERT_TRUE(wire::remote_write::decode_message(messages.front(), {}, seen).has_value());
  EXPECT_THAT(seen.series_, ElementsAre("__name__=m n=0 1000:0.000000 2000:7.000000 1",
                                        "__name__=m n=1 1000:1.000000 2000:7.000000 1"));
}

TEST(BackfillMessages, TheyAreBoundedAndNothingIsLeftOut) {
  std::vector<std::uint64_t> items;
  const auto send = [&](std::string_view, std::uint64_t count) {
    items.push_back(count);
    return Result<void>();
  };
  ASSERT_TRUE(each_write_of(response_of(5), 100, send).has_value());
  EXPECT_THAT(items, ElementsAre(6, 6, 3));
  items.clear();
  ASSERT_TRUE(each_write_of("", 100, send).has_value());
  EXPECT_THAT(items, IsEmpty());
}

TEST(BackfillMessages, DamageAndAnErrorOfTheWriteEndIt) {
  const std::string whole = response_of(3);
  const auto taken = [](std::string_view, std::uint64_t) { return Result<void>(); };
  const auto cut = each_write_of(std::string_view(whole).substr(0, whole.size() - 2), 100, taken);
  ASSERT_FALSE(cut.has_value());
  EXPECT_EQ(cut.error().code, ErrorCode::kCorrupt);
  int calls = 0;
  const auto refused =
      each_write_of(whole, 1, [&](std::string_view, std::uint64_t) -> Result<void> {
        ++calls;
        return fail(ErrorCode::kTooLarge, "too much");
      });
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace vigia::storage::keep
