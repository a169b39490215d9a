#include "services/router/spool/arriving_body.hpp"

#include <utility>

namespace vigia::router::spool {

using net::PieceVerdict;

ArrivingBody::ArrivingBody(const Spool& spool, Shares shares, Later later)
    : spool_(spool),
      later_(std::move(later)),
      memory_(std::move(shares.memory)),
      disk_(std::move(shares.disk)) {}

/// A batch of work. Where it ends early, by a fault or because no thread came to it, whoever waits
/// for the answer is let go.
class ArrivingBody::Work {
 public:
  explicit Work(std::shared_ptr<ArrivingBody> body) : body_(std::move(body)) {}
  Work(Work&&) noexcept = default;
  Work& operator=(Work&&) = delete;
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  ~Work() {
    if (body_) body_->break_off();
  }
  void operator()() {
    body_->work();
    body_.reset();
  }

 private:
  std::shared_ptr<ArrivingBody> body_;  // shared with the client's exchange
};

PieceVerdict ArrivingBody::take(std::string_view piece) {
  const bool is_small = !is_large_ && text_.size() + piece.size() <= kSpooledBytesMin;
  if (is_small) return take_small(piece);
  bool is_due = false;
  {
    const std::lock_guard lock(mutex_);
    if (fault_) return PieceVerdict::kRefused;
    if (!pending_.empty() && pending_.size() + piece.size() > kPendingBytesMax) {
      is_waiting_ = true;
      return PieceVerdict::kLater;
    }
    if (auto room = make_room_locked(piece.size()); !room) {
      fault_ = std::move(room.error());
      return PieceVerdict::kRefused;
    }
    pending_ += piece;
    is_due = !std::exchange(is_working_, true);
  }
  if (is_due) begin_work();
  return PieceVerdict::kTaken;
}

PieceVerdict ArrivingBody::take_small(std::string_view piece) {
  if (memory_->grow(piece.size())) {
    text_ += piece;
    return PieceVerdict::kTaken;
  }
  const std::lock_guard lock(mutex_);
  fault_ = Error{ErrorCode::kOverLimit,
                 "other answers under way leave no room for this one; read them, or ask for less"};
  return PieceVerdict::kRefused;
}

Result<void> ArrivingBody::make_room_locked(std::size_t bytes) {
  if (!disk_->grow(text_.size() + bytes)) return tl::unexpected<Error>(spool_.over_share());
  if (!std::exchange(is_large_, true)) pending_ = std::exchange(text_, {});
  return {};
}

void ArrivingBody::on_room(std::function<void()> resume) {
  bool is_due = false;
  {
    const std::lock_guard lock(mutex_);
    resume_ = resume;
    is_due = is_waiting_;
  }
  // Nobody could tell the client before.
  if (is_due) resume();
}

void ArrivingBody::finish(Task<void(Result<void>)> done) {
  if (!is_large_) return done({});
  bool is_due = false;
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    done_ = std::move(done);
    is_due = !std::exchange(is_working_, true);
  }
  if (is_due) begin_work();
}

void ArrivingBody::abandon() {
  const std::lock_guard lock(mutex_);
  if (!fault_) fault_ = Error{ErrorCode::kDeadline, "nobody waits for the answer"};
  pending_ = std::string();
}

std::optional<Error> ArrivingBody::fault() const {
  const std::lock_guard lock(mutex_);
  return fault_;
}

/// Without the lock: the task may be let go at once.
void ArrivingBody::begin_work() { later_(Work(shared_from_this())); }

/// One batch: the customer's other work is not to wait for all of a large answer.
void ArrivingBody::work() {
  std::string batch;
  std::function<void()> resume;
  {
    const std::lock_guard lock(mutex_);
    batch.swap(pending_);
    if (is_waiting_ && resume_) {
      is_waiting_ = false;
      resume = resume_;
    }
  }
  // The next pieces may come while this one is written.
  if (resume) resume();
  end_work(store(batch));
}

Result<void> ArrivingBody::store(std::string_view batch) {
  if (auto failed = fault()) return tl::unexpected<Error>(std::move(*failed));
  if (!scanner_.take(batch)) {
    return fail(ErrorCode::kCorrupt, "the answer is not what Prometheus' API gives");
  }
  if (!file_) {
    auto opened = spool_.open(later_);
    if (!opened) return tl::unexpected<Error>(opened.error());
    file_ = std::move(*opened);
  }
  if (auto written = file_->append(batch); !written) {
    return tl::unexpected<Error>(spool_.no_room(written.error().message));
  }
  return {};
}

void ArrivingBody::end_work(Result<void> stored) {
  Task<void(Result<void>)> done;
  std::function<void()> resume;
  bool is_due = false;
  {
    const std::lock_guard lock(mutex_);
    if (!stored) {
      if (!fault_) fault_ = stored.error();
      pending_ = std::string();
      file_.reset();
      disk_.reset();  // take looks at the fault first
    }
    is_due = !pending_.empty();
    is_working_ = is_due;
    if (!is_due && is_over_) done = std::exchange(done_, nullptr);
    // Of the fault, which the client learns by its next offer.
    if (!is_due && is_waiting_ && resume_) {
      is_waiting_ = false;
      resume = resume_;
    }
  }
  if (resume) resume();
  if (is_due) begin_work();
  if (!done) return;
  if (stored) file_->seal(std::move(*disk_));
  done(std::move(stored));
}

void ArrivingBody::break_off() noexcept {
  // Let go without the lock: what waits for the answer has a share in this.
  Task<void(Result<void>)> done;
  const std::lock_guard lock(mutex_);
  if (!fault_) fault_ = Error{ErrorCode::kUnavailable, "the rest of the answer was not kept"};
  pending_ = std::string();
  is_working_ = false;
  done = std::exchange(done_, nullptr);
}

Result<wire::prometheus_api::Envelope> ArrivingBody::take_envelope() {
  auto file = std::move(file_);
  auto scanned = scanner_.finish();
  if (!scanned) return forward(scanned);
  return wire::prometheus_api::Envelope::read_stored(std::move(*scanned), std::move(file));
}

}  // namespace vigia::router::spool
