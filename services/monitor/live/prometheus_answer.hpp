// Reads answers of the Prometheus query API, as the router gives them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/labels.hpp"

namespace vigia::monitor::live {

struct VectorSample {
  Labels labels;
  double value = 0;
};

struct MatrixSeries {
  Labels labels;
  std::vector<std::pair<double, double>> points;  ///< seconds since 1970, value
};

/// The "data" of an instant query that gave a vector. kInvalid with the answer's own message for
/// status "error"; kCorrupt for anything that is no such answer.
Result<std::vector<VectorSample>> read_vector(std::string body);
/// The same; `warnings` gets the answer's warnings.
Result<std::vector<VectorSample>> read_vector(std::string body, std::vector<std::string>& warnings);
/// The same for a range query; `warnings` gets the answer's warnings.
Result<std::vector<MatrixSeries>> read_matrix(std::string body, std::vector<std::string>& warnings);

}  // namespace vigia::monitor::live
