#include "services/monitor/live/prometheus_answer.hpp"

#include <cstdlib>
#include <optional>

#include "services/monitor/json/json.hpp"

namespace vigia::monitor {
namespace {

Labels read_labels(const JsonValue& metric) {
  std::vector<Label> labels;
  for (const auto& [name, value] : metric.members()) {
    labels.push_back(Label{name, value.text().value_or("")});
  }
  return Labels::from(std::move(labels));
}

// Values are texts ("1.5", "NaN", "+Inf"), as strtod reads them.
std::optional<std::pair<double, double>> read_point(const JsonValue& pair) {
  if (pair.items().size() != 2) return std::nullopt;
  const auto time = pair.items()[0].number();
  const auto text = pair.items()[1].text();
  if (!time || !text || text->empty()) return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text->c_str(), &end);
  if (*end != '\0') return std::nullopt;
  return std::pair(*time, value);
}

Result<JsonValue> read_data(std::string_view body, std::string_view type) {
  auto answer = parse_json(body);
  if (!answer) {
    return fail(ErrorCode::kCorrupt,
                "an answer of the router that is not JSON: " + answer.error().message);
  }
  if ((*answer)["status"].text() != "success") {
    return fail(ErrorCode::kInvalid,
                (*answer)["error"].text().value_or("the router refused the query"));
  }
  if ((*answer)["data"]["resultType"].text() != type) {
    return fail(ErrorCode::kCorrupt, "the router answered with another type of result");
  }
  return answer;
}

void take_warnings(const JsonValue& answer, std::vector<std::string>& warnings) {
  for (const auto& warning : answer["warnings"].items()) {
    if (auto text = warning.text()) warnings.push_back(std::move(*text));
  }
}

tl::unexpected<Error> bad_sample() {
  return fail(ErrorCode::kCorrupt, "the router's answer holds a sample that is none");
}

}  // namespace

Result<std::vector<VectorSample>> read_vector(std::string_view body) {
  std::vector<std::string> unread;
  return read_vector(body, unread);
}

Result<std::vector<VectorSample>> read_vector(std::string_view body,
                                              std::vector<std::string>& warnings) {
  auto answer = read_data(body, "vector");
  if (!answer) return forward(answer);
  take_warnings(*answer, warnings);
  std::vector<VectorSample> samples;
  for (const auto& item : (*answer)["data"]["result"].items()) {
    if (!item.has("value")) continue;  // a native histogram
    const auto point = read_point(item["value"]);
    if (!point) return bad_sample();
    samples.push_back(VectorSample{read_labels(item["metric"]), point->second});
  }
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

}  // namespace vigia::monitor
