#include "libs/tenancy/internal/parsed_directory.hpp"

#include <algorithm>

#include "libs/base/hex.hpp"

namespace vigia::tenancy::internal {

tl::unexpected<Error> unknown_token() {
  return fail(ErrorCode::kUnauthenticated, "the token is not known or has expired");
}

std::optional<TokenHash> parse_token_hash(std::string_view text) {
  TokenHash hash{};
  const bool is_lower =
      std::none_of(text.begin(), text.end(), [](char c) { return c < 'a' && c > '9'; });
  if (text.size() != 2 * hash.size() || !is_lower) return std::nullopt;
  const auto bytes = from_hex(text);
  if (!bytes) return std::nullopt;
  std::memcpy(hash.data(), bytes->data(), hash.size());
  return hash;
}

std::optional<std::uint32_t> ParsedDirectory::add(Customer customer) {
  const auto place = static_cast<std::uint32_t>(customers_.size());
  if (!by_id_.emplace(customer.id, place).second) return std::nullopt;
  customers_.push_back(std::move(customer));
  return place;
}

Result<TokenOwner> ParsedDirectory::owner_of(const TokenHash& token, std::int64_t now_ms) const {
  const auto entry = tokens_.find(token);
  if (entry == tokens_.end() || now_ms >= entry->second.expires_ms) return unknown_token();
  const KnownToken& known = entry->second;
  if (known.customer == kOperator) return TokenOwner{std::nullopt, known.scope};
  return TokenOwner{customers_[known.customer].id, known.scope};
}

const Customer* ParsedDirectory::find(const CustomerId& customer) const {
  const auto entry = by_id_.find(customer);
  return entry == by_id_.end() ? nullptr : &customers_[entry->second];
}

}  // namespace vigia::tenancy::internal
