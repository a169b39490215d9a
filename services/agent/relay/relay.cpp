#include "services/agent/relay/relay.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>
#include <protozero/exception.hpp>

#include "libs/base/fault.hpp"
#include "libs/net/status.hpp"
#include "libs/otlp/door.hpp"
#include "libs/otlp/paths.hpp"
#include "libs/wire/otlp/json.hpp"

namespace vigia::agent::relay {

namespace {

constexpr Duration kRetryAfter = std::chrono::seconds(1);

net::Response plain_answer(int status, std::string body) {
  net::Response response;
  response.status = status;
  response.headers.add("content-type", "text/plain");
  response.body = std::move(body);
  return response;
}

net::Response success(const net::RequestHead& head, Signal signal) {
  return otlp::accepted(signal, *otlp::form_of(head));
}

constexpr deltas::AccumulatorSettings kDeltas{.leaves_out_refused = true};

/// What of a request's delta points was not added up.
class PointsLeftOut final : public deltas::PointJudge {
 public:
  void refuse(std::uint32_t /*item*/, deltas::DeltaFault fault) override {
    ++by_fault_[static_cast<std::size_t>(fault)];
    ++all_;
  }
  std::uint32_t all() const { return all_; }
  std::string why() const {
    std::string text = fmt::format("{} delta points left out:", all_);
    const auto add = [&](deltas::DeltaFault fault, std::string_view sentence) {
      if (const auto count = by_fault_[static_cast<std::size_t>(fault)]; count > 0)
        text += fmt::format(" {} {};", count, sentence);
    };
    add(deltas::DeltaFault::kNoRoom,
        fmt::format("since the agent adds up {} delta series at most, in {} MiB (send cumulative, "
                    "or fewer series)",
                    kDeltas.streams_max, kDeltas.bytes_max >> 20U));
    add(deltas::DeltaFault::kRepeated,
        "since their series has a point of that time, or much newer ones");
    add(deltas::DeltaFault::kUnfit,
        "that no sum can be made of: no finite number, a counter that falls, a scale or zero "
        "threshold that no histogram has, no time");
    text.pop_back();
    return text;
  }

 private:
  std::array<std::uint32_t, 3> by_fault_{};
  std::uint32_t all_ = 0;
};

/// What was taken without some of its points (R-OTLP-6).
net::Response partial_success(const net::RequestHead& head, const PointsLeftOut& left_out) {
  if (left_out.all() == 0) return success(head, Signal::kMetrics);
  return otlp::accepted(Signal::kMetrics, *otlp::form_of(head), {left_out.all(), left_out.why()});
}

std::size_t index_of(Signal signal) { return static_cast<std::size_t>(signal) - 1; }

Error too_many_resources() {
  return {ErrorCode::kTooLarge,
          fmt::format("with customer and node on each of its resources the request is over {} MiB; "
                      "send fewer resources at once",
                      Relay::kStampedBytesMax >> 20U)};
}

void answer_refusal(health::AgentCounters& counters, const net::RequestHead& head, Signal signal,
                    const Error& error, net::Responder responder) {
  ++counters.relay_refusals[index_of(signal)];
  responder.send(net::otlp_error(head, error));
}

}  // namespace

Relay::Relay(const std::vector<host::ResourceAttribute>& attributes, Parts parts)
    : stamp_(attributes),
      parts_(parts),
      deltas_(parts.clock, kDeltas),
      thread_([this] { run(); }) {}

Relay::~Relay() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  arrived_.notify_all();
  thread_.join();
}

std::optional<net::Response> Relay::admit(net::RequestHead& head) {
  const auto signal = otlp::signal_of_path(head);
  if (head.transport == net::Transport::kGrpc) {
    if (signal) return std::nullopt;
    net::Response response;
    response.grpc_code = net::GrpcCode::kUnimplemented;
    response.grpc_message = "there are the Export methods of OTLP's metrics, traces and logs";
    return response;
  }
  if (!signal) return plain_answer(404, "there are /v1/metrics, /v1/traces and /v1/logs\n");
  if (head.method != "POST") {
    net::Response response = plain_answer(405, "POST only\n");
    response.headers.add("allow", "POST");
    return response;
  }
  if (!otlp::form_of(head)) {
    return plain_answer(415, "application/x-protobuf or application/json\n");
  }
  return std::nullopt;
}

