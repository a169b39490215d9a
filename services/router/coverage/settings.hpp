// How it is told what hot covers.
#pragma once

#include "libs/base/duration.hpp"

namespace vigia::router::coverage {

struct CoverageSettings {
  Duration edge = std::chrono::days(30);  ///< how far back hot is asked at most
  Duration heartbeat_poll = std::chrono::seconds(2);
  Duration heartbeat_gap_max = std::chrono::seconds(150);  ///< beats come once a minute
};

}  // namespace vigia::router::coverage
