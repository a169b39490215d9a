// Run by the build: writes described_files.cpp, from the descriptors that the OTLP library carries
// and the descriptor sets that protoc made of the .proto files beside this. No program has it.
//   descriptor_writer OUTPUT SET…
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::EnumDescriptor;
using google::protobuf::FileDescriptor;
using google::protobuf::FileDescriptorProto;
using google::protobuf::FileDescriptorSet;

constexpr std::size_t kFilesMax = 255;  // a place is a byte
constexpr std::size_t kBytesInLine = 24;

[[noreturn]] void give_up(const std::string& why) {
  std::fputs((why + "\n").c_str(), stderr);
  std::exit(1);
}

struct Symbol {
  std::size_t file = 0;
  bool is_message = false;
};

class Descriptors {
 public:
  /// What it imports comes before it.
  std::size_t add(const FileDescriptor& file) {
    if (const auto known = places_.find(file.name()); known != places_.end()) return known->second;
    std::set<std::size_t> needs;
    for (int i = 0; i < file.dependency_count(); ++i) {
      const std::size_t place = add(*file.dependency(i));
      needs.insert(place);
      needs.insert(files_[place].needs.begin(), files_[place].needs.end());
    }
    const std::size_t place = files_.size();
    if (place >= kFilesMax) give_up("too many .proto files");
    places_[file.name()] = place;
    FileDescriptorProto proto;
    file.CopyTo(&proto);
    file.CopyJsonNameTo(&proto);
    files_.push_back({file.name(), proto.SerializeAsString(), needs});
    add_symbols(file, place);
    return place;
  }

  std::string source() const {
    std::string out =
        "// Written by descriptor_writer.\n"
        "#include \"services/collector/receivers/described_files.hpp\"\n\n#include <array>\n\n"
        "namespace vigia::collector::receivers {\nnamespace {\n\n";
    for (std::size_t i = 0; i < files_.size(); ++i) out += bytes_and_needs(i);
    out += fmt::format("\nconstexpr std::array<DescribedFile, {}> kFiles{{{{\n", files_.size());
    for (std::size_t i = 0; i < files_.size(); ++i)
      out += fmt::format("{{\"{0}\", {{kBytes{1}.data(), kBytes{1}.size()}}, kNeeds{1}}},\n",
                         files_[i].name, i);
    out += fmt::format("}}}};\nconstexpr std::array<DescribedSymbol, {}> kSymbols{{{{\n",
                       symbols_.size());
    for (const auto& [name, symbol] : symbols_)
      out += fmt::format("{{\"{}\", {}, {}}},\n", name, symbol.file, symbol.is_message);
    out += fmt::format("}}}};\nconstexpr std::array<std::string_view, {}> kServices{{{{\n",
                       services_.size());
    for (const std::string& name : services_) out += fmt::format("\"{}\",\n", name);
    return out +
           "}};\n\n}  // namespace\n\n"
           "std::span<const DescribedFile> described_files() { return kFiles; }\n"
           "std::span<const DescribedSymbol> described_symbols() { return kSymbols; }\n"
           "std::span<const std::string_view> described_services() { return kServices; }\n\n"
           "}  // namespace vigia::collector::receivers\n";
  }

 private:
  struct File {
    std::string name;
    std::string bytes;
    std::set<std::size_t> needs;
  };

  std::string bytes_and_needs(std::size_t place) const {
    const File& file = files_[place];
    std::string out =
        fmt::format("constexpr std::array<char, {}> kBytes{}{{{{", file.bytes.size(), place);
    for (std::size_t i = 0; i < file.bytes.size(); ++i)
      out += fmt::format("{}'\\x{:02x}',", i % kBytesInLine == 0 ? "\n" : "",
                         static_cast<unsigned char>(file.bytes[i]));
    out += fmt::format("}}}};\nconstexpr std::array<std::uint8_t, {}> kNeeds{}{{{{",
                       file.needs.size(), place);
    for (const std::size_t need : file.needs) out += fmt::format("{},", need);
    return out + "}};\n";
  }

  void add_message(const Descriptor& message, std::size_t file) {
    symbols_[message.full_name()] = {file, true};
    for (int i = 0; i < message.nested_type_count(); ++i)
      add_message(*message.nested_type(i), file);
    for (int i = 0; i < message.enum_type_count(); ++i)
      symbols_[message.enum_type(i)->full_name()] = {file, false};
  }

  void add_symbols(const FileDescriptor& file, std::size_t place) {
    for (int i = 0; i < file.message_type_count(); ++i) add_message(*file.message_type(i), place);
    for (int i = 0; i < file.enum_type_count(); ++i)
      symbols_[file.enum_type(i)->full_name()] = {place, false};
    for (int i = 0; i < file.service_count(); ++i) {
      const auto& service = *file.service(i);
      symbols_[service.full_name()] = {place, false};
      services_.insert(service.full_name());
      for (int j = 0; j < service.method_count(); ++j)
        symbols_[service.method(j)->full_name()] = {place, false};
    }
  }

  std::vector<File> files_;
  std::map<std::string, std::size_t> places_;
  std::map<std::string, Symbol> symbols_;
  std::set<std::string> services_;
};

void add_set(const std::string& path, DescriptorPool& pool, Descriptors& descriptors) {
  FileDescriptorSet set;
  std::ifstream in(path, std::ios::binary);
  if (!set.ParseFromIstream(&in)) give_up(path + " is no descriptor set");
  for (const FileDescriptorProto& file : set.file()) {
    const FileDescriptor* built = pool.BuildFile(file);
    if (built == nullptr) give_up(file.name() + " cannot be built");
    descriptors.add(*built);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) give_up("descriptor_writer OUTPUT SET…");
  namespace services = opentelemetry::proto::collector;
  Descriptors descriptors;
  descriptors.add(*services::metrics::v1::ExportMetricsServiceRequest::descriptor()->file());
  descriptors.add(*services::trace::v1::ExportTraceServiceRequest::descriptor()->file());
  descriptors.add(*services::logs::v1::ExportLogsServiceRequest::descriptor()->file());
  DescriptorPool pool;
  for (int i = 2; i < argc; ++i) add_set(argv[i], pool, descriptors);
  std::ofstream out(argv[1], std::ios::binary);
  out << descriptors.source();
  out.close();
  if (!out) give_up(std::string(argv[1]) + " could not be written");
  return 0;
}
