// Which metric a series is of, of memory alone: asked for with every chunk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "services/storage/store/series.hpp"

namespace vigia::storage::store::cassandra {

/// Bounded: where it is full it forgets what the customer has who holds most. Thread contract: one
/// thread at a time.
class MetricMemory {
 public:
  explicit MetricMemory(std::size_t bytes_max);

  /// `owner`: a customer's number in this process; another one's series is not found.
  std::optional<std::string> find(std::uint32_t owner, SeriesId series) const;
  void insert(std::uint32_t owner, SeriesId series, const std::string& metric);
  void forget(SeriesId series);
  /// Forgets at once what is more.
  void set_bytes_max(std::size_t bytes_max);
  std::size_t memory_bytes() const;

 private:
  struct Entry {
    std::uint32_t owner;
    std::uint32_t metric;  // its place in texts_
  };
  void make_room();

  std::size_t bytes_max_;
  std::unordered_map<std::uint64_t, Entry> entries_;
  std::vector<std::string> texts_;
  std::unordered_map<std::string, std::uint32_t> places_;
  std::size_t text_bytes_ = 0;
};

}  // namespace vigia::storage::store::cassandra
