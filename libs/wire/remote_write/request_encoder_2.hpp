// A message of remote write 1.0, as it lies in the collector, written as a 2.0 Request (R-RW-7).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"

namespace vigia::wire::remote_write {

inline constexpr std::string_view kContentType2 =
    "application/x-protobuf;proto=io.prometheus.write.v2.Request";
inline constexpr std::string_view kVersion2 = "2.0.0";
/// Byte strings, numbered in the order in which they are first seen. Keyed, so that nobody who
/// chooses the strings can make it slow. Thread contract: one thread.
class ViewNumbers {
 public:
  ViewNumbers();
  /// The number of these bytes, which outlive the next clear; `is_new` where they had none.
  std::uint32_t number_of(std::string_view bytes, bool& is_new);
  const std::vector<std::string_view>& views() const { return views_; }
  /// Costs what was numbered since, not the room.
  void clear();

 private:
  struct Slot {
    std::uint32_t tag = 0;     // of the hash
    std::uint32_t number = 0;  // 1 more; 0: free
  };
  void grow();
  std::size_t slot_of(std::uint64_t hash) const { return hash & (slots_.size() - 1); }

  std::uint64_t seed_;
  std::vector<Slot> slots_;
  std::vector<std::uint64_t> hashes_;
  std::vector<std::string_view> views_;
};

/// Room that is used again from request to request. A series that follows one with the same labels
/// at the same places, as those of one metric do, costs their comparison and nothing more. Thread
/// contract: one thread.
class RequestEncoder2 {
 public:
  struct Counts {
    std::uint64_t samples = 0, histograms = 0, exemplars = 0;
    std::uint64_t values() const { return samples + histograms; }
  };

  /// The Request's message; it holds until the next call. Series, samples, histograms and exemplars
  /// are those of `message`, in its order, with what series_extras.hpp keeps of them. kInvalid
  /// where that is no WriteRequest as this program writes it: labels first, in one run.
  Result<std::string_view> encode(std::string_view message);
  const Counts& counts() const { return counts_; }

 private:
  /// References to a label's name and value, encoded.
  struct References {
    std::uint8_t name_size = 0;  // of these, the name's
    std::uint8_t size = 0;
    char bytes[10] = {};
  };
  struct Label {  // of the series before
    std::string_view field;
    std::string_view name;
    References references;
  };

  bool add_series(std::string_view series);
  /// False where what stands there is not sound.
  bool add_labels(std::string_view& series);
  bool add_value(std::string_view& series);
  bool add_exemplar(std::string_view exemplar);
  /// Of a label, which takes the place of the one `before` it.
  bool refer_to(std::string_view label, Label& before);
  std::uint32_t symbol(std::string_view text);
  /// Of the metadata of extras, as a field of a 2.0 series; false where it is not sound.
  bool add_metadata(std::string_view metadata);

  Counts counts_;
  ViewNumbers symbols_;
  std::vector<Label> labels_;
  TimestampMs start_ms_ = 0;  // of the series under way
  std::string_view said_;     // metadata of the one before,
  std::string said_2_;        // and as 2.0 has it
  std::string series_;        // all of them, as fields of the request
  std::string request_;
};

}  // namespace vigia::wire::remote_write
