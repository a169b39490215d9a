// Cuts an OTLP export request into two, for a collector that takes only smaller ones (C34).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace vigia::agent::sender {

/// Two requests that together hold what `body` holds: cut between resources; where there is one,
/// between its scopes; where there is one, between its metrics, spans or records. Nothing where
/// there is nothing to cut between, or the bytes are damaged.
std::optional<std::pair<std::string, std::string>> split_request(std::string_view body);

}  // namespace vigia::agent::sender
