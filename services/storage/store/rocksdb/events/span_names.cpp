#include "services/storage/store/rocksdb/events/span_names.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <string>

#include "services/storage/store/rocksdb/events/search_key.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"

namespace vigia::storage::store::rocksdb::events {
namespace {

// The first ones of all days, one more than are asked for.
class FirstNames {
 public:
  explicit FirstNames(std::size_t names_max) : names_max_(names_max) {}
  /// False where this one and all behind it are too many.
  bool add(std::string_view name) {
    if (names_.size() > names_max_ && name >= *names_.rbegin()) return false;
    names_.emplace(name);
    if (names_.size() > names_max_ + 1) names_.erase(std::prev(names_.end()));
    return true;
  }
  const std::set<std::string>& names() const { return names_; }

 private:
  const std::size_t names_max_;
  std::set<std::string> names_;
};

constexpr std::size_t kTail = 2;  // behind an operation's name: a NUL, so that names are in order

std::string operation_text(const Operation& operation) {
  return operation.name + '\0' + static_cast<char>(operation.kind);
}

// Names of one day behind `prefix`, from the one behind `after` on.
Result<void> add_names(kv::OrderedStore& store, const std::string& prefix, const std::string& after,
                       const WorkLimit& limit, FirstNames& names) {
  const std::string from = after.empty() ? prefix : prefix + after + '\0';
  const auto scan = store.scan(kv::Family::kSpans, from, kv::after_prefix(prefix));
  while (scan->next()) {
    if (auto over = limit.check(); !over) return over;
    if (!names.add(scan->key().substr(prefix.size()))) break;
  }
  return scan->status();
}

std::size_t bounded(std::size_t names_max) {
  return std::min(names_max, SIZE_MAX - 1);  // one more is looked for
}

}  // namespace

Result<TextPage> SpanNames::services(const ServiceQuery& query) const {
  FirstNames names(bounded(query.services_max));
  for (const std::uint32_t day : days_) {
    if (auto over = limit_.check(); !over) return forward(over);
    const auto added =
        add_names(store_, search_key::services(day, customer_), query.after, limit_, names);
    if (!added) return forward(added);
  }
  TextPage page{{names.names().begin(), names.names().end()},
                names.names().size() <= query.services_max};
  if (!page.is_last) page.texts.resize(query.services_max);
  return page;
}

Result<OperationPage> SpanNames::operations(std::string_view service,
                                            const OperationQuery& query) const {
  FirstNames names(bounded(query.operations_max));
  const std::uint64_t hash = search_key::hash_of(service);
  const std::string after = query.after ? operation_text(*query.after) : "";
  for (const std::uint32_t day : days_) {
    if (auto over = limit_.check(); !over) return forward(over);
    const auto added =
        add_names(store_, search_key::operations(day, customer_, hash), after, limit_, names);
    if (!added) return forward(added);
  }
  OperationPage page;
  page.is_last = names.names().size() <= query.operations_max;
  for (const std::string& text : names.names()) {
    if (page.operations.size() == query.operations_max) break;
    if (text.size() < kTail) continue;  // no row of ours
    page.operations.push_back(
        {text.substr(0, text.size() - kTail),
         static_cast<std::uint32_t>(static_cast<unsigned char>(text.back()))});
  }
  return page;
}

}  // namespace vigia::storage::store::rocksdb::events
