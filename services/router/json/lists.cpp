#include "services/router/json/lists.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <simdjson.h>

#include "libs/base/json_text.hpp"

namespace vigia::router {
namespace {

namespace dom = simdjson::dom;

/// Runs `read` on the parsed text; what simdjson throws becomes kCorrupt.
template <typename T, typename Read>
Result<T> parsed(std::string_view json, const Read& read) {
  try {
    dom::parser parser;
    const dom::element root = parser.parse(json.data(), json.size());
    return read(root);
  } catch (const simdjson::simdjson_error&) {
    return fail(ErrorCode::kCorrupt, "a list in an answer cannot be read");
  }
}

}  // namespace

Result<std::vector<std::string>> read_texts(std::string_view json) {
  return parsed<std::vector<std::string>>(json, [](dom::element root) {
    std::vector<std::string> texts;
    if (root.is_null()) return texts;
    for (const dom::element item : root.get_array()) {
      texts.emplace_back(std::string_view(item.get_string()));
    }
    return texts;
  });
}

Result<std::vector<Labels>> read_series(std::string_view json) {
  return parsed<std::vector<Labels>>(json, [](dom::element root) {
    std::vector<Labels> series;
    if (root.is_null()) return series;
    for (const dom::element item : root.get_array()) {
      std::vector<Label> labels;
      for (const dom::key_value_pair field : item.get_object()) {
        labels.push_back(
            Label{std::string(field.key), std::string(std::string_view(field.value.get_string()))});
      }
      series.push_back(Labels::from(std::move(labels)));
    }
    return series;
  });
}

Result<std::map<std::string, std::vector<TimestampMs>>> read_matrix_times(std::string_view json,
                                                                          std::string_view label) {
  using Times = std::map<std::string, std::vector<TimestampMs>>;
  return parsed<Times>(json, [label](dom::element root) {
    Times found;
    for (const dom::element series : root["result"].get_array()) {
      std::string_view value;
      if (series["metric"][label].get_string().get(value) != simdjson::SUCCESS) value = "";
      auto& times = found[std::string(value)];
      for (const dom::element sample : series["values"].get_array()) {
        times.push_back(std::llround(double(sample.at(0).get_double()) * 1'000));
      }
    }
    for (auto& [value, times] : found) std::sort(times.begin(), times.end());
    return found;
  });
}

Result<double> read_vector_value(std::string_view json) {
  return parsed<double>(json, [](dom::element root) {
    double value = 0;
    for (const dom::element series : root["result"].get_array()) {
      const std::string_view text = series["value"].at(1).get_string();
      std::from_chars(text.data(), text.data() + text.size(), value);
    }
    return value;
  });
}

std::string read_text_of(std::string_view json, std::string_view key) {
  const auto text = parsed<std::string>(json, [key](dom::element root) {
    return std::string(std::string_view(root[key].get_string()));
  });
  return text.value_or("");
}

std::string write_texts(const std::set<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ',';
    out += json_text(text);
  }
  return out + "]";
}

std::string write_series(const std::set<Labels>& series) {
  std::string out = "[";
  for (const Labels& labels : series) {
    if (out.size() > 1) out += ',';
    out += '{';
    bool is_first = true;
    for (const Label& label : labels) {
      if (!is_first) out += ',';
      is_first = false;
      out += json_text(label.name);
      out += ':';
      out += json_text(label.value);
    }
    out += '}';
  }
  return out + "]";
}

}  // namespace vigia::router
