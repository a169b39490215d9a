// The ways to a destination that takes OTLP: over HTTP, over gRPC.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"
#include "services/collector/delivery/parcel.hpp"
#include "services/collector/exporters/sender_settings.hpp"

namespace vigia::collector::exporters::otlp {

/// `client` outlives the transport and its requests.
std::unique_ptr<delivery::Transport> make_http_transport(const SenderSettings& settings,
                                                         net::Client& client);
std::unique_ptr<delivery::Transport> make_grpc_transport(const SenderSettings& settings,
                                                         net::Client& client);

/// What an answer over HTTP means; as remote_write::judge_remote_write, but: A 500, which the
/// specification calls final (R-EXP-2), is kBroken: a store with a passing fault answers it too,
/// and what others are taken of meanwhile tells. A partial success names how many items were
/// rejected.
delivery::Answer judge_otlp_http(const Result<net::ClientResponse>& response);

/// The same for gRPC (R-EXP-1): UNAUTHENTICATED, PERMISSION_DENIED and UNIMPLEMENTED speak of the
/// set-up, UNKNOWN, INTERNAL and DATA_LOSS are kBroken.
delivery::Answer judge_otlp_grpc(const Result<net::GrpcReply>& reply);

}  // namespace vigia::collector::exporters::otlp
