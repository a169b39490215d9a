#include "services/storage/keep/one_of_times.hpp"

#include <algorithm>
#include <bit>
#include <random>

#include <gtest/gtest.h>

#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::keep {
namespace {

using Values = std::vector<std::pair<TimestampMs, std::uint64_t>>;

TEST(OneOfTimes, GivesWhatTheMergeOfAllRowsGives) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    std::mt19937 chance(seed);
    std::vector<store::ChunkRow> rows;
    for (unsigned i = 0; i < 1 + chance() % 12; ++i) {
      chunk::ChunkWriter writer;
      store::ChunkRow row;
      row.first_ms = chance() % 40;
      row.version = chance() % 4;
      TimestampMs time_ms = row.first_ms;
      for (unsigned k = 0; k < 1 + chance() % 10; ++k) {
        writer.append({time_ms, static_cast<double>(chance() % 1'000)});
        row.last_ms = time_ms;
        time_ms += 1 + chance() % 5;
      }
      row.data = std::string(writer.bytes());
      rows.push_back(std::move(row));
    }
    std::stable_sort(rows.begin(), rows.end(), [](const auto& left, const auto& right) {
      return std::pair(left.first_ms, left.version) < std::pair(right.first_ms, right.version);
    });
    Values wanted;
    const auto merged = store::merge_rows(rows).value();
    for (const Sample& sample : merged.samples) {
      wanted.emplace_back(sample.timestamp_ms, std::bit_cast<std::uint64_t>(sample.value));
    }
    Values seen;
    OneOfTimes one_of(
        [&](TimestampMs time_ms, std::uint64_t value) { seen.emplace_back(time_ms, value); });
    for (const store::ChunkRow& row : rows) {
      std::vector<HeldValue> values;
      const auto alone = store::merge_rows({row}).value();
      for (const Sample& sample : alone.samples) {
        values.push_back(
            {sample.timestamp_ms, row.version, std::bit_cast<std::uint64_t>(sample.value)});
      }
      one_of.add_row(row.first_ms, values);
    }
    one_of.finish();
    ASSERT_EQ(seen, wanted) << "seed " << seed;
  }
}

}  // namespace
}  // namespace vigia::storage::keep
