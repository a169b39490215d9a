// What this translation makes of OTLP metrics, for the tests that ask Prometheus the same
// (tests/integration/test_otlp_translation.py).
//
//   vigia-otlp-translated make COUNT SEED    random requests of cliente-a
//   vigia-otlp-translated read STRATEGY      of the requests on its standard input
//
// A request is a line, ExportMetricsServiceRequest in base64. `read` prints a line each: its
// samples, sorted, with tabs between them, then U+001E and why points were refused, one for each.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "libs/base/base64.hpp"
#include "libs/base/bytes.hpp"
#include "libs/base/clock.hpp"
#include "libs/model/labels.hpp"
#include "libs/series/testing/request_maker.hpp"
#include "libs/series/translator.hpp"
#include "libs/wire/otlp/field_reader.hpp"
#include "libs/wire/prometheus/exemplars.hpp"

namespace vigia::series {
namespace {

void quote(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string number(double value) {
  if (is_stale_mark(value)) return "stale";
  if (std::isnan(value)) return "NaN";
  return fmt::format("{:016x}", std::bit_cast<std::uint64_t>(value));
}

void write_label(std::string& out, std::string_view name, std::string_view value) {
  quote(out, name);
  out += '=';
  quote(out, value);
  out += ',';
}

/// Buckets as their numbers and counts, however they lie in spans.
void write_buckets(std::string& out, const std::vector<std::pair<int, unsigned>>& spans,
                   const std::vector<std::int64_t>& deltas) {
  std::int64_t index = 0;
  std::int64_t count = 0;
  std::size_t at = 0;
  for (const auto& [offset, length] : spans) {
    index += offset;
    for (unsigned i = 0; i < length; ++i, ++index) {
      count += deltas.at(at++);
      if (count != 0) out += fmt::format(" {}:{}", index, count);
    }
  }
}

std::pair<int, unsigned> read_span(std::string_view bytes) {
  std::pair<int, unsigned> span;
  wire::otlp::FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.tag_and_type() == wire::otlp::varint_field(1)) {
      span.first = static_cast<int>(reader.sint32());
    } else if (reader.tag_and_type() == wire::otlp::varint_field(2)) {
      span.second = static_cast<unsigned>(reader.varint());
    } else {
      reader.skip();
    }
  }
  return span;
}

/// Packed sint64.
std::vector<std::int64_t> read_deltas(std::string_view bytes) {
  std::vector<std::int64_t> deltas;
  for (ByteReader reader(bytes); !reader.rest().empty();) {
    const std::uint64_t zigzag = reader.read_varint();
    deltas.push_back(static_cast<std::int64_t>(zigzag >> 1U) ^
                     -static_cast<std::int64_t>(zigzag & 1U));
  }
  return deltas;
}

/// An encoded prometheus.Histogram.
std::string histogram_text(std::string_view bytes) {
  std::uint64_t count = 0;
  std::uint64_t zero_count = 0;
  double sum = 0;
  double threshold = 0;
  int schema = 0;
  std::vector<std::pair<int, unsigned>> spans[2];
  std::vector<std::int64_t> deltas[2];
  wire::otlp::FieldReader reader(bytes);
  while (reader.next()) {
    const bool is_positive = reader.number() >= 11;
    switch (reader.tag_and_type()) {
      case wire::otlp::varint_field(1):
        count = reader.varint();
        break;
      case wire::otlp::fixed64_field(3):
        sum = reader.real();
        break;
      case wire::otlp::varint_field(4):
        schema = static_cast<int>(reader.sint32());
        break;
      case wire::otlp::fixed64_field(5):
        threshold = reader.real();
        break;
      case wire::otlp::varint_field(6):
        zero_count = reader.varint();
        break;
      case wire::otlp::bytes_field(8):
      case wire::otlp::bytes_field(11):
        spans[is_positive].push_back(read_span(reader.bytes()));
        break;
      case wire::otlp::bytes_field(9):
      case wire::otlp::bytes_field(12):
        deltas[is_positive] = read_deltas(reader.bytes());
        break;
      default:
        reader.skip();
    }
  }
  std::string out = fmt::format(" native {} {} {} zero {} {} +", count, number(sum), schema,
                                number(threshold), zero_count);
  write_buckets(out, spans[1], deltas[1]);
  out += " -";
  write_buckets(out, spans[0], deltas[0]);
  return out;
}

void write_exemplars(std::string& out, std::string_view fields) {
  wire::otlp::FieldReader reader(fields);
  while (reader.next()) {
    const char* begin = reader.field_begin();
    reader.skip();
    const std::string_view field(begin, static_cast<std::size_t>(reader.position() - begin));
    const auto exemplar = wire::prometheus::decode_exemplar(field);
    if (!exemplar) std::exit(EXIT_FAILURE);
    out += " # ";
    for (const auto& [name, value] : exemplar->labels) write_label(out, name, value);
    out += fmt::format(" {} @{}", number(exemplar->value), exemplar->timestamp_ms);
  }
}

class TextSink final : public SeriesSink {
 public:
  void take(const SeriesPoint& point) override {
    const auto labels = wire::prometheus::decode_labels(point.labels.bytes());
    if (!labels) std::exit(EXIT_FAILURE);
    std::string& out = samples.emplace_back();
    for (const Label& label : *labels) {
      const bool is_number = label.name == "le" || label.name == "quantile";
      char* end = nullptr;
      const double value = is_number ? std::strtod(label.value.c_str(), &end) : 0;
      const bool is_whole = is_number && *end == '\0' && end != label.value.c_str();
      write_label(out, label.name, is_whole ? number(value) : label.value);
    }
    out += fmt::format(" @{}", point.timestamp_ms);
    out += point.histogram.empty() ? " " + number(point.value) : histogram_text(point.histogram);
    write_exemplars(out, point.exemplars);
  }
  void lose(std::uint32_t /*item*/, RejectReason fault) override {
    faults.emplace_back(to_string(fault));
  }
  std::vector<std::string> samples;
  std::vector<std::string> faults;
};

void print(const std::vector<std::string>& texts, char separator) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) std::cout << separator;
    std::cout << texts[i];
  }
}

