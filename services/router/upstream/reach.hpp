// Whether a store answers at all, for those who would ask it and those who wait for it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace vigia::router::upstream {

/// A store that takes connections and never answers would hold each request to its time-out. Its
/// watch says here that it is away; who waits for it then is broken off. Any thread.
class Reach {
 public:
  /// While it is true nobody should ask. Becoming true breaks off what is under way.
  void set_away(bool is_away);
  bool is_away() const;
  /// Breaks off what is under way, whatever may be asked from now on.
  void break_off();

  /// A request begins; gives its ticket.
  std::uint64_t enter();
  /// How to break the request of that ticket off: called once at most, on the thread that learns of
  /// it, and at once where that was since enter. It must not block.
  void on_break(std::uint64_t ticket, std::function<void()> told);
  /// The request is over: it is told nothing any more.
  void leave(std::uint64_t ticket);

 private:
  struct UnderWay {
    std::function<void()> told;  // empty until it is known
    bool is_broken = false;
  };

  mutable std::mutex mutex_;
  bool is_away_ = false;
  std::uint64_t last_ticket_ = 0;
  std::map<std::uint64_t, UnderWay> under_way_;
};

}  // namespace vigia::router::upstream
