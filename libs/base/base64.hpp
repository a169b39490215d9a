// Base64 (RFC 4648).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace vigia {

/// With the standard alphabet, padded.
std::string to_base64(std::string_view bytes);
/// The same without padding, as headers of gRPC have it.
std::string to_base64_unpadded(std::string_view bytes);

/// The bytes of a text in the standard or the URL's alphabet, with or without padding, as ProtoJSON
/// and gRPC ask of readers; bits behind the last byte count for nothing. Nothing on another
/// character, and on one digit alone.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace vigia
