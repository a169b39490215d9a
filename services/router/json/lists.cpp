#include "services/router/json/lists.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <simdjson.h>

#include "libs/base/json_text.hpp"

namespace vigia::router::json {
namespace {

namespace dom = simdjson::dom;
namespace ondemand = simdjson::ondemand;

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

/// A list, each item of which `read` adds. On-demand: a document would be many times its text.
template <typename Read>
Result<TextList> parsed_list(std::string_view json, const Read& read) {
  try {
    TextList list;
    // The parser reads a little beyond the end; the answer's own memory has no room for that.
    const simdjson::padded_string padded(json);
    ondemand::parser parser;
    ondemand::document document = parser.iterate(padded);
    if (document.is_null()) return list;
    for (ondemand::value item : document.get_array()) read(item, list);
    return list;
  } catch (const simdjson::simdjson_error&) {
    return fail(ErrorCode::kCorrupt, "a list in an answer cannot be read");
  }
}

template <typename Write>
void write_list(const std::vector<std::string_view>& items, std::string& out, const Write& write) {
  out += '[';
  bool is_first = true;
  for (const std::string_view item : items) {
    if (!std::exchange(is_first, false)) out += ',';
    write(item);
  }
  out += ']';
}

}  // namespace

void TextList::add(std::string_view text) {
  text_ += text;
  ends_.push_back(text_.size());
}

Result<TextList> read_texts(std::string_view json) {
  return parsed_list(json, [](ondemand::value item, TextList& list) {
    list.add(std::string_view(item.get_string()));
  });
}

Result<TextList> read_series(std::string_view json) {
  // Room for one series after another; views of what the parser keeps of the document.
  std::vector<std::pair<std::string_view, std::string_view>> labels;
  std::string text;
  return parsed_list(json, [&](ondemand::value item, TextList& list) {
    labels.clear();
    for (auto field : item.get_object()) {
      const std::string_view name = field.unescaped_key();
      labels.emplace_back(name, std::string_view(field.value().get_string()));
    }
    // The two stores may write one series' labels in different orders: as texts, equal series must
    // be equal.
    std::sort(labels.begin(), labels.end());
    text.assign(1, '{');
    for (const auto& [name, value] : labels) {
      if (text.size() > 1) text += ',';
      append_json_text(text, name);
      text += ':';
      append_json_text(text, value);
    }
    text += '}';
    list.add(text);
  });
}

std::vector<std::string_view> merged(const std::vector<TextList>& lists) {
  std::vector<std::string_view> all;
  std::size_t count = 0;
  for (const TextList& list : lists) count += list.size();
  all.reserve(count);
  for (const TextList& list : lists) {
    for (std::size_t i = 0; i < list.size(); ++i) all.push_back(list[i]);
  }
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
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

Result<std::map<std::string, std::vector<Sample>>> read_matrix_samples(std::string_view json,
                                                                       std::string_view label) {
  using Samples = std::map<std::string, std::vector<Sample>>;
  return parsed<Samples>(json, [label](dom::element root) {
    Samples found;
    for (const dom::element series : root["result"].get_array()) {
      std::string_view key;
      if (series["metric"][label].get_string().get(key) != simdjson::SUCCESS) key = "";
      auto& samples = found[std::string(key)];
      for (const dom::element sample : series["values"].get_array()) {
        const std::string_view text = sample.at(1).get_string();
        double value = 0;
        std::from_chars(text.data(), text.data() + text.size(), value);
        samples.push_back({std::llround(double(sample.at(0).get_double()) * 1'000), value});
      }
    }
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

Result<std::map<std::string, double>> read_vector_values(std::string_view json,
                                                         std::string_view label) {
  return parsed<std::map<std::string, double>>(json, [label](dom::element root) {
    std::map<std::string, double> found;
    for (const dom::element series : root["result"].get_array()) {
      std::string_view key;
      if (series["metric"][label].get_string().get(key) != simdjson::SUCCESS) key = "";
      const std::string_view text = series["value"].at(1).get_string();
      std::from_chars(text.data(), text.data() + text.size(), found[std::string(key)]);
    }
    return found;
  });
}

std::string read_text_of(std::string_view json, std::string_view key) {
  const auto text = parsed<std::string>(json, [key](dom::element root) {
    return std::string(std::string_view(root[key].get_string()));
  });
  return text.value_or("");
}

void write_texts(const std::vector<std::string_view>& texts, std::string& out) {
  write_list(texts, out, [&out](std::string_view text) { append_json_text(out, text); });
}

void write_values(const std::vector<std::string_view>& values, std::string& out) {
  std::size_t bytes = 2;
  for (const std::string_view value : values) bytes += value.size() + 1;
  out.reserve(out.size() + bytes);
  write_list(values, out, [&out](std::string_view value) { out += value; });
}

}  // namespace vigia::router::json