void Relay::handle(net::Request request, net::Responder responder) {
  const auto signal = otlp::signal_of_path(request);
  if (!signal) return;  // admit has answered
  if (otlp::form_of(request) == otlp::BodyForm::kJson) {
    auto protobuf = wire::otlp::json_to_protobuf(*signal, request.body);
    if (!protobuf)
      return answer_refusal(parts_.counters, request, *signal, protobuf.error(),
                            std::move(responder));
    request.body = *std::move(protobuf);
  }
  const auto contents = inspect_request(*signal, request.body);
  if (!contents)
    return answer_refusal(parts_.counters, request, *signal, contents.error(),
                          std::move(responder));
  if (contents->items == 0) return responder.send(success(request, *signal));
  // Each resource grows by customer and node: two bytes of it may become two hundred.
  if (stamp_.stamped_bytes_max(request.body) > kStampedBytesMax) {
    return answer_refusal(parts_.counters, request, *signal, too_many_resources(),
                          std::move(responder));
  }
  Job job{static_cast<const net::RequestHead&>(request), std::move(request.body), *contents,
          std::move(responder)};
  // What depends on the requests before it goes through one thread, in their order; the rest goes
  // straight to the buffer.
  if (contents->has_deltas || contents->has_request_durations) {
    enqueue(std::move(job));
  } else {
    keep(std::move(job), *signal);
  }
}

void Relay::keep(Job job, Signal signal) {
  std::string stamped = stamp_.apply(job.body);
  const std::uint32_t items = job.contents.items;
  // May run after the relay has ended; the counters outlive the buffer. The body as it was sent is
  // not held until then.
  parts_.buffer.append(signal, std::move(stamped), items,
                       [counters = &parts_.counters, signal, items, head = std::move(job.head),
                        responder = std::move(job.responder)](const Result<void>& kept) mutable {
                         if (!kept)
                           return answer_refusal(*counters, head, signal, kept.error(),
                                                 std::move(responder));
                         counters->relayed_items[index_of(signal)] += items;
                         responder.send(success(head, signal));
                       });
}

void Relay::enqueue(Job job) {
  {
    const std::lock_guard lock(mutex_);
    // Refused at the bound, retryably: the application has the data and a buffer of its own.
    if (!is_stopping_ && waiting_.size() < kWaitingRequestsMax &&
        waiting_bytes_ + job.body.size() <= kWaitingBytesMax) {
      waiting_bytes_ += job.body.size();
      waiting_.push_back(std::move(job));
      arrived_.notify_one();
      return;
    }
  }
  answer_refusal(parts_.counters, job.head, Signal::kMetrics,
                 {ErrorCode::kUnavailable, "the agent does not keep up at present", kRetryAfter},
                 std::move(job.responder));
}

void Relay::run() {
  for (;;) {
    std::unique_lock lock(mutex_);
    arrived_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    // Stopping, and all that was taken over has been answered.
    if (waiting_.empty()) return;
    Job job = std::move(waiting_.front());
    waiting_.pop_front();
    waiting_bytes_ -= job.body.size();
    lock.unlock();
    process(std::move(job));
  }
}

Result<std::string> Relay::rewrite(const Job& job, deltas::PointJudge& left_out) {
  if (job.contents.has_request_durations) parts_.durations.observe(job.body);
  std::string stamped = stamp_.apply(job.body);
  if (job.contents.has_deltas) return deltas_.rewrite(stamped, left_out);
  return stamped;
}

void Relay::process(Job job) {
  PointsLeftOut left_out;
  const auto keep = [&]() -> Result<void> {
    try {
      auto body = rewrite(job, left_out);
      if (!body) return forward(body);
      if (left_out.all() >= job.contents.items) return {};  // nothing is left to keep
      return parts_.buffer.append_and_wait(Signal::kMetrics, *std::move(body),
                                           job.contents.items - left_out.all());
    } catch (const protozero::exception& damage) {
      return fail(ErrorCode::kInvalid, std::string("a point cannot be read: ") + damage.what());
    }
  };
  // Retryable: the application has the request still, and may have better luck with it.
  Result<void> kept = tl::unexpected<Error>(
      Error{ErrorCode::kUnavailable, "a fault of the agent, see its log", kRetryAfter});
  contain_faults("a relayed request", [&] { kept = keep(); });
  if (!kept) {
    parts_.durations.discard();
    deltas_.discard();
    return answer_refusal(parts_.counters, job.head, Signal::kMetrics, kept.error(),
                          std::move(job.responder));
  }
  // Only what the disk has counts: a request that was refused comes again.
  parts_.durations.commit();
  deltas_.commit();
  parts_.counters.relayed_items[0] += job.contents.items - left_out.all();
  parts_.counters.relay_items_left_out += left_out.all();
  job.responder.send(partial_success(job.head, left_out));
}

}  // namespace vigia::agent::relay
