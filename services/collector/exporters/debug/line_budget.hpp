// What the debug exporter may write: of each customer a share, whatever another sends.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"

namespace vigia::collector::exporters::debug {

/// Seconds are the steady clock's. Thread contract: one thread.
class LineBudget {
 public:
  /// Lines a second: a program's log is the provider's disk, and belongs to no customer.
  static constexpr std::uint32_t kCustomerLinesMax = 100;
  static constexpr std::uint32_t kLinesMax = 1000;

  /// Of a customer's requests of one second the first `initial` are shown, then each
  /// `thereafter`-th; 0: none.
  struct Sampling {
    std::uint32_t initial = 2;
    std::uint32_t thereafter = 1;
  };

  LineBudget(Sampling sampling, const Clock& clock) : sampling_(sampling), clock_(clock) {}

  /// Whether this request of the customer's is shown.
  bool shows_request(const CustomerId& customer);
  /// Whether one more line of the customer's may be written; counted where not.
  bool takes_line(const CustomerId& customer);
  /// Lines that were left out before this second and not told of yet.
  std::uint64_t take_left_out();

 private:
  struct Spent {
    std::uint32_t requests = 0;
    std::uint32_t lines = 0;
  };
  void begin_second();

  const Sampling sampling_;
  const Clock& clock_;
  TimePoint began_{};
  std::map<std::string, Spent> spent_;  // in this second; as many as sent something in it
  std::uint32_t lines_ = 0;             // of all
  std::uint64_t left_out_ = 0;
  std::uint64_t left_out_before_ = 0;
};

}  // namespace vigia::collector::exporters::debug
