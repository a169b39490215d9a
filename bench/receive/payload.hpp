// Prepared OTLP requests, the same for us and for the peers: what is measured is the receiver.
#pragma once

#include <cstddef>
#include <string>

#include "libs/model/signal.hpp"

namespace vigia::bench {

/// One request of `items` items in the shape that bench/README.md describes. `number` makes its
/// series differ from those of other payloads.
std::string make_payload(Signal signal, std::size_t items, std::size_t number,
                         const std::string& customer);

}  // namespace vigia::bench
