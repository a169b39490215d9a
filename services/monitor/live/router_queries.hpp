// Asks the router, as an operator: the monitor's own reads of stored data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/ids.hpp"
#include "libs/net/client.hpp"
#include "services/monitor/live/prometheus_answer.hpp"

namespace vigia::monitor::live {

struct RangeAnswer {
  std::vector<MatrixSeries> series;
  std::vector<std::string> warnings;
  std::string served;  ///< X-Vigia-Served
};

struct InstantAnswer {
  std::vector<VectorSample> samples;
  std::vector<std::string> warnings;
  std::string served;  ///< X-Vigia-Served
};

struct TimeGrid {
  std::int64_t start_s = 0;  ///< a multiple of step_s
  std::int64_t end_s = 0;    ///< the last step
  std::int64_t step_s = 15;
  bool operator==(const TimeGrid&) const = default;
};

/// Thread contract: any thread but an event loop; calls block, `range` for at most kCurveTimeout,
/// the others for at most kLiveTimeout.
class RouterQueries {
 public:
  /// `token`: an operator's read token that the router knows from the snapshot.
  RouterQueries(net::Client& client, std::string url, std::string token)
      : client_(client), url_(std::move(url)), token_(std::move(token)) {}

  /// All customers. kUnavailable where the router does not answer, kTooLarge where it answers more
  /// than kLiveAnswerBytesMax.
  Result<std::vector<VectorSample>> instant(std::string_view query);
  /// One customer, at that second.
  Result<InstantAnswer> instant_of(const CustomerId& customer, std::string_view query,
                                   std::int64_t time_s);
  /// One customer: the router fences the query by the header, whatever it says.
  Result<RangeAnswer> range(const CustomerId& customer, std::string_view query,
                            const TimeGrid& grid);
  /// All customers and what is the provider's: no more of the answer may reach a customer than is
  /// its own.
  Result<RangeAnswer> range_of_all(std::string_view query, const TimeGrid& grid);

 private:
  struct Bounds {
    Duration timeout;
    std::size_t bytes_max;
  };
  Result<RangeAnswer> ask_range(const std::optional<CustomerId>& customer, std::string_view query,
                                const TimeGrid& grid);
  Result<net::ClientResponse> post(std::string_view path, std::string form,
                                   const std::optional<CustomerId>& customer, Bounds bounds);

  net::Client& client_;
  std::string url_;
  std::string token_;
};

}  // namespace vigia::monitor::live
