// What every OTLP door does alike: in which form a body comes, and how it says what was taken.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/model/signal.hpp"
#include "libs/net/message.hpp"

namespace vigia::otlp {

inline constexpr std::string_view kProtobufType = "application/x-protobuf";
inline constexpr std::string_view kJsonType = "application/json";

enum class BodyForm : std::uint8_t { kProtobuf, kJson };

/// application/x-protobuf or application/json, in any case, whatever the parameters (RFC 9110).
/// Over gRPC always protobuf. Nothing for another type, or none.
std::optional<BodyForm> form_of(const net::RequestHead& head);

/// What was left out of a request that was taken. Nothing, and a text beside it, is a warning: all
/// was taken, and something about it should be changed (OTLP, "Partial Success").
struct LeftOut {
  std::uint64_t items = 0;
  std::string_view why = {};
};

/// 200 / OK with an Export…ServiceResponse in the request's own encoding; `partial_success` only
/// where something was left out or is to be told (R-OTLP-5, R-OTLP-6, R-OTLP-9), its reason cut as
/// an error's is. Errors are net::otlp_error.
net::Response accepted(Signal signal, BodyForm form, const LeftOut& left_out = {});

}  // namespace vigia::otlp
