#include "services/collector/exporters/push_settings.hpp"

namespace vigia::collector::exporters {
namespace {

using service::ConfigNode;

void read_retry(const ConfigNode& node, PushSettings& push, config::Notes& notes) {
  push.retry_initial = node.child("initial_interval").duration(push.retry_initial);
  push.retry_max = node.child("max_interval").duration(push.retry_max);
  const std::string_view why = "what is acknowledged is retried until max_age";
  config::take_note(node.child("enabled"), why, notes);
  config::take_note(node.child("max_elapsed_time"), why, notes);
  config::take_note(node.child("multiplier"), "delays double", notes);
  config::take_note(node.child("randomization_factor"), "delays are jittered", notes);
}

/// A share of which nothing is none.
std::uint64_t read_share(const ConfigNode& node, std::uint64_t fallback) {
  const std::uint64_t bytes = node.bytes(fallback);
  if (bytes == 0) node.note_error("must be more than 0");
  return bytes;
}

}  // namespace

PushSettings read_push_settings(const ConfigNode& node, const config::PartContext& context) {
  PushSettings push;
  read_retry(node.child("retry_on_failure"), push, context.notes);
  push.give_up_after = node.child("give_up_after").duration(push.give_up_after);
  push.side_customer_bytes_max = read_share(node.child("side_queue").child("customer_bytes_max"),
                                            push.side_customer_bytes_max);
  push.refused_bytes_per_second = read_share(
      node.child("refusals").child("customer_bytes_per_second"), push.refused_bytes_per_second);
  push.batch_bytes_max = node.child("max_batch_size_bytes").bytes(push.batch_bytes_max);
  config::take_notes(node, {"sending_queue", "remote_write_queue"}, "the disk log is the queue",
                     context.notes);
  config::take_note(node.child("batcher"), "batches are gathered from the disk log", context.notes);
  return push;
}

}  // namespace vigia::collector::exporters
