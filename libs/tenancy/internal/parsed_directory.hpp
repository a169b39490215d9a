// The directory in memory, however it was written down.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <limits>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "libs/tenancy/directory.hpp"

namespace vigia::tenancy::internal {

inline constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
// A limit above this is a slip of the pen.
inline constexpr std::int64_t kCountMax = 1'000'000'000'000;

struct LimitKey {
  std::string_view name;
  std::uint64_t Limits::* value;
};

/// Keys of `limits`, in customers.yaml and in the snapshot. Absent or 0 leaves what Limits has.
inline constexpr std::array<LimitKey, 16> kLimitKeys = {{
    {"points_per_second", &Limits::points_per_second},
    {"spans_per_second", &Limits::spans_per_second},
    {"log_records_per_second", &Limits::log_records_per_second},
    {"bytes_per_second", &Limits::bytes_per_second},
    {"active_series", &Limits::active_series},
    {"label_value_bytes", &Limits::label_value_bytes},
    {"labels_per_series", &Limits::labels_per_series},
    {"query_range_seconds", &Limits::query_range_seconds},
    {"query_steps", &Limits::query_steps},
    {"query_series", &Limits::query_series},
    {"query_samples", &Limits::query_samples},
    {"query_bytes", &Limits::query_bytes},
    {"query_seconds", &Limits::query_seconds},
    {"log_query_lines", &Limits::log_query_lines},
    {"log_query_bytes", &Limits::log_query_bytes},
    {"log_query_cpu_seconds", &Limits::log_query_cpu_seconds},
}};

/// Some 100 bytes a token, so that a million of them have room beside a collector's work.
class ParsedDirectory final : public Directory {
 public:
  struct KnownToken {
    std::uint32_t customer = kOperator;  ///< its place in customers()
    Scope scope = Scope::kRead;
    std::int64_t expires_ms = kNever;
  };
  static constexpr std::uint32_t kOperator = std::numeric_limits<std::uint32_t>::max();

  /// The customer's place; nothing where one of that id is there.
  std::optional<std::uint32_t> add(Customer customer);
  /// False where the token is there.
  bool add(const TokenHash& hash, const KnownToken& token) {
    return tokens_.emplace(hash, token).second;
  }

  Result<TokenOwner> owner_of(const TokenHash& token, std::int64_t now_ms) const override;
  const Customer* find(const CustomerId& customer) const override;
  const std::vector<Customer>& customers() const override { return customers_; }

 private:
  struct FirstBytes {  // of a SHA-256, which nobody chooses
    std::size_t operator()(const TokenHash& hash) const {
      std::size_t value = 0;
      std::memcpy(&value, hash.data(), sizeof value);
      return value;
    }
  };

  std::vector<Customer> customers_;
  std::unordered_map<CustomerId, std::uint32_t> by_id_;
  std::unordered_map<TokenHash, KnownToken, FirstBytes> tokens_;
};

/// What one hears whose token is of no use, whatever is wrong with it.
tl::unexpected<Error> unknown_token();

/// Nothing where the text is no SHA-256 in lower-case hex.
std::optional<TokenHash> parse_token_hash(std::string_view text);

}  // namespace vigia::tenancy::internal
