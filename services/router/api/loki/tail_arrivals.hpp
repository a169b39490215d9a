// How storage is asked how far a customer's lines have come.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/api/loki/log_parameters.hpp"
#include "services/router/upstream/ask.hpp"

namespace vigia::router::api::loki {

/// Where a tail stands: lines that came behind `after`, up to `upto`.
struct ArrivalRange {
  std::uint64_t after = 0;
  std::uint64_t upto = 0;
};

struct Arrivals {
  std::uint64_t upto = 0;
  std::vector<LogRange> times;  ///< where those that came since lie
};

/// `after`: what storage said before; nothing: only how far it is.
upstream::Ask arrivals_ask(const CustomerId& customer, std::optional<std::uint64_t> after,
                           std::shared_ptr<access::Interest> interest);
/// kCorrupt where it is no such answer.
Result<Arrivals> read_arrivals(std::string_view json);

/// Narrows a page's ask (page_ask.hpp) to those.
void ask_for_arrived(upstream::Ask& ask, const ArrivalRange& range);

}  // namespace vigia::router::api::loki
