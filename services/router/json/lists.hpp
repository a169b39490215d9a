// Lists inside answers: label names and values, series, heartbeats, and writing them again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/sample.hpp"

namespace vigia::router::json {

/// Many texts in two blocks of memory: a list of 200,000 series would be millions of small ones.
class TextList {
 public:
  void add(std::string_view text);
  std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t index) const {
    const std::size_t begin = index == 0 ? 0 : ends_[index - 1];
    return std::string_view(text_).substr(begin, ends_[index] - begin);
  }
  /// What it holds in memory.
  std::size_t bytes() const { return text_.capacity() + ends_.capacity() * sizeof(std::size_t); }

 private:
  std::string text_;
  std::vector<std::size_t> ends_;
};

/// ["a","b"]; null is an empty list. kCorrupt on anything else, for all of these.
Result<TextList> read_texts(std::string_view json);
/// [{"__name__":"up",…},…]: each as JSON with its labels in order, so that equal ones are equal
/// texts.
Result<TextList> read_series(std::string_view json);
/// Of all lists, sorted, each once. Views of what is in them.
std::vector<std::string_view> merged(const std::vector<TextList>& lists);

// The data of queries of our own, by the value that their series have of one label ("" where they
// have none).
using TimesByLabel = std::map<std::string, std::vector<TimestampMs>>;
using SamplesByLabel = std::map<std::string, std::vector<Sample>>;
/// Times of all samples of a matrix, sorted.
Result<TimesByLabel> read_matrix_times(std::string_view json, std::string_view label);
/// The samples themselves, in no order.
Result<SamplesByLabel> read_matrix_samples(std::string_view json, std::string_view label);
/// The one number of a vector; 0 where it is empty.
Result<double> read_vector_value(std::string_view json);
Result<std::map<std::string, double>> read_vector_values(std::string_view json,
                                                         std::string_view label);
/// The whole numbers under these keys of an object, in this order. kCorrupt where one is none.
Result<std::vector<std::int64_t>> read_integers(std::string_view json,
                                                const std::vector<std::string_view>& keys);
/// Series in the data of a query as Prometheus writes it.
std::uint64_t count_series(std::string_view json);
/// As short as one of them can be.
inline constexpr std::size_t kSeriesBytesMin = 29;  // {"metric":{},"value":[1,"1"]}
/// The text under a key of an object, or "".
std::string read_text_of(std::string_view json, std::string_view key);

/// Behind what `out` has: a JSON list of texts; of what is JSON already.
void write_texts(const std::vector<std::string_view>& texts, std::string& out);
void write_values(const std::vector<std::string_view>& values, std::string& out);

}  // namespace vigia::router::json
