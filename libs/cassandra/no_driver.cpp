// In the place of shim_driver.cpp where the crate was not asked for.
#include "libs/cassandra/driver.hpp"

namespace vigia::cassandra {

bool has_driver() { return false; }

Result<std::unique_ptr<Driver>> connect(const ConnectionSettings& /*settings*/) {
  return fail(ErrorCode::kInvalid,
              "this program was built without Cassandra's driver: build it with "
              "-DWITH_CASSANDRA=ON, which needs cargo");
}

}  // namespace vigia::cassandra
