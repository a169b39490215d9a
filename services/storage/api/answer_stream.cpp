#include "services/storage/api/answer_stream.hpp"

#include <chrono>
#include <utility>

#include "libs/base/fault.hpp"

namespace vigia::storage::api {
namespace {

// Before the first piece an error is an answer of its own, with its words; so that is waited for.
constexpr Duration kFirstTurn = std::chrono::seconds(2);
constexpr Duration kTurn = std::chrono::milliseconds(100);
// What the event loop keeps of a piece, it keeps whole until the last byte is sent.
constexpr std::size_t kPartBytes = 256U << 10U;

}  // namespace

/// A time of making. Where it ends early, by a fault or because no thread came to it, the client
/// is to see that something is missing.
class AnswerStream::Turn {
 public:
  explicit Turn(std::shared_ptr<AnswerStream> stream) : stream_(std::move(stream)) {}
  Turn(Turn&&) noexcept = default;
  Turn& operator=(Turn&&) = delete;
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    if (stream_) stream_->break_off();
  }
  void operator()() {
    stream_->make(kTurn);
    stream_.reset();
  }

 private:
  std::shared_ptr<AnswerStream> stream_;
};

AnswerStream::AnswerStream(std::unique_ptr<read::ChunkStream> pieces,
                           std::shared_ptr<std::atomic<bool>> gone, GoOn go_on)
    : pieces_(std::move(pieces)), gone_(std::move(gone)), go_on_(std::move(go_on)) {}

Result<void> AnswerStream::begin() {
  make(kFirstTurn);
  const std::lock_guard lock(mutex_);
  if (error_) return tl::unexpected<Error>(*error_);
  return {};
}

// After go_on the next turn may run already: nothing is touched then.
void AnswerStream::make(Duration turn) {
  const auto turn_end = std::chrono::steady_clock::now() + turn;
  while (!has_enough()) {
    auto piece = pieces_->next(turn_end);
    const bool is_cut_short = piece && !piece->has_value();
    if (!is_cut_short) {
      if (!keep(piece ? Result<std::string>(std::move(**piece)) : forward(piece))) break;
      waker_->wake();
    }
    if (std::chrono::steady_clock::now() >= turn_end) {
      pieces_->pause();
      return go_on();
    }
  }
  waker_->wake();
}

// Whoever makes gives back here what the client has taken meanwhile: between two series, where
// nothing else is being added to the answer's memory.
bool AnswerStream::has_enough() {
  {
    const std::lock_guard lock(mutex_);
    pieces_->memory().release(std::exchange(let_go_bytes_, 0));
    if (ready_bytes_ < kAheadBytes) return false;
  }
  pieces_->pause();
  const std::lock_guard lock(mutex_);
  pieces_->memory().release(std::exchange(let_go_bytes_, 0));
  is_making_ = ready_bytes_ < kResumeBytes;
  return !is_making_;
}

bool AnswerStream::keep(Result<std::string> piece) {
  auto parts = piece ? parts_of(std::move(*piece)) : forward(piece);
  const bool is_last = !parts || parts->empty();
  if (is_last) pieces_->pause();
  const std::lock_guard lock(mutex_);
  if (!is_last) {
    for (std::string& part : *parts) {
      ready_bytes_ += part.size();
      ready_.push_back(std::move(part));
    }
    return true;
  }
  if (!parts) error_ = std::move(parts.error());
  pieces_->memory().release(std::exchange(let_go_bytes_, 0));
  is_over_ = true;
  is_making_ = false;
  return false;
}

Result<std::deque<std::string>> AnswerStream::parts_of(std::string piece) {
  std::deque<std::string> parts;
  const lanes::ScratchMemory scratch(pieces_->memory());
  if (auto fits = pieces_->memory().add(piece.size()); !fits) return forward(fits);
  for (std::size_t at = 0; at < piece.size(); at += kPartBytes) {
    parts.push_back(piece.substr(at, kPartBytes));
  }
  return parts;
}

void AnswerStream::break_off() noexcept {
  contain_faults("storage: an answer is broken off", [this] {
    pieces_->pause();
    {
      const std::lock_guard lock(mutex_);
      is_broken_ = true;
      is_over_ = true;
      is_making_ = false;
    }
    waker_->wake();
  });
}

Result<std::optional<std::string>> AnswerStream::end_locked() const {
  if (error_) return tl::unexpected<Error>(*error_);
  if (is_broken_) return fail(ErrorCode::kInternal, "the rest of the answer was not made");
  return is_over_ ? std::optional<std::string>("") : std::nullopt;
}

Result<std::optional<std::string>> AnswerStream::take() {
  std::unique_lock lock(mutex_);
  const std::size_t sent = std::exchange(taken_bytes_, 0);
  if (is_making_) {
    let_go_bytes_ += sent;
  } else {
    pieces_->memory().release(sent);
  }
  // Whoever takes a little now and then holds it no longer than its work may take.
  if (!is_over_) {
    if (auto checked = pieces_->limit().check(); !checked) return forward(checked);
  }
  if (ready_.empty()) return end_locked();
  std::string piece = std::move(ready_.front());
  ready_.pop_front();
  ready_bytes_ -= piece.size();
  taken_bytes_ = piece.size();
  const bool goes_on = !is_making_ && !is_over_ && ready_bytes_ < kResumeBytes;
  is_making_ = is_making_ || goes_on;
  lock.unlock();
  if (goes_on) go_on();
  return piece;
}

void AnswerStream::go_on() { (void)go_on_(Turn(shared_from_this())); }

void AnswerStream::send_by(net::Response& response) {
  // Lives as long as the body's source: until the client has all of it, or is gone.
  struct Client {
    explicit Client(std::shared_ptr<AnswerStream> body) : stream(std::move(body)) {}
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { *stream->gone_ = true; }
    std::shared_ptr<AnswerStream> stream;
  };
  const auto client = std::make_shared<Client>(shared_from_this());
  response.stream = [client] { return client->stream->take(); };
  response.waker = waker_;
}

}  // namespace vigia::storage::api
