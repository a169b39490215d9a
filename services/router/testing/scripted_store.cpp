#include "services/router/testing/scripted_store.hpp"

#include <string_view>

#include <fmt/format.h>

#include "libs/base/check.hpp"

namespace vigia::router::testing {

wire::prometheus_api::Envelope envelope_of(std::string body) {
  auto envelope = wire::prometheus_api::Envelope::read(std::move(body));
  CHECK(envelope.has_value());
  return std::move(*envelope);
}

wire::prometheus_api::Envelope data_of(std::string_view data) {
  return envelope_of(fmt::format(R"({{"status":"success","data":{}}})", data));
}

void ScriptedStore::ask(upstream::Ask ask, Done done) const {
  {
    const std::lock_guard lock(mutex_);
    asks_.push_back(std::move(ask));
    waiting_.push_back(always_ ? Done() : std::move(done));
  }
  if (always_) done(*always_);
}

void ScriptedStore::fetch(upstream::Ask /*ask*/,
                          Task<void(Result<net::ClientResponse>)> done) const {
  done(fail(ErrorCode::kUnavailable, "nothing is fetched from a scripted store"));
}

void ScriptedStore::answer(std::size_t number, Result<wire::prometheus_api::Envelope> answer) {
  Done done;
  {
    const std::lock_guard lock(mutex_);
    done = std::exchange(waiting_.at(number), nullptr);
  }
  CHECK(done);
  done(std::move(answer));
}

}  // namespace vigia::router::testing
