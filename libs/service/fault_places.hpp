// Where this process has caught faults, and which of them are worth a line in its log.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "libs/base/clock.hpp"

namespace vigia::service {

/// Counts faults by where they were caught (the first argument of contain_faults). Past kPlacesMax
/// places all further ones are one, "elsewhere". Thread contract: any thread.
class FaultPlaces {
 public:
  static constexpr std::size_t kPlacesMax = 64;
  /// Of one place's lines: a job that fails for ever says so once in this time.
  static constexpr Duration kLineEach = std::chrono::seconds(10);

  struct Noted {
    bool is_told = false;        ///< a line is due
    std::uint64_t left_out = 0;  ///< of that place, since its last line
  };
  Noted note(std::string_view where, TimePoint now);
  /// How many there were, by place; none before its first.
  std::map<std::string, std::uint64_t, std::less<>> counts() const;

 private:
  struct Place {
    std::uint64_t count = 0;
    std::uint64_t left_out = 0;
    TimePoint next_line{};
  };
  mutable std::mutex mutex_;
  std::map<std::string, Place, std::less<>> places_;
};

/// Of this process: what run_program has noted and add_process_metrics shows.
FaultPlaces& process_faults();

}  // namespace vigia::service
