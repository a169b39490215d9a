#include "services/monitor/internal_port/unanswered.hpp"

#include "services/monitor/api/answers.hpp"

namespace vigia::monitor::internal_port {

Unanswered::~Unanswered() {
  if (responder_) send(api::to_response(api::Refusal(503, "unavailable", "too many requests")));
}

}  // namespace vigia::monitor::internal_port
