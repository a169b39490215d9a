// Roll-ups that are a customer's own, as `copy` brings them to a store that has made none itself.
#include <map>

#include <gtest/gtest.h>

#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/read/rolled_read.hpp"
#include "services/storage/rolling/window_rows.hpp"
#include "services/storage/testing/storage_fixture.hpp"

namespace vigia::storage::read {
namespace {

constexpr std::uint32_t kDay = 20'000;
constexpr TimestampMs kStart = TimestampMs{kDay} * store::kDayMs;
constexpr TimestampMs kHourMs = 3'600'000;

TEST(OwnRollupsTest, TheyAreReadBeforeAnyAreMadeOfAll) {
  StorageFixture storage;
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  const store::SeriesKey series{"m", {7}};
  const std::vector<Sample> samples = {{kStart + 1, 1}, {kStart + 2, 2}, {kStart + 2 * kHourMs, 4}};
  const std::vector<store::ClosedChunk> rows = {rolling::window_row(
      series, Resolution::kHour, rollup::windows_of(samples, rollup::width_ms(Resolution::kHour)))};
  store::ChunkStore& chunks = storage.cold().chunks();
  ASSERT_TRUE(store::put_now(chunks, customer, rows).has_value());
  rolling::RollupNote note;
  note.own[customer] = {kDay, {kDay, kDay, kDay}};  // its samples are not whole
  ASSERT_TRUE(chunks.due_days()->set_note(rolling::write_note(note)).has_value());
  const auto book = rolling::RollupBook::open(*chunks.due_days(), {true, true, true}).value();
  ASSERT_FALSE(book->note().made_from_day(Resolution::kHour).has_value());

  RolledReader reader(storage.reader());
  reader.use_rollups(*book);
  lanes::AnswerMemory memory(storage.answers(), customer.text());
  const ReadRange range = samples_of_windows(kStart, kStart + store::kDayMs - 1, Resolution::kHour);
  const rollup::Asked asked{Resolution::kHour, rollup::Part::kSum};
  const auto run = reader.run(customer, {series}, asked, range, memory);
  ASSERT_TRUE(run.has_value()) << run.error().message;
  const auto found = (*run)->next(memory);
  ASSERT_TRUE(found.has_value()) << found.error().message;
  ASSERT_EQ(found->chunks.size(), 1U);
  std::map<TimestampMs, double> sums;
  const std::vector<Sample> windows = chunk::read_samples(found->chunks[0].data).value();
  for (const Sample& one : windows) {
    sums[one.timestamp_ms] = one.value;
  }
  const std::map<TimestampMs, double> wanted = {{kStart + kHourMs - 1, 3},
                                                {kStart + 2 * kHourMs - 1, 4}};
  EXPECT_EQ(sums, wanted);
}

}  // namespace
}  // namespace vigia::storage::read
