#include "services/agent/sender/collector_link.hpp"

#include <optional>
#include <string>
#include <utility>

namespace vigia::agent::sender {

namespace {

otlp::ExportSettings export_settings(const CollectorSettings& settings) {
  otlp::ExportSettings made{.endpoint = settings.endpoint,
                            .protocol = settings.protocol,
                            .compression = settings.compression,
                            .headers = {},
                            .timeout = settings.timeout,
                            .tls = settings.tls};
  if (!settings.token.empty()) made.headers.add("authorization", "Bearer " + settings.token);
  return made;
}

}  // namespace

/// Shared with the client's callback, which may come after an interrupted wait has ended.
struct CollectorLink::Exchange {
  std::optional<otlp::ExportAnswer> answer;  // guarded by the link's mutex
};

CollectorLink::CollectorLink(const CollectorSettings& settings, net::Client& client,
                             ClockOffset& offset)
    : client_(export_settings(settings), client), offset_(offset) {}

otlp::ExportAnswer CollectorLink::deliver(Signal signal, std::string_view body) {
  // Again at once where only the compression was not known: each try has a simpler one.
  for (;;) {
    otlp::ExportAnswer answer = deliver_once(signal, body);
    if (!answer.can_try_again) return answer;
  }
}

otlp::ExportAnswer CollectorLink::deliver_once(Signal signal, std::string_view body) {
  auto exchange = std::make_shared<Exchange>();
  client_.send(
      signal, body, {},
      [this, exchange, asked = offset_.ask()](otlp::ExportAnswer answer, std::string_view date) {
        if (!date.empty()) offset_.note(asked, date);
        const std::lock_guard lock(mutex_);
        exchange->answer = std::move(answer);
        changed_.notify_all();
      });
  std::unique_lock lock(mutex_);
  // No time-out here: the client has one for each request.
  changed_.wait(lock, [&] { return exchange->answer.has_value() || is_interrupted_; });
  if (exchange->answer) return *std::move(exchange->answer);
  return otlp::judge_failure({ErrorCode::kUnavailable, "the agent is stopping"});
}

void CollectorLink::interrupt() {
  const std::lock_guard lock(mutex_);
  is_interrupted_ = true;
  changed_.notify_all();
}

}  // namespace vigia::agent::sender
