#include "services/storage/store/testing/otlp_bodies.hpp"

#include <protozero/pbf_writer.hpp>

namespace vigia::storage::store {

using protozero::pbf_writer;

std::string span_of(std::string_view trace_id, char span_id, TimestampNs start_ns) {
  std::string bytes;
  pbf_writer message(bytes);
  message.add_bytes(1, trace_id.data(), trace_id.size());
  message.add_bytes(2, std::string(8, span_id));
  message.add_string(5, "GET");
  message.add_fixed64(7, start_ns);
  message.add_fixed64(8, start_ns + 1'000);
  return bytes;
}

std::string log_record_of(TimestampNs time_ns, const std::string& text) {
  std::string bytes;
  pbf_writer message(bytes);
  message.add_fixed64(1, time_ns);
  pbf_writer any(message, 5);
  any.add_string(1, text);
  return bytes;
}

std::string export_of(const std::string& customer, const std::vector<std::string>& items) {
  std::string body;
  pbf_writer request(body);
  pbf_writer resource_items(request, 1);
  {
    pbf_writer resource(resource_items, 1);
    pbf_writer attribute(resource, 1);
    attribute.add_string(1, "customer.id");
    pbf_writer any(attribute, 2);
    any.add_string(1, customer);
  }
  pbf_writer scope_items(resource_items, 2);
  for (const std::string& item : items) scope_items.add_message(2, item);
  return body;
}

}  // namespace vigia::storage::store
