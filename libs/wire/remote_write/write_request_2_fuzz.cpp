// Bytes as a message (first byte even) or as a snappy block (odd): whatever they are, reading ends
// with a result, and what was read stays within the limits and is what 1.0 reads of it.
#include "libs/base/check.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::wire::remote_write {
namespace {

class SameLabels final : public WriteVisitor {
 public:
  explicit SameLabels(const std::vector<LabelView>& labels) : labels_(labels) {}
  void on_series(const SeriesView& series) override {
    CHECK(series.labels.size() == labels_.size());
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      CHECK(series.labels[i].name == labels_[i].name);
      CHECK(series.labels[i].value == labels_[i].value);
    }
  }

 private:
  const std::vector<LabelView>& labels_;
};

class CheckingVisitor2 final : public WriteVisitor {
 public:
  CheckingVisitor2(const DecodeLimits& limits, const SymbolLimits& symbols)
      : limits_(limits), symbols_(symbols) {}
  void on_series(const SeriesView& series) override {
    CHECK(series.labels.size() <= limits_.labels_max);
    CHECK(series.label_bytes.size() <= limits_.label_bytes_max);
    for (const LabelView& label : series.labels) bytes_ += label.name.size() + label.value.size();
    CHECK(bytes_ <= symbols_.label_bytes_max);
    std::string message;
    append_sample(message, series.label_bytes, {0, 0});
    SameLabels same(series.labels);
    CHECK(decode_message(message, limits_, same).has_value());
  }

 private:
  const DecodeLimits& limits_;
  const SymbolLimits& symbols_;
  std::size_t bytes_ = 0;
};

}  // namespace
}  // namespace vigia::wire::remote_write

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(data + 1, data + size);
  const vigia::wire::remote_write::DecodeLimits limits{
      .message_bytes_max = 1U << 20U, .labels_max = 16, .label_bytes_max = 1024};
  const vigia::wire::remote_write::SymbolLimits symbols{.symbols_max = 64, .label_bytes_max = 4096};
  vigia::wire::remote_write::CheckingVisitor2 visitor(limits, symbols);
  if (data[0] % 2 == 0)
    (void)decode_message_2(bytes, limits, symbols, visitor);
  else
    (void)decode_request_2(bytes, limits, symbols, visitor);
  return 0;
}
