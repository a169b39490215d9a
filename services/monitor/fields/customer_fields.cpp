#include "services/monitor/fields/customer_fields.hpp"

#include <algorithm>
#include <type_traits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "libs/base/check.hpp"

namespace vigia::monitor::fields {
namespace {

// What the rows get that are there already: the member's own value, so that a customer is the same
// whether it was written before the field was known or after.
std::string column_of(const CustomerField& field) {
  static const CustomerRow kBefore{.id = *CustomerId::parse("before")};
  return std::visit(
      [&](const auto& kind) {
        const auto& value = kBefore.*kind.value;
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
          CHECK(value.find('\'') == std::string::npos);  // it stands in SQL as it is
          return fmt::format("{} TEXT NOT NULL DEFAULT '{}'", field.name, value);
        } else if constexpr (std::is_same_v<std::decay_t<decltype(value)>,
                                            std::vector<std::string>>) {
          return fmt::format("{} TEXT NOT NULL DEFAULT '{}'", field.name, fmt::join(value, ","));
        } else {
          return fmt::format("{} BIGINT NOT NULL DEFAULT {}", field.name,
                             static_cast<std::int64_t>(value));
        }
      },
      field.kind);
}

}  // namespace

std::vector<std::string> added_columns(int version, std::span<const CustomerField> fields,
                                       std::span<const CustomerLimit> limits) {
  std::vector<std::string> columns;
  for (const auto& field : fields) {
    if (field.since == version) columns.push_back(column_of(field));
  }
  for (const auto& limit : limits) {
    if (limit.since != version) continue;
    columns.push_back(fmt::format("{} BIGINT NOT NULL DEFAULT 0", limit.name));
  }
  return columns;
}

int newest_version(std::span<const CustomerField> fields, std::span<const CustomerLimit> limits) {
  int newest = 0;
  for (const auto& field : fields) newest = std::max(newest, field.since);
  for (const auto& limit : limits) newest = std::max(newest, limit.since);
  return newest;
}

tenancy::Customer in_directory(const CustomerRow& customer) {
  tenancy::Customer told{customer.id, {}, {}, {}, 0};
  for (const auto& field : kCustomerFields) {
    std::visit(
        [&](const auto& kind) {
          if constexpr (requires { kind.in_directory; }) {
            if (kind.in_directory != nullptr) told.*kind.in_directory = customer.*kind.value;
          }
        },
        field.kind);
  }
  for (const auto& limit : kCustomerLimits) {
    told.limits.*limit.in_directory = static_cast<std::uint64_t>(customer.limits.*limit.value);
  }
  return told;
}

}  // namespace vigia::monitor::fields
