#include "libs/logql/pipeline/json_line.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <simdjson.h>

#include "libs/logql/limits.hpp"
#include "libs/logql/pipeline/line_labels.hpp"
#include "libs/promql/text.hpp"

namespace vigia::logql::pipeline {
namespace {

namespace ondemand = simdjson::ondemand;
using simdjson::error_code;
using simdjson::SUCCESS;

/// A number, true or false as it is written; empty where it is neither.
std::string_view token_of(ondemand::value& value) {
  std::string_view token = value.raw_json_token();
  token = token.substr(0, token.find_last_not_of(" \t\n\r") + 1);
  const bool is_number = token.find_first_not_of("+-.0123456789eE") == std::string_view::npos;
  return is_number || token == "true" || token == "false" ? token : std::string_view();
}

Result<void> told(error_code error) {
  if (error == SUCCESS) return {};
  if (error == simdjson::INCORRECT_TYPE) {
    return fail(ErrorCode::kInvalid, "the line is no JSON object");
  }
  return fail(ErrorCode::kInvalid, simdjson::error_message(error));
}

/// One walk over the members of a line.
class MemberWalk {
 public:
  explicit MemberWalk(const JsonLine::See& see) : see_(see) {}

  error_code object(ondemand::object object) {
    if (++depth_ > kLineJsonDepthMax) return simdjson::DEPTH_ERROR;
    const std::size_t outer = prefix_.size();
    for (auto field : object) {
      std::string_view key;
      ondemand::value value;
      if (const error_code error = field.unescaped_key().get(key)) return error;
      if (const error_code error = field.value().get(value)) return error;
      if (outer > 0) prefix_ += '_';
      prefix_ += label_name_of(key, outer == 0);
      const error_code error = member(value);
      prefix_.resize(outer);
      if (error != SUCCESS || is_over_) return error;
    }
    --depth_;
    return SUCCESS;
  }

 private:
  error_code member(ondemand::value& value) {
    ondemand::json_type type{};
    if (const error_code error = value.type().get(type)) return error;
    switch (type) {
      case ondemand::json_type::object: {
        ondemand::object inner;
        if (const error_code error = value.get_object().get(inner)) return error;
        return object(inner);
      }
      case ondemand::json_type::string: {
        std::string_view text;
        if (const error_code error = value.get_string().get(text)) return error;
        show(text);
        return SUCCESS;
      }
      case ondemand::json_type::number:
      case ondemand::json_type::boolean: {
        const std::string_view token = token_of(value);
        if (token.empty()) return simdjson::TAPE_ERROR;
        show(token);
        return SUCCESS;
      }
      default:
        return SUCCESS;
    }
  }

  void show(std::string_view value) {
    if (!prefix_.empty()) is_over_ = !see_(prefix_, value);
  }

  const JsonLine::See& see_;
  std::string prefix_;
  std::size_t depth_ = 0;
  bool is_over_ = false;
};

/// One walk along paths.
class PathWalk {
 public:
  PathWalk(const std::vector<JsonPath>& paths, const JsonLine::SeePath& see)
      : paths_(paths), see_(see) {}

  /// `on_way`: the paths whose first `depth` steps lead to these members.
  error_code object(ondemand::object object, const std::vector<std::size_t>& on_way,
                    std::size_t depth) {
    for (auto field : object) {
      std::string_view key;
      ondemand::value value;
      if (const error_code error = field.unescaped_key().get(key)) return error;
      if (const error_code error = field.value().get(value)) return error;
      const error_code error = go_on(value, on_way, depth, [&](const auto& step) {
        const auto* name = std::get_if<std::string>(&step);
        return name != nullptr && *name == key;
      });
      if (error != SUCCESS || is_over_) return error;
    }
    return SUCCESS;
  }

  error_code array(ondemand::array array, const std::vector<std::size_t>& on_way,
                   std::size_t depth) {
    std::size_t index = 0;
    for (auto item : array) {
      ondemand::value value;
      if (const error_code error = item.get(value)) return error;
      const error_code error = go_on(value, on_way, depth, [&](const auto& step) {
        const auto* place = std::get_if<std::size_t>(&step);
        return place != nullptr && *place == index;
      });
      if (error != SUCCESS || is_over_) return error;
      ++index;
    }
    return SUCCESS;
  }

 private:
  template <typename IsStep>
  error_code go_on(ondemand::value& value, const std::vector<std::size_t>& on_way,
                   std::size_t depth, const IsStep& is_step) {
    std::vector<std::size_t> ends;
    std::vector<std::size_t> further;
    for (const std::size_t index : on_way) {
      if (!is_step(paths_[index][depth])) continue;
      (paths_[index].size() == depth + 1 ? ends : further).push_back(index);
    }
    if (ends.empty() && further.empty()) return SUCCESS;
    ondemand::json_type type{};
    if (const error_code error = value.type().get(type)) return error;
    if (type == ondemand::json_type::object) {
      ondemand::object inner;
      if (const error_code error = value.get_object().get(inner)) return error;
      if (const error_code error = show_raw(inner, ends)) return error;
      return further.empty() || is_over_ ? SUCCESS : object(inner, further, depth + 1);
    }
    if (type == ondemand::json_type::array) {
      ondemand::array inner;
      if (const error_code error = value.get_array().get(inner)) return error;
      if (const error_code error = show_raw(inner, ends)) return error;
      return further.empty() || is_over_ ? SUCCESS : array(inner, further, depth + 1);
    }
    return ends.empty() ? SUCCESS : show_scalar(value, type, ends);
  }

