// One exchange of the client: a curl easy handle with what it sends and what it has received.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <curl/curl.h>

#include "libs/net/client.hpp"

namespace vigia::net::internal {

/// Lives from the request to its `done`; only the client's thread touches it once it is begun.
class Transfer {
 public:
  using Done = Task<void(Result<ClientResponse>)>;

  Transfer(ClientRequest request, bool is_grpc, Done done);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer();

  /// Sets up the handle. kInvalid for a URL that is none.
  Result<void> begin(const ClientSettings& settings);
  CURL* handle() const { return handle_; }
  /// Of a call in clear text that was to go over a kept connection alone: true where there is none,
  /// and nothing of it was sent. It then is to be tried again, once `look_again` or `connect` was
  /// called.
  bool lacks_connection(CURLcode code) const;
  /// Again over a kept connection: another call is making one. False after some tries.
  bool look_again();
  /// Makes a connection of its own, which is kept.
  void connect();
  /// Whose connections it may share: scheme, host and port.
  std::string_view authority() const;
  /// Ends it with what curl says.
  void finish(CURLcode code);
  void fail_with(Error error);

 private:
  static std::size_t on_header(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t on_body(char* bytes, std::size_t size, std::size_t count, void* self);
  static curl_socket_t on_no_connection(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_socket(void* self, curl_socket_t socket, curlsocktype purpose);

  std::size_t offer(std::string_view piece);
  void set_headers();
  void set_body();
  void set_tls();
  void set_proxy();
  void set_connect_to();
  bool append_header(const std::string& line);
  Error error_of(CURLcode code) const;
  bool is_answered_despite(CURLcode code) const;
  void tell_sent() const;

  ClientRequest request_;
  bool is_grpc_;
  Done done_;
  ClientResponse response_;
  CURL* handle_ = nullptr;
  curl_slist* headers_ = nullptr;
  curl_slist* connect_to_ = nullptr;
  std::array<char, CURL_ERROR_SIZE> fault_{};
  std::size_t header_bytes_ = 0;
  std::size_t offered_bytes_ = 0;
  bool is_too_large_ = false;
  bool is_cut_ = false;
  bool has_no_connection_ = false;
  bool was_sent_ = false;  // in a try before this one
  int looks_ = 0;
};

}  // namespace vigia::net::internal
