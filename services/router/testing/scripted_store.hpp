// A store that answers what a test says, and remembers what it was asked.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "libs/base/task.hpp"
#include "services/router/upstream/ask.hpp"

namespace vigia::router::testing {

/// `body` as a store's answer. Ends the test program where it is none.
wire::prometheus_api::Envelope envelope_of(std::string body);
/// {"status":"success","data":DATA}.
wire::prometheus_api::Envelope data_of(std::string_view data);

/// Keeps every ask until `answer` or `fail` is called for it. Any thread.
class ScriptedStore final : public upstream::AskedStore {
 public:
  using Done = Task<void(Result<wire::prometheus_api::Envelope>)>;

  void ask(upstream::Ask ask, Done done) const override;
  void fetch(upstream::Ask ask, Task<void(Result<net::ClientResponse>)> done) const override;

  /// From now on every ask is answered at once by this.
  void always(Result<wire::prometheus_api::Envelope> answer) { always_ = std::move(answer); }
  /// Answers the ask of that number, counted from 0, on this thread. Once.
  void answer(std::size_t number, Result<wire::prometheus_api::Envelope> answer);
  /// What it was asked, in order.
  const std::vector<upstream::Ask>& asks() const { return asks_; }

 private:
  // `ask` is const, as of every store: what it keeps is the test's.
  mutable std::mutex mutex_;
  mutable std::vector<upstream::Ask> asks_;
  mutable std::vector<Done> waiting_;
  std::optional<Result<wire::prometheus_api::Envelope>> always_;
};

}  // namespace vigia::router::testing
