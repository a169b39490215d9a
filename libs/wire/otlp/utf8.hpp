// UTF-8 validity, which protobuf's `string` promises and senders break (C24).
#pragma once

#include <string_view>

namespace vigia::wire::otlp {

bool is_utf8(std::string_view text);

}  // namespace vigia::wire::otlp