int read(wire::prometheus::Strategy strategy) {
  const SystemClock clock;
  SeriesCache cache({.bytes_max = 8U << 20U}, clock);
  wire::prometheus::TranslatorSettings settings;
  settings.strategy = strategy;
  Translator translator(settings, cache);
  const CustomerId customer = *CustomerId::parse("cliente-a");
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto body = from_base64(line);
    const auto items = body ? wire::otlp::count_items(Signal::kMetrics, *body) : 0;
    TextSink sink;
    if (!body || !items || !translator.translate(customer, *body, Verdicts(*items), sink))
      return EXIT_FAILURE;
    std::sort(sink.samples.begin(), sink.samples.end());
    print(sink.samples, '\t');
    std::cout << '\x1e';
    print(sink.faults, ',');
    std::cout << '\n';
  }
  return EXIT_SUCCESS;
}

int make(std::uint64_t count, std::uint64_t seed) {
  for (std::uint64_t i = 0; i < count; ++i)
    std::cout << to_base64(RequestMaker(seed + i).make()) << '\n';
  return EXIT_SUCCESS;
}

int run(const std::vector<std::string>& words) {
  std::ios::sync_with_stdio(false);
  if (words.size() == 3 && words[0] == "make")
    return make(std::stoull(words[1]), std::stoull(words[2]));
  const auto strategy =
      words.size() == 2 ? wire::prometheus::strategy_named(words[1]) : std::nullopt;
  return strategy && words[0] == "read" ? read(*strategy) : EXIT_FAILURE;
}

}  // namespace
}  // namespace vigia::series

int main(int argc, char** argv) { return vigia::series::run({argv + 1, argv + argc}); }
