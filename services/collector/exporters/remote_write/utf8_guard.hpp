// Names in UTF-8 go to no store that would leave them out.
#pragma once

#include <memory>

#include "libs/base/clock.hpp"
#include "libs/net/client.hpp"
#include "services/collector/delivery/parcel.hpp"
#include "services/collector/exporters/http_settings.hpp"

namespace vigia::collector::exporters::remote_write {

/// Prometheus before 3 answers 204 to series whose names are no classic ones, and leaves them out.
/// So the destination is asked for its version (`…/api/v1/status/buildinfo` beside
/// `…/api/v1/write`) before the first message and every ten minutes; while it is such a one, every
/// message is answered kRetry with what to do, and waits in the log: this destination's alone.
/// Whoever does not say, or is no Prometheus, takes what `next` sends. Thread contract: as
/// MessageTransport; `client` and `clock` outlive it and its requests.
std::unique_ptr<delivery::MessageTransport> guard_utf8(
    std::unique_ptr<delivery::MessageTransport> next, const HttpSettings& settings,
    net::Client& client, const Clock& clock);

}  // namespace vigia::collector::exporters::remote_write
