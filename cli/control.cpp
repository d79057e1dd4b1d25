#include "cli/control.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/check.h"

namespace isthmus::cli {
namespace {

constexpr std::size_t kBodyBytesMax = std::size_t{64} << 20;
constexpr long kSilenceSecondsMax = 120;
constexpr long kConnectMsMax = 5000;

struct Receiver {
  CURL* handle = nullptr;
  Reply reply;
  const std::function<bool(std::string_view)>* take = nullptr;
};

// libcurl's write callback: any other number than what came ends the transfer.
std::size_t receive(char* bytes, std::size_t one, std::size_t count, void* context) {
  auto& receiver = *static_cast<Receiver*>(context);
  const std::string_view piece(bytes, one * count);
  long status = 0;
  curl_easy_getinfo(receiver.handle, CURLINFO_RESPONSE_CODE, &status);
  if (receiver.take != nullptr && status >= 200 && status < 300) return (*receiver.take)(piece) ? piece.size() : 0;
  if (receiver.reply.body.size() + piece.size() > kBodyBytesMax) return 0;
  receiver.reply.body.append(piece);
  return piece.size();
}

Error unreachable(const std::string& socket, int number) {
  Error error{"control.unreachable",
              fmt::format("no daemon at {}: {}", socket, number == 0 ? "no answer" : std::strerror(number)),
              {},
              {}};
  if (number == EACCES || number == EPERM) {
    error.hint = "members of the group isthmus-admin may use the control socket: adduser NAME isthmus-admin";
  } else {
    error.hint = "is it running? systemctl status isthmusd; another socket is named with --socket PATH";
  }
  return error;
}

}  // namespace

struct Control::Call {
  const char* method;
  const std::string& target;
  const Body* body = nullptr;
  const std::function<bool(std::string_view)>* take = nullptr;
};

Control::Control(std::string socket) : socket_(std::move(socket)), handle_(curl_easy_init()) {
  ISTHMUS_CHECK(handle_ != nullptr, "libcurl gives a handle");
}

Control::~Control() { curl_easy_cleanup(handle_); }

Result<Reply> Control::perform(Call call) {
  curl_easy_reset(handle_);
  Receiver receiver{handle_, {}, call.take};
  char message[CURL_ERROR_SIZE] = {};
  const std::string url = "http://isthmus" + call.target;
  curl_easy_setopt(handle_, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle_, CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  curl_easy_setopt(handle_, CURLOPT_PROXY, "");
  curl_easy_setopt(handle_, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(handle_, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle_, CURLOPT_CONNECTTIMEOUT_MS, kConnectMsMax);
  curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(handle_, CURLOPT_LOW_SPEED_TIME, kSilenceSecondsMax);
  curl_easy_setopt(handle_, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(handle_, CURLOPT_WRITEFUNCTION, &receive);
  curl_easy_setopt(handle_, CURLOPT_WRITEDATA, &receiver);
  curl_easy_setopt(handle_, CURLOPT_CUSTOMREQUEST, call.method);

  curl_slist* list = curl_slist_append(nullptr, "Expect:");  // no 100-continue round trip
  if (call.body != nullptr) {
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDS, call.body->bytes.data());
    curl_easy_setopt(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body->bytes.size()));
    list = curl_slist_append(list, fmt::format("Content-Type: {}", call.body->content_type).c_str());
    for (const auto& header : call.body->headers) {
      list = curl_slist_append(list, fmt::format("{}: {}", header.first, header.second).c_str());
    }
  }
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list, &curl_slist_free_all);
  curl_easy_setopt(handle_, CURLOPT_HTTPHEADER, headers.get());

  const CURLcode code = curl_easy_perform(handle_);
  if (code != CURLE_OK) {
    long number = 0;
    curl_easy_getinfo(handle_, CURLINFO_OS_ERRNO, &number);
    if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST)
      return fail(unreachable(socket_, static_cast<int>(number)));
    return fail("control.lost", fmt::format("{} {}: {}", call.method, call.target,
                                            message[0] != '\0' ? message : curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
  receiver.reply.status = static_cast<int>(status);
  const char* type = nullptr;
  curl_easy_getinfo(handle_, CURLINFO_CONTENT_TYPE, &type);
  if (type != nullptr) receiver.reply.content_type = type;
  return std::move(receiver.reply);
}

Result<Reply> Control::get(const std::string& target) { return perform({"GET", target}); }
Result<Reply> Control::remove(const std::string& target) { return perform({"DELETE", target}); }
Result<Reply> Control::post(const std::string& target, const Body& body) { return perform({"POST", target, &body}); }
Result<Reply> Control::put(const std::string& target, const Body& body) { return perform({"PUT", target, &body}); }
Result<Reply> Control::download(const std::string& target, const std::function<bool(std::string_view)>& take) {
  return perform({"GET", target, nullptr, &take});
}

std::string encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    }
  }
  return out;
}

}  // namespace isthmus::cli
