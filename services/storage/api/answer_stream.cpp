#include "services/storage/api/answer_stream.hpp"

#include <utility>

namespace vigia::storage::api {

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
    if (stream_) stream_->break_off({ErrorCode::kInternal, "the rest of the answer was not made"});
  }
  void operator()() {
    stream_->make();
    stream_.reset();
  }

 private:
  std::shared_ptr<AnswerStream> stream_;
};

AnswerStream::AnswerStream(std::unique_ptr<read::ChunkStream> pieces,
                           std::shared_ptr<std::atomic<bool>> gone, GoOn go_on)
    : pieces_(std::move(pieces)), gone_(std::move(gone)), go_on_(std::move(go_on)) {}

Result<void> AnswerStream::begin() {
  make();
  const std::lock_guard lock(mutex_);
  if (ready_.empty() && error_) return tl::unexpected<Error>(*error_);
  return {};
}

void AnswerStream::make() {
  while (!has_enough()) {
    if (!keep(pieces_->next())) break;
    waker_->wake();
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
  const bool is_last = !piece || piece->empty();
  if (is_last) pieces_->pause();
  const std::lock_guard lock(mutex_);
  if (!is_last) {
    ready_bytes_ += piece->size();
    ready_.push_back(std::move(*piece));
    return true;
  }
  if (!piece) error_ = std::move(piece.error());
  pieces_->memory().release(std::exchange(let_go_bytes_, 0));
  is_over_ = true;
  is_making_ = false;
  return false;
}

void AnswerStream::break_off(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    error_ = error;
    is_over_ = true;
  }
  waker_->wake();
}

Result<std::optional<std::string>> AnswerStream::take() {
  std::unique_lock lock(mutex_);
  const std::size_t sent = std::exchange(taken_bytes_, 0);
  if (is_making_) {
    let_go_bytes_ += sent;
  } else {
    pieces_->memory().release(sent);
  }
  if (ready_.empty()) {
    if (error_) return tl::unexpected<Error>(*error_);
    return is_over_ ? std::optional<std::string>("") : std::nullopt;
  }
  std::string piece = std::move(ready_.front());
  ready_.pop_front();
  ready_bytes_ -= piece.size();
  taken_bytes_ = piece.size();
  const bool goes_on = !is_making_ && !is_over_ && ready_bytes_ < kResumeBytes;
  is_making_ = is_making_ || goes_on;
  lock.unlock();
  if (goes_on) resume();
  return piece;
}

void AnswerStream::resume() { (void)go_on_(Turn(shared_from_this())); }

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
