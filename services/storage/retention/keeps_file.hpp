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

/// None where there is no file; kCorrupt where it is damaged. kUnavailable where it cannot be read,
/// or is whole and of a version that this program does not know: it may say what it said.
Result<CustomerKeeps> load_keeps(const std::string& path);
/// Where set_aside leaves what was damaged.
std::string damaged_path(const std::string& path);
/// A copy of the file at damaged_path, durable when it returns. The file itself stays until another
/// takes its place: a kill in between must not leave none, which would say that all are kept as
/// `retention:` says.
Result<void> set_aside(const std::string& path);
/// Whole or not at all, durable when it returns.
Result<void> store_keeps(const std::string& path, const CustomerKeeps& keeps);

}  // namespace vigia::storage::retention
