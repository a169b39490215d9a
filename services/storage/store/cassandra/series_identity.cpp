#include "services/storage/store/cassandra/series_identity.hpp"

#include <algorithm>
#include <bit>

#include <fmt/format.h>
#include <sodium.h>
#include <xxhash.h>

#include "libs/base/bytes.hpp"
#include "libs/base/check.hpp"

namespace vigia::storage::store::cassandra {
namespace {

constexpr std::uint64_t kIdMask = UINT64_MAX >> 1U;
constexpr int kIdBits = 63;
// Of one hash the fingerprint and all ids to choose from.
constexpr std::size_t kFingerprintBytes = 16;
constexpr std::size_t kHashBytes = kFingerprintBytes + kIdChoices * sizeof(std::uint64_t);
static_assert(kHashBytes <= crypto_generichash_BYTES_MAX);
constexpr std::string_view kMadeText =
    "\x01long:";  // hardly a name begins so, and one that does is found by its labels

constexpr std::uint32_t kDayMost = INT32_MAX - 1;
constexpr std::int64_t kAfterAllDays = std::int64_t{1} << 32U;

}  // namespace

SeriesIdentity identity_of(const CustomerId& customer, std::string_view label_bytes,
                           std::uint32_t choice, std::string_view secret) {
  CHECK(choice < kIdChoices && secret.size() == kSecretBytes);
  std::string whole;
  append_sized(whole, customer.text());
  whole += label_bytes;
  std::string hash(kHashBytes, '\0');
  CHECK(sodium_init() >= 0);
  CHECK(crypto_generichash(reinterpret_cast<unsigned char*>(hash.data()), hash.size(),
                           reinterpret_cast<const unsigned char*>(whole.data()), whole.size(),
                           reinterpret_cast<const unsigned char*>(secret.data()),
                           secret.size()) == 0);
  SeriesIdentity identity;
  identity.fingerprint = hash.substr(0, kFingerprintBytes);
  ByteReader ids(std::string_view(hash).substr(kFingerprintBytes + choice * sizeof(std::uint64_t)));
  identity.id.value = std::max<std::uint64_t>(ids.read_u64() & kIdMask, 1);
  return identity;
}

std::string key_text(std::string_view text) {
  if (text.size() <= kKeyTextMax) return std::string(text);
  const XXH128_hash_t hash = XXH3_128bits(text.data(), text.size());
  return fmt::format("{}{:016x}{:016x}", kMadeText, hash.high64, hash.low64);
}

bool is_made_text(std::string_view text) { return text.starts_with(kMadeText); }

Shard shard_of(SeriesId series, std::int32_t parts) {
  CHECK(parts >= 1 && parts <= kPartsMax);
  const int bits = std::countr_zero(static_cast<std::uint32_t>(parts));
  return {parts + static_cast<std::int32_t>(series.value >> (kIdBits - bits))};
}

bool holds(Shard shard, SeriesId series) { return shard_of(series, parts_of(shard)) == shard; }

std::int32_t parts_of(Shard shard) {
  const auto number = static_cast<std::uint32_t>(std::clamp(shard.number, 1, 2 * kPartsMax - 1));
  return static_cast<std::int32_t>(std::bit_floor(number));
}

std::int32_t day_column(std::uint32_t day) {
  return static_cast<std::int32_t>(std::min(day, kDayMost));
}

std::int64_t last_day_time(std::uint32_t day) { return std::int64_t{day_column(day)} + 1; }

std::int64_t first_day_time(std::uint32_t day) { return kAfterAllDays - day_column(day); }

}  // namespace vigia::storage::store::cassandra
