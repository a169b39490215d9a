// The ways to a destination: remote write 1.0, OTLP over HTTP, OTLP over gRPC.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"
#include "services/collector/delivery/parcel.hpp"
#include "services/collector/exporters/exporter_settings.hpp"

namespace vigia::collector::exporters {

/// For kPrometheusRemoteWrite, kOtlpHttp and kOtlp. The customer goes along as X-Vigia-Customer
/// (what is nobody's without it); configured headers are added, but never over those that the
/// protocol sets (R-RW-1). kInvalid for another kind or an endpoint that is no URL. `client`
/// outlives the transport and its requests.
Result<std::unique_ptr<delivery::Transport>> make_transport(const ExporterSettings& settings,
                                                            net::Client& client);

/// What a remote-write destination's answer means. 2xx taken, and so is the 400 by which
/// vigia-storage says how many samples it has not stored, the rest being stored. What speaks of the
/// set-up is retried and never refuses: 401, 403, 404, 405, 407, 408, 415 and redirects, for a
/// destination that is set up wrongly says nothing about the data. 429, 502, 503, 504 and other 5xx
/// but 500 are retried too (R-RW-3). Other 4xx refuse. A 500 that begins as Prometheus' own words
/// for a sample that it will never take is a refusal (2.42); any other is kBroken. "Too far in the
/// future" (3.x: more than ten minutes by the store's clock) passes by itself and is never final.
delivery::Answer judge_remote_write(const Result<net::ClientResponse>& response);

/// The same for OTLP over HTTP. A 500, which the specification calls final (R-EXP-2), is kBroken: a
/// store with a passing fault answers it too, and what others are taken of meanwhile tells. A
/// partial success names how many items were rejected.
delivery::Answer judge_otlp_http(const Result<net::ClientResponse>& response);

/// The same for gRPC (R-EXP-1): UNAUTHENTICATED, PERMISSION_DENIED and UNIMPLEMENTED speak of the
/// set-up, UNKNOWN, INTERNAL and DATA_LOSS are kBroken.
delivery::Answer judge_otlp_grpc(const Result<net::GrpcReply>& reply);

}  // namespace vigia::collector::exporters
