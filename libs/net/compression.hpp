// gzip, deflate and zstd bodies, bounded before memory is taken.
#pragma once

#include <string>
#include <string_view>

#include "libs/base/result.hpp"

namespace vigia::net {

/// `encoding` is a Content-Encoding or grpc-encoding value: "", "identity", "gzip", "deflate",
/// "zstd". kTooLarge as soon as the output passes `bytes_max`, with memory never more than that;
/// kInvalid for damaged input or another encoding. Several gzip members and zstd frames in a row
/// are one body.
Result<std::string> decompress(std::string_view encoding, std::string_view bytes,
                               std::size_t bytes_max);
/// `encoding` as above.
Result<std::string> compress(std::string_view encoding, std::string_view bytes);

}  // namespace vigia::net
