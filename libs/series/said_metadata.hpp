// What a sender of remote write 1.0 says of its metrics in requests of their own, for the series of
// its other requests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace vigia::series {

struct SaidMetadata {
  std::uint32_t type = 0;  ///< as of wire::remote_write::MetadataView, one that is known there
  std::string help, unit;
  bool operator==(const SaidMetadata&) const = default;
};

/// One customer's, by family.
using MetadataTable = std::map<std::string, std::shared_ptr<const SaidMetadata>, std::less<>>;

/// Of the family that a series of that name belongs to: `took` of `took_bucket`, where that is said
/// to be a histogram or a summary, and `asked` of `asked_total`, of a counter. Null where nothing
/// was said. Views the table.
const SaidMetadata* find_metadata(const MetadataTable& table, std::string_view metric);

}  // namespace vigia::series
