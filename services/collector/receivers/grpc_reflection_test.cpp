// What reflection tells, read as a client of gRPC reads it: by the reference protobuf classes.
#include "services/collector/receivers/grpc_reflection.hpp"

#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/dynamic_message.h>
#include <gtest/gtest.h>

#include "services/collector/receivers/described_files.hpp"

namespace vigia::collector::receivers {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::DynamicMessageFactory;
using google::protobuf::FileDescriptorProto;
using google::protobuf::Message;

/// All that is described, as a client builds it. What it asks and is answered are messages of it.
class ReflectionTest : public testing::Test {
 protected:
  ReflectionTest() {
    for (const DescribedFile& file : described_files()) {
      FileDescriptorProto proto;
      EXPECT_TRUE(proto.ParseFromArray(file.bytes.data(), static_cast<int>(file.bytes.size())));
      EXPECT_NE(pool_.BuildFile(proto), nullptr) << file.name;
    }
  }

  std::unique_ptr<Message> make(const std::string& name) {
    const Descriptor* type = pool_.FindMessageTypeByName("grpc.reflection.v1." + name);
    return std::unique_ptr<Message>(factory_.GetPrototype(type)->New());
  }

  /// The answer to one question on a stream, by the name of its field.
  std::unique_ptr<Message> ask(const std::string& question, const std::string& about) {
    auto request = make("ServerReflectionRequest");
    const auto* field = request->GetDescriptor()->FindFieldByName(question);
    request->GetReflection()->SetString(request.get(), field, about);
    const auto answer = talk_.answer(request->SerializeAsString());
    EXPECT_TRUE(answer.has_value());
    auto response = make("ServerReflectionResponse");
    EXPECT_TRUE(response->ParseFromString(*answer));
    return response;
  }

  /// The names of the files in an answer.
  static std::vector<std::string> files_of(const Message& response) {
    std::vector<std::string> names;
    const auto& told = part(response, "file_descriptor_response");
    const auto* field = told.GetDescriptor()->FindFieldByName("file_descriptor_proto");
    for (int i = 0; i < told.GetReflection()->FieldSize(told, field); ++i) {
      FileDescriptorProto file;
      EXPECT_TRUE(file.ParseFromString(told.GetReflection()->GetRepeatedString(told, field, i)));
      names.push_back(file.name());
    }
    return names;
  }

  static const Message& part(const Message& message, const std::string& name) {
    return message.GetReflection()->GetMessage(message,
                                               message.GetDescriptor()->FindFieldByName(name));
  }
  static int error_of(const Message& response) {
    const auto& error = part(response, "error_response");
    return error.GetReflection()->GetInt32(error,
                                           error.GetDescriptor()->FindFieldByName("error_code"));
  }

