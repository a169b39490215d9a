#include "services/collector/exporters/sender_settings.hpp"

namespace vigia::collector::exporters {
namespace {

using service::ConfigNode;

void read_headers(const ConfigNode& node, SenderSettings& sender) {
  for (const std::string& name : node.keys()) {
    sender.headers.emplace_back(name, node.child(name).text());
  }
}

void read_client_tls(const ConfigNode& node, BareEndpoint bare, SenderSettings& sender) {
  sender.ca_file = node.child("ca_file").text();
  sender.cert_file = node.child("cert_file").text();
  sender.key_file = node.child("key_file").text();
  sender.tls_skip_verify = node.child("insecure_skip_verify").boolean(false);
  const bool is_plain = node.child("insecure").boolean(false);
  if (is_plain && sender.endpoint.starts_with("https://")) {
    node.child("insecure").note_error("contradicts the endpoint's https://");
  }
  if (bare == BareEndpoint::kTls && !sender.endpoint.empty() &&
      sender.endpoint.find("://") == std::string::npos) {
    sender.endpoint = (is_plain ? "http://" : "https://") + sender.endpoint;
  }
}

void check_scheme(const ConfigNode& node, const SenderSettings& sender) {
  if (sender.endpoint.empty() || sender.endpoint.starts_with("http://") ||
      sender.endpoint.starts_with("https://"))
    return;
  node.child("endpoint").note_error("must be a URL that begins with http:// or https://");
}

void read_auth(const ConfigNode& node, const config::PartContext& context, SenderSettings& sender) {
  if (!node.is_present()) return;
  const ConfigNode authenticator = node.child("authenticator");
  const auto token = context.bearer_tokens.find(authenticator.text());
  if (token == context.bearer_tokens.end()) {
    authenticator.note_error("is not a bearertokenauth described under extensions");
    return;
  }
  sender.headers.emplace_back("Authorization", token->second);
}

void read_retry(const ConfigNode& node, SenderSettings& sender, config::Notes& notes) {
  sender.retry_initial = node.child("initial_interval").duration(sender.retry_initial);
  sender.retry_max = node.child("max_interval").duration(sender.retry_max);
  const std::string_view why = "what is acknowledged is retried until max_age";
  config::take_note(node.child("enabled"), why, notes);
  config::take_note(node.child("max_elapsed_time"), why, notes);
  config::take_note(node.child("multiplier"), "delays double", notes);
  config::take_note(node.child("randomization_factor"), "delays are jittered", notes);
}

}  // namespace

SenderSettings read_sender(const ConfigNode& node, BareEndpoint bare,
                           const config::PartContext& context) {
  SenderSettings sender;
  sender.endpoint = node.child("endpoint").required_text();
  read_headers(node.child("headers"), sender);
  read_client_tls(node.child("tls"), bare, sender);
  check_scheme(node, sender);
  read_auth(node.child("auth"), context, sender);
  read_retry(node.child("retry_on_failure"), sender, context.notes);
  sender.timeout = node.child("timeout").duration(sender.timeout);
  sender.give_up_after = node.child("give_up_after").duration(sender.give_up_after);
  const ConfigNode side_share = node.child("side_queue").child("customer_bytes_max");
  sender.side_customer_bytes_max = side_share.bytes(sender.side_customer_bytes_max);
  if (sender.side_customer_bytes_max == 0) side_share.note_error("must be more than 0");
  const ConfigNode refusals = node.child("refusals").child("customer_bytes_per_second");
  sender.refused_bytes_per_second = refusals.bytes(sender.refused_bytes_per_second);
  if (sender.refused_bytes_per_second == 0) refusals.note_error("must be more than 0");
  sender.compression = node.child("compression").text();
  sender.batch_bytes_max = node.child("max_batch_size_bytes").bytes(sender.batch_bytes_max);
  config::take_note(node.child("sending_queue"), "the disk log is the queue", context.notes);
  config::take_note(node.child("remote_write_queue"), "the disk log is the queue", context.notes);
  return sender;
}

}  // namespace vigia::collector::exporters
