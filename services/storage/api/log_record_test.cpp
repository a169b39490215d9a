#include "services/storage/api/log_record.hpp"

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/fields.hpp"

namespace vigia::storage::api {
namespace {

using wire::otlp::LogRecordField;

std::string record_of(std::uint64_t number, const std::string& text = "") {
  std::string record;
  protozero::pbf_writer writer(record);
  if (number != 0) writer.add_uint64(LogRecordField::kSeverityNumber.number, number);
  if (!text.empty()) writer.add_string(LogRecordField::kSeverityText.number, text);
  return record;
}

std::string severity_of(std::uint64_t number, const std::string& text = "") {
  const std::string record = record_of(number, text);
  return std::string(read_record(record).severity);
}

// Loggers that set a number alone have levels, too.
TEST(LogRecord, ANumberIsASeverityWhereNoTextIs) {
  EXPECT_EQ(severity_of(0), "");
  EXPECT_EQ(severity_of(1), "TRACE");
  EXPECT_EQ(severity_of(8), "DEBUG4");
  EXPECT_EQ(severity_of(9), "INFO");
  EXPECT_EQ(severity_of(17), "ERROR");
  EXPECT_EQ(severity_of(24), "FATAL4");
  EXPECT_EQ(severity_of(25), "");
  EXPECT_EQ(severity_of(UINT64_MAX), "");
  EXPECT_EQ(severity_of(17, "warning"), "warning") << "the sender's own word counts";
}

}  // namespace
}  // namespace vigia::storage::api
