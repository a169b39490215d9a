#include "services/collector/receivers/remote_write_receiver.hpp"

#include <utility>

#include <fmt/format.h>

#include "libs/net/media_type.hpp"
#include "libs/net/status.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::collector::receivers {
namespace {

namespace protocol = wire::remote_write;

std::optional<protocol::WriteVersion> version_of(const net::RequestHead& head) {
  const net::MediaType form(head.headers.get("content-type"));
  return protocol::version_of(form.type(), form.parameter("proto"),
                              head.headers.get("content-encoding"));
}

net::Response text_response(int status, std::string text) {
  net::Response response;
  response.status = status;
  response.headers.add("content-type", "text/plain; charset=utf-8");
  response.body = std::move(text);
  response.body += '\n';
  return response;
}

net::Response with_written(net::Response response, const intake::Written& written) {
  response.headers.add(protocol::kSamplesWritten, fmt::to_string(written.samples));
  response.headers.add(protocol::kHistogramsWritten, fmt::to_string(written.histograms));
  response.headers.add(protocol::kExemplarsWritten, fmt::to_string(written.exemplars));
  return response;
}

net::Response answer_of(const intake::Receipt& receipt) {
  if (receipt.rejected == 0) {
    net::Response response;
    response.status = 204;
    return with_written(std::move(response), receipt.written);
  }
  // What was refused will never be taken, what was not is on disk: nothing is to be sent again.
  return with_written(text_response(400, receipt.message + "; the rest is kept"), receipt.written);
}

}  // namespace

std::optional<net::Response> RemoteWriteReceiver::admit(net::RequestHead& head) {
  if (head.path != "/api/v1/write" && head.path != "/api/v1/push") {
    parts_.door.note_refused();
    return text_response(404,
                         "no such path; remote write is taken at /api/v1/write and "
                         "/api/v1/push");
  }
  if (head.method != "POST") {
    parts_.door.note_refused();
    auto response = text_response(405, "remote write requests are POST");
    response.headers.add("allow", "POST");
    return response;
  }
  const auto customer = parts_.door.admit(head);
  if (!customer) return refused(customer.error());
  if (!version_of(head)) {
    parts_.door.note_refused();
    return text_response(415, std::string(protocol::versions_there_are()));
  }
  parts_.door.note_admitted(customer->id);
  return std::nullopt;
}

bool RemoteWriteReceiver::reads_coding(const net::RequestHead& /*head*/,
                                       std::string_view coding) const {
  return coding == protocol::kContentEncoding;
}

void RemoteWriteReceiver::handle(net::Request request, net::Responder responder) {
  const auto customer = parts_.door.authenticate(request);
  if (!customer) {
    responder.send(refused(customer.error()));
    return;
  }
  parts_.door.note_let_in(customer->id);
  intake::ExportRequest taken{Signal::kMetrics, "remote_write", std::move(request.body)};
  taken.remote_write = version_of(request);
  parts_.intake.take(
      *customer, std::move(taken),
      [this, responder = std::move(responder)](Result<intake::Receipt> receipt) mutable {
        responder.send(receipt ? answer_of(*receipt) : refused(receipt.error()));
      });
}

net::Response RemoteWriteReceiver::refuse(const net::RequestHead& head, const Error& error) {
  parts_.door.note_refused_by_server(head, error);
  return refused(error);
}

net::Response RemoteWriteReceiver::refused(const Error& error) {
  parts_.door.note_refused();
  net::Response response = text_response(net::http_status(error.code), error.message);
  if (is_retryable(error)) {
    const auto wait = error.retry_after.value_or(std::chrono::seconds(1));
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(wait).count();
    response.headers.add("retry-after", fmt::to_string(seconds));
  }
  return with_written(std::move(response), {});
}

}  // namespace vigia::collector::receivers
