// One answer, made of what hot and storage say of the same.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "services/router/api/prometheus/answer.hpp"
#include "services/router/api/prometheus/store_parts.hpp"
#include "services/router/request/exchange.hpp"
#include "services/router/run/fan_out.hpp"

namespace vigia::router::api::prometheus {

/// How the data of the stores' answers becomes one. `Piece` has `bytes()`, what it holds in memory.
template <typename Piece>
struct Merging {
  /// Of the part with that number (see StoreParts). On the thread on which it came, several at
  /// once.
  std::function<Result<Piece>(std::size_t number, std::string_view data)> read;
  /// Puts the merged data behind the begin of a body; an error is the answer instead. Once, on one
  /// thread.
  std::function<Result<void>(const std::vector<Piece>& pieces, StoreParts& parts,
                             std::string& body)>
      write;
};

/// The parts of one answer as they come, counted in the customer's share of bytes; sends what is
/// made of them. If one fails the others' answer goes out with a warning.
template <typename Piece>
class Merged final : public run::Gathering<Piece>,
                     public std::enable_shared_from_this<Merged<Piece>> {
 public:
  using typename run::Gathering<Piece>::Answer;

  /// `stores` must outlive it. `payer`: in whose share it counts.
  Merged(request::Exchange open, stores::Stores& stores, StoreParts parts, std::string payer,
         Merging<Piece> merging)
      : exchange_(std::move(open)),
        stores_(stores),
        parts_(std::move(parts)),
        payer_(std::move(payer)),
        merging_(std::move(merging)),
        held_(stores.shares().hold(payer_)) {}

  Result<Piece> read(std::size_t number, const Answer& answer) const override {
    if (!answer || !answer->is_success()) {
      return fail(ErrorCode::kUnavailable, "a store does not answer");
    }
    return merging_.read(number, answer->data());
  }

  void take(std::size_t number, const Answer& answer, Result<Piece> piece) override {
    if (!answer && access::limit_of(answer.error())) over_limit_ = answer.error();
    if (!answer && answer.error().code == ErrorCode::kDeadline) is_late_ = true;
    if (!piece) return parts_.note_missing(number, answer);
    if (!held_->grow(piece->bytes())) {
      is_over_ = true;
      return;
    }
    bytes_ += piece->bytes();
    pieces_.push_back(std::move(*piece));
    parts_.note_there(number, answer);
  }

  void finish() override {
    // This may be the client's event loop, which all answers share: sorting much would hold them
    // up.
    if (bytes_ < upstream::Readers::kLargeBytes) return send();
    stores_.readers().read(payer_, bytes_, [self = this->shared_from_this()] { self->send(); });
  }

 private:
  void send() {
    if (exchange_.interest()->is_lost()) {
      return exchange_.fail({ErrorCode::kDeadline, "the client has left"});
    }
    // The body is there beside the pieces until it is whole; it is about as long as they are.
    if (is_over_ || !held_->grow(bytes_)) {
      return exchange_.fail(
          {ErrorCode::kOverLimit,
           "this answer is larger than what others leave room for; read them, or ask for less",
           std::chrono::seconds(1)});
    }
    if (is_late_ && !over_limit_) over_limit_ = exchange_.over_time();
    if (over_limit_) return exchange_.fail(*over_limit_);
    if (pieces_.empty()) return exchange_.send(parts_.refused());
    std::string body = begin_success();
    if (auto may = merging_.write(pieces_, parts_, body); !may) return exchange_.fail(may.error());
    // From here on the exchange counts the body, and nothing else is there.
    pieces_ = {};
    held_.reset();
    exchange_.send(end_success(std::move(body), parts_.take_notes()));
  }

  request::Exchange exchange_;
  stores::Stores& stores_;
  StoreParts parts_;
  const std::string payer_;
  const Merging<Piece> merging_;
  std::vector<Piece> pieces_;
  std::optional<access::ByteShares::HeldBytes>
      held_;                         ///< for the pieces, and the body made of them
  std::size_t bytes_ = 0;            ///< of the pieces
  bool is_over_ = false;             ///< the customer's share
  bool is_late_ = false;             ///< a store is
  std::optional<Error> over_limit_;  ///< of the caller's own, at any of the stores
};

}  // namespace vigia::router::api::prometheus
