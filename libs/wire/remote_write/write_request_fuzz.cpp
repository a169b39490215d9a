// Bytes as a message (first byte even) or as a snappy block (odd): whatever they are, reading ends
// with a result, and what was read stays within the limits.
#include "libs/base/check.hpp"
#include "libs/wire/remote_write/write_request.hpp"

namespace {

class CheckingVisitor final : public vigia::wire::remote_write::WriteVisitor {
 public:
  explicit CheckingVisitor(const vigia::wire::remote_write::DecodeLimits& limits)
      : limits_(limits) {}
  void on_series(const vigia::wire::remote_write::SeriesView& series) override {
    CHECK(series.labels.size() <= limits_.labels_max);
    CHECK(series.label_bytes.size() <= limits_.label_bytes_max);
    const bool is_good = check_labels(series.labels).has_value();
    CHECK(!is_good || !series.labels.empty());
  }

 private:
  const vigia::wire::remote_write::DecodeLimits& limits_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string bytes(data + 1, data + size);
  const vigia::wire::remote_write::DecodeLimits limits{
      .message_bytes_max = 1U << 20U, .labels_max = 16, .label_bytes_max = 1024};
  CheckingVisitor visitor(limits);
  if (data[0] % 2 == 0)
    (void)decode_message(bytes, limits, visitor);
  else
    (void)decode_request(bytes, limits, visitor);
  return 0;
}
