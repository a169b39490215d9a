// Label bytes of series, each text once: the nodes of a fleet have the same series but for the
// labels of their resource, which are kept apart.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <boost/unordered/unordered_flat_set.hpp>

namespace vigia::series {

/// Thread contract: one thread at a time.
class FormsPool {
 public:
  FormsPool();
  ~FormsPool();
  FormsPool(const FormsPool&) = delete;
  FormsPool& operator=(const FormsPool&) = delete;

  /// The same bytes, which stay where they are until they are released as often as they were kept;
  /// nullptr for none. Up to 4 GiB.
  const char* keep(std::string_view forms);
  /// `forms` is what keep() gave for `size` bytes.
  void release(const char* forms, std::size_t size);
  /// What keep() of these would take: nothing where they are here.
  std::uint64_t bytes_for(std::string_view forms) const;
  /// Of all texts, with what each takes beside its own bytes.
  std::uint64_t bytes() const { return bytes_; }

 private:
  // In front of its bytes.
  struct Head {
    std::uint32_t references = 0;
    std::uint32_t size = 0;
    std::string_view text() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  };
  // Under a secret: a sender could make texts that all meet otherwise.
  struct Hash {
    using is_transparent = void;
    using is_avalanching = void;
    std::string_view secret;
    std::size_t operator()(std::string_view text) const noexcept;
    std::size_t operator()(const Head* head) const noexcept { return (*this)(head->text()); }
  };
  struct Equal {
    using is_transparent = void;
    static std::string_view text_of(std::string_view text) { return text; }
    static std::string_view text_of(const Head* head) { return head->text(); }
    template <typename A, typename B>
    bool operator()(const A& a, const B& b) const noexcept {
      return text_of(a) == text_of(b);
    }
  };
  static std::uint64_t cost(std::size_t size);

  const std::string secret_;
  boost::unordered_flat_set<Head*, Hash, Equal> heads_;
  std::uint64_t bytes_ = 0;
};

}  // namespace vigia::series
