// What one exporter has made of a record, for the next one that would make the same.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/wire/prometheus/resource_labels.hpp"
#include "services/collector/delivery/packer.hpp"

namespace vigia::collector::delivery {

struct SharedPacksStats {
  std::uint64_t bytes = 0;
  std::uint64_t made = 0;   ///< kept for somebody else
  std::uint64_t taken = 0;  ///< by somebody else, and not made again
};

/// Holds the newest records' packs, so many bytes of them and no more: exporters that keep up find
/// there what another has made; one that is behind, or comes to a record that is gone, makes its
/// own. Nobody waits for a destination, and for another exporter's translation kWaitMax at most.
/// Thread contract: any thread.
class SharedPacks {
 public:
  static constexpr std::uint64_t kBytesMax = 16U << 20U;
  static constexpr auto kWaitMax = std::chrono::milliseconds(20);

  explicit SharedPacks(std::uint64_t bytes_max = kBytesMax) : bytes_max_(bytes_max) {}

  /// The number of a translation; equal settings have equal ones. Once for each exporter, at its
  /// start.
  std::size_t join(const wire::prometheus::TranslatorSettings& settings);

  /// Whether anybody else has that translation.
  bool is_shared(std::size_t translation) const;

  struct Pack {
    Parcel parcel;
    Packed packed;
  };
  using Key = std::pair<std::size_t, RecordKey>;  // translation, record
  /// What there is. Null: the caller makes it, and says so by `put` or `leave`.
  std::shared_ptr<const Pack> find_or_claim(const Key& key);
  void put(const Key& key, Pack pack);
  /// Nothing where it was put.
  void leave(const Key& key);
  SharedPacksStats stats() const;

 private:
  struct Form {
    wire::prometheus::TranslatorSettings settings;
    std::size_t exporters = 0;
  };
  struct Entry {
    std::shared_ptr<const Pack> pack;  // null: somebody is at it
    std::size_t readers_left = 0;
    std::list<Key>::iterator place{};  // in order_, where there is a pack
  };
  static std::uint64_t bytes_of(const Pack& pack);
  void erase(std::map<Key, Entry>::iterator entry);

  const std::uint64_t bytes_max_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Form> forms_;
  std::map<Key, Entry> entries_;
  std::list<Key> order_;  // as they were put
  SharedPacksStats stats_;
};

/// Packs by `packer`, or takes what another exporter has packed, where a record has a key and is
/// packed from its beginning to its end.
std::unique_ptr<Packer> share_packs(std::unique_ptr<Packer> packer, SharedPacks& packs,
                                    std::size_t translation);

}  // namespace vigia::collector::delivery
