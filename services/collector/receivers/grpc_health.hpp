// The health service of gRPC (grpc/grpc doc/health-checking.md), as load balancers ask for it.
#pragma once

#include <cstddef>
#include <string_view>

#include "libs/net/message.hpp"

namespace vigia::collector::receivers {

/// The body of a question is a service's name.
inline constexpr std::size_t kHealthBytesMax = 1024;

/// Whether it asks grpc.health.v1.Health/Check. Watch is not served, which its callers take for an
/// answer. Nobody needs a token for it: a balancer has none, and learns nothing of a customer.
bool is_health_check(const net::RequestHead& head);

/// SERVING or NOT_SERVING for the whole server ("") and each of OTLP's services, NOT_FOUND for any
/// other, INVALID_ARGUMENT where the body is no HealthCheckRequest.
net::Response health_answer(std::string_view body, bool is_serving);

}  // namespace vigia::collector::receivers
