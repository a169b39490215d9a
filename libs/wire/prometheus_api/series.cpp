#include "libs/wire/prometheus_api/series.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include <simdjson.h>

namespace vigia::wire::prometheus_api {
namespace {

namespace ondemand = simdjson::ondemand;

/// What is JSON and yet no answer. Within this file, as simdjson's own: see walked().
struct NoSuchAnswer {
  std::string what;
};

/// Runs `walk` on the document. Exceptions are the shortest way through on-demand values; they end
/// here.
template <typename Walk>
Result<void> walked(std::string_view json, const Walk& walk) {
  try {
    // The parser reads a little beyond the end; the answer's own memory has no room for that.
    const simdjson::padded_string padded(json);
    ondemand::parser parser;
    ondemand::document document = parser.iterate(padded);
    walk(document);
    return {};
  } catch (const simdjson::simdjson_error& error) {
    return fail(ErrorCode::kCorrupt, std::string("an answer that cannot be read: ") + error.what());
  } catch (const NoSuchAnswer& error) {
    return fail(ErrorCode::kCorrupt, error.what);
  }
}

/// Each item of a list at the top.
template <typename Take>
Result<void> walk_list(std::string_view list, const Take& take) {
  return walked(list, [&take](ondemand::document& document) {
    if (document.is_null()) return;
    for (ondemand::value item : document.get_array()) take(item);
  });
}

/// Each item of the result of a query that should have given this type.
template <typename Take>
Result<void> walk_result(std::string_view data, std::string_view type, const Take& take) {
  return walked(data, [&](ondemand::document& document) {
    ondemand::object object = document.get_object();
    if (std::string_view(object["resultType"].get_string()) != type) {
      throw NoSuchAnswer{"an answer with another type of result"};
    }
    for (ondemand::object item : object["result"].get_array()) take(item);
  });
}

void read_labels(ondemand::object metric, LabelViews& labels) {
  labels.clear();
  for (auto field : metric) {
    const std::string_view name = field.unescaped_key();
    labels.emplace_back(name, std::string_view(field.value().get_string()));
  }
  // Two stores may write one series' labels in different orders: equal series must be equal.
  std::sort(labels.begin(), labels.end());
}

/// "1.5", "NaN", "+Inf"
double read_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);  // from_chars knows no sign but minus
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) {
    throw NoSuchAnswer{"an answer that holds a sample that is none"};
  }
  return value;
}

/// [1700000000.123, "1.5"]
ListedPoint read_point(ondemand::array pair) {
  ListedPoint point;
  std::size_t count = 0;
  for (ondemand::value part : pair) {
    if (count == 0) point.time_s = part.get_double();
    if (count == 1) point.value = read_number(part.get_string());
    ++count;
  }
  if (count != 2) throw NoSuchAnswer{"an answer that holds a sample that is none"};
  return point;
}

}  // namespace

std::string_view value_of(const LabelViews& labels, std::string_view name) {
  const auto found = std::find_if(labels.begin(), labels.end(),
                                  [name](const auto& label) { return label.first == name; });
  return found != labels.end() ? found->second : std::string_view();
}

Labels to_labels(const LabelViews& labels) {
  std::vector<Label> copies;
  copies.reserve(labels.size());
  for (const auto& [name, value] : labels) {
    copies.push_back(Label{std::string(name), std::string(value)});
  }
  return Labels::from(std::move(copies));
}

Result<void> read_texts(std::string_view list, const std::function<void(std::string_view)>& take) {
  return walk_list(list, [&take](ondemand::value item) { take(item.get_string()); });
}

Result<void> read_label_sets(std::string_view list,
                             const std::function<void(const LabelViews&)>& take) {
  LabelViews labels;  // room for those of one series after another
  return walk_list(list, [&](ondemand::value item) {
    read_labels(item.get_object(), labels);
    take(labels);
  });
}

Result<void> read_vector(std::string_view data,
                         const std::function<void(const LabelViews&, double)>& take) {
  LabelViews labels;
  return walk_result(data, "vector", [&](ondemand::object item) {
    labels.clear();
    std::optional<double> value;
    // By field, not by look-up: whatever their order, each byte is looked at once.
    for (auto field : item) {
      const std::string_view name = field.unescaped_key();
      if (name == "metric") read_labels(field.value().get_object(), labels);
      if (name == "value") value = read_point(field.value().get_array()).value;
    }
    if (value) take(labels, *value);
  });
}

Result<void> read_matrix(
    std::string_view data,
    const std::function<void(const LabelViews&, const std::vector<ListedPoint>&)>& take) {
  LabelViews labels;
  std::vector<ListedPoint> points;
  return walk_result(data, "matrix", [&](ondemand::object item) {
    labels.clear();
    points.clear();
    for (auto field : item) {
      const std::string_view name = field.unescaped_key();
      if (name == "metric") read_labels(field.value().get_object(), labels);
      if (name != "values") continue;
      for (ondemand::array pair : field.value().get_array()) points.push_back(read_point(pair));
    }
    take(labels, points);
  });
}

}  // namespace vigia::wire::prometheus_api
