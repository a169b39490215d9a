// The ways to a destination that takes OTLP: over HTTP, over gRPC.
#pragma once

#include <memory>

#include "libs/net/client.hpp"
#include "libs/otlp/answer.hpp"
#include "services/collector/delivery/parcel.hpp"
#include "services/collector/exporters/http_settings.hpp"

namespace vigia::collector::exporters::otlp {

/// The customer goes along as X-Vigia-Customer. `client` outlives the transport and its requests.
std::unique_ptr<delivery::MessageTransport> make_http_transport(const HttpSettings& settings,
                                                                net::Client& client);
std::unique_ptr<delivery::MessageTransport> make_grpc_transport(const HttpSettings& settings,
                                                                net::Client& client);

/// What an answer means is decided in libs/otlp, for every sender alike. The delivery weighs
/// kBroken by what others are taken of meanwhile: a store with a passing fault answers so too.
delivery::Answer answer_of(vigia::otlp::ExportAnswer answer);

}  // namespace vigia::collector::exporters::otlp
