// Several stores asked at once.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/upstream/ask.hpp"

namespace vigia::router::run {

/// One store, and what it is asked.
struct AddressedAsk {
  const upstream::AskedStore* store = nullptr;  ///< outlives the answer
  upstream::Ask ask;
};

/// What becomes of the answers of one round. They are numbered as the asks.
template <typename Piece>
class Gathering {
 public:
  using Answer = Result<wire::prometheus_api::Envelope>;
  Gathering() = default;
  Gathering(const Gathering&) = delete;
  Gathering& operator=(const Gathering&) = delete;
  virtual ~Gathering() = default;

  /// Makes of an answer what is kept of it. On the thread on which it came, several at once: what
  /// takes long belongs here. `const` because nothing may be written without the lock of `take`.
  virtual Result<Piece> read(std::size_t number, const Answer& answer) const = 0;
  /// Keeps it. On the same thread, one at a time.
  virtual void take(std::size_t number, const Answer& answer, Result<Piece> piece) = 0;
  /// Once, on the thread of the last answer, when all have been taken.
  virtual void finish() = 0;
};

/// Asks all, whatever becomes of one, and lives as long as an answer is missing. At least one ask;
/// the first answer may be there before the second store is asked. Any thread.
template <typename Piece>
void fan_out(std::vector<AddressedAsk> asks, std::shared_ptr<Gathering<Piece>> gathering) {
  struct Round {
    std::mutex mutex;
    std::size_t missing = 0;
    std::shared_ptr<Gathering<Piece>> gathering;
  };
  auto round = std::make_shared<Round>();
  round->missing = asks.size();  // before the first is asked: its answer may be there at once
  round->gathering = std::move(gathering);
  for (std::size_t number = 0; number < asks.size(); ++number) {
    asks[number].store->ask(std::move(asks[number].ask),
                            [round, number](const Result<wire::prometheus_api::Envelope>& answer) {
                              // Without the lock: a large one takes long, and the next may come on
                              // everybody's thread.
                              Result<Piece> piece = round->gathering->read(number, answer);
                              bool is_last = false;
                              {
                                const std::lock_guard lock(round->mutex);
                                round->gathering->take(number, answer, std::move(piece));
                                is_last = --round->missing == 0;
                              }
                              if (is_last) round->gathering->finish();
                            });
  }
}

}  // namespace vigia::router::run
