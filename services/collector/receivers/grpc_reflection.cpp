#include "services/collector/receivers/grpc_reflection.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include <fmt/format.h>
#include <protozero/exception.hpp>
#include <protozero/pbf_writer.hpp>

#include "libs/base/protobuf_reader.hpp"
#include "services/collector/receivers/described_files.hpp"

namespace vigia::collector::receivers {

/// Numbers of the fields of ServerReflectionRequest, which are also the kinds of questions.
enum class ReflectionTalk::Question : std::uint8_t {
  kNone = 0,
  kFile = 3,
  kSymbol = 4,
  kExtension = 5,
  kExtensionNumbers = 6,
  kServices = 7
};

struct ReflectionTalk::Asked {
  std::string host;
  Question question = Question::kNone;
  std::string about;
};

/// A field of the ServerReflectionResponse.
struct ReflectionTalk::Told {
  protozero::pbf_tag_type field = 0;
  std::string message;
};

namespace {

/// Of ServerReflectionResponse.
constexpr protozero::pbf_tag_type kHost = 1;
constexpr protozero::pbf_tag_type kRequest = 2;
constexpr protozero::pbf_tag_type kFiles = 4;
constexpr protozero::pbf_tag_type kNumbers = 5;
constexpr protozero::pbf_tag_type kServices = 6;
constexpr protozero::pbf_tag_type kError = 7;

}  // namespace

/// Of several questions in one message the last counts, as for any oneof.
ReflectionTalk::Asked ReflectionTalk::read(std::string_view request) {
  Asked asked;
  ProtobufReader fields(request.data(), request.size());
  while (fields.next()) {
    const auto tag = fields.tag();
    const bool is_text = fields.wire_type() == protozero::pbf_wire_type::length_delimited;
    if (is_text && tag == kHost) {
      asked.host = fields.get_string();
    } else if (is_text && tag >= 3 && tag <= 7) {
      asked.question = static_cast<Question>(tag);
      asked.about = fields.get_string();
    } else {
      fields.skip();
    }
  }
  return asked;
}

namespace {

std::optional<std::size_t> place_of_file(std::string_view name) {
  const auto files = described_files();
  const auto found =
      std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.name == name; });
  if (found == files.end()) return std::nullopt;
  return static_cast<std::size_t>(found - files.begin());
}

const DescribedSymbol* symbol_of(std::string_view name) {
  const auto symbols = described_symbols();
  const auto found =
      std::lower_bound(symbols.begin(), symbols.end(), name,
                       [](const auto& symbol, auto asked) { return symbol.name < asked; });
  return found == symbols.end() || found->name != name ? nullptr : &*found;
}

std::string error_of(net::GrpcCode code, std::string_view message) {
  std::string out;
  protozero::pbf_writer error(out);
  error.add_int32(1, static_cast<std::int32_t>(code));
  error.add_string(2, message.data(), message.size());
  return out;
}

std::string services() {
  std::string out;
  protozero::pbf_writer list(out);
  for (const std::string_view name : described_services()) {
    protozero::pbf_writer service(list, 1);
    service.add_string(1, name.data(), name.size());
  }
  return out;
}

std::string numbers_of(std::string_view type) {
  std::string out;
  protozero::pbf_writer numbers(out);
  numbers.add_string(1, type.data(), type.size());
  return out;
}

}  // namespace

bool is_reflection(const net::RequestHead& head) {
  return head.transport == net::Transport::kGrpc &&
         (head.path == "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo" ||
          head.path == "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
}

ReflectionTalk::ReflectionTalk() : told_(described_files().size()) {}

std::string ReflectionTalk::files(std::size_t place) {
  std::string out;
  protozero::pbf_writer list(out);
  const auto tell = [&](std::size_t told) {
    const DescribedFile& file = described_files()[told];
    list.add_bytes(1, file.bytes.data(), file.bytes.size());
    told_[told] = true;
  };
  tell(place);
  for (const std::size_t need : described_files()[place].needs)
    if (!told_[need]) tell(need);
  return out;
}

ReflectionTalk::Told ReflectionTalk::told_of(const Asked& asked) {
  const DescribedSymbol* symbol = symbol_of(asked.about);
  const auto place = place_of_file(asked.about);
  switch (asked.question) {
    case Question::kServices:
      return {kServices, services()};
    case Question::kFile:
      if (place) return {kFiles, files(*place)};
      break;
    case Question::kSymbol:
      if (symbol != nullptr) return {kFiles, files(symbol->file)};
      break;
    case Question::kExtensionNumbers:  // proto3 has none
      if (symbol != nullptr && symbol->is_message) return {kNumbers, numbers_of(asked.about)};
      break;
    case Question::kExtension:
      break;
    case Question::kNone:
      return {kError, error_of(net::GrpcCode::kInvalidArgument, "nothing is asked")};
  }
  return {kError, error_of(net::GrpcCode::kNotFound, "it is not described here")};
}

Result<std::string> ReflectionTalk::answer(std::string_view request) {
  if (++questions_ > kQuestionsMax)
    return fail(ErrorCode::kTooLarge,
                fmt::format("a stream has {} questions; begin another", kQuestionsMax));
  Asked asked;
  try {
    asked = read(request);
  } catch (const protozero::exception&) {
    return fail(ErrorCode::kInvalid, "the message is no ServerReflectionRequest");
  }
  std::string out;
  protozero::pbf_writer response(out);
  if (!asked.host.empty()) response.add_string(kHost, asked.host);
  response.add_message(kRequest, request.data(), request.size());
  const Told told = told_of(asked);
  response.add_message(told.field, told.message);
  return out;
}

}  // namespace vigia::collector::receivers
