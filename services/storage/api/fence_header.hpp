// The header that names whose data a request is about.
#pragma once

#include "libs/net/message.hpp"
#include "services/storage/read/series_search.hpp"

namespace vigia::storage::api {

inline constexpr std::string_view kCustomerHeader = "x-vigia-customer";

/// The customer of X-Vigia-Customer; nothing where the header is missing. kInvalid where it stands
/// twice or is no customer id: a fence is never guessed.
Result<read::Fence> read_fence(const net::Headers& headers);

}  // namespace vigia::storage::api
