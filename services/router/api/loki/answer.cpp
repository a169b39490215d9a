#include "services/router/api/loki/answer.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "libs/base/json_text.hpp"
#include "libs/json/writer.hpp"
#include "libs/net/status.hpp"

namespace vigia::router::api::loki {
namespace {

void append_labels(std::string& out, const Labels& labels, bool& is_first) {
  for (const Label& label : labels) {
    if (!std::exchange(is_first, false)) out += ',';
    append_json_text(out, label.name);
    out += ':';
    append_json_text(out, label.value);
  }
}

std::string object_of(const Labels& labels) {
  std::string text = "{";
  bool is_first = true;
  append_labels(text, labels, is_first);
  return text += '}';
}

/// What a line says of itself, and a stage made of it; of equal names what was made stays.
Labels all_of(const AnsweredLine& line) {
  std::vector<Label> all;
  for (const Labels* labels : {&line.stream, &line.metadata, &line.parsed}) {
    all.insert(all.end(), labels->begin(), labels->end());
  }
  return Labels::from(std::move(all));
}

void append_categories(std::string& out, const AnsweredLine& line) {
  out += ",{";
  if (!line.metadata.empty()) out += "\"structuredMetadata\":" + object_of(line.metadata);
  if (!line.parsed.empty()) {
    if (!line.metadata.empty()) out += ',';
    out += "\"parsed\":" + object_of(line.parsed);
  }
  out += '}';
}

void append_warnings(std::string& body, const std::vector<std::string>& warnings) {
  if (warnings.empty()) return;
  body += ",\"warnings\":[";
  bool is_first = true;
  for (const std::string& warning : warnings) {
    if (!std::exchange(is_first, false)) body += ',';
    append_json_text(body, warning);
  }
  body += ']';
}

std::string stats_json(const LogStats& stats) {
  const double seconds = std::chrono::duration<double>(stats.took).count();
  const auto a_second = [&](std::uint64_t count) {
    return seconds > 0 ? static_cast<std::int64_t>(static_cast<double>(count) / seconds) : 0;
  };
  vigia::json::JsonWriter body;
  body.begin_object().key("summary").begin_object();
  body.member("bytesProcessedPerSecond", a_second(stats.bytes));
  body.member("linesProcessedPerSecond", a_second(stats.lines));
  body.member("totalBytesProcessed", static_cast<std::int64_t>(stats.bytes));
  body.member("totalLinesProcessed", static_cast<std::int64_t>(stats.lines));
  body.member_number("execTime", seconds);
  body.member("totalEntriesReturned", static_cast<std::int64_t>(stats.returned));
  return body.end_object().end_object().take();
}

/// As Prometheus' and Loki's samples have it.
std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

/// [1609746000.781,"1"]
void append_sample(std::string& body, const logql::metrics::MetricPoint& point) {
  body += fmt::format("[{},\"{}\"]", static_cast<double>(point.time_ms) / 1'000,
                      number_text(point.value));
}

void append_points(std::string& body, const logql::metrics::MetricSeries& series, bool is_instant) {
  if (is_instant) {
    body += "\"value\":";
    return append_sample(body, series.points.front());
  }
  body += "\"values\":[";
  for (std::size_t i = 0; i < series.points.size(); ++i) {
    if (i > 0) body += ',';
    append_sample(body, series.points[i]);
  }
  body += ']';
}

/// A list of series, or of a number its one sample. False where there is no room for all.
bool append_series(std::string& body, const logql::metrics::MetricAnswer& answer, bool is_instant,
                   access::ByteShares::HeldBytes& held) {
  if (answer.is_scalar && is_instant) {
    append_sample(body, answer.series.front().points.front());
    return true;
  }
  body += '[';
  for (std::size_t i = 0; i < answer.series.size(); ++i) {
    const std::size_t before = body.size();
    if (i > 0) body += ',';
    body += "{\"metric\":" + object_of(answer.series[i].labels) + ',';
    append_points(body, answer.series[i], is_instant);
    body += '}';
    // One series has 11,000 points at the most.
    if (!held.grow(body.size() - before)) return false;
  }
  body += ']';
  return true;
}

}  // namespace

net::Response error_form(const Error& error, int status) {
  // Headers as every answer has them: Retry-After, WWW-Authenticate.
  const net::Response form = net::json_error(error);
  net::Response response;
  // Of its own limits Loki says 400.
  response.status = status == 422 ? 400 : status;
  for (const net::Header& header : form.headers) {
    if (header.name != "content-type") response.headers.add(header.name, header.value);
  }
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.headers.add("x-content-type-options", "nosniff");
  response.body = error.message;
  return response;
}

net::Response json_answer(std::string body) {
  net::Response response;
  response.headers.add("content-type", "application/json");
  response.body = std::move(body);
  return response;
}

net::Response texts_answer(const std::vector<std::string>& texts,
                           const std::vector<std::string>& warnings) {
  std::string body = R"({"status":"success","data":[)";
  bool is_first = true;
  for (const std::string& text : texts) {
    if (!std::exchange(is_first, false)) body += ',';
    append_json_text(body, text);
  }
  body += ']';
  append_warnings(body, warnings);
  body += '}';
  return json_answer(std::move(body));
}

std::size_t bytes_of(const logql::metrics::MetricAnswer& answer) {
  std::size_t bytes = 0;
  for (const logql::metrics::MetricSeries& series : answer.series) {
    bytes += sizeof series + series.points.size() * sizeof(logql::metrics::MetricPoint);
    for (const Label& label : series.labels) {
      bytes += sizeof label + label.name.size() + label.value.size();
    }
  }
  return bytes;
}

Result<net::Response> metric_answer(const logql::metrics::MetricAnswer& answer, MetricForm form,
                                    access::ByteShares::HeldBytes& held) {
  const std::string_view type = !form.is_instant   ? "matrix"
                                : answer.is_scalar ? "scalar"
                                                   : "vector";
  std::string body =
      fmt::format(R"({{"status":"success","data":{{"resultType":"{}","result":)", type);
  if (!append_series(body, answer, form.is_instant, held)) {
    return tl::unexpected<Error>(
        Error{ErrorCode::kOverLimit,
              "this answer is larger than what others leave room for; read them, or ask for fewer "
              "series, a shorter range or a longer step",
              std::chrono::seconds(1)});
  }
  body += ",\"stats\":" + stats_json(form.stats) + '}';
  // Of each page the same may be said.
  std::sort(form.warnings.begin(), form.warnings.end());
  form.warnings.erase(std::unique(form.warnings.begin(), form.warnings.end()), form.warnings.end());
  append_warnings(body, form.warnings);
  return json_answer(std::move(body += '}'));
}

std::string stream_object(const AnsweredLine& line, bool is_by_category) {
  return object_of(is_by_category ? line.stream : all_of(line));
}

void append_value(std::string& out, const AnsweredLine& line, bool is_by_category) {
  out += fmt::format("[\"{}\",", line.time_ns);
  append_json_text(out, line.text);
  if (is_by_category) append_categories(out, line);
  out += ']';
}

std::size_t StreamsAnswer::add(const AnsweredLine& line) {
  std::string labels = stream_object(line, is_by_category_);
  const auto at = streams_.lower_bound(labels);
  const bool is_new = at == streams_.end() || at->first != labels;
  std::size_t bytes = is_new ? labels.size() : 0;
  std::string& values =
      is_new ? streams_.emplace_hint(at, std::move(labels), "")->second : at->second;
  const std::size_t before = values.size();
  if (!values.empty()) values += ',';
  append_value(values, line, is_by_category_);
  bytes += values.size() - before;
  return bytes;
}

std::string StreamsAnswer::finish(const LogStats& stats, std::string_view cursor,
                                  const std::vector<std::string>& warnings) {
  std::string body = R"({"status":"success","data":{"resultType":"streams",)";
  if (is_by_category_) body += R"("encodingFlags":["categorize-labels"],)";
  body += "\"result\":[";
  bool is_first = true;
  for (auto at = streams_.begin(); at != streams_.end(); at = streams_.erase(at)) {
    if (!std::exchange(is_first, false)) body += ',';
    body += "{\"stream\":" + at->first + ",\"values\":[";
    body += at->second;
    body += "]}";
  }
  body += "],\"stats\":" + stats_json(stats);
  if (!cursor.empty()) {
    body += ",\"cursor\":";
    append_json_text(body, cursor);
  }
  body += '}';
  append_warnings(body, warnings);
  return body += '}';
}

}  // namespace vigia::router::api::loki
