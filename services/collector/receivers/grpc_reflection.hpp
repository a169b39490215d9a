// The reflection service of gRPC (grpc/grpc doc/server-reflection.md), v1 and v1alpha: what
// grpcurl, grpcui and Postman ask before they call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/net/grpc_talk.hpp"
#include "libs/net/message.hpp"

namespace vigia::collector::receivers {

/// A question is a name.
inline constexpr std::size_t kReflectionBytesMax = 4096;

/// Whether it asks ServerReflectionInfo of either version; on the wire they are one. As health it
/// needs no token: it tells of OTLP, which anybody knows, and of no customer.
bool is_reflection(const net::RequestHead& head);

/// One stream of questions. Files that it was told are not told again as what others import, so an
/// answer is below 64 KiB. Thread contract: one at a time.
class ReflectionTalk final : public net::GrpcTalk {
 public:
  ReflectionTalk();
  /// A ServerReflectionResponse; what is not known is its error_response, NOT_FOUND. kInvalid ends
  /// the stream where it is no ServerReflectionRequest, kTooLarge after kQuestionsMax.
  Result<std::string> answer(std::string_view request) override;

  static constexpr std::size_t kQuestionsMax = 1000;

 private:
  enum class Question : std::uint8_t;
  struct Asked;
  struct Told;

  static Asked read(std::string_view request);
  Told told_of(const Asked& asked);
  std::string files(std::size_t place);

  std::size_t questions_ = 0;
  std::vector<bool> told_;  // by the place of the file
};

}  // namespace vigia::collector::receivers
