#include "libs/net/rpc_status.hpp"

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

namespace vigia::net {
namespace {

using namespace std::chrono_literals;

/// A status whose RetryInfo says that, however mistaken it is.
std::string with_delay(std::int64_t whole, std::int64_t nanos) {
  std::string out;
  protozero::pbf_writer status(out);
  protozero::pbf_writer any(status, 3);
  any.add_string(1, std::string(kRetryInfoType));
  protozero::pbf_writer info(any, 2);
  protozero::pbf_writer duration(info, 1);
  duration.add_int64(1, whole);
  duration.add_int64(2, nanos);
  return out;
}

TEST(RpcStatus, WhatIsWrittenIsRead) {
  const auto status =
      read_rpc_status(encode_rpc_status(GrpcCode::kUnavailable, "disk full", 90s + 5ns));
  EXPECT_EQ(status.message, "disk full");
  EXPECT_EQ(status.retry_after, 90s + 5ns);
  EXPECT_EQ(read_rpc_status(encode_rpc_status(GrpcCode::kInternal, "", {})).retry_after,
            std::nullopt);
}

TEST(RpcStatus, BytesAreThoseOfTheReference) {
  EXPECT_EQ(encode_rpc_status(GrpcCode::kInvalidArgument, "bad", {}),
            "\x08\x03\x12\x03"
            "bad");
  const std::string type(kRetryInfoType);
  const std::string info("\x0a\x04\x08\x02\x10\x01", 6);  // 2 s and 1 ns
  std::string any = "\x0a";
  any += static_cast<char>(type.size());
  any += type + "\x12\x06" + info;
  std::string expected("\x08\x0e\x1a", 3);
  expected += static_cast<char>(any.size());
  EXPECT_EQ(encode_rpc_status(GrpcCode::kUnavailable, "", 2s + 1ns), expected + any);
}

TEST(RpcStatus, AMistakenWaitIsNoneOrCut) {
  struct Row {
    std::int64_t whole, nanos;
    std::optional<Duration> expected;
  };
  for (const Row& row : {Row{7, 500'000'000, 7500ms}, Row{0, 0, 0s}, Row{-1, 0, std::nullopt},
                         Row{0, -1, std::nullopt}, Row{0, 1'000'000'000, std::nullopt},
                         Row{3600, 0, 1h}, Row{315'576'000'000, 0, 1h},
                         Row{315'576'000'001, 0, std::nullopt}, Row{INT64_MAX, 0, std::nullopt}}) {
    EXPECT_EQ(read_rpc_status(with_delay(row.whole, row.nanos)).retry_after, row.expected)
        << row.whole << "." << row.nanos;
  }
}

TEST(RpcStatus, ADetailOfAnotherTypeIsNoWait) {
  std::string details = with_delay(5, 0);
  details.replace(details.find("RetryInfo"), 9, "ErrorInfo");
  EXPECT_EQ(read_rpc_status(details).retry_after, std::nullopt);
  EXPECT_EQ(read_rpc_status(details + with_delay(5, 0)).retry_after, 5s);
}

// R-SEC-3.
TEST(RpcStatus, MoreThan8KiBAreNotRead) {
  const std::string long_message(9000, 'x');
  const auto status = read_rpc_status(encode_rpc_status(GrpcCode::kUnavailable, long_message, 5s));
  EXPECT_EQ(status.retry_after, std::nullopt);
  EXPECT_EQ(status.message, "");
}

TEST(RpcStatus, WhatIsDamagedSaysNothing) {
  const auto bytes = encode_rpc_status(GrpcCode::kUnavailable, "m", 5s);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(read_rpc_status(bytes.substr(0, size)).retry_after, std::nullopt) << size;
  }
  EXPECT_EQ(read_rpc_status("a group\x0b").message, "");
}

}  // namespace
}  // namespace vigia::net
