// Names of several customers in one answer.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/net/message.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/store/trace_query.hpp"

namespace vigia::storage::api {

inline std::size_t bytes_of(const std::string& name) { return name.size(); }
inline std::size_t bytes_of(const store::Operation& operation) { return operation.name.size(); }

/// The first names, one more than are asked for. Those it keeps are counted; `bytes_of(name)` says
/// how long one is. Thread contract: one thread.
template <typename Name>
class FirstOf {
 public:
  /// `memory` must outlive it.
  FirstOf(std::size_t names_max, lanes::AnswerMemory& memory)
      : names_max_(names_max), held_(memory) {}
  /// The pages of one customer, each counted before the next is read: `read(after)` gives one, and
  /// `names(page)` what it holds.
  template <typename Read, typename Names>
  Result<void> add_pages(Read&& read, Names&& names) {
    for (std::optional<Name> after;;) {
      auto page = read(after);
      if (!page) return forward(page);
      std::vector<Name>& more = names(*page);
      const bool is_last = page->is_last || more.empty();
      if (!more.empty()) after = more.back();
      if (auto added = add(more); !added) return added;
      if (is_last || (names_.size() == wanted() && *after >= *names_.rbegin())) return {};
    }
  }
  /// The memory's errors.
  Result<void> add(std::vector<Name>& names) {
    for (Name& name : names) {
      const auto [at, is_new] = names_.insert(std::move(name));
      if (is_new) bytes_ += kept_bytes(*at);
    }
    while (names_.size() > wanted()) {
      bytes_ -= kept_bytes(*names_.rbegin());
      names_.erase(std::prev(names_.end()));
    }
    return held_.set(bytes_);
  }
  /// Before the answer is finished, which keeps the memory of its text alone.
  void clear() {
    names_.clear();
    bytes_ = 0;
    held_.set(0);
  }
  /// Gives each to `visit`, which returns an error where there is no room; the last one where there
  /// are more.
  template <typename Visit>
  Result<std::optional<Name>> visit(Visit&& visit) const {
    std::size_t left = names_max_;
    std::optional<Name> last;
    for (const Name& name : names_) {
      if (left-- == 0) return last;
      if (auto added = visit(name); !added) return forward(added);
      last = name;
    }
    return std::optional<Name>();
  }

 private:
  std::size_t wanted() const { return names_max_ + 1; }
  static std::size_t kept_bytes(const Name& name) {
    constexpr std::size_t kNode = 64;  // of the set, and what an allocation takes besides
    return sizeof(Name) + kNode + bytes_of(name);
  }

  const std::size_t names_max_;
  std::set<Name> names_;
  std::size_t bytes_ = 0;
  lanes::HeldMemory held_;
};

/// {"status":"success","data":["name",…],"cursor":"…"}. `names` is empty after. `gaps`: AnswerBody.
net::Response answer_names(FirstOf<std::string>& names,
                           const std::shared_ptr<lanes::AnswerMemory>& memory,
                           std::string_view gaps);

}  // namespace vigia::storage::api
