// Requests that one exporter has encoded and compressed, for the next one that sends the same.
#pragma once

#include <array>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libs/model/ids.hpp"
#include "services/collector/delivery/shared_packs.hpp"

namespace vigia::collector::delivery {

struct SharedRequestsStats {
  std::uint64_t bytes = 0;
  std::uint64_t made = 0;   ///< kept for somebody else
  std::uint64_t taken = 0;  ///< by somebody else, and not made again
};

/// Hot and cold store are sent the same series by the same protocol. Holds the newest requests, so
/// many bytes of them and no more; a message is known by its customer and a keyed hash of it, which
/// costs a twentieth of making it. Nobody waits for anybody. Thread contract: any thread.
class SharedRequests {
 public:
  static constexpr std::uint64_t kBytesMax = 8U << 20U;

  explicit SharedRequests(std::uint64_t bytes_max = kBytesMax);

  /// An exporter more that encodes so. Once for each, at its start.
  void join();

  struct Encoded {
    std::string body;
    std::uint64_t values = 0;
  };
  using Key = std::pair<CustomerId, std::array<std::uint64_t, 2>>;
  /// Nothing where there is no other exporter.
  std::optional<Key> key_of(const CustomerId& customer, std::string_view message) const;
  /// Null where nobody has made it, or it is gone.
  std::shared_ptr<const Encoded> take(const Key& key);
  void put(const Key& key, std::shared_ptr<const Encoded> encoded);
  SharedRequestsStats stats() const;

 private:
  struct Entry {
    std::shared_ptr<const Encoded> encoded;
    std::size_t readers_left = 0;
    std::list<Key>::iterator place{};  // in order_
  };
  void erase(std::map<Key, Entry>::iterator entry);  // REQUIRES: mutex_

  const std::uint64_t bytes_max_;
  const std::string secret_;  // of the hash
  mutable std::mutex mutex_;
  std::size_t exporters_ = 0;
  std::map<Key, Entry> entries_;
  std::list<Key> order_;  // as they were put
  SharedRequestsStats stats_;
};

/// What exporters make once for all of them.
struct SharedWork {
  SharedPacks packs;
  SharedRequests requests;
};

}  // namespace vigia::collector::delivery