  /// An object or an array as it is written; it can be walked afterwards.
  template <typename Compound>
  error_code show_raw(Compound& compound, const std::vector<std::size_t>& ends) {
    if (ends.empty()) return SUCCESS;
    std::string_view raw;
    if (const error_code error = compound.raw_json().get(raw)) return error;
    show(raw.substr(0, raw.find_last_not_of(" \t\n\r") + 1), ends);
    return compound.reset().error();
  }

  error_code show_scalar(ondemand::value& value, ondemand::json_type type,
                         const std::vector<std::size_t>& ends) {
    std::string_view text;
    if (type == ondemand::json_type::string) {
      if (const error_code error = value.get_string().get(text)) return error;
    } else if (type != ondemand::json_type::null) {
      text = token_of(value);
      if (text.empty()) return simdjson::TAPE_ERROR;
    }
    show(text, ends);
    return SUCCESS;
  }

  void show(std::string_view text, const std::vector<std::size_t>& ends) {
    for (const std::size_t index : ends) is_over_ = is_over_ || !see_(index, text);
  }

  const std::vector<JsonPath>& paths_;
  const JsonLine::SeePath& see_;
  bool is_over_ = false;
};

tl::unexpected<Error> no_path(std::string_view text) {
  return fail(
      ErrorCode::kInvalid,
      fmt::format("parse error: cannot parse expression [{:.200}]: write a.b[0][\"c\"]", text));
}

/// `["name"]` or `[0]` at the front of `rest`, taken from it.
bool take_bracket(std::string_view& rest, JsonPath& path) {
  const std::size_t end = rest.starts_with("[\"") ? rest.find("\"]", 2) : rest.find(']');
  if (end == std::string_view::npos) return false;
  if (rest.starts_with("[\"")) {
    path.emplace_back(std::string(rest.substr(2, end - 2)));
    rest.remove_prefix(end + 2);
    return true;
  }
  std::size_t index = 0;
  const auto [stop, failure] = std::from_chars(rest.data() + 1, rest.data() + end, index);
  if (failure != std::errc{} || stop != rest.data() + end) return false;
  path.emplace_back(index);
  rest.remove_prefix(end + 1);
  return true;
}

}  // namespace

Result<JsonPath> parse_json_path(std::string_view text) {
  JsonPath path;
  std::string_view rest = text;
  while (!rest.empty()) {
    if (rest.front() == '[') {
      if (!take_bracket(rest, path)) return no_path(text);
      continue;
    }
    if (rest.front() == '.') {
      if (path.empty()) return no_path(text);
      rest.remove_prefix(1);
    } else if (!path.empty()) {
      return no_path(text);
    }
    const std::string_view name = rest.substr(0, rest.find_first_of(".[]\" "));
    if (name.empty()) return no_path(text);
    path.emplace_back(std::string(name));
    rest.remove_prefix(name.size());
  }
  if (path.empty() || path.size() > kLineJsonDepthMax) return no_path(text);
  return path;
}

struct JsonLine::Reader {
  ondemand::parser parser;
  std::string padded;
  ondemand::document document;

  error_code open(std::string_view line) {
    padded.assign(line);
    padded.resize(line.size() + simdjson::SIMDJSON_PADDING);
    if (parser.capacity() < line.size()) {
      if (const error_code error = parser.allocate(line.size(), kLineJsonDepthMax)) return error;
    }
    return parser.iterate(simdjson::padded_string_view(padded.data(), line.size(), padded.size()))
        .get(document);
  }
  error_code open_object(std::string_view line, ondemand::object& object) {
    if (const error_code error = open(line)) return error;
    return document.get_object().get(object);
  }
};

JsonLine::JsonLine() : reader_(std::make_unique<Reader>()) {}
JsonLine::JsonLine(JsonLine&&) noexcept = default;
JsonLine& JsonLine::operator=(JsonLine&&) noexcept = default;
JsonLine::~JsonLine() = default;

Result<void> JsonLine::walk(std::string_view line, const See& see) {
  ondemand::object object;
  if (const error_code error = reader_->open_object(line, object)) return told(error);
  return told(MemberWalk(see).object(object));
}

Result<void> JsonLine::extract(std::string_view line, const std::vector<JsonPath>& paths,
                               const SeePath& see) {
  if (const error_code error = reader_->open(line)) return told(error);
  std::vector<std::size_t> all(paths.size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  ondemand::json_type type{};
  if (const error_code error = reader_->document.type().get(type)) return told(error);
  PathWalk walk(paths, see);
  if (type == ondemand::json_type::array) {
    ondemand::array array;
    if (const error_code error = reader_->document.get_array().get(array)) return told(error);
    return told(walk.array(array, all, 0));
  }
  ondemand::object object;
  if (const error_code error = reader_->document.get_object().get(object)) return told(error);
  return told(walk.object(object, all, 0));
}

Result<void> JsonLine::texts(std::string_view line, const See& see) {
  ondemand::object object;
  if (const error_code error = reader_->open_object(line, object)) return told(error);
  for (auto field : object) {
    std::string_view key;
    ondemand::value value;
    ondemand::json_type type{};
    if (const error_code error = field.unescaped_key().get(key)) return told(error);
    if (const error_code error = field.value().get(value)) return told(error);
    if (const error_code error = value.type().get(type)) return told(error);
    if (type != ondemand::json_type::string) continue;
    std::string_view text;
    if (const error_code error = value.get_string().get(text)) return told(error);
    if (!see(key, text)) return {};
  }
  return {};
}

}  // namespace vigia::logql::pipeline
