#include "services/monitor/live/prometheus_answer.hpp"

#include <cstdlib>
#include <optional>

#include <fmt/format.h>
#include <simdjson.h>

#include "libs/json/strict_reader.hpp"
#include "libs/json/value.hpp"

namespace vigia::monitor::live {
namespace {

namespace od = simdjson::ondemand;

Labels read_labels(const json::JsonValue& metric) {
  std::vector<Label> labels;
  for (const auto& [name, value] : metric.members()) {
    labels.push_back(Label{name, value.text().value_or("")});
  }
  return Labels::from(std::move(labels));
}

// Values are texts ("1.5", "NaN", "+Inf"), as strtod reads them.
std::optional<double> read_number(const std::string& text) {
  if (text.empty()) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  return *end == '\0' ? std::optional(value) : std::nullopt;
}

std::optional<std::pair<double, double>> read_point(const json::JsonValue& pair) {
  if (pair.items().size() != 2) return std::nullopt;
  const auto time = pair.items()[0].number();
  const auto text = pair.items()[1].text();
  if (!time || !text) return std::nullopt;
  const auto value = read_number(*text);
  if (!value) return std::nullopt;
  return std::pair(*time, *value);
}

tl::unexpected<Error> other_type() {
  return fail(ErrorCode::kCorrupt, "the router answered with another type of result");
}

Result<json::JsonValue> read_data(std::string_view body, std::string_view type) {
  auto answer = json::parse_json(body);
  if (!answer) {
    return fail(ErrorCode::kCorrupt,
                "an answer of the router that is not JSON: " + answer.error().message);
  }
  if ((*answer)["status"].text() != "success") {
    return fail(ErrorCode::kInvalid,
                (*answer)["error"].text().value_or("the router refused the query"));
  }
  if ((*answer)["data"]["resultType"].text() != type) {
    return other_type();
  }
  return answer;
}

void take_warnings(const json::JsonValue& answer, std::vector<std::string>& warnings) {
  for (const auto& warning : answer["warnings"].items()) {
    if (auto text = warning.text()) warnings.push_back(std::move(*text));
  }
}

tl::unexpected<Error> bad_sample() {
  return fail(ErrorCode::kCorrupt, "the router's answer holds a sample that is none");
}

tl::unexpected<Error> not_json(simdjson::error_code code) {
  return fail(ErrorCode::kCorrupt, fmt::format("an answer of the router that is not JSON: {}",
                                               simdjson::error_message(code)));
}

std::string text_or(od::object& object, std::string_view key, std::string_view otherwise) {
  std::string_view text;
  return std::string(object[key].get_string().get(text) == simdjson::SUCCESS ? text : otherwise);
}

Result<Labels> read_labels(simdjson::simdjson_result<od::value> metric) {
  od::object members;
  if (auto code = metric.get_object().get(members)) return not_json(code);
  std::vector<Label> labels;
  for (auto member : members) {
    std::string_view name;
    if (auto code = member.unescaped_key().get(name)) return not_json(code);
    std::string_view value;
    if (auto code = member.value().get_string().get(value)) return not_json(code);
    labels.push_back(Label{std::string(name), std::string(value)});
  }
  return Labels::from(std::move(labels));
}

// [1700000000.123, "1.5"]
std::optional<double> read_value(simdjson::simdjson_result<od::value> pair) {
  od::array parts;
  if (pair.get_array().get(parts) != simdjson::SUCCESS) return std::nullopt;
  std::size_t count = 0;
  std::string text;
  for (auto part : parts) {
    double time = 0;
    std::string_view value;
    const auto code = count == 0 ? part.get_double().get(time) : part.get_string().get(value);
    if (code != simdjson::SUCCESS || ++count > 2) return std::nullopt;
    text = value;
  }
  if (count != 2) return std::nullopt;
  return read_number(text);
}

// Nothing for a native histogram, which has no value.
Result<std::optional<VectorSample>> read_sample(simdjson::simdjson_result<od::value> item) {
  od::object members;
  if (auto code = item.get_object().get(members)) return not_json(code);
  Labels labels;
  std::optional<double> value;
  for (auto member : members) {
    std::string_view name;
    if (auto code = member.unescaped_key().get(name)) return not_json(code);
    if (name == "metric") {
      auto read = read_labels(member.value());
      if (!read) return forward(read);
      labels = std::move(*read);
    } else if (name == "value") {
      value = read_value(member.value());
      if (!value) return bad_sample();
    }
  }
  if (!value) return std::nullopt;
  return VectorSample{std::move(labels), *value};
}

// Nothing where there are none.
Result<void> take_texts(simdjson::simdjson_result<od::value> list,
                        std::vector<std::string>& texts) {
  od::array items;
  const auto code = list.get_array().get(items);
  if (code == simdjson::NO_SUCH_FIELD || code == simdjson::INCORRECT_TYPE) return {};
  if (code != simdjson::SUCCESS) return not_json(code);
  for (auto item : items) {
    std::string_view text;
    if (auto failure = item.get_string().get(text)) return not_json(failure);
    texts.emplace_back(text);
  }
  return {};
}

}  // namespace

Result<std::vector<VectorSample>> read_vector(std::string_view body) {
  std::vector<std::string> unread;
  return read_vector(body, unread);
}

// Item by item: a tree of the largest answer of a look would be ten times as large as its text.
Result<std::vector<VectorSample>> read_vector(std::string_view body,
                                              std::vector<std::string>& warnings) {
  const simdjson::padded_string padded(body);
  od::parser parser;
  od::document document;
  od::object answer;
  if (auto code = parser.iterate(padded).get(document)) return not_json(code);
  if (auto code = document.get_object().get(answer)) return not_json(code);
  if (text_or(answer, "status", "") != "success") {
    return fail(ErrorCode::kInvalid, text_or(answer, "error", "the router refused the query"));
  }
  od::object data;
  if (auto code = answer["data"].get_object().get(data)) return not_json(code);
  if (text_or(data, "resultType", "") != "vector") return other_type();
  od::array result;
  if (auto code = data["result"].get_array().get(result)) return not_json(code);
  std::vector<VectorSample> samples;
  for (auto item : result) {
    auto sample = read_sample(item);
    if (!sample) return forward(sample);
    if (*sample) samples.push_back(std::move(**sample));
  }
  auto warned = take_texts(answer["warnings"], warnings);
  if (!warned) return forward(warned);
  return samples;
}

Result<std::vector<MatrixSeries>> read_matrix(std::string_view body,
                                              std::vector<std::string>& warnings) {
  auto answer = read_data(body, "matrix");
  if (!answer) return forward(answer);
  take_warnings(*answer, warnings);
  std::vector<MatrixSeries> series;
  for (const auto& item : (*answer)["data"]["result"].items()) {
    MatrixSeries one{read_labels(item["metric"]), {}};
    for (const auto& pair : item["values"].items()) {
      const auto point = read_point(pair);
      if (!point) return bad_sample();
      one.points.push_back(*point);
    }
    series.push_back(std::move(one));
  }
  return series;
}

}  // namespace vigia::monitor::live