  DescriptorPool pool_;
  DynamicMessageFactory factory_;
  ReflectionTalk talk_;
};

constexpr const char* kCommon = "opentelemetry/proto/common/v1/common.proto";
constexpr const char* kResource = "opentelemetry/proto/resource/v1/resource.proto";
constexpr const char* kLogs = "opentelemetry/proto/logs/v1/logs.proto";
constexpr const char* kLogsService = "opentelemetry/proto/collector/logs/v1/logs_service.proto";

TEST_F(ReflectionTest, ListsTheServices) {
  const auto response = ask("list_services", "*");
  const auto& list = part(*response, "list_services_response");
  std::vector<std::string> names;
  const auto* field = list.GetDescriptor()->FindFieldByName("service");
  for (int i = 0; i < list.GetReflection()->FieldSize(list, field); ++i) {
    const Message& service = list.GetReflection()->GetRepeatedMessage(list, field, i);
    names.push_back(service.GetReflection()->GetString(
        service, service.GetDescriptor()->FindFieldByName("name")));
    EXPECT_NE(pool_.FindServiceByName(names.back()), nullptr) << names.back();
  }
  EXPECT_THAT(names,
              testing::ElementsAre("grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                                   "grpc.reflection.v1alpha.ServerReflection",
                                   "opentelemetry.proto.collector.logs.v1.LogsService",
                                   "opentelemetry.proto.collector.metrics.v1.MetricsService",
                                   "opentelemetry.proto.collector.trace.v1.TraceService"));
}

TEST_F(ReflectionTest, AFileComesWithWhatItImportsOnce) {
  EXPECT_THAT(
      files_of(*ask("file_containing_symbol", "opentelemetry.proto.collector.logs.v1.LogsService")),
      testing::UnorderedElementsAre(kLogsService, kLogs, kCommon, kResource));
  EXPECT_THAT(files_of(*ask("file_containing_symbol",
                            "opentelemetry.proto.collector.logs.v1.LogsService.Export")),
              testing::ElementsAre(kLogsService));
  EXPECT_THAT(files_of(*ask("file_by_filename", kCommon)), testing::ElementsAre(kCommon));
  ReflectionTalk another;
  talk_ = another;
  EXPECT_THAT(files_of(*ask("file_by_filename", kResource)),
              testing::ElementsAre(kResource, kCommon));
}

TEST_F(ReflectionTest, EveryTypeIsFound) {
  for (const char* name :
       {"opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint.Buckets",
        "opentelemetry.proto.trace.v1.Span.SpanKind", "opentelemetry.proto.logs.v1.SeverityNumber",
        "grpc.health.v1.Health", "grpc.health.v1.HealthCheckResponse.ServingStatus",
        "grpc.reflection.v1alpha.ServerReflectionRequest"})
    EXPECT_FALSE(files_of(*ask("file_containing_symbol", name)).empty()) << name;
}

TEST_F(ReflectionTest, WhatIsUnknownIsNotFound) {
  constexpr int kNotFound = 5;
  for (const char* question :
       {"file_by_filename", "file_containing_symbol", "all_extension_numbers_of_type"}) {
    EXPECT_EQ(error_of(*ask(question, "nobody.knows.It")), kNotFound) << question;
    EXPECT_EQ(error_of(*ask(question, "")), kNotFound) << question;
  }
  EXPECT_EQ(error_of(*ask("all_extension_numbers_of_type",
                          "opentelemetry.proto.collector.logs.v1.LogsService")),
            kNotFound);
  EXPECT_EQ(error_of(*ask("host", "of nothing")), 3);
}

TEST_F(ReflectionTest, ATypeHasNoExtensions) {
  const std::string type = "opentelemetry.proto.common.v1.AnyValue";
  const auto response = ask("all_extension_numbers_of_type", type);
  const auto& told = part(*response, "all_extension_numbers_response");
  EXPECT_EQ(told.GetReflection()->GetString(
                told, told.GetDescriptor()->FindFieldByName("base_type_name")),
            type);
}

TEST_F(ReflectionTest, TheQuestionIsRepeated) {
  const auto response = ask("file_by_filename", kCommon);
  const auto& asked = part(*response, "original_request");
  EXPECT_EQ(asked.GetReflection()->GetString(
                asked, asked.GetDescriptor()->FindFieldByName("file_by_filename")),
            kCommon);
}

TEST_F(ReflectionTest, AnAnswerIsBounded) {
  for (const DescribedSymbol& symbol : described_symbols()) {
    ReflectionTalk fresh;
    talk_ = fresh;
    EXPECT_LT(ask("file_containing_symbol", std::string(symbol.name))->ByteSizeLong(), 64U << 10U)
        << symbol.name;
  }
}

TEST_F(ReflectionTest, AStreamIsBounded) {
  for (std::size_t i = 0; i < ReflectionTalk::kQuestionsMax; ++i)
    ASSERT_TRUE(talk_.answer("").has_value());
  EXPECT_EQ(talk_.answer("").error().code, ErrorCode::kTooLarge);
}

TEST_F(ReflectionTest, WhatIsNoQuestionEndsTheStream) {
  EXPECT_EQ(talk_.answer("\x1a\x7f").error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace vigia::collector::receivers
