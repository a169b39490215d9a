// What the configuration says of the database.
#pragma once

#include <string>

#include "libs/service/config.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::store {

struct StoreSettings {
  std::string url;  ///< sqlite:///path or postgresql://user@host/name
  DatabaseOptions options;
};

/// Of the keys `database`, `state_directory` and `backups`; what cannot be is noted at its key.
StoreSettings read_store(const service::ConfigNode& root);

}  // namespace vigia::monitor::store
