// Prometheus remote write 1.0 (R-RW-1 to R-RW-4): a WriteRequest written from label bytes that are
// encoded already, and one read without building objects.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/labels.hpp"
#include "libs/model/sample.hpp"

namespace vigia::wire::remote_write {

inline constexpr std::string_view kContentType = "application/x-protobuf";
inline constexpr std::string_view kContentEncoding = "snappy";
inline constexpr std::string_view kVersionHeader = "x-prometheus-remote-write-version";
inline constexpr std::string_view kVersion = "0.1.0";

// ---- Writing. A message is the concatenation of its series, so any run of them is one too.

/// The `labels` fields of a TimeSeries, as the functions below take them.
std::string encode_labels(const Labels& labels);
/// An encoded `exemplars` field of a TimeSeries.
void append_exemplar(std::string& out, const Labels& labels, const Sample& sample);

/// Appends a `timeseries` field with one sample. `label_bytes` are encoded `labels` fields sorted
/// by name, `exemplars` encoded `exemplars` fields or "". NaNs are normalised, stale marks kept.
void append_sample(std::string& message, std::string_view label_bytes, const Sample& sample,
                   std::string_view exemplars = {});
/// The same with one encoded prometheus.Histogram, its time stamp in it.
void append_histogram(std::string& message, std::string_view label_bytes,
                      std::string_view histogram, std::string_view exemplars = {});
/// The same two for labels that lie in pieces: all but the labels is written, and where
/// `label_bytes` bytes of them are to be put is returned; it holds until the message changes.
/// `extras` stand before the labels: series_extras.hpp.
char* append_sample_around(std::string& message, std::size_t label_bytes, const Sample& sample,
                           std::string_view exemplars, std::string_view extras = {});
char* append_histogram_around(std::string& message, std::size_t label_bytes,
                              std::string_view histogram, std::string_view exemplars,
                              std::string_view extras = {});
/// Of exemplars alone, which a series may come with.
char* append_exemplars_around(std::string& message, std::size_t label_bytes,
                              std::string_view exemplars);
/// The message as a body: one snappy block.
std::string compress_request(std::string_view message);

// ---- Reading.

struct DecodeLimits {
  std::size_t message_bytes_max = 64U << 20U;  ///< after decompression
  std::size_t labels_max = 256;                ///< of one series or exemplar
  std::size_t label_bytes_max = 64U << 10U;    ///< of one series, all labels together
  std::size_t values_max = 1U << 20U;          ///< of one series: samples, exemplars, histograms
  /// Of all exemplars of one series: a label takes two bytes on the wire and 32 in memory.
  std::size_t exemplar_labels_max = 64U << 10U;
  /// A longer one is given without its bytes.
  std::size_t histogram_bytes_max = 256U << 10U;
  /// A request of more than twice as many bytes is unpacked so many at a time, and never lies in
  /// memory whole. A quarter of it is what one sample or exemplar may have.
  std::size_t piece_bytes = 256U << 10U;
  /// Asked before more is taken, with all that reading would hold then; false ends it with
  /// kOverLimit. Empty: all may be.
  std::function<bool(std::size_t bytes)> may_hold = {};

  std::size_t value_bytes_max() const { return piece_bytes / 4; }
  /// Of those that are given with their bytes.
  std::size_t histogram_max() const { return std::min(histogram_bytes_max, piece_bytes / 2); }
};

struct LabelView {
  std::string_view name;
  std::string_view value;
};
struct ExemplarView {
  std::vector<LabelView> labels;
  Sample sample;
};
struct HistogramView {
  TimestampMs timestamp_ms = 0;
  TimestampMs start_ms = 0;  ///< since when it counts; 0: not said, and of 1.0 never
  std::string_view bytes;    ///< the encoded prometheus.Histogram
  std::size_t left_out = 0;  ///< bytes of one that is too long to be given; 0: it is given
};

/// One MetricMetadata of 1.0, or what a series of 2.0 says of its metric. `type` is numbered as
/// there: 0 unknown, 1 counter, 2 gauge, 3 histogram, 4 gauge histogram, 5 summary, 6 info, 7 state
/// set, and whatever else a sender writes.
struct MetadataView {
  std::uint32_t type = 0;
  std::string_view family;  ///< of 2.0 the series' own metric: `latency_bucket`
  std::string_view help;
  std::string_view unit;
  bool is_there() const { return type != 0 || !help.empty() || !unit.empty(); }
};

/// One TimeSeries. Views live as long as the call they come with, those of 2.0's symbols (labels,
/// metadata) as long as the request is being read.
struct SeriesView {
  std::string_view label_bytes;   ///< the encoded `labels` fields in one run
  std::vector<LabelView> labels;  ///< none where WriteVisitor::knows said so
  std::vector<Sample> samples;
  std::vector<ExemplarView> exemplars;
  std::vector<HistogramView> histograms;
  MetadataView metadata;  ///< of 2.0 alone
  /// Of 2.0 alone, by sample: since when it counts; 0: not said.
  std::vector<TimestampMs> starts_ms;
};

class WriteVisitor {
 public:
  virtual ~WriteVisitor() = default;
  virtual void on_series(const SeriesView& series) = 0;
  /// Of 1.0 alone, before on_series of the same series. True where these bytes are all that it has
  /// to be told of the labels: then they are not taken apart, which is a third of what a series
  /// costs, and nothing of them is checked. REQUIRES for true: a series of just these bytes has
  /// been read before, by the same limits.
  virtual bool knows(std::string_view /*label_bytes*/) { return false; }
  /// Of 1.0 alone: it stands beside the series and is of none of them.
  virtual void on_metadata(const MetadataView& /*metadata*/) {}
  /// One that its version of the protocol does not allow, for its own sake.
  virtual void on_bad_series(const SeriesView& /*series*/, std::string_view /*why*/) {}
};

/// How many bytes a body, one snappy block, says that its message has; the errors of unpack_block.
Result<std::size_t> declared_bytes(std::string_view body, const DecodeLimits& limits);

/// The message of a body, one snappy block. kTooLarge by the length that it declares and kInvalid
/// for what is no such block, both before memory is taken.
Result<std::string> unpack_block(std::string_view body, const DecodeLimits& limits);

/// Reads a body (one snappy block). kTooLarge by the length that it declares, before memory is
/// taken, and past the other limits; kInvalid for what is no such message; kOverLimit by may_hold.
/// The visitor has then seen what stood before the fault: let it do nothing final until this has
/// returned.
Result<void> decode_request(std::string_view body, const DecodeLimits& limits,
                            WriteVisitor& visitor);
/// The same for a message that is decompressed already.
Result<void> decode_message(std::string_view message, const DecodeLimits& limits,
                            WriteVisitor& visitor);

/// What `label_bytes` of a series hold, for a visitor that knew them and wants to name them after
/// all; no more than is sound. Views into them.
std::vector<LabelView> read_labels(std::string_view label_bytes);

/// kInvalid, saying why, where the labels of a series break the specification: not sorted or
/// doubled, an empty name or value, a bad name, no metric name.
Result<void> check_labels(const std::vector<LabelView>& labels);
bool is_metric_name(std::string_view name);

}  // namespace vigia::wire::remote_write
