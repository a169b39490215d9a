// Answers in the form of Prometheus' HTTP API.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/net/message.hpp"
#include "services/router/json/envelope.hpp"

namespace vigia::router::api::prometheus {

struct Notes {
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
  std::string served;  ///< value of X-Vigia-Served; empty: no header
};

/// 200 with `data` (JSON) as it is.
net::Response success(std::string_view data, const Notes& notes);
/// 200 with the data of an upstream's answer, of which a large one is not copied.
net::Response success(json::Envelope answer, const Notes& notes);
/// The beginning of a body, behind which the data is to be written, and what makes a 200 of it.
std::string begin_success();
net::Response end_success(std::string body, const Notes& notes);
/// The caller's fault as upstream told it; what could show an address inside is left out.
net::Response refusal(const json::Envelope& envelope);

/// What PromQL itself remarks ("PromQL info: …") without anything else that an upstream says.
std::vector<std::string> promql_remarks(const std::vector<std::string>& texts);
/// True where an upstream warned of anything but PromQL: some store behind it did not answer.
bool is_incomplete(const json::Envelope& envelope);
/// True where it gave a number of warnings only: one of a store may be among those it left out.
bool leaves_warnings_out(const json::Envelope& envelope);

}  // namespace vigia::router::api::prometheus
