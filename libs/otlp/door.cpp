#include "libs/otlp/door.hpp"

#include <fmt/format.h>
#include <protozero/pbf_writer.hpp>

#include "libs/base/json_text.hpp"
#include "libs/base/utf8.hpp"
#include "libs/net/media_type.hpp"
#include "libs/net/status.hpp"
#include "libs/wire/otlp/fields.hpp"

namespace vigia::otlp {
namespace {

using wire::otlp::ExportResponseField;
using wire::otlp::PartialSuccessField;

std::string_view rejected_key(Signal signal) {
  switch (signal) {
    case Signal::kMetrics:
      return "rejectedDataPoints";
    case Signal::kTraces:
      return "rejectedSpans";
    case Signal::kLogs:
      return "rejectedLogRecords";
  }
  return "";
}

std::string protobuf_body(const LeftOut& left_out) {
  std::string body;
  // Without a partial_success: to set it, even empty, says that something was not taken (OTLP,
  // "Partial Success").
  if (left_out.items == 0 && left_out.why.empty()) return body;
  protozero::pbf_writer response(body);
  protozero::pbf_writer partial(response, ExportResponseField::kPartialSuccess.number);
  if (left_out.items > 0)
    partial.add_int64(PartialSuccessField::kRejected.number,
                      static_cast<std::int64_t>(left_out.items));
  partial.add_string(PartialSuccessField::kErrorMessage.number, left_out.why.data(),
                     left_out.why.size());
  return body;
}

std::string json_body(Signal signal, const LeftOut& left_out) {
  if (left_out.items == 0 && left_out.why.empty()) return "{}";
  return fmt::format(R"({{"partialSuccess":{{"{}":"{}","errorMessage":{}}}}})",
                     rejected_key(signal), left_out.items, json_text(left_out.why));
}

}  // namespace

std::optional<BodyForm> form_of(const net::RequestHead& head) {
  if (head.transport == net::Transport::kGrpc) return BodyForm::kProtobuf;
  const std::string type = net::MediaType(head.headers.get("content-type")).type();
  if (type == kProtobufType) return BodyForm::kProtobuf;
  if (type == kJsonType) return BodyForm::kJson;
  return std::nullopt;
}

net::Response accepted(Signal signal, BodyForm form, const LeftOut& all_left_out) {
  const LeftOut left_out{all_left_out.items,
                         utf8_beginning(all_left_out.why, net::kOtlpReasonBytesMax)};
  net::Response response;
  const bool is_json = form == BodyForm::kJson;
  response.headers.add("content-type", is_json ? kJsonType : kProtobufType);
  response.body = is_json ? json_body(signal, left_out) : protobuf_body(left_out);
  return response;
}

}  // namespace vigia::otlp
