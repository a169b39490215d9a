#include "services/storage/store/rocksdb/events/span_names.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <set>
#include <string>

#include "services/storage/store/rocksdb/events/search_key.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// A page ends at either: of long names as many as were asked for would take a multiple of what an
// answer may hold before anybody counts them.
constexpr std::size_t kPageNames = 1'000;
constexpr std::size_t kPageBytes = 1U << 20U;

// The first ones of all days that make a page.
class FirstNames {
 public:
  explicit FirstNames(std::size_t names_max) : names_max_(std::min(names_max, kPageNames)) {}
  /// False where this one and all behind it belong to the next page.
  bool add(std::string_view name) {
    if (next_ && name >= *next_) return false;
    if (names_.emplace(name).second) bytes_ += name.size();
    while (names_.size() > names_max_ || (bytes_ > kPageBytes && names_.size() > 1)) {
      next_ = std::move(names_.extract(std::prev(names_.end())).value());
      bytes_ -= next_->size();
    }
    return true;
  }
  const std::set<std::string>& names() const { return names_; }
  bool is_last() const { return !next_; }

 private:
  const std::size_t names_max_;
  std::set<std::string> names_;
  std::size_t bytes_ = 0;
  std::optional<std::string> next_;  // the first one of the next page
};

constexpr std::size_t kTail = 2;  // behind an operation's name: a NUL, so that names are in order

std::string operation_text(const Operation& operation) {
  return operation.name + '\0' + static_cast<char>(operation.kind);
}

// Names of one day behind `prefix`, from the one behind `after` on.
Result<void> add_names(kv::OrderedStore& store, const std::string& prefix, const std::string& after,
                       const WorkLimit& limit, FirstNames& names, std::size_t shortest = 0) {
  const std::string from = after.empty() ? prefix : prefix + after + '\0';
  const auto scan = store.scan(kv::Family::kSpans, from, kv::after_prefix(prefix));
  while (scan->next()) {
    if (auto over = limit.check(); !over) return over;
    const std::string_view name = scan->key().substr(prefix.size());
    if (name.size() < shortest) continue;  // no row of ours
    if (!names.add(name)) break;
  }
  return scan->status();
}

}  // namespace

Result<TextPage> SpanNames::services(const ServiceQuery& query) const {
  FirstNames names(query.services_max);
  for (const std::uint32_t day : days_) {
    if (auto over = limit_.check(); !over) return forward(over);
    const auto added =
        add_names(store_, search_key::services(day, customer_), query.after, limit_, names);
    if (!added) return forward(added);
  }
  return TextPage{{names.names().begin(), names.names().end()}, names.is_last()};
}

Result<OperationPage> SpanNames::operations(std::string_view service,
                                            const OperationQuery& query) const {
  FirstNames names(query.operations_max);
  const std::uint64_t hash = search_key::hash_of(service);
  const std::string after = query.after ? operation_text(*query.after) : "";
  for (const std::uint32_t day : days_) {
    if (auto over = limit_.check(); !over) return forward(over);
    const auto added = add_names(store_, search_key::operations(day, customer_, hash), after,
                                 limit_, names, kTail);
    if (!added) return forward(added);
  }
  OperationPage page;
  page.is_last = names.is_last();
  for (const std::string& text : names.names()) {
    page.operations.push_back(
        {text.substr(0, text.size() - kTail),
         static_cast<std::uint32_t>(static_cast<unsigned char>(text.back()))});
  }
  return page;
}

}  // namespace vigia::storage::store::rocksdb::events
