#include "services/collector/exporters/remote_write/utf8_guard.hpp"

#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "libs/json/strict_reader.hpp"
#include "services/collector/exporters/http_transport.hpp"

namespace vigia::collector::exporters::remote_write {
namespace {

constexpr auto kAskAgain = std::chrono::minutes(10);
constexpr auto kAskAgainOfOld = std::chrono::seconds(30);
constexpr std::size_t kResponseBytesMax = 64U << 10U;

/// Where Prometheus says its version, "" where the endpoint is no such path.
std::string version_url(std::string_view endpoint) {
  endpoint = endpoint.substr(0, endpoint.find_first_of("?#"));
  constexpr std::string_view kWrite = "/api/v1/write";
  if (!endpoint.ends_with(kWrite)) return "";
  endpoint.remove_suffix(kWrite.size());
  return fmt::format("{}/api/v1/status/buildinfo", endpoint);
}

/// The version of a Prometheus before 3, "" of anything else. Others answer at this path too, with
/// a version of their own (Mimir names its application) or a made up one without Go's.
std::string old_version(const net::ClientResponse& response) {
  if (response.status != 200) return "";
  const auto document = json::parse_json(response.body);
  if (!document) return "";
  const json::JsonValue& data = (*document)["data"];
  const std::string version = data["version"].text().value_or("");
  const bool is_prometheus = data["goVersion"].text().has_value() && !data.has("application");
  const bool is_old =
      version.starts_with("0.") || version.starts_with("1.") || version.starts_with("2.");
  return is_prometheus && is_old ? version : "";
}

struct Message {
  CustomerId customer;
  Signal signal;
  std::string text;
};

/// Outlives the guard where an answer is still to come.
class Guarded : public std::enable_shared_from_this<Guarded> {
 public:
  Guarded(std::unique_ptr<delivery::MessageTransport> next, const HttpSettings& settings,
          net::Client& client, const Clock& clock)
      : next_(std::move(next)), client_(client), clock_(clock) {
    ask_.url = version_url(settings.endpoint);
    ask_.timeout = settings.timeout;
    ask_.response_bytes_max = kResponseBytesMax;
    ask_.tls = tls_of(settings);
    ask_.headers = configured_headers(settings);
  }

  void send(const CustomerId& customer, Signal signal, std::string_view message,
            Task<void(delivery::Answer)> done) {
    if (ask_.url.empty() || is_known()) {
      pass(customer, signal, message, std::move(done));
      return;
    }
    client_.send(net::ClientRequest(ask_),
                 [self = shared_from_this(), kept = Message{customer, signal, std::string(message)},
                  done = std::move(done)](Result<net::ClientResponse> response) mutable {
                   if (!response) {
                     done(answer_of(response.error()));
                     return;
                   }
                   self->note(old_version(*response));
                   self->pass(kept.customer, kept.signal, kept.text, std::move(done));
                 });
  }

 private:
  bool is_known() const {
    const std::lock_guard lock(mutex_);
    if (!asked_) return false;
    return clock_.steady() - *asked_ <
           (old_.empty() ? Duration(kAskAgain) : Duration(kAskAgainOfOld));
  }

  void note(std::string old) {
    const std::lock_guard lock(mutex_);
    old_ = std::move(old);
    asked_ = clock_.steady();
  }

  void pass(const CustomerId& customer, Signal signal, std::string_view message,
            Task<void(delivery::Answer)> done) {
    std::string old;
    {
      const std::lock_guard lock(mutex_);
      old = old_;
    }
    if (old.empty()) {
      next_->send(customer, signal, message, std::move(done));
      return;
    }
    delivery::Answer answer{delivery::Answer::Kind::kRetry};
    answer.why = fmt::format(
        "the destination is Prometheus {}, which leaves out series with names in UTF-8: give this "
        "exporter translation_strategy: UnderscoreEscapingWithSuffixes, or bring Prometheus to 3",
        shorten(old));
    answer.retry_after = kAskAgainOfOld;
    done(std::move(answer));
  }

  const std::unique_ptr<delivery::MessageTransport> next_;
  net::Client& client_;
  const Clock& clock_;
  net::ClientRequest ask_;
  mutable std::mutex mutex_;
  std::string old_;
  std::optional<TimePoint> asked_;
};

class Utf8Guard final : public delivery::MessageTransport {
 public:
  explicit Utf8Guard(std::shared_ptr<Guarded> guarded) : guarded_(std::move(guarded)) {}
  void send(const CustomerId& customer, Signal signal, std::string_view message,
            Task<void(delivery::Answer)> done) override {
    guarded_->send(customer, signal, message, std::move(done));
  }

 private:
  const std::shared_ptr<Guarded> guarded_;
};

}  // namespace

std::unique_ptr<delivery::MessageTransport> guard_utf8(
    std::unique_ptr<delivery::MessageTransport> next, const HttpSettings& settings,
    net::Client& client, const Clock& clock) {
  return std::make_unique<Utf8Guard>(
      std::make_shared<Guarded>(std::move(next), settings, client, clock));
}

}  // namespace vigia::collector::exporters::remote_write
