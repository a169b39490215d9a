// How bodies of the disk log become parcels, piece by piece.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "libs/base/result.hpp"
#include "services/collector/delivery/parcel.hpp"

namespace vigia::collector::delivery {

/// Where packing goes on: an item, and how many of its units are packed already.
struct Place {
  std::uint32_t item = 0;
  std::uint32_t part = 0;
  auto operator<=>(const Place&) const = default;
};

/// Of a record, as long as the process runs: its place in the log.
using RecordKey = std::pair<std::uint64_t, std::uint64_t>;

/// An acknowledged body with what intake decided. Views what it was made of.
struct OtlpRecord {
  std::uint32_t items = 0;
  std::uint32_t rejected = 0;
  std::string_view verdicts;                    ///< encoded; "": nothing was refused
  std::string_view body;                        ///< plain
  std::optional<RecordKey> key = std::nullopt;  ///< where it may be shared: shared_packs.hpp
};

struct Packed {
  std::optional<Place> next = std::nullopt;  ///< nothing where all of the record is packed
  std::uint32_t items = 0;                   ///< accepted ones that this call has finished
  std::uint32_t lost = 0;                    ///< of these, without anything to be sent
};

/// Thread contract: any thread.
class Packer {
 public:
  virtual ~Packer() = default;
  /// Appends to the parcel what is to be sent of the record, from `from` on, until the parcel's
  /// message has `bytes_max` bytes or kUnitsMax units: what comes out of a record can be a
  /// thousand times what came in. `index` becomes Unit::record. A unit's `items` stand at the
  /// first of the units that its item becomes. An error is damage, or a fault of ours, since
  /// intake took it.
  virtual Result<Packed> pack(std::uint32_t index, const OtlpRecord& record, Place from,
                              std::size_t bytes_max, Parcel& parcel) = 0;
  /// A unit as text, for its dead letter.
  virtual std::string describe(std::string_view unit) const = 0;
  /// What units of one fate have in common: the labels of their series. "" where each stands for
  /// itself. Views the unit.
  virtual std::string_view kind_of(std::string_view /*unit*/) const { return {}; }
  /// A unit of several items as units of half as many; nothing where it cannot be cut.
  virtual std::optional<Parcel> split(const Parcel& /*parcel*/, std::size_t /*unit*/) const {
    return std::nullopt;
  }

  static constexpr std::size_t kUnitsMax = 1U << 16U;
};

}  // namespace vigia::collector::delivery
