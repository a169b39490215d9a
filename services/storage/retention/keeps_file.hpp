// How long each customer's data were kept last, on disk: docs/formats/retention-customers.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/storage/retention/keeps.hpp"

namespace vigia::storage::retention {

using CustomerKeeps = std::map<CustomerId, Keeps>;

std::string encode_keeps(const CustomerKeeps& keeps);
/// Nothing for what is damaged, or of another version.
std::optional<CustomerKeeps> decode_keeps(std::string_view bytes);

/// None where there is no file; kCorrupt where it is damaged or cannot be read.
Result<CustomerKeeps> load_keeps(const std::string& path);
/// Whole or not at all, durable when it returns.
Result<void> store_keeps(const std::string& path, const CustomerKeeps& keeps);

}  // namespace vigia::storage::retention
