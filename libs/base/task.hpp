// A callable that moves: std::function wants what can be copied, and so a job that owns the answer
// to a request would have to be shared. std::move_only_function is C++23.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace vigia {

template <typename Signature>
class Task;

/// Holds any callable of that signature, also one that only moves, and lets go of it when it is
/// destroyed, assigned nullptr or moved from. Called as often as its callable allows; like
/// std::function's, its call is const, whatever the callable does with its own state. Calling an
/// empty one is a fault of the caller's (it crashes). What is small and moves without throwing
/// (four words) is held inside, all else on the heap.
///
/// Thread contract: as its callable's; a Task adds nothing that threads would share.
template <typename R, typename... Arguments>
class Task<R(Arguments...)> {
 public:
  Task() = default;
  Task(std::nullptr_t) {}  // NOLINT(google-explicit-constructor): as std::function
  template <typename F>
    requires(!std::same_as<std::remove_cvref_t<F>, Task> &&
             std::is_invocable_r_v<R, std::decay_t<F>&, Arguments...>)
  Task(F&& callable) {  // NOLINT(google-explicit-constructor): as std::function
    // An empty function or null pointer stays an empty task, so that `if (task)` can be asked.
    if constexpr (std::is_constructible_v<bool, const std::decay_t<F>&> &&
                  !std::is_convertible_v<const std::decay_t<F>&, bool>) {
      if (!static_cast<bool>(callable)) return;
    } else if constexpr (std::is_pointer_v<std::decay_t<F>>) {
      if (callable == nullptr) return;
    }
    hold<std::decay_t<F>>(std::forward<F>(callable));
  }
  Task(Task&& other) noexcept { take(other); }
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      // What it held may, while it is let go, look at this task again: that one is the new one.
      Task old(std::move(*this));
      take(other);
    }
    return *this;
  }
  Task& operator=(std::nullptr_t) noexcept {
    const Task old(std::move(*this));
    return *this;
  }
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  ~Task() {
    if (actions_ != nullptr) actions_->destroy(room_);
  }

  explicit operator bool() const { return actions_ != nullptr; }
  R operator()(Arguments... arguments) const {
    return actions_->call(room_, std::forward<Arguments>(arguments)...);
  }

 private:
  static constexpr std::size_t kRoomBytes = 4 * sizeof(void*);

  /// What to do with a callable of one type; one table for each such type.
  struct Actions {
    R (*call)(std::byte* room, Arguments&&... arguments);
    void (*move)(std::byte* from, std::byte* to) noexcept;  ///< nothing is left in `from`
    void (*destroy)(std::byte* room) noexcept;
  };

  template <typename F>
  static constexpr bool kFits = sizeof(F) <= kRoomBytes && alignof(F) <= alignof(void*) &&
                                std::is_nothrow_move_constructible_v<F>;

  /// The callable in a room, which holds either itself or the pointer to it.
  template <typename F>
  static F& held(std::byte* room) {
    if constexpr (kFits<F>) {
      return *std::launder(reinterpret_cast<F*>(room));
    } else {
      return **std::launder(reinterpret_cast<F**>(room));
    }
  }

  template <typename F>
  static R call(std::byte* room, Arguments&&... arguments) {
    if constexpr (std::is_void_v<R>) {
      std::invoke(held<F>(room), std::forward<Arguments>(arguments)...);
    } else {
      return std::invoke(held<F>(room), std::forward<Arguments>(arguments)...);
    }
  }

  template <typename F>
  static void move(std::byte* from, std::byte* to) noexcept {
    if constexpr (kFits<F>) {
      std::construct_at(reinterpret_cast<F*>(to), std::move(held<F>(from)));
      std::destroy_at(&held<F>(from));
    } else {
      std::construct_at(reinterpret_cast<F**>(to), &held<F>(from));
    }
  }

  template <typename F>
  static void destroy(std::byte* room) noexcept {
    if constexpr (kFits<F>) {
      std::destroy_at(&held<F>(room));
    } else {
      const std::unique_ptr<F> owned(&held<F>(room));
    }
  }

  template <typename F, typename Given>
  void hold(Given&& callable) {
    if constexpr (kFits<F>) {
      std::construct_at(reinterpret_cast<F*>(room_), std::forward<Given>(callable));
    } else {
      auto owned = std::make_unique<F>(std::forward<Given>(callable));
      std::construct_at(reinterpret_cast<F**>(room_), owned.release());
    }
    static constexpr Actions kActions{&call<F>, &move<F>, &destroy<F>};
    actions_ = &kActions;
  }

  /// This task holds nothing.
  void take(Task& other) noexcept {
    actions_ = std::exchange(other.actions_, nullptr);
    if (actions_ != nullptr) actions_->move(other.room_, room_);
  }

  alignas(void*) mutable std::byte room_[kRoomBytes];
  const Actions* actions_ = nullptr;
};

}  // namespace vigia
