// What is asked of the hot store.
#pragma once

#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "services/storage/healing/settings.hpp"

namespace vigia::storage::healing {

/// From from_ms to to_ms, both included.
struct Stretch {
  TimestampMs from_ms = 0;
  TimestampMs to_ms = 0;
};

/// Thread contract: one thread; close from any. Errors: kUnavailable and kDeadline where nobody
/// answers, kTooLarge where less has to be asked for, kCorrupt and kInvalid for what is no answer.
class HotStore {
 public:
  virtual ~HotStore() = default;
  /// The label customer_id of series that it has made, as they are written there: perhaps nobody's
  /// id.
  virtual Result<std::vector<std::string>> customers(const Stretch& stretch) = 0;
  /// What it has made of the customer's: frames of ChunkedReadResponse.
  virtual Result<std::string> made_series(const CustomerId& customer, const Stretch& stretch) = 0;
  /// Ends what is being asked, and what will be, with kUnavailable.
  virtual void close() = 0;
};

/// A Prometheus, by its label API and remote read.
class Prometheus final : public HotStore {
 public:
  /// Of an answer: what is larger is asked for in parts.
  static constexpr std::size_t kAnswerBytesMax = 16U << 20U;

  explicit Prometheus(const HealSettings& settings);
  Result<std::vector<std::string>> customers(const Stretch& stretch) override;
  Result<std::string> made_series(const CustomerId& customer, const Stretch& stretch) override;
  void close() override { client_->close(); }

 private:
  Result<std::string> ask(net::ClientRequest request, std::string_view content_type);

  const std::string url_;
  const std::optional<net::TlsClientSettings> tls_;
  const std::unique_ptr<net::Client> client_;
};

}  // namespace vigia::storage::healing
