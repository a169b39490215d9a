// Whatever a Prometheus sends (1.0 where the first byte is even, else 2.0): what becomes of it can
// be walked, judged and translated, gives series that a store takes and that name no other
// customer, and is OTLP that can be walked once it is public.
#include <string>

#include "libs/base/check.hpp"
#include "libs/series/prometheus_body.hpp"
#include "libs/series/public_otlp.hpp"
#include "libs/series/series_resolver.hpp"
#include "libs/series/translator.hpp"
#include "libs/wire/remote_write/native_histogram.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace {

namespace remote_write = vigia::wire::remote_write;

class JudgingOwnForm final : public vigia::series::SeriesResolver {
 public:
  using SeriesResolver::SeriesResolver;
  vigia::Verdicts verdicts;

 private:
  void on_point(const vigia::series::ResolvedPoint& resolved) override {
    CHECK(resolved.is_verbatim);
    CHECK((resolved.entry != nullptr) == (resolved.fault == vigia::RejectReason::kNone));
    if (resolved.entry == nullptr) verdicts.reject(resolved.item, resolved.fault);
  }
};

class CheckingLabels final : public vigia::series::SeriesSink {
 public:
  void take(const vigia::series::SeriesPoint& point) override {
    const std::string bytes = point.labels.bytes();
    const auto labels = remote_write::read_labels(bytes);
    CHECK(remote_write::check_labels(labels));
    bool has_customer = false;
    for (const auto& label : labels) {
      CHECK(label.name != vigia::kCustomerLabel || label.value == "cliente-a");
      CHECK(!label.name.starts_with("__") || label.name == vigia::kNameLabel);
      has_customer = has_customer || label.name == vigia::kCustomerLabel;
    }
    CHECK(has_customer);
    CHECK(point.timestamp_ms > 0);
    if (!point.histogram.empty()) CHECK(remote_write::sound_histogram(point.histogram));
    CHECK(point.has_value || !point.exemplars.empty());
    ++points;
  }
  std::uint32_t points = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const vigia::CustomerId customer = *vigia::CustomerId::parse("cliente-a");
  if (size == 0) return 0;
  const std::string message(data + 1, data + size);
  const auto version =
      data[0] % 2 == 0 ? vigia::series::WriteVersion::k1 : vigia::series::WriteVersion::k2;
  const vigia::series::PrometheusBodyLimits limits{.message_bytes_max = 1U << 20U,
                                                   .body_bytes_max = 1U << 20U};
  const auto made = vigia::series::read_remote_write(
      customer, version, remote_write::compress_request(message), limits);
  if (!made) return 0;
  const vigia::SystemClock clock;
  vigia::series::SeriesCache cache({}, clock);
  const vigia::wire::prometheus::TranslatorSettings settings;
  JudgingOwnForm judging(customer, settings, cache);
  const auto items = judging.run(made->body);
  CHECK(items);
  judging.verdicts.set_items(*items);
  CheckingLabels sink;
  CHECK(vigia::series::Translator(settings, cache)
            .translate(customer, made->body, judging.verdicts, sink));
  CHECK(sink.points == judging.verdicts.accepted());
  const auto open = vigia::series::to_public_otlp(made->body);
  CHECK(open && !vigia::series::has_own_form(open->body));
  const auto kept = vigia::wire::otlp::count_items(vigia::Signal::kMetrics, open->body);
  CHECK(kept && *kept + open->left_out == *items);
  return 0;
}
