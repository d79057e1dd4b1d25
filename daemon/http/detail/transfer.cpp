#include "http/detail/transfer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

namespace isthmus::http::detail {
namespace {

constexpr std::size_t kReplyHeaderBytesMax = 64 << 10;
constexpr std::array<std::string_view, 7> kOwnFields{
    "host", "content-length", "transfer-encoding", "connection", "expect", "te", "proxy-authorization"};

struct CurlText {
  char* text = nullptr;
  CurlText() = default;
  CurlText(const CurlText&) = delete;
  CurlText& operator=(const CurlText&) = delete;
  ~CurlText() { curl_free(text); }
};

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  CurlText out;
  return curl_url_get(url, part, &out.text, flags) == CURLUE_OK && out.text != nullptr ? out.text : "";
}

/// Without the brackets of an IPv6 literal.
std::string_view bare(std::string_view host) {
  return !host.empty() && host.front() == '[' ? host.substr(1, host.find_first_of("%]") - 1) : host;
}

bool is_literal(std::string_view host) {
  const std::string text(host);
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return ::inet_pton(AF_INET, text.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), ignored.data()) == 1;
}

/// RFC 6761 6.3: localhost and all below it are loopback, whoever resolves them.
bool is_localhost(std::string_view host) {
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  constexpr std::string_view kName = "localhost";
  if (host.size() < kName.size() || !equal_ignoring_case(host.substr(host.size() - kName.size()), kName)) return false;
  return host.size() == kName.size() || host[host.size() - kName.size() - 1] == '.';
}

/// What URL parsers are lenient about, each in its way: other bytes than RFC 3986 has, backslashes, one slash or three.
bool is_plain_url(std::string_view url) {
  const std::size_t slashes = url.find("://");
  return slashes != std::string_view::npos && url.substr(slashes + 3, 1) != "/" &&
         std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '\\'; });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\r' || text.back() == '\n'))
    text.remove_suffix(1);
  return text;
}

bool is_tls_failure(CURLcode code) {
  constexpr std::array kCodes{
      CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,    CURLE_SSL_CERTPROBLEM,
      CURLE_SSL_CIPHER,        CURLE_SSL_ISSUER_ERROR,         CURLE_SSL_INVALIDCERTSTATUS, CURLE_USE_SSL_FAILED,
      CURLE_SSL_CRL_BADFILE,   CURLE_SSL_PINNEDPUBKEYNOTMATCH};
  return std::find(kCodes.begin(), kCodes.end(), code) != kCodes.end();
}

}  // namespace

Transfer::Transfer(const TransferSettings& settings, ClientRequest request, Client::Callback to)
    : done(std::move(to)), settings_(settings), request_(std::move(request)) {}

Loss Transfer::loss(LossKind kind, std::string_view why) const {
  std::string what = host_.empty() ? std::string("the request") : host_ + ":" + std::to_string(port_);
  what.append(": ").append(why);
  return {kind, std::move(what)};
}

Loss Transfer::give_up(LossKind unsent, LossKind sent, std::string_view why) const {
  return loss(sent_ ? sent : unsent, why);
}

std::optional<Loss> Transfer::prepare(EasyHandle easy) {
  easy_ = std::move(easy);
  if (auto bad = read_url()) return bad;
  if (auto bad = set_headers()) return bad;
  proxied_ = goes_through_proxy();
  // Behind a proxy no address is seen here: what can be judged is what names itself.
  if (proxied_ && is_literal(bare(host_)) && !allowed(is_public_address(bare(host_)))) {
    return loss(LossKind::refused_by_guard, "an internal address, which this connection does not allow");
  }
  if (proxied_ && is_localhost(host_) && !allowed(false)) {
    return loss(LossKind::refused_by_guard, "an internal name, which this connection does not allow");
  }
  set_method();
  set_policy();
  set_callbacks();
  return std::nullopt;
}

EasyHandle Transfer::release() {
  curl_easy_reset(easy_.get());  // before what its options point to goes away
  return std::move(easy_);
}

std::optional<Loss> Transfer::read_url() {
  url_.reset(curl_url());
  // One parser for the check and for the connection: the handle itself is given to the transfer.
  const CURLUcode code =
      curl_url_set(url_.get(), CURLUPART_URL, request_.url.c_str(), CURLU_DISALLOW_USER | CURLU_PATH_AS_IS);
  if (code != CURLUE_OK || !is_plain_url(request_.url))
    return loss(LossKind::bad_request, "the URL is not well-formed");
  const std::string scheme = part_of(url_.get(), CURLUPART_SCHEME);
  if (scheme != "http" && scheme != "https") return loss(LossKind::bad_request, "only http and https are spoken");
  host_ = part_of(url_.get(), CURLUPART_HOST);
  const std::string port = part_of(url_.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), port_);
  if (host_.empty() || port_ == 0) return loss(LossKind::bad_request, "the URL has no host or no port");
  return std::nullopt;
}

std::optional<Loss> Transfer::set_headers() {
  if (!is_token(request_.method)) return loss(LossKind::bad_request, "the method is not a token");
  const auto append = [this](const std::string& line) {
    curl_slist* longer = curl_slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) return;  // out of memory; the next allocation of ours ends the process
    (void)headers_.release();
    headers_.reset(longer);
  };
  for (const Header& field : request_.headers) {
    const bool own = std::any_of(kOwnFields.begin(), kOwnFields.end(),
                                 [&field](std::string_view name) { return equal_ignoring_case(name, field.name); });
    if (!is_token(field.name) || !is_field_value(field.value) || own) {
      return loss(LossKind::bad_request, "a header that cannot be sent");
    }
    append(field.value.empty() ? field.name + ";" : field.name + ": " + field.value);
  }
  append("Expect:");                                                    // no waiting for 100 Continue
  if (!request_.headers.find("content-type")) append("Content-Type:");  // none instead of libcurl's guess
  return std::nullopt;
}

