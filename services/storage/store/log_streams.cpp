#include "services/storage/store/log_streams.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "libs/model/labels.hpp"
#include "services/storage/store/stream_selector.hpp"

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

// By way of all of them: of an attribute that stands there twice the matchers see the same one.
LogStream stream_of(std::string_view resource) {
  std::vector<Label> labels;
  append_stream_labels(labels, resource);
  const Labels sorted = Labels::from(std::move(labels));
  LogStream stream;
  for (const auto& [name, member] : kLabels) stream.*member = sorted.get(name);
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
