// Which metric a series of remote write goes on, of a body that is being made.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace vigia::series {

/// What the points of one metric have in common.
struct MetricHead {
  std::string_view name, help, unit;
  std::uint32_t type = 0;
  bool is_said = false;    ///< by another request: type, help and unit stand beside the series
  std::uint32_t data = 0;  ///< field of Metric: which kind of points it has
};

/// The metric whose points are gathered. Its own texts: views of labels end with their series.
/// Texts are compared once a series, for a series may have 100,000 values and a name of 4 MiB.
class OpenMetric {
 public:
  /// Before the first point of each series: whether it goes on the metric that is open.
  void begin_series(const MetricHead& head, std::string_view of_node) {
    is_same_series_ = has_same_texts(head, of_node);
  }
  /// For a point of the series that was begun; compares numbers alone.
  bool takes(std::uint32_t data) const { return is_same_series_ && data == data_; }
  /// Of the series that was begun, where it does not take its point.
  void open(const MetricHead& head, std::string_view of_node) {
    name = head.name;
    help = head.help;
    unit = head.unit;
    node = of_node;
    type = head.type;
    is_said = head.is_said;
    data_ = head.data;
    is_same_series_ = true;
  }
  std::uint32_t data() const { return data_; }
  /// Bytes of texts that were compared so far.
  std::uint64_t compared_bytes() const { return compared_bytes_; }

  std::string name, help, unit, node;
  std::uint32_t type = 0;
  bool is_said = false;

 private:
  bool has_same_texts(const MetricHead& head, std::string_view of_node) {
    return type == head.type && is_said == head.is_said && is_equal(name, head.name) &&
           is_equal(node, of_node) && is_equal(help, head.help) && is_equal(unit, head.unit);
  }
  bool is_equal(std::string_view left, std::string_view right) {
    if (left.size() != right.size()) return false;
    compared_bytes_ += left.size();
    return left == right;
  }

  std::uint32_t data_ = 0;
  bool is_same_series_ = false;
  std::uint64_t compared_bytes_ = 0;
};

}  // namespace vigia::series
