// What an OTLP sender is answered.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "libs/model/signal.hpp"
#include "libs/net/message.hpp"
#include "services/collector/intake/intake.hpp"

namespace vigia::collector::receivers {

enum class BodyForm { kProtobuf, kJson };

/// The signal that a path names: "/v1/metrics" over HTTP, "/opentelemetry.proto.collector…/Export"
/// over gRPC. Nothing for another path.
std::optional<Signal> signal_of_path(const net::RequestHead& head);

/// application/x-protobuf or application/json, in any case, whatever the parameters (RFC 9110).
/// Over gRPC always protobuf. Nothing for another type, or none.
std::optional<BodyForm> form_of(const net::RequestHead& head);

/// 200 / OK with an Export…ServiceResponse in the request's own encoding; `partial_success` only
/// where something was refused (R-OTLP-5, R-OTLP-6).
net::Response accepted(Signal signal, BodyForm form, const intake::Receipt& receipt);

}  // namespace vigia::collector::receivers
