#include "services/router/stores/sticky_place.hpp"

#include <xxhash.h>

namespace vigia::router::stores {

// XXH3's values are part of its specification; what a standard library hashes by is its own affair.
std::size_t sticky_place(std::string_view payer, std::size_t count) {
  return XXH3_64bits(payer.data(), payer.size()) % count;
}

}  // namespace vigia::router::stores
