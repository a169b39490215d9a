// Which id a series would have, and under which words it lies: the same for every instance, since
// all of it follows from customer, labels and a secret of the keyspace.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/model/ids.hpp"
#include "services/storage/store/day_range.hpp"
#include "services/storage/store/series.hpp"

namespace vigia::storage::store::cassandra {

/// A series' place among all customers' series.
struct SeriesIdentity {
  SeriesId id;
  std::string fingerprint;  ///< 16 bytes: of two series with one id these differ
};
/// How many ids a series has to choose from, one after the other. With ten thousand million series
/// the first is another's once in a thousand million times.
inline constexpr std::uint32_t kIdChoices = 6;
/// Without which nobody can look for series of which the hashes are alike.
inline constexpr std::size_t kSecretBytes = 16;

/// `choice` < kIdChoices; the fingerprint is the same for each. `label_bytes`: encode_labels'.
/// REQUIRES: `secret` has kSecretBytes.
SeriesIdentity identity_of(const CustomerId& customer, std::string_view label_bytes,
                           std::uint32_t choice, std::string_view secret);

/// A text as part of a key: itself, or a word made of its hash where Cassandra would not take it
/// (a key has 64 KiB at most; names of more than 4 KiB are nobody's).
std::string key_text(std::string_view text);
inline constexpr std::size_t kKeyTextMax = 4096;
/// Whether key_text made it of a longer text.
bool is_made_text(std::string_view text);

/// A part of all ids: 1 is all of them, 2 and 3 the lower and the upper half, 4 to 7 quarters, and
/// so on up to kShardMax.
struct Shard {
  std::int32_t number = 1;
  auto operator<=>(const Shard&) const = default;
};
inline constexpr std::int32_t kPartsMax = 4096;
/// The one of `parts` (a power of two, at most kPartsMax) in which the series lies.
Shard shard_of(SeriesId series, std::int32_t parts);
bool holds(Shard shard, SeriesId series);
/// Into how many parts the layout of the shard divides all ids.
std::int32_t parts_of(Shard shard);

/// The write times with which the later last day, and the earlier first day, stay
/// (services/storage/cassandra/schema.cql, step 1).
std::int64_t last_day_time(std::uint32_t day);
std::int64_t first_day_time(std::uint32_t day);
/// A day as a column has it.
std::int32_t day_column(std::uint32_t day);

}  // namespace vigia::storage::store::cassandra
