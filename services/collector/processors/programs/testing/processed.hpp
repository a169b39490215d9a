// A processor of a configuration, and a request that it is given.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "libs/model/signal.hpp"
#include "libs/service/config.hpp"
#include "services/collector/intake/stage.hpp"

namespace vigia::collector::processors::programs::testing {

/// What a stage made of a request.
struct Processed {
  std::string body = {};
  std::uint64_t filtered = 0;
  std::string refused = {};  ///< the error's message; "" where it goes on
  std::string reason = {};
  std::uint64_t faults = 0;
  std::string first_fault = {};  ///< that is to be told
};

/// Gives the OTLP/JSON request to the stage, as protobuf.
Processed process(intake::Stage& stage, Signal signal, std::string_view json);

/// Reads the YAML of one processor; the first error of the file, "" where there is none.
std::string read_yaml(std::string_view yaml,
                      const std::function<void(const service::ConfigNode& node)>& read);

}  // namespace vigia::collector::processors::programs::testing
