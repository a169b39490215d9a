// Whatever is read prints, and what is printed reads back the same and can be fenced.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libs/base/check.hpp"
#include "libs/logql/fence.hpp"
#include "libs/logql/parser.hpp"
#include "libs/logql/printer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace logql = vigia::logql;
  using vigia::ErrorCode;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const vigia::CustomerId customer = *vigia::CustomerId::parse("cliente-a");
  const auto expr = logql::parse_logs(text);
  if (!expr) return 0;
  const std::string printed = logql::print(**expr);
  auto again = logql::parse_logs(printed);
  // Only a limit may stand between a text and its printed form, which can be longer.
  if (!again) {
    CHECK(again.error().code == ErrorCode::kTooLarge);
    return 0;
  }
  CHECK(logql::print(**again) == printed);
  const auto fenced = logql::fenced_text(customer, **again);
  CHECK(fenced.has_value() || fenced.error().code == ErrorCode::kTooLarge);
  if (fenced) CHECK(logql::is_fenced(customer, **logql::parse_logs(*fenced)));
  return 0;
}
