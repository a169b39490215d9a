// What an application may send to the relay: read, stamped, deltas added up, durations taken.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <protozero/exception.hpp>

#include "libs/deltas/delta_accumulator.hpp"
#include "services/agent/host/node.hpp"
#include "services/agent/relay/stamp.hpp"
#include "services/agent/sender/split_request.hpp"
#include "services/agent/telemetry/request_durations.hpp"

namespace {

vigia::agent::host::NodeSettings node() {
  return {.customer = *vigia::CustomerId::parse("a"),
          .customer_name = "",
          .node = *vigia::NodeId::parse("n"),
          .region = "",
          .environment = ""};
}

void check(bool is_true) {
  if (!is_true) std::abort();
}

class Counting final : public vigia::deltas::PointJudge {
 public:
  void refuse(std::uint32_t /*item*/, vigia::deltas::DeltaFault /*fault*/) override { ++refused; }
  std::uint32_t refused = 0;
};

/// What is added up and what is refused is all of it, and states outlive a restart.
void check_deltas(const vigia::Clock& clock, const std::string& body, std::uint32_t items) {
  vigia::deltas::DeltaAccumulator deltas(clock, {.leaves_out_refused = true});
  Counting judge;
  const auto rewritten = deltas.rewrite(body, judge);
  if (!rewritten) return;
  vigia::deltas::DeltaAccumulator anew(clock);
  check(anew.restore(deltas.changes()).has_value());
  deltas.commit();
  check(anew.streams() == deltas.streams());
  const auto last = vigia::agent::relay::inspect_request(vigia::Signal::kMetrics, *rewritten);
  check(last && last->items + judge.refused == items);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using vigia::Signal;
  static const vigia::agent::relay::ResourceStamp stamp(
      vigia::agent::host::node_attributes(node()));
  static const vigia::SystemClock clock;
  const std::string body(reinterpret_cast<const char*>(data), size);
  for (const Signal signal : {Signal::kMetrics, Signal::kTraces, Signal::kLogs}) {
    const auto contents = vigia::agent::relay::inspect_request(signal, body);
    if (!contents) continue;
    const std::string stamped = stamp.apply(body);
    check(stamped.size() <= stamp.stamped_bytes_max(body));
    const auto after = vigia::agent::relay::inspect_request(signal, stamped);
    check(after && after->items == contents->items);
    check(stamp.apply(stamped) == stamped);
    if (const auto halves = vigia::agent::sender::split_request(stamped)) {
      const auto first = vigia::agent::relay::inspect_request(signal, halves->first);
      const auto second = vigia::agent::relay::inspect_request(signal, halves->second);
      check(first && second && first->items + second->items == contents->items);
    }
    if (signal != Signal::kMetrics) continue;
    try {
      check_deltas(clock, stamped, contents->items);
      vigia::agent::telemetry::RequestDurations durations;
      durations.observe(body);
      durations.commit();
    } catch (const protozero::exception&) {
      // A damaged point: the relay answers 400.
    }
  }
  return 0;
}
