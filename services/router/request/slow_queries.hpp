// Queries that take long are told in the log, each in one line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/service/metrics.hpp"
#include "services/router/access/caller.hpp"
#include "services/router/request/parameters.hpp"

namespace vigia::router::request {

/// Of a text, in the log.
inline constexpr std::size_t kShownTextBytesMax = 2048;

/// What is told of a request. No header and no parameter that is not one of a query's: a client may
/// put its token anywhere.
struct AskedQuery {
  static AskedQuery of(const access::Caller& caller, const Parameters& parameters);

  std::string customer;       ///< "" of an operator over all customers
  bool is_operators = false;  ///< the token's
  std::string text;           ///< the query, its selectors or what a search is for; cut
  std::string times;          ///< "start=…&end=…"; cut
};

struct SlowQuery {
  AskedQuery asked;
  std::string route;
  Duration took{0};
  int status = 0;
  std::string served = {};  ///< X-Vigia-Served
  std::optional<std::uint64_t> samples = std::nullopt;
  std::uint64_t left_out = 0;  ///< lines of the same customer since the last one
};

/// Lets one customer write ten lines, and another one each ten seconds; all together a hundred, and
/// ten a second. What is more is counted, and told with the next line. Any thread.
class SlowQueries {
 public:
  using Write = std::function<void(const SlowQuery&)>;
  /// `threshold` 0: none is slow. The registry and the clock must outlive it.
  SlowQueries(Duration threshold, service::MetricRegistry& metrics, const Clock& clock,
              Write write = &write_to_log);

  bool is_on() const { return threshold_ > Duration::zero(); }
  bool is_slow(Duration took) const { return is_on() && took >= threshold_; }
  void tell(SlowQuery query);

  static void write_to_log(const SlowQuery& query);

 private:
  /// Lines that may be written at once, and are given back one after another.
  struct Share {
    double lines;
    TimePoint at;
    std::uint64_t left_out = 0;
  };
  Share& share_of(const std::string& customer, TimePoint now);
  static bool take(Share& share, double most, double per_second, TimePoint now);

  const Duration threshold_;
  const Clock& clock_;
  const Write write_;
  service::Counter& slow_;
  service::Counter& left_out_;
  std::mutex mutex_;
  Share all_;
  // By customer; those beyond a bound have one together, the operators'.
  std::map<std::string, Share, std::less<>> shares_;
};

}  // namespace vigia::router::request
