// Answers in the form of Loki's HTTP API.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/base/result.hpp"
#include "libs/logql/metrics/evaluate.hpp"
#include "libs/model/labels.hpp"
#include "libs/net/message.hpp"
#include "services/router/access/byte_shares.hpp"

namespace vigia::router::api::loki {

/// An error as Loki tells it, a net::ErrorForm: its sentence as plain text.
net::Response error_form(const Error& error, int status);
/// 200 with a whole document.
net::Response json_answer(std::string body);
/// {"status":"success","data":["a",…]}, with what is to be said beside it.
net::Response texts_answer(const std::vector<std::string>& texts,
                           const std::vector<std::string>& warnings);

/// What a query looked at.
struct LogStats {
  std::uint64_t lines = 0;  ///< that were looked at
  std::uint64_t bytes = 0;  ///< of their texts
  std::uint64_t returned = 0;
  Duration took{0};
};

/// Bytes that the points and labels of an answer take in memory.
std::size_t bytes_of(const logql::metrics::MetricAnswer& answer);

struct MetricForm {
  bool is_instant = false;
  LogStats stats;
  std::vector<std::string> warnings;
};
/// Samples: of an instant query a vector or a number, else {"resultType":"matrix",…}. `held` has
/// the bytes of the answer and takes those of the body series by series: kOverLimit where there is
/// no room for it.
Result<net::Response> metric_answer(const logql::metrics::MetricAnswer& answer, MetricForm form,
                                    access::ByteShares::HeldBytes& held);

/// A line of an answer. Views into whatever was read.
struct AnsweredLine {
  std::int64_t time_ns = 0;
  std::string_view text;
  Labels stream;
  Labels metadata;
  Labels parsed = {};
};

/// The labels of the stream that a line is of, as a JSON object. `is_by_category`: StreamsAnswer.
std::string stream_object(const AnsweredLine& line, bool is_by_category);
/// ["TIME","TEXT"], or ["TIME","TEXT",{…}] with what it says of itself.
void append_value(std::string& out, const AnsweredLine& line, bool is_by_category);

/// {"resultType":"streams",…}: lines by their labels, in the order in which they were added. Not
/// for several threads at once.
class StreamsAnswer {
 public:
  /// `is_by_category`: as clients ask for by the header X-Loki-Response-Encoding-Flags: a stream
  /// has its own labels alone, and a line tells its others beside it. Else they are labels of
  /// streams, too, as of old.
  explicit StreamsAnswer(bool is_by_category) : is_by_category_(is_by_category) {}

  /// Bytes that the answer is longer with it.
  std::size_t add(const AnsweredLine& line);
  /// The whole body. `cursor` "": none. What was added is let go meanwhile.
  std::string finish(const LogStats& stats, std::string_view cursor,
                     const std::vector<std::string>& warnings);

 private:
  const bool is_by_category_;
  std::map<std::string, std::string, std::less<>> streams_;  ///< labels → values, as JSON
};

}  // namespace vigia::router::api::loki
