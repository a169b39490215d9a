#include "libs/net/responder.hpp"

#include <utility>

#include "libs/base/check.hpp"
#include "libs/net/internal/responder_target.hpp"
#include "libs/net/status.hpp"

namespace vigia::net {

Responder::Responder(std::shared_ptr<Target> target) : target_(std::move(target)) {}
Responder::Responder(Responder&&) noexcept = default;

namespace {

Response internal_fault() {
  Response response;
  response.status = http_status(ErrorCode::kInternal);
  response.grpc_code = GrpcCode::kInternal;
  response.grpc_message = "the request was dropped without an answer";
  return response;
}

}  // namespace

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    if (target_) target_->answer(internal_fault());
    target_ = std::move(other.target_);
  }
  return *this;
}

Responder::~Responder() {
  if (target_) target_->answer(internal_fault());
}

void Responder::send(Response response) {
  CHECK(target_ != nullptr);
  std::exchange(target_, nullptr)->answer(std::move(response));
}

void Responder::on_gone(Task<void()> told) const {
  CHECK(target_ != nullptr);
  target_->on_gone(std::move(told));
}

}  // namespace vigia::net
