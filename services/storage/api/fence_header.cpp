#include "services/storage/api/fence_header.hpp"

namespace vigia::storage::api {

Result<read::Fence> read_fence(const net::Headers& headers) {
  const std::size_t count = headers.count(kCustomerHeader);
  if (count == 0) return read::Fence();
  if (count > 1) return fail(ErrorCode::kInvalid, "X-Vigia-Customer stands more than once");
  auto customer = CustomerId::parse(headers.get(kCustomerHeader));
  if (!customer) return tl::unexpected<Error>(with_context("X-Vigia-Customer", customer.error()));
  return read::Fence(std::move(*customer));
}

}  // namespace vigia::storage::api
