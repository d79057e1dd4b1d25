#include "adapter/detail/thrift_transport.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace isthmus::adapter::detail {
namespace {

using apache::thrift::TConfiguration;
using apache::thrift::transport::TTransport;
using apache::thrift::transport::TTransportException;

constexpr int kRecursionMax = 32;                 // the contract nests 6 deep
constexpr std::uint32_t kKeptBytesMax = 1 << 20;  // of a buffer, between two messages

[[noreturn]] void lost(const char* what) {
  throw TTransportException(TTransportException::NOT_OPEN, std::string(what) + ": " + std::strerror(errno));
}

timeval as_timeval(std::chrono::microseconds left) {
  const std::int64_t us = std::max<std::int64_t>(1, left.count());  // 0 would mean for ever
  return {static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)};
}

}  // namespace

DeadlineSocket::DeadlineSocket(const Clock& clock, int descriptor) : clock_(clock), descriptor_(descriptor) {}

DeadlineSocket::~DeadlineSocket() { DeadlineSocket::close(); }

void DeadlineSocket::close() {
  if (descriptor_ >= 0) (void)::close(descriptor_);
  descriptor_ = -1;
}

void DeadlineSocket::connect(const std::filesystem::path& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string text = path.string();
  if (text.size() >= sizeof(address.sun_path))
    throw TTransportException(TTransportException::NOT_OPEN, "the path of the socket is too long");
  std::memcpy(address.sun_path, text.data(), text.size());
  close();
  descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) lost("socket");
  // A full queue of a listener makes connect() wait, for as long as the sending timeout says.
  const timeval left = as_timeval(deadline_ - clock_.since_boot());
  (void)::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof left);
  if (::connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    if (errno == EAGAIN) throw TTransportException(TTransportException::TIMED_OUT, "nobody took the connection");
    lost("connect");
  }
}

bool DeadlineSocket::quiet() const {
  pollfd one{descriptor_, POLLIN, 0};
  return descriptor_ >= 0 && ::poll(&one, 1, 0) == 0;
}

void DeadlineSocket::wait_for(short events) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - clock_.since_boot());
  pollfd one{descriptor_, events, 0};
  const int ready = left.count() <= 0 ? 0 : ::poll(&one, 1, static_cast<int>(left.count()));
  if (ready == 0) throw TTransportException(TTransportException::TIMED_OUT, "no answer in time");
  if (ready < 0 && errno != EINTR) lost("poll");
}

std::uint32_t DeadlineSocket::read(std::uint8_t* into, std::uint32_t size) {
  while (true) {
    const ssize_t got = ::recv(descriptor_, into, size, MSG_DONTWAIT);
    if (got >= 0) return static_cast<std::uint32_t>(got);
    if (errno != EAGAIN && errno != EINTR) lost("read");
    wait_for(POLLIN);
  }
}

void DeadlineSocket::write(const std::uint8_t* from, std::uint32_t size) {
  while (size > 0) {
    const ssize_t put = ::send(descriptor_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) {
      from += put;
      size -= static_cast<std::uint32_t>(put);
      continue;
    }
    if (errno != EAGAIN && errno != EINTR) lost("write");
    wait_for(POLLOUT);
  }
}

MessageFrames::MessageFrames(std::shared_ptr<TTransport> under)
    : TFramedTransport(std::move(under), DEFAULT_BUFFER_SIZE, kKeptBytesMax,
                       std::make_shared<TConfiguration>(kFrameBytesMax, kFrameBytesMax, kRecursionMax)) {}

bool MessageFrames::readFrame() {
  if (inside_) throw TTransportException(TTransportException::CORRUPTED_DATA, "a message that its frame does not hold");
  if (!TFramedTransport::readFrame()) return false;
  inside_ = true;
  resetConsumedMessageSize(rBound_ - rBase_);
  return true;
}

std::uint32_t MessageFrames::readEnd() {
  if (rBase_ != rBound_)
    throw TTransportException(TTransportException::CORRUPTED_DATA, "a frame with more than its message");
  inside_ = false;
  const std::uint32_t size = TFramedTransport::readEnd();
  resetConsumedMessageSize();
  return size;
}

void MessageFrames::flush() {
  if (wBase_ - wBuf_.get() > kFrameBytesMax)
    throw TTransportException(TTransportException::BAD_ARGS, "more than a frame may hold");
  TFramedTransport::flush();
}

}  // namespace isthmus::adapter::detail
