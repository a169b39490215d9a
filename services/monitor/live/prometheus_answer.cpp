#include "services/monitor/live/prometheus_answer.hpp"

#include "libs/wire/prometheus_api/envelope.hpp"
#include "libs/wire/prometheus_api/series.hpp"

namespace vigia::monitor::live {
namespace {

namespace prometheus_api = wire::prometheus_api;
using prometheus_api::Envelope;
using prometheus_api::LabelViews;
using prometheus_api::to_labels;

Error of_router(Error error) { return with_context("router", std::move(error)); }

Result<Envelope> read_success(std::string body, std::vector<std::string>& warnings) {
  auto envelope = Envelope::read(std::move(body));
  if (!envelope) return tl::unexpected<Error>(of_router(std::move(envelope.error())));
  // Its own words are told on: they say which part of a question the router refused, and name
  // nothing that its caller does not know.
  if (!envelope->is_success()) {
    const bool has_reason = !envelope->error().empty();
    return fail(ErrorCode::kInvalid,
                has_reason ? envelope->error() : "the router refused the query");
  }
  warnings.insert(warnings.end(), envelope->warnings().begin(), envelope->warnings().end());
  return envelope;
}

}  // namespace

Result<std::vector<VectorSample>> read_vector(std::string body) {
  std::vector<std::string> unread;
  return read_vector(std::move(body), unread);
}

Result<std::vector<VectorSample>> read_vector(std::string body,
                                              std::vector<std::string>& warnings) {
  const auto answer = read_success(std::move(body), warnings);
  if (!answer) return forward(answer);
  std::vector<VectorSample> samples;
  auto read =
      prometheus_api::read_vector(answer->data(), [&](const LabelViews& labels, double value) {
        samples.push_back(VectorSample{to_labels(labels), value});
      });
  if (!read) return tl::unexpected<Error>(of_router(std::move(read.error())));
  return samples;
}

Result<std::vector<MatrixSeries>> read_matrix(std::string body,
                                              std::vector<std::string>& warnings) {
  const auto answer = read_success(std::move(body), warnings);
  if (!answer) return forward(answer);
  std::vector<MatrixSeries> series;
  auto read = prometheus_api::read_matrix(answer->data(),
                                          [&](const LabelViews& labels, const auto& points) {
                                            MatrixSeries one{to_labels(labels), {}};
                                            one.points.reserve(points.size());
                                            for (const auto& point : points)
                                              one.points.emplace_back(point.time_s, point.value);
                                            series.push_back(std::move(one));
                                          });
  if (!read) return tl::unexpected<Error>(of_router(std::move(read.error())));
  return series;
}

}  // namespace vigia::monitor::live
