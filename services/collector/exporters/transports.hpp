// The ways to a destination: remote write 1.0, OTLP over HTTP, OTLP over gRPC.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "libs/net/client.hpp"
#include "services/collector/exporters/exporter_settings.hpp"
#include "services/collector/exporters/parcel.hpp"

namespace vigia::collector {

/// For kPrometheusRemoteWrite, kOtlpHttp and kOtlp. The customer goes along as X-Vigia-Customer;
/// configured headers are added, but never over those that the protocol sets (R-RW-1). kInvalid for
/// another kind or an endpoint that is no URL. `client` outlives the transport and its requests.
Result<std::unique_ptr<Transport>> make_transport(const ExporterSettings& settings,
                                                  net::Client& client);

/// What a remote-write destination's answer means. 2xx taken; 429, 502, 503, 504 and other 5xx but
/// 500 retried (R-RW-3), as are 401, 403, 404, 405, 407, 408, 415: a destination that is set up
/// wrongly says nothing about the data, which waits in the log. Other 4xx refuse. A 500 whose text
/// tells that a sample is out of the time that is taken is a refusal (Prometheus 2.42).
Answer judge_remote_write(const Result<net::ClientResponse>& response);

/// The same for OTLP over HTTP, where 500 is final too (R-EXP-2) and a partial success names how
/// many items were rejected.
Answer judge_otlp_http(const Result<net::ClientResponse>& response);

/// The same for gRPC (R-EXP-1).
Answer judge_otlp_grpc(const Result<net::GrpcReply>& reply);

}  // namespace vigia::collector
