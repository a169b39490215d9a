#include "libs/wire/otlp/json.hpp"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>
#include <simdjson.h>

#include "libs/base/base64.hpp"
#include "libs/base/hex.hpp"
#include "libs/wire/otlp/json_schema.hpp"

namespace vigia::wire::otlp {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kFieldBytesMax = 128;  // of an answer's text, which is cut at its end

/// The one way out of the recursion below; caught in json_to_protobuf.
struct JsonRefusal {
  std::string message;
  std::string field = {};  ///< the path to it, put together on the way out

  void put_before(std::string_view step) {
    if (field.size() >= kFieldBytesMax) return;  // its end says most
    const bool is_index = field.starts_with('[');
    field = fmt::format("{}{}{}", step, field.empty() || is_index ? "" : ".", field);
  }
};

[[noreturn]] void refuse(const JsonField& field, std::string_view what) {
  throw JsonRefusal{fmt::format("\"{}\" {}", field.key, what)};
}

template <typename Number>
std::optional<Number> parse(std::string_view text) {
  Number value{};
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// OTLP's requests have no such field, and will have none for a long time.
constexpr std::uint32_t kUnknownField = 1000;
constexpr std::size_t kUnknownKeyMax = 64;

/// Writes one document. Of its texts only the one in hand is ever unescaped: the parser's own room
/// for that would fill with all of them.
class Converter {
 public:
  /// `parser` has read `json`; both outlive the converter.
  Converter(const ondemand::parser& parser, std::string_view json) : parser_(parser), json_(json) {}

  std::string convert(ondemand::object object, const JsonMessage& schema) {
    // Protobuf is hardly ever the longer form. What of the room is not written costs nothing where
    // it is large, for the heap maps that apart; to grow would hold what is written twice.
    out_.reserve(json_.size());
    protozero::pbf_writer writer(out_);
    message(writer, object, schema);
    // As protobuf then: who reads it can tell its sender that nothing was known.
    if (out_.empty() && !unknown_key_.empty()) writer.add_string(kUnknownField, unknown_key_);
    if (out_.size() < out_.capacity() / 2) out_.shrink_to_fit();
    return std::move(out_);
  }

 private:
  /// Counts how deep we are for as long as it lives.
  struct Depth {
    explicit Depth(Converter& owner) : converter(owner) {
      if (++converter.depth_ > kJsonDepthMax) throw JsonRefusal{"nested too deeply"};
    }
    ~Depth() { --converter.depth_; }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    Converter& converter;
  };

  void message(protozero::pbf_writer& writer, ondemand::object object, const JsonMessage& schema) {
    const Depth depth(*this);
    for (auto entry : object) {
      const std::string_view key = unescaped(entry.key());
      ondemand::value value = entry.value();
      // Unknown keys are ignored and null is the default value (ProtoJSON): a newer sender is no
      // error.
      const JsonField* field = schema.find(key);
      if (field == nullptr) {
        if (depth_ == 1) unknown_key_ = key.substr(0, kUnknownKeyMax);
        pass_over(value);
      } else if (!value.is_null()) {
        put(writer, *field, value);
      }
    }
  }

  void put(protozero::pbf_writer& writer, const JsonField& field, ondemand::value value) {
    try {
      put_all(writer, field, value);
    } catch (JsonRefusal& refusal) {
      refusal.put_before(field.key);
      throw;
    }
  }

  /// In place, behind what is written already: a copy for each level would be several of the whole.
  void nested(protozero::pbf_writer& writer, const JsonField& field, ondemand::object object) {
    const std::size_t before = out_.size();
    {
      protozero::pbf_writer inner(writer, field.number);
      message(inner, object, *field.message);
    }
    if (out_.size() == before) writer.add_message(field.number, "", 0);  // it was left out
  }

  /// Views the document, or what the next call writes over.
  std::string_view unescaped(ondemand::raw_json_string raw) {
    const char* const begin = raw.raw();
    // The parser has seen that each text ends.
    const std::string_view rest = json_.substr(static_cast<std::size_t>(begin - json_.data()));
    const std::string_view text = rest.substr(0, rest.find('"'));
    if (text.find('\\') == text.npos) return text;
    std::size_t end = 0;
    while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
    const std::size_t bytes = end + simdjson::SIMDJSON_PADDING;
    if (scratch_.size() < bytes) scratch_.resize(bytes);
    auto* to = reinterpret_cast<std::uint8_t*>(scratch_.data());
    return parser_.unescape(raw, to);
  }

  /// Reads a value that means nothing to us, so that damage in it is seen.
  void pass_over(ondemand::value value) {
    const Depth depth(*this);
    switch (value.type()) {
      case ondemand::json_type::object: {
        ondemand::object object = value.get_object();
        for (auto entry : object) pass_over(entry.value());
        break;
      }
      case ondemand::json_type::array: {
        ondemand::array array = value.get_array();
        for (auto entry : array) pass_over(entry.value());
        break;
      }
      case ondemand::json_type::string:
        (void)unescaped(value.get_raw_json_string());
        break;
      case ondemand::json_type::number:
        (void)double(value.get_double());
        break;
      case ondemand::json_type::boolean:
        (void)bool(value.get_bool());
        break;
      case ondemand::json_type::null:
        (void)value.is_null();
        break;
    }
  }

  void put_all(protozero::pbf_writer& writer, const JsonField& field, ondemand::value value) {
    if (!field.is_repeated) {
      put_one(writer, field, value);
      return;
    }
    if (value.type() != ondemand::json_type::array) refuse(field, "must be a list");
    const Depth depth(*this);
    ondemand::array array = value.get_array();
    std::size_t index = 0;
    try {
      for (auto entry : array) {
        put_one(writer, field, entry.value());
        ++index;
      }
    } catch (JsonRefusal& refusal) {
      refusal.put_before(fmt::format("[{}]", index));
      throw;
    }
  }

  void put_one(protozero::pbf_writer& writer, const JsonField& field, ondemand::value value) {
    switch (field.kind) {
      case JsonKind::kMessage:
        if (value.type() != ondemand::json_type::object) refuse(field, "must be an object");
        nested(writer, field, value.get_object());
        break;
      case JsonKind::kText:
        put_text(writer, field, value);
        break;
      case JsonKind::kBase64: {
        const auto bytes = from_base64(text(field, value));
        if (!bytes) refuse(field, "must be base64");
        writer.add_bytes(field.number, *bytes);
        break;
      }
      case JsonKind::kHexId: {
        const auto id = from_hex(text(field, value));
        // OTLP/JSON writes ids as hexadecimal, where ProtoJSON would have base64.
        if (!id || (!id->empty() && id->size() != 8 && id->size() != 16)) {
          refuse(field, "must be 16 or 32 hexadecimal digits");
        }
        writer.add_bytes(field.number, *id);
        break;
      }
      case JsonKind::kBool:
        if (value.type() != ondemand::json_type::boolean) refuse(field, "must be true or false");
        writer.add_bool(field.number, value.get_bool());
        break;
      case JsonKind::kDouble:
        writer.add_double(field.number, real(field, value));
        break;
      default:
        put_integer(writer, field, value);
    }
  }

  void put_integer(protozero::pbf_writer& writer, const JsonField& field, ondemand::value value) {
    constexpr auto kInt32Min = std::numeric_limits<std::int32_t>::min();
    constexpr auto kInt32Max = std::numeric_limits<std::int32_t>::max();
    switch (field.kind) {
      case JsonKind::kEnum:
        if (value.type() != ondemand::json_type::number) refuse(field, "must be an integer");
        writer.add_enum(field.number, static_cast<std::int32_t>(
                                          signed_number(field, value, kInt32Min, kInt32Max)));
        break;
      case JsonKind::kSint32:
        writer.add_sint32(field.number, static_cast<std::int32_t>(
                                            signed_number(field, value, kInt32Min, kInt32Max)));
        break;
      case JsonKind::kInt64:
        writer.add_int64(field.number, signed_number(field, value));
        break;
      case JsonKind::kSfixed64:
        writer.add_sfixed64(field.number, signed_number(field, value));
        break;
      case JsonKind::kUint64:
        writer.add_uint64(field.number, unsigned_number(field, value));
        break;
      case JsonKind::kFixed64:
        writer.add_fixed64(field.number, unsigned_number(field, value));
        break;
      case JsonKind::kFixed32:
        writer.add_fixed32(field.number, small_number(field, value));
        break;
      default:
        writer.add_uint32(field.number, small_number(field, value));
    }
  }

  std::string_view text(const JsonField& field, ondemand::value value) {
    if (value.type() != ondemand::json_type::string) refuse(field, "must be a text");
    return unescaped(value.get_raw_json_string());
  }

  void put_text(protozero::pbf_writer& writer, const JsonField& field, ondemand::value value) {
    const std::string_view view = text(field, value);
    writer.add_string(field.number, view.data(), view.size());
  }

  double real(const JsonField& field, ondemand::value value) {
    if (value.type() == ondemand::json_type::number) return value.get_double();
    const std::string_view spelled = text(field, value);
    if (spelled == "NaN") return std::numeric_limits<double>::quiet_NaN();
    if (spelled == "Infinity") return std::numeric_limits<double>::infinity();
    if (spelled == "-Infinity") return -std::numeric_limits<double>::infinity();
    const auto number = parse<double>(spelled);
    if (!number || !std::isfinite(*number)) refuse(field, "must be a number");
    return *number;
  }

  /// An integer, a string of one, or a number without a fraction ("1e3"), as ProtoJSON has it.
  std::int64_t signed_number(const JsonField& field, ondemand::value value,
                             std::int64_t min = std::numeric_limits<std::int64_t>::min(),
                             std::int64_t max = std::numeric_limits<std::int64_t>::max()) {
    const std::string_view digits = digits_of(field, value);
    auto number = parse<std::int64_t>(digits);
    if (!number) {
      const auto as_real = parse<double>(digits);
      constexpr double kExact = 9007199254740992;  // 2^53
      if (as_real && std::trunc(*as_real) == *as_real && std::fabs(*as_real) <= kExact) {
        number = static_cast<std::int64_t>(*as_real);
      }
    }
    if (!number || *number < min || *number > max) refuse(field, "must be an integer in range");
    return *number;
  }

  std::uint64_t unsigned_number(const JsonField& field, ondemand::value value) {
    const std::string_view digits = digits_of(field, value);
    if (const auto number = parse<std::uint64_t>(digits)) return *number;
    const auto as_real = parse<double>(digits);
    constexpr double kBound = 18446744073709551616.0;  // 2^64
    if (!as_real || std::trunc(*as_real) != *as_real || *as_real < 0 || *as_real >= kBound) {
      refuse(field, "must be an integer in range");
    }
    return static_cast<std::uint64_t>(*as_real);
  }

  std::uint32_t small_number(const JsonField& field, ondemand::value value) {
    const std::uint64_t number = unsigned_number(field, value);
    if (number > std::numeric_limits<std::uint32_t>::max()) {
      refuse(field, "must be an integer in range");
    }
    return static_cast<std::uint32_t>(number);
  }

  std::string_view digits_of(const JsonField& field, ondemand::value value) {
    if (value.type() == ondemand::json_type::string) return text(field, value);
    if (value.type() != ondemand::json_type::number) refuse(field, "must be an integer");
    // As written: through a double an integer above 2^53, such as a time in nanoseconds, would be
    // another one.
    std::string_view token = value.raw_json_token();
    while (!token.empty() && std::string_view(" \t\r\n").find(token.back()) != token.npos) {
      token.remove_suffix(1);
    }
    (void)double(value.get_double());  // checks the token and moves on
    return token;
  }

  const ondemand::parser& parser_;
  const std::string_view json_;
  std::string out_;
  std::string scratch_;
  int depth_ = 0;
  std::string unknown_key_;  // of the request itself, the last one
};

tl::unexpected<Error> too_large() {
  return fail(ErrorCode::kTooLarge,
              fmt::format("a JSON body may have {} bytes; protobuf may have more", kJsonBytesMax));
}

/// simdjson keeps four bytes for each mark of the text before a word of it is read: a body of
/// brackets alone would take four times its size, besides what it makes.
bool has_too_many_marks(std::string_view json) {
  if (json.size() <= kJsonMarksMax) return false;
  constexpr std::string_view kMarks = "{}[]:,\"";
  std::array<std::uint8_t, 256> is_mark{};
  for (const char mark : kMarks) is_mark.at(static_cast<unsigned char>(mark)) = 1;
  std::size_t marks = 0;
  for (const char letter : json) marks += is_mark[static_cast<unsigned char>(letter)];
  return marks > kJsonMarksMax;
}

}  // namespace

Result<std::string> json_to_protobuf(Signal signal, std::string_view json) {
  if (json.size() > kJsonBytesMax) return too_large();
  std::string copy;
  copy.reserve(json.size() + simdjson::SIMDJSON_PADDING);
  copy = json;
  return json_to_protobuf(signal, copy);
}

Result<std::string> json_to_protobuf(Signal signal, std::string& json) {
  if (json.size() > kJsonBytesMax) return too_large();
  if (has_too_many_marks(json)) {
    return fail(ErrorCode::kTooLarge,
                fmt::format("a JSON body may have {} braces, brackets, colons, commas and quotes; "
                            "send it in smaller ones",
                            kJsonMarksMax));
  }
  try {
    ondemand::parser parser;
    json.reserve(json.size() + simdjson::SIMDJSON_PADDING);
    ondemand::document document =
        parser.iterate(simdjson::padded_string_view(json, json.capacity()));
    if (document.type() != ondemand::json_type::object) {
      return fail(ErrorCode::kInvalid, "not OTLP/JSON: the body must be an object");
    }
    std::string out = Converter(parser, json).convert(document.get_object(), json_request(signal));
    // The parser stops at the end of the object; a second document behind it would be lost
    // silently.
    if (document.current_location().error() == simdjson::SUCCESS) {
      return fail(ErrorCode::kInvalid, "not OTLP/JSON: text behind the end");
    }
    return out;
  } catch (const JsonRefusal& refusal) {
    return fail(ErrorCode::kInvalid,
                fmt::format("not OTLP/JSON{}{}: {}", refusal.field.empty() ? "" : ", at ",
                            refusal.field, refusal.message));
  } catch (const simdjson::simdjson_error& damage) {
    return fail(ErrorCode::kInvalid, std::string("not OTLP/JSON: ") + damage.what());
  }
}

}  // namespace vigia::wire::otlp
