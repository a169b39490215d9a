#include "services/storage/store/log_streams.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "libs/wire/otlp/attributes.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::storage::store {
namespace {

using Member = std::string LogStream::*;
constexpr std::array<std::pair<std::string_view, Member>, 3> kLabels = {
    {{"service_name", &LogStream::service_name},
     {"node_id", &LogStream::node_id},
     {"environment", &LogStream::environment}}};

const Member* member_of(std::string_view label) {
  const auto at = std::find_if(kLabels.begin(), kLabels.end(),
                               [&](const auto& known) { return known.first == label; });
  return at == kLabels.end() ? nullptr : &at->second;
}

}  // namespace

// Without the labels that tell no streams apart: a request may have a resource for each record. Of
// an attribute that stands there twice the last one counts, as for matchers.
LogStream stream_of(std::string_view resource) {
  LogStream stream;
  wire::otlp::for_each_attribute({resource, wire::otlp::ResourceField::kAttributes.number},
                                 [&](const wire::otlp::KeyValueView& attribute) {
                                   std::string_view name = attribute.key;
                                   if (name == "service.name") name = "service_name";
                                   if (name == "node.id") name = "node_id";
                                   const Member* const member = member_of(name);
                                   if (member == nullptr) return;
                                   std::string& value = stream.**member;
                                   value.clear();
                                   wire::otlp::append_value_text(value, attribute.value);
                                 });
  return stream;
}

bool ask_for_streams(const LabelMatchers& matchers) {
  return std::any_of(matchers.begin(), matchers.end(), [](const LabelMatcher& matcher) {
    return member_of(matcher.name()) != nullptr;
  });
}

bool may_match(const LabelMatchers& matchers, const LogStream& stream) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const LabelMatcher& matcher) {
    const Member* const member = member_of(matcher.name());
    return member == nullptr || matcher.matches(stream.**member);
  });
}

}  // namespace vigia::storage::store
