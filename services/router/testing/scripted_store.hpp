// A store that answers what a test says, and remembers what it was asked.
#pragma once

#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "services/router/upstream/ask.hpp"

namespace vigia::router::testing {

/// `body` as a store's answer. Ends the test program where it is none.
json::Envelope envelope_of(std::string body);
/// {"status":"success","data":DATA}.
json::Envelope data_of(std::string_view data);

/// Keeps every ask until `answer` or `fail` is called for it. Any thread.
class ScriptedStore final : public upstream::AskedStore {
 public:
  using Done = std::function<void(Result<json::Envelope>)>;

  void ask(upstream::Ask ask, Done done) const override;
  void fetch(upstream::Ask ask,
             std::function<void(Result<net::ClientResponse>)> done) const override;

  /// From now on every ask is answered at once by this.
  void always(Result<json::Envelope> answer) { always_ = std::move(answer); }
  /// Answers the ask of that number, counted from 0, on this thread. Once.
  void answer(std::size_t number, Result<json::Envelope> answer);
  /// What it was asked, in order.
  const std::vector<upstream::Ask>& asks() const { return asks_; }

 private:
  // `ask` is const, as of every store: what it keeps is the test's.
  mutable std::mutex mutex_;
  mutable std::vector<upstream::Ask> asks_;
  mutable std::vector<Done> waiting_;
  std::optional<Result<json::Envelope>> always_;
};

}  // namespace vigia::router::testing
