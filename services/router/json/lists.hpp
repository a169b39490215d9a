// Lists inside answers: label names and values, series, heartbeats, and writing them again.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/labels.hpp"
#include "libs/model/sample.hpp"

namespace vigia::router {

/// ["a","b"]; null is an empty list. kCorrupt on anything else, for all of these.
Result<std::vector<std::string>> read_texts(std::string_view json);
/// [{"__name__":"up",…},…]
Result<std::vector<Labels>> read_series(std::string_view json);
/// Times of all samples of {"resultType":"matrix","result":[{"values":[[1.5,"1"],…]},…]}, sorted,
/// by the value that their series has of a label ("" where it has none).
Result<std::map<std::string, std::vector<TimestampMs>>> read_matrix_times(std::string_view json,
                                                                          std::string_view label);
/// The one number of {"resultType":"vector","result":[{"value":[1.5,"42"]}]}; 0 where the result is
/// empty.
Result<double> read_vector_value(std::string_view json);
/// The text under a key of an object, or "".
std::string read_text_of(std::string_view json, std::string_view key);

std::string write_texts(const std::set<std::string>& texts);
std::string write_series(const std::set<Labels>& series);

}  // namespace vigia::router
