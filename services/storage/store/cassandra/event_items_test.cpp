#include "services/storage/store/cassandra/event_items.hpp"

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/items.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::uint32_t kNumbersMax = 20;  // more than spans and records have

/// One field of that number, of another wire type each.
std::vector<std::string> of_each_type(std::uint32_t number) {
  std::vector<std::string> all(4);
  protozero::pbf_writer(all[0]).add_uint64(number, 7);
  protozero::pbf_writer(all[1]).add_fixed64(number, 7);
  protozero::pbf_writer(all[2]).add_fixed32(number, 7);
  protozero::pbf_writer(all[3]).add_string(number, "0123456789abcdef");
  return all;
}

TEST(EventItems, TheTimesOfASpanAndOfARecord) {
  std::string span;
  protozero::pbf_writer message(span);
  message.add_string(1, "0123456789abcdef");
  message.add_fixed64(7, 70);
  message.add_fixed64(8, 80);
  EXPECT_EQ(times_of(Signal::kTraces, span).time_ns, 70);
  EXPECT_EQ(times_of(Signal::kTraces, span).trace_id, "0123456789abcdef");
  std::string record;
  protozero::pbf_writer(record).add_fixed64(11, 110);
  EXPECT_EQ(times_of(Signal::kLogs, record).time_ns, 110) << "when it was observed";
  protozero::pbf_writer(record).add_fixed64(1, 10);
  EXPECT_EQ(times_of(Signal::kLogs, record).time_ns, 10);
}

std::string valid_span() {
  std::string span;
  protozero::pbf_writer message(span);
  message.add_string(1, "0123456789abcdef");
  message.add_string(2, "01234567");
  message.add_fixed64(7, 70);
  return span;
}

/// A known number of a foreign wire type is damage where an item is judged. What was stored before
/// it was is read without it: read as what it is not it ended the program.
TEST(EventItems, AKnownNumberOfAForeignWireTypeIsPassedOver) {
  EXPECT_THROW((void)wire::otlp::is_valid_span(valid_span() + of_each_type(7)[0]),
               protozero::exception);
  EXPECT_THROW((void)wire::otlp::is_valid_log_record(of_each_type(1)[0] + of_each_type(1)[1]),
               protozero::exception);
  for (const Signal signal : {Signal::kTraces, Signal::kLogs}) {
    const std::string good = of_each_type(signal == Signal::kTraces ? 7 : 1)[1];
    const TimestampNs time_ns = times_of(signal, good).time_ns;
    EXPECT_EQ(time_ns, 7);
    for (std::uint32_t number = 1; number <= kNumbersMax; ++number) {
      for (const std::string& field : of_each_type(number)) {
        EXPECT_EQ(times_of(signal, field + good).time_ns, time_ns) << number;
      }
    }
  }
}

}  // namespace
}  // namespace vigia::storage::store::cassandra
