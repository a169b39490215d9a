// What Prometheus makes of an answer of type SAMPLES, for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <protozero/pbf_reader.hpp>
#include <snappy.h>

#include "libs/base/check.hpp"
#include "libs/model/sample.hpp"

namespace vigia::storage::read {

struct AnswerSeries {
  std::size_t query = 0;
  std::vector<std::string> label_names;
  std::string metric;
  std::vector<Sample> samples;
};

inline Sample read_answer_sample(protozero::pbf_reader reader) {
  Sample sample;
  while (reader.next()) {
    if (reader.tag() == 1) {
      sample.value = reader.get_double();
    } else {
      sample.timestamp_ms = reader.get_int64();
    }
  }
  return sample;
}

inline AnswerSeries read_answer_series(protozero::pbf_reader reader, std::size_t query) {
  AnswerSeries series{query, {}, {}, {}};
  while (reader.next()) {
    if (reader.tag() == 2) {
      series.samples.push_back(read_answer_sample(reader.get_message()));
      continue;
    }
    std::string name;
    std::string value;
    for (protozero::pbf_reader label = reader.get_message(); label.next();) {
      std::string& text = label.tag() == 1 ? name : value;
      text = label.get_string();
    }
    if (name == "__name__") series.metric = value;
    series.label_names.push_back(std::move(name));
  }
  return series;
}

/// `body` is a snappy block.
inline std::vector<AnswerSeries> read_samples_answer(std::string_view body) {
  std::string message;
  CHECK(snappy::Uncompress(body.data(), body.size(), &message));
  std::vector<AnswerSeries> all;
  std::size_t query = 0;
  for (protozero::pbf_reader response(message); response.next(1); ++query) {
    for (protozero::pbf_reader result = response.get_message(); result.next(1);) {
      all.push_back(read_answer_series(result.get_message(), query));
    }
  }
  return all;
}

}  // namespace vigia::storage::read
