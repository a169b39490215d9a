#include "services/router/spool/stored_stream.hpp"

#include <algorithm>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "libs/net/gzip_writer.hpp"

namespace vigia::router::spool {
namespace {

using Piece = Result<std::optional<std::string>>;

constexpr std::size_t kPieceBytes = 64U << 10U;
// Read at once to be compressed, which makes it a tenth as a rule.
constexpr std::size_t kGzipPieceBytes = 256U << 10U;

/// The event loop asks for pieces; what a disk has to be waited for comes on another thread, which
/// wakes the loop.
class StoredStream : public std::enable_shared_from_this<StoredStream> {
 public:
  explicit StoredStream(BodyParts body) : body_(std::move(body)) {}

  Piece next() {
    std::unique_lock lock(mutex_);
    if (late_) return take_late_locked();
    if (is_reading_) return std::nullopt;
    if (!body_.head.empty()) return std::exchange(body_.head, {});
    while (range_ < body_.ranges.size() && body_.ranges[range_].size == 0) ++range_;
    if (range_ == body_.ranges.size()) return std::exchange(body_.tail, {});  // "": the end
    const auto& left = body_.ranges[range_];
    const std::size_t count = std::min<std::uint64_t>(left.size, kPieceBytes);
    auto piece = body_.bytes->read_at_once(left.at, count);
    if (!piece) return piece;
    if (*piece) {
      pass_locked((*piece)->size());
      return piece;
    }
    is_reading_ = true;
    const std::uint64_t at = left.at;
    lock.unlock();  // it may be let go at once, which is told here
    body_.bytes->read_later(at, count, Reading(shared_from_this()));
    return std::nullopt;
  }

  const std::shared_ptr<net::StreamWaker>& waker() const { return waker_; }

 private:
  /// A piece that is being waited for. Where nobody reads it, the client is to see that.
  class Reading {
   public:
    explicit Reading(std::shared_ptr<StoredStream> stream) : stream_(std::move(stream)) {}
    Reading(Reading&&) noexcept = default;
    Reading& operator=(Reading&&) = delete;
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    ~Reading() {
      if (stream_) stream_->take(fail(ErrorCode::kInternal, "the rest of the answer was not read"));
    }
    void operator()(Result<std::string> piece) {
      std::exchange(stream_, nullptr)->take(std::move(piece));
    }

   private:
    std::shared_ptr<StoredStream> stream_;  // shared with the server
  };

  void take(Result<std::string> piece) {
    {
      const std::lock_guard lock(mutex_);
      late_ = std::move(piece);
      is_reading_ = false;
    }
    waker_->wake();
  }

  Piece take_late_locked() {
    const auto piece = std::exchange(late_, std::nullopt);
    if (!*piece) return tl::unexpected<Error>(piece->error());
    pass_locked((*piece)->size());
    return **piece;
  }

  void pass_locked(std::size_t count) {
    body_.ranges[range_].at += count;
    body_.ranges[range_].size -= count;
  }

  std::mutex mutex_;
  BodyParts body_;
  std::size_t range_ = 0;  // that is being sent
  bool is_reading_ = false;
  std::optional<Result<std::string>> late_;
  // Shared with the server.
  const std::shared_ptr<net::StreamWaker> waker_ = std::make_shared<net::StreamWaker>();
};

/// The same in gzip: compressing takes longer than reading does, so all is done on the thread that
/// may wait.
class GzipStream : public std::enable_shared_from_this<GzipStream> {
 public:
  GzipStream(BodyParts parts, std::shared_ptr<net::StreamWaker> waker)
      : parts_(std::move(parts)), waker_(std::move(waker)) {}

  Piece next() {
    {
      const std::lock_guard lock(mutex_);
      if (ready_) {
        if (!*ready_) return tl::unexpected<Error>(ready_->error());
        if (!(*ready_)->empty()) return std::exchange(ready_, std::nullopt)->value();
        return std::string();  // the end
      }
      if (std::exchange(is_making_, true)) return std::nullopt;
    }
    make();
    return std::nullopt;
  }

 private:
  /// A piece that is made. Where nobody makes it, the client is to see that.
  class Making {
   public:
    explicit Making(std::shared_ptr<GzipStream> stream) : stream_(std::move(stream)) {}
    Making(Making&&) noexcept = default;
    Making& operator=(Making&&) = delete;
    Making(const Making&) = delete;
    Making& operator=(const Making&) = delete;
    ~Making() {
      if (stream_) stream_->give(fail(ErrorCode::kInternal, "the rest of the answer was not read"));
    }
    void operator()(Result<std::string> piece) {
      stream_->pack(std::move(piece));
      stream_ = nullptr;
    }

   private:
    std::shared_ptr<GzipStream> stream_;  // shared with the server
  };

  /// Of one thread at a time: the loop that asks for the first, then who makes the one before.
  void make() {
    auto& ranges = parts_.ranges;
    while (range_ < ranges.size() && ranges[range_].size == 0) ++range_;
    if (range_ == ranges.size()) return end();
    const std::size_t count = std::min<std::uint64_t>(ranges[range_].size, kGzipPieceBytes);
    parts_.bytes->read_later(ranges[range_].at, count, Making(shared_from_this()));
  }

  void pack(Result<std::string> piece) {
    if (!piece) return give(std::move(piece));
    parts_.ranges[range_].at += piece->size();
    parts_.ranges[range_].size -= piece->size();
    std::string packed = writer_.add(std::exchange(parts_.head, {}));
    packed += writer_.add(*piece);
    // What is well compressed may give nothing yet.
    packed.empty() ? make() : give(std::move(packed));
  }

  void end() {
    if (std::exchange(is_packed_, true)) return give(std::string());
    std::string packed = writer_.add(std::exchange(parts_.head, {}));
    packed += writer_.add(parts_.tail);
    give(packed + writer_.finish());
  }

  void give(Result<std::string> packed) {
    {
      const std::lock_guard lock(mutex_);
      ready_ = std::move(packed);
      is_making_ = false;
    }
    waker_->wake();
  }

  // Of who makes a piece.
  BodyParts parts_;
  std::size_t range_ = 0;
  net::GzipWriter writer_;
  bool is_packed_ = false;

  std::mutex mutex_;
  bool is_making_ = false;
  std::optional<Result<std::string>> ready_;
  const std::shared_ptr<net::StreamWaker> waker_;  // shared with the server
};

}  // namespace

void send_stored(net::Response& response, BodyParts body) {
  const auto stream = std::make_shared<StoredStream>(body);
  response.waker = stream->waker();
  response.stream = [stream] { return stream->next(); };
  response.gzip_stream = [packed = std::shared_ptr<GzipStream>(), body = std::move(body),
                          waker = stream->waker()]() mutable {
    // Made when it is asked for: few clients take it, and what packs has a quarter of a MiB.
    if (!packed) packed = std::make_shared<GzipStream>(std::move(body), waker);
    return packed->next();
  };
}

}  // namespace vigia::router::spool
