// Streams of log records: what a record's resource says in the labels that tell streams apart.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

#include "services/storage/store/label_matcher.hpp"

namespace vigia::storage::store {

/// Of one customer: customer_id is the fourth of the labels. "" where the resource says nothing.
struct LogStream {
  std::string service_name;
  std::string node_id;
  std::string environment;
  auto operator<=>(const LogStream&) const = default;
};

/// The values as matchers see them (stream_selector.hpp). Throws protozero::exception on damaged
/// bytes.
LogStream stream_of(std::string_view resource);

/// Whether some of the matchers ask for a label that tells streams apart: else each stream may have
/// what is asked for.
bool ask_for_streams(const LabelMatchers& matchers);
/// False where no record of the stream has what the matchers ask for. They may ask for more labels,
/// which only a record's own resource answers.
bool may_match(const LabelMatchers& matchers, const LogStream& stream);

}  // namespace vigia::storage::store
