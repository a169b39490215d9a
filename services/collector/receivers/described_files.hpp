// What reflection tells: the .proto files of the services at the OTLP port, serialised. Made when
// the collector is built (reflection/descriptor_writer.cpp), so that no protobuf library is in it.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vigia::collector::receivers {

struct DescribedFile {
  std::string_view name;                ///< "opentelemetry/proto/common/v1/common.proto"
  std::string_view bytes;               ///< a google.protobuf.FileDescriptorProto
  std::span<const std::uint8_t> needs;  ///< places of the files that it imports, theirs too
};

struct DescribedSymbol {
  std::string_view name;  ///< "opentelemetry.proto.common.v1.AnyValue"
  std::uint8_t file = 0;  ///< its place
  bool is_message = false;
};

std::span<const DescribedFile> described_files();
/// Packages' services, methods, messages and enums, by name.
std::span<const DescribedSymbol> described_symbols();
/// By name.
std::span<const std::string_view> described_services();

}  // namespace vigia::collector::receivers
