// Whatever the bytes: what intake accepts, translation gives, the same each time, as series that a
// store takes and that name no other customer.
#include <map>
#include <string>

#include "libs/base/check.hpp"
#include "libs/series/series_resolver.hpp"
#include "libs/series/translator.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace {

namespace prometheus = vigia::wire::prometheus;
namespace remote_write = vigia::wire::remote_write;

/// Judges as intake does.
class Judging final : public vigia::series::SeriesResolver {
 public:
  using SeriesResolver::SeriesResolver;
  vigia::Verdicts verdicts;

 private:
  void on_point(const vigia::series::ResolvedPoint& resolved) override {
    CHECK((resolved.entry != nullptr) == (resolved.fault == vigia::RejectReason::kNone));
    if (resolved.entry == nullptr) verdicts.reject(resolved.item, resolved.fault);
  }
};

class CheckingVisitor final : public remote_write::WriteVisitor {
 public:
  void on_series(const remote_write::SeriesView& series) override {
    CHECK(remote_write::check_labels(series.labels));
    CHECK(series.samples.size() + series.histograms.size() == 1);
    for (const auto& label : series.labels)
      CHECK(label.name != vigia::kCustomerLabel || label.value == "cliente-a");
  }
};

class CheckingSink final : public vigia::series::SeriesSink {
 public:
  bool wants_hashes() const override { return true; }
  void take(const vigia::series::SeriesPoint& point) override {
    CHECK(point.item == vigia::series::kNoItem || point.item >= last_item_);
    if (point.item != vigia::series::kNoItem) last_item_ = point.item;
    const std::string labels = point.labels.bytes();
    const auto [known, is_new] = bytes_of_.try_emplace(point.series_hash, labels);
    CHECK(known->second == labels);
    std::string message;
    if (point.histogram.empty()) {
      remote_write::append_sample(message, labels, {point.timestamp_ms, point.value},
                                  point.exemplars);
    } else {
      remote_write::append_histogram(message, labels, point.histogram, point.exemplars);
    }
    CheckingVisitor visitor;
    const remote_write::DecodeLimits limits{.labels_max = 1U << 20U, .label_bytes_max = 1U << 30U};
    CHECK(remote_write::decode_message(message, limits, visitor));
    CHECK(!point.family->family().name.empty());
    all += message;
  }
  std::string all;

 private:
  std::uint32_t last_item_ = 0;
  std::map<std::uint64_t, std::string> bytes_of_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const vigia::CustomerId customer = *vigia::CustomerId::parse("cliente-a");
  const std::string body(data, data + size);
  vigia::ManualClock clock(1'800'000'000'000'000'000);
  vigia::series::SeriesCache cache({}, clock);
  const prometheus::TranslatorSettings settings;
  Judging judging(customer, settings, cache);
  const auto items = judging.run(body);
  if (!items) return 0;
  judging.verdicts.set_items(*items);
  vigia::series::Translator translator(settings, cache);
  CheckingSink first;
  CHECK(translator.translate(customer, body, judging.verdicts, first));
  vigia::series::SeriesCache empty({}, clock);
  vigia::series::Translator afresh(settings, empty);
  CheckingSink second;
  CHECK(afresh.translate(customer, body, judging.verdicts, second));
  CHECK(first.all == second.all);
  return 0;
}
