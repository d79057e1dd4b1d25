#pragma once

#include <curl/curl.h>
#include <openssl/x509.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "http/client.h"

namespace isthmus::http::detail {

struct CurlDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(X509* certificate) const { X509_free(certificate); }
};
template <class T>
using CurlOwner = std::unique_ptr<T, CurlDeleter>;
using EasyHandle = CurlOwner<CURL>;

/// What all transfers of a client share; constant.
struct TransferSettings {
  std::string user_agent;
  Proxy proxy;
  CurlOwner<curl_slist> resolve;  // for CURLOPT_RESOLVE
  std::vector<CurlOwner<X509>> authorities;
};

/// One request on one easy handle: options, the guard, and what becomes of it. On the client's thread only.
class Transfer {
 public:
  Transfer(const TransferSettings& settings, ClientRequest request, Client::Callback done);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  /// Sets up the handle. @return a loss when the request cannot be expressed, or is refused before any connection.
  [[nodiscard]] std::optional<Loss> prepare(EasyHandle easy);
  [[nodiscard]] CURL* easy() const { return easy_.get(); }
  /// Takes the handle back, without anything of this request.
  [[nodiscard]] EasyHandle release();

  [[nodiscard]] ClientResult finish(CURLcode code);
  [[nodiscard]] Loss give_up(LossKind unsent, LossKind sent, std::string_view why) const;
  [[nodiscard]] std::chrono::milliseconds total_timeout() const { return request_.total_timeout; }

  const Client::Callback done;

 private:
  std::optional<Loss> read_url();
  std::optional<Loss> set_headers();
  void set_method();
  void set_policy();
  void set_callbacks();
  [[nodiscard]] bool allowed(bool is_public) const;
  [[nodiscard]] bool goes_through_proxy() const;
  [[nodiscard]] Loss loss(LossKind kind, std::string_view why) const;
  void take_header(std::string_view line);

  static curl_socket_t open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int before_request(void* self, char* remote_ip, char* local_ip, int remote_port, int local_port);
  static std::size_t write_header(char* data, std::size_t size, std::size_t count, void* self);
  static std::size_t write_body(char* data, std::size_t size, std::size_t count, void* self);
  static CURLcode add_authorities(CURL* easy, void* context, void* self);

  const TransferSettings& settings_;
  ClientRequest request_;
  EasyHandle easy_;
  CurlOwner<CURLU> url_;
  CurlOwner<curl_slist> headers_;
  std::string host_;
  std::uint16_t port_ = 0;
  bool proxied_ = false;
  bool guard_refused_ = false;
  bool sent_ = false;        // from the moment the first byte could go out
  bool sent_twice_ = false;  // libcurl wanted to repeat what must not be
  bool too_large_ = false;
  bool headers_done_ = false;
  std::size_t header_bytes_ = 0;
  ClientReply reply_;
  std::array<char, CURL_ERROR_SIZE> error_{};
};

}  // namespace isthmus::http::detail