void Transfer::set_method() {
  CURL* easy = easy_.get();
  const std::string& method = request_.method;
  if (method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  const bool has_body = !request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
  if (has_body) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  } else {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method.c_str());
}

void Transfer::set_policy() {
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_CURLU, url_.get());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, settings_.user_agent.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request_.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Without it, giving up on a name waits for the resolver's thread, and all other requests with it.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY,
                   proxied_ ? settings_.proxy.url.c_str() : "");  // "": not even from the environment
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(easy, CURLOPT_RESOLVE, settings_.resolve.get());
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // The bundle alone holds all authorities; with a folder beside it libcurl would read the bundle again for each
  // connection.
  curl_easy_setopt(easy, CURLOPT_CAPATH, nullptr);
}

void Transfer::set_callbacks() {
  CURL* easy = easy_.get();
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_.data());
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &Transfer::before_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &Transfer::write_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &Transfer::write_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  if (!settings_.authorities.empty()) {
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, &Transfer::add_authorities);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, this);
  }
}

bool Transfer::allowed(bool is_public) const { return is_public || request_.guard.allows_internal(host_, port_); }

bool Transfer::goes_through_proxy() const {
  if (settings_.proxy.url.empty()) return false;
  return std::none_of(settings_.proxy.bypass_hosts.begin(), settings_.proxy.bypass_hosts.end(),
                      [this](const std::string& entry) {
                        if (entry.empty() || entry.front() != '.') return equal_ignoring_case(entry, host_);
                        return host_.size() > entry.size() &&
                               equal_ignoring_case(entry, std::string_view(host_).substr(host_.size() - entry.size()));
                      });
}

/// The guard proper: the address that will be connected to, after every resolver had its say.
curl_socket_t Transfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.proxied_ &&
      !transfer.allowed(is_public_address(&address->addr, static_cast<socklen_t>(address->addrlen)))) {
    transfer.guard_refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// Called on a new connection and on a kept one, before each request. A kept connection may have been opened for
/// another adapter's connection, which was allowed what this one is not.
int Transfer::before_request(void* self, char* remote_ip, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (!transfer.proxied_ && !transfer.allowed(is_public_address(std::string_view(remote_ip)))) {
    transfer.guard_refused_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
  // A kept connection that ends without a reply is retried by libcurl, for any method. The request may have had its
  // effect.
  if (transfer.sent_ && transfer.request_.method != "GET" && transfer.request_.method != "HEAD") {
    transfer.sent_twice_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
  transfer.sent_ = true;
  return CURL_PREREQFUNC_OK;
}

std::size_t Transfer::write_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.header_bytes_ += size * count;
  if (transfer.header_bytes_ > kReplyHeaderBytesMax) {
    transfer.too_large_ = true;
    return 0;
  }
  transfer.take_header({data, size * count});
  return size * count;
}

void Transfer::take_header(std::string_view line) {
  if (line.substr(0, 5) == "HTTP/") {  // also after a 1xx
    reply_ = {};
    headers_done_ = false;
    return;
  }
  if (trimmed(line).empty()) {
    headers_done_ = true;
    return;
  }
  const std::size_t colon = line.find(':');
  if (headers_done_ || colon == std::string_view::npos || line.front() == ' ' || line.front() == '\t')
    return;  // trailers, folds
  reply_.headers.add(std::string(trimmed(line.substr(0, colon))), std::string(trimmed(line.substr(colon + 1))));
}

std::size_t Transfer::write_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.reply_.body.size() + size * count > transfer.request_.reply_bytes_max) {
    transfer.too_large_ = true;
    return 0;
  }
  transfer.reply_.body.append(data, size * count);
  return size * count;
}

CURLcode Transfer::add_authorities(CURL*, void* context, void* self) {
  X509_STORE* store = SSL_CTX_get_cert_store(static_cast<SSL_CTX*>(context));
  for (const auto& certificate : static_cast<Transfer*>(self)->settings_.authorities) {
    if (X509_STORE_add_cert(store, certificate.get()) != 1) return CURLE_SSL_CACERT_BADFILE;
  }
  return CURLE_OK;
}

ClientResult Transfer::finish(CURLcode code) {
  // libcurl takes a reply that ends within its fields for a whole one.
  if (code == CURLE_OK && !headers_done_) return loss(LossKind::reset_sent, "the reply ended within its fields");
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
    reply_.status = static_cast<int>(status);
    return std::move(reply_);
  }
  const char* why = error_[0] != '\0' ? error_.data() : curl_easy_strerror(code);
  if (guard_refused_ && !sent_)
    return loss(LossKind::refused_by_guard, "an internal address, which this connection does not allow");
  if (too_large_) return loss(LossKind::too_large, "the reply is larger than allowed");
  if (sent_twice_) return loss(LossKind::reset_sent, "the kept connection ended without a reply");
  if (code == CURLE_OPERATION_TIMEDOUT) return give_up(LossKind::timeout_unsent, LossKind::timeout_sent, why);
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
    return give_up(LossKind::bad_request, LossKind::reset_sent, why);
  if (is_tls_failure(code)) return give_up(LossKind::tls, LossKind::reset_sent, why);
  return give_up(LossKind::connect, LossKind::reset_sent, why);
}

}  // namespace isthmus::http::detail
