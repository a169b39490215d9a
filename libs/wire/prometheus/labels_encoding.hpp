// Label sets as bytes: the `labels` fields of a prometheus.TimeSeries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/labels.hpp"

namespace vigia::wire::prometheus {

/// Name and value, to be encoded.
using LabelPair = std::pair<std::string, std::string>;

/// Appends one `labels` field.
void append_label(std::string& out, std::string_view name, std::string_view value);

/// Sorted, encoded labels that many series share (those of their resource).
struct SharedLabels {
  std::vector<LabelPair> labels;  ///< sorted by name
  std::string bytes;
  bool has(std::string_view name) const;
  std::string_view get(std::string_view name) const;
  /// Sorts and encodes; of equal names the first stays; empty values are dropped.
  static SharedLabels from(std::vector<LabelPair> labels);
};

/// Appends to `out` what a series of a resource keeps for itself: its own labels' bytes and how
/// they interleave with the shared ones, so that the shared bytes are stored once a resource. Own
/// labels that are shared too are left out: identity comes from the resource. `own` is sorted in
/// place.
void append_own_labels(std::string& out, std::vector<LabelPair>& own, const SharedLabels& shared);

/// The whole label set of a series, in the pieces in which it is kept. Views what it is made of.
class LabelPieces {
 public:
  LabelPieces() = default;
  /// Reads one such form from the front of `form`, which moves past it.
  static LabelPieces take(std::string_view& form, std::string_view shared_bytes);
  /// Label bytes that lie together.
  static LabelPieces whole(std::string_view bytes);

  std::size_t size() const { return own_.size() + shared_.size(); }
  /// Writes size() bytes: encoded `labels` fields, sorted by name.
  void copy_to(char* out) const;
  std::string bytes() const;

 private:
  std::size_t runs_ = 0;   ///< 0: only shared_
  std::string_view plan_;  ///< two varints a run: bytes of own_, bytes of shared_
  std::string_view own_;
  std::string_view shared_;
};

/// The labels in such bytes, for cold paths. kCorrupt for other bytes.
Result<Labels> decode_labels(std::string_view label_bytes);

}  // namespace vigia::wire::prometheus
