// The labels of a series, as Prometheus knows them.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vigia {

inline constexpr std::string_view kNameLabel = "__name__";
inline constexpr std::string_view kCustomerLabel = "customer_id";

struct Label {
  std::string name;
  std::string value;
  auto operator<=>(const Label&) const = default;
};

/// Sorted by name in byte order, names unique, no empty values (an empty value means that the label
/// is absent).
class Labels {
 public:
  Labels() = default;
  /// Sorts, drops empty values; of equal names the last one given stays.
  static Labels from(std::vector<Label> labels);

  /// The value, or "" where the label is absent.
  std::string_view get(std::string_view name) const;
  /// Sets or, with an empty value, removes.
  void set(std::string_view name, std::string_view value);
  std::string_view metric_name() const { return get(kNameLabel); }

  auto begin() const { return labels_.begin(); }
  auto end() const { return labels_.end(); }
  std::size_t size() const { return labels_.size(); }
  bool empty() const { return labels_.empty(); }
  auto operator<=>(const Labels&) const = default;

 private:
  std::vector<Label> labels_;
};

/// `name{a="b",c="d"}` with values escaped, as people write it.
std::string to_string(const Labels& labels);

}  // namespace vigia
