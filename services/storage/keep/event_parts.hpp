// Spans or log records as they were read, put together to requests as they came.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "services/storage/store/events.hpp"

namespace vigia::storage::keep {

/// Makes an Export{Trace,Logs}ServiceRequest (both have the same fields). Neighbours that say the
/// same of their resource and scope share them; the order stays. Thread contract: one thread.
class EventParts {
 public:
  void add(const store::EventView& event);
  std::size_t items() const { return items_; }
  /// Of what take() gives, about.
  std::size_t bytes() const { return body_.size() + scopes_.size() + events_.size(); }
  /// The request; begins anew.
  std::string take();

 private:
  struct Origin {
    std::string message;
    std::string schema_url;
    bool is(std::string_view own, std::string_view own_url) const {
      return message == own && schema_url == own_url;
    }
  };
  void end_scope();
  void end_resource();

  Origin resource_;
  Origin scope_;
  std::string body_;
  std::string scopes_;  // of the resource at hand
  std::string events_;  // of the scope at hand
  std::size_t items_ = 0;
};

}  // namespace vigia::storage::keep
