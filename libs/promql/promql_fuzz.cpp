// Whatever is read prints, and what is printed reads back the same and can be fenced.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "libs/base/check.hpp"
#include "libs/promql/fence.hpp"
#include "libs/promql/info.hpp"
#include "libs/promql/parser.hpp"
#include "libs/promql/printer.hpp"
#include "libs/promql/query_times.hpp"
#include "libs/promql/time_range.hpp"
#include "libs/promql/visit.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace promql = vigia::promql;
  using vigia::CustomerId;
  using vigia::ErrorCode;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static const CustomerId customer = *CustomerId::parse("cliente-a");
  for (const auto dialect : {promql::Dialect::kPrometheus2, promql::Dialect::kPrometheus3}) {
    const auto expr = promql::parse(text, dialect);
    if (!expr) continue;
    const std::string printed = promql::print(**expr);
    auto again = promql::parse(printed, dialect);
    // Only a limit may stand between a text and its printed form, which can be longer.
    if (!again) {
      CHECK(again.error().code == ErrorCode::kTooLarge);
      continue;
    }
    CHECK(promql::print(**again) == printed);
    constexpr promql::Evaluation kTimes{1'000, 2'000};
    promql::selector_ranges(**again, kTimes);
    if (!promql::fold_query_times(**again, kTimes, std::chrono::seconds(1))) continue;
    promql::write_info_selectors(**again);
    const auto ranges = promql::selector_ranges(**again, kTimes);
    const bool is_fenceable = promql::check_info_can_be_fenced(**again).has_value();
    const auto fenced = promql::fenced_text(customer, **again, dialect);
    CHECK(fenced.has_value() || !is_fenceable || fenced.error().code == ErrorCode::kTooLarge);
    // The fence adds no selector: each has its range.
    std::size_t selectors = 0;
    promql::for_each_selector(**again, [&](const promql::Selector&) { ++selectors; });
    CHECK(selectors == ranges.size());
    if (fenced) CHECK(promql::is_fenced(customer, **promql::parse(*fenced, dialect)));
  }
  return 0;
}
