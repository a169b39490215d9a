// What 1.0 says of metrics beside their series: by the name of the family, once.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/wire/remote_write/write_request.hpp"

namespace vigia::wire::remote_write {

/// What a series' metric is called there: a classic histogram or a summary, of which there are
/// several series, without the suffix. `type` as of MetadataView.
std::string_view family_of(std::uint32_t type, std::string_view metric);

/// A WriteRequest.metadata field behind a message of 1.0.
void append_metadata(std::string& message, const MetadataView& metadata);

}  // namespace vigia::wire::remote_write
