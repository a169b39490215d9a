#include "services/monitor/alerting/mail_outcomes.hpp"

#include <charconv>

#include "libs/base/fault.hpp"
#include "libs/net/status.hpp"
#include "services/monitor/alerting/limits.hpp"

namespace vigia::monitor::alerting {
namespace {

constexpr std::string_view kTried = "alertmanager_notification_requests_total{";
constexpr std::string_view kFailed = "alertmanager_notification_requests_failed_total{";
constexpr std::string_view kMailFailure = "the mail server does not take the message";
constexpr std::string_view kSharedFailure =
    "the mail server does not take the message, to this address or to another of the customer";

// Of `name="value"`; receivers of ours have no quote in their names.
std::string_view label_of(std::string_view line, std::string_view name) {
  const auto start = line.find(std::string(name) + "=\"");
  if (start == std::string_view::npos) return {};
  const auto value = line.substr(start + name.size() + 2);
  return value.substr(0, value.find('"'));
}

std::optional<double> value_of(std::string_view line) {
  const auto text = line.substr(line.rfind(' ') + 1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

std::map<std::string, MailCounts> read_mail_counts(std::string_view metrics) {
  std::map<std::string, MailCounts> counts;
  while (!metrics.empty()) {
    const auto line = metrics.substr(0, metrics.find('\n'));
    metrics.remove_prefix(std::min(metrics.size(), line.size() + 1));
    const bool is_tried = line.starts_with(kTried);
    if (!is_tried && !line.starts_with(kFailed)) continue;
    const auto receiver = label_of(line, "receiver_name");
    const auto value = value_of(line);
    if (label_of(line, "integration") != "email" || receiver.empty() || !value) continue;
    auto& one = counts[std::string(receiver)];
    (is_tried ? one.tried : one.failed) = *value;
  }
  return counts;
}

MailChange mail_change(const std::optional<MailCounts>& before, const MailCounts& now) {
  // Alertmanager's counts go back to before this program's start: what is in them already was told
  // then, or cannot be told to when it happened.
  if (!before) return {};
  // A counter that falls means that Alertmanager was started anew: all of it is new.
  const bool is_anew = now.tried < before->tried || now.failed < before->failed;
  const double tried = now.tried - (is_anew ? 0 : before->tried);
  const double failed = now.failed - (is_anew ? 0 : before->failed);
  return {tried > failed, failed > 0};
}

void note_mails(const MailReceiver& receiver, const MailChange& change,
                channels::ChannelOutcomes& outcomes) {
  const bool is_alone = receiver.told.size() == 1;
  for (const auto& channel : receiver.told) {
    if (change.has_failed) {
      outcomes.note_failed(channel.customer, channel.id,
                           std::string(is_alone ? kMailFailure : kSharedFailure));
    }
    // A mail of several may be another's: one is tried again alone, or the server still holds one.
    if (change.has_arrived && is_alone) outcomes.note_delivered(channel.customer, channel.id);
  }
}

void MailOutcomes::start() {
  thread_ = std::thread([this] { run(); });
}

void MailOutcomes::stop() {
  {
    const std::scoped_lock lock(mutex_);
    is_ending_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void MailOutcomes::run() {
  while (true) {
    // Where it does not answer, the looks at the live state and the watchdog tell.
    contain_faults("looking at mails sent", [this] { static_cast<void>(look()); });
    std::unique_lock lock(mutex_);
    if (wake_.wait_for(lock, kMailLookInterval, [this] { return is_ending_; })) return;
  }
}

void MailOutcomes::note_receivers(const std::vector<channels::ChannelRow>& channels) {
  std::map<std::string, std::string> receivers;
  bool is_other = false;
  for (const auto& channel : channels) {
    if (channel.type != "email") continue;
    const auto& name = receivers[channel.id] = mail_group(channel);
    const auto before = receivers_.find(channel.id);
    is_other = is_other || (before != receivers_.end() && before->second != name);
  }
  receivers_ = std::move(receivers);
  if (is_other) on_other_receivers_();
}

Result<void> MailOutcomes::look() {
  auto channels = database_.read([](store::DatabaseConnection& connection) {
    return channels::list_all_channels(connection);
  });
  if (!channels) return forward(channels);
  note_receivers(*channels);
  net::ClientRequest request;
  request.url = url_ + "/metrics";
  request.response_bytes_max = kMailCountersBytesMax;
  request.timeout = kAlertmanagerTimeout;
  auto answer = client_.fetch(std::move(request));
  if (!answer) return forward(answer);
  if (auto error = net::error_from_http(answer->status, answer->headers, answer->body)) {
    return tl::unexpected<Error>(std::move(*error));
  }
  auto counts = read_mail_counts(answer->body);
  // The others are in no receiver, and names say who is.
  std::erase_if(*channels,
                [](const auto& one) { return one.state != channels::ChannelState::kActive; });
  for (const auto& receiver : mail_receivers(*channels)) {
    const auto now = counts.find(receiver.name);
    if (now == counts.end()) continue;
    std::optional<MailCounts> before;
    if (last_) before = (*last_)[receiver.name];  // a receiver that is new began at nothing
    note_mails(receiver, mail_change(before, now->second), outcomes_);
  }
  last_ = std::move(counts);
  return {};
}

}  // namespace vigia::monitor::alerting
