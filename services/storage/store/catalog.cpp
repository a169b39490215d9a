#include "services/storage/store/catalog.hpp"

#include <xxhash.h>

namespace vigia::storage::store {

LabelsHash hash_labels(std::uint64_t seed, std::string_view label_bytes) {
  const XXH128_hash_t hash = XXH3_128bits_withSeed(label_bytes.data(), label_bytes.size(), seed);
  return {hash.high64, hash.low64};
}

}  // namespace vigia::storage::store
