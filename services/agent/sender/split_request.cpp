#include "services/agent/sender/split_request.hpp"

#include <vector>

#include <protozero/exception.hpp>
#include <protozero/pbf_writer.hpp>

#include "libs/wire/otlp/fields.hpp"

namespace vigia::agent::sender {

namespace {

using wire::otlp::ExportRequestField;
using wire::otlp::FieldReader;
using wire::otlp::GroupField;

// Where the repeated messages stand: resources in a request, scopes in a resource, items in a
// scope.
constexpr std::uint32_t kChildField[] = {ExportRequestField::kGroups.number,
                                         GroupField::kMembers.number, GroupField::kMembers.number};
constexpr std::size_t kLevels = 3;

struct Parts {
  std::vector<std::string_view> children;  // without their tags
  std::string rest;                        // all other fields, which both halves get
};

Parts read_parts(std::string_view message, std::uint32_t child_field) {
  Parts parts;
  FieldReader reader(message);
  while (reader.next()) {
    if (reader.tag_and_type() == wire::otlp::bytes_field(child_field)) {
      parts.children.push_back(reader.bytes());
    } else {
      reader.skip();
      parts.rest.append(reader.field_begin(), reader.position());
    }
  }
  return parts;
}

std::string join(const Parts& parts, std::uint32_t child_field, std::size_t from, std::size_t to) {
  std::string message = parts.rest;
  protozero::pbf_writer writer(message);
  for (std::size_t index = from; index < to; ++index) {
    writer.add_message(child_field, parts.children[index].data(), parts.children[index].size());
  }
  return message;
}

std::optional<std::pair<std::string, std::string>> split_level(std::string_view message,
                                                               std::size_t level) {
  const std::uint32_t field = kChildField[level];
  Parts parts = read_parts(message, field);
  const std::size_t count = parts.children.size();
  if (count > 1) {
    return std::pair{join(parts, field, 0, count / 2), join(parts, field, count / 2, count)};
  }
  if (count == 0 || level + 1 == kLevels) return std::nullopt;
  const auto halves = split_level(parts.children.front(), level + 1);
  if (!halves) return std::nullopt;
  parts.children = {halves->first, halves->second};
  return std::pair{join(parts, field, 0, 1), join(parts, field, 1, 2)};
}

}  // namespace

std::optional<std::pair<std::string, std::string>> split_request(std::string_view body) {
  try {
    return split_level(body, 0);
  } catch (const protozero::exception&) {
    return std::nullopt;
  }
}

}  // namespace vigia::agent::sender
