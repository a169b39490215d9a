// What metrics are said to be, in Prometheus' answers: type, help and unit by name.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"

namespace vigia::router::json {

/// How much of it is wanted.
struct MetadataLimits {
  std::optional<std::size_t> metrics = {};  ///< none: all; 0 is none at all, as Prometheus has it
  std::size_t each = 0;                     ///< entries of one metric; 0: all
};

/// By name, each thing that is said of one once: {"type":…,"help":…,"unit":…}. One thread at a
/// time.
class MetricMetadata {
 public:
  /// The data of /api/v1/metadata: {"up":[{"type":…,"help":…,"unit":…}],…}. kCorrupt on anything
  /// else, and so for the next.
  static Result<MetricMetadata> read(std::string_view json);
  /// The data of /api/v1/targets/metadata:
  /// [{"target":{…},"metric":"up","type":…,"help":…,"unit":…},…], of targets that carry the
  /// customer; of all where none is given. `asked`: the one metric that was asked for, which
  /// Prometheus leaves out then; "": all.
  static Result<MetricMetadata> read_targets(std::string_view json,
                                             const std::optional<CustomerId>& customer,
                                             std::string_view asked);

  void add(const MetricMetadata& other);
  /// What it holds in memory.
  std::size_t bytes() const { return bytes_; }
  /// Puts {"up":[…],…} behind what `out` has, by name. False where the limit of metrics left some
  /// out.
  bool write(const MetadataLimits& limits, std::string& out) const;

 private:
  void add(std::string_view metric, std::string entry);

  std::map<std::string, std::set<std::string>, std::less<>> entries_;
  std::size_t bytes_ = 0;
};

}  // namespace vigia::router::json
