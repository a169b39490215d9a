// What the configuration says of the first operator.
#pragma once

#include <string>

#include "libs/service/config.hpp"

namespace vigia::monitor::users {

struct FirstOperatorSettings {
  std::string user;  ///< "" for none
  std::string password;
};

/// Of the key `bootstrap`; what cannot be is noted at its key.
FirstOperatorSettings read_first_operator(const service::ConfigNode& node);

}  // namespace vigia::monitor::users
