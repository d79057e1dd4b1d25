#include "http/detail/session.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <type_traits>

namespace isthmus::http::detail {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::milliseconds kDrainDeadline{2'000};
constexpr std::size_t kDrainBytesMax = 1 << 20;
constexpr std::size_t kTlsReadBytes = 4 << 10;
constexpr std::size_t kKeptBytesMax = 1 << 10;  // of a buffer, while a connection is idle

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

template <class Stream>
Session<Stream>::Session(Loop& loop, Stream stream, std::string peer)
    : loop_(loop),
      options_(loop.shared->options),
      stream_(std::move(stream)),
      peer_(std::move(peer)),
      reader_({loop.shared->options.header_bytes_max, loop.shared->options.body_bytes_max}) {}

template <class Stream>
PlainStream& Session<Stream>::socket() {
  if constexpr (std::is_same_v<Stream, PlainStream>) {
    return stream_;
  } else {
    return stream_.next_layer();
  }
}

template <class Stream>
void Session<Stream>::enter(Phase phase, std::chrono::milliseconds deadline) {
  phase_ = phase;
  loop_.set_deadline(*this, std::chrono::steady_clock::now() + deadline);
}

template <class Stream>
void Session<Stream>::start() {
  loop_.add(this->shared_from_this());
  if constexpr (std::is_same_v<Stream, PlainStream>) {
    enter(Phase::head, options_.header_deadline);
    read();
  } else {
    enter(Phase::handshake, options_.header_deadline);
    handshake();
  }
}

template <class Stream>
void Session<Stream>::start_refused() {
  loop_.add(this->shared_from_this());
  if constexpr (std::is_same_v<Stream, PlainStream>) {
    Response response = problem(503, "http.busy", "too many connections");
    response.headers.add("Retry-After", "1");
    keep_alive_ = false;
    write(std::move(response));
  } else {
    close();  // not worth a handshake
  }
}

template <class Stream>
void Session<Stream>::handshake() {
  if constexpr (!std::is_same_v<Stream, PlainStream>) {
    stream_.async_handshake(asio::ssl::stream_base::server, [self = this->shared_from_this()](const error_code& error) {
      if (self->phase_ != Phase::handshake) return;
      if (error) return self->close();
      self->enter(Phase::head, self->options_.header_deadline);
      self->read();
    });
  }
}

template <class Stream>
void Session<Stream>::read() {
  if constexpr (std::is_same_v<Stream, PlainStream>) {
    stream_.async_wait(PlainStream::wait_read, [self = this->shared_from_this()](error_code error) {
      if (self->phase_ == Phase::closed) return;
      std::size_t bytes = 0;
      if (!error) bytes = self->stream_.read_some(asio::buffer(self->loop_.scratch), error);
      if (error == asio::error::would_block) return self->read();
      self->received(error, bytes);
    });
  } else {
    tls_in_.resize(kTlsReadBytes);
    stream_.async_read_some(asio::buffer(tls_in_),
                            [self = this->shared_from_this()](const error_code& error, std::size_t bytes) {
                              if (self->phase_ != Phase::closed) self->received(error, bytes);
                            });
  }
}

template <class Stream>
void Session<Stream>::received(error_code error, std::size_t bytes) {
  if (error) return close();
  if (phase_ == Phase::draining) {
    drained_bytes_ += bytes;
    return drained_bytes_ > kDrainBytesMax ? close() : read();
  }
  if (phase_ == Phase::answering || phase_ == Phase::writing) return;  // a 408 or 503 overtook this read
  if constexpr (std::is_same_v<Stream, PlainStream>) {
    in_.append(loop_.scratch.data(), bytes);
  } else {
    in_.append(tls_in_, 0, bytes);
  }
  process();
}

template <class Stream>
void Session<Stream>::process() {
  if (phase_ == Phase::idle) enter(Phase::head, options_.header_deadline);
  switch (reader_.feed(in_)) {
    case ReadState::head:
      return read();
    case ReadState::body:
      return body_begins();
    case ReadState::done:
      return hand_over();
    case ReadState::refused: {
      loop_.shared->requests_refused.fetch_add(1, std::memory_order_relaxed);
      const Refusal& refusal = reader_.refusal();
      return refuse(problem(refusal.status, refusal.code, refusal.detail));
    }
  }
}

template <class Stream>
void Session<Stream>::body_begins() {
  const bool first = phase_ == Phase::head;
  if (first) enter(Phase::body, options_.body_deadline);
  // RFC 9110 10.1.1: no 100 when some of the body is there already.
  if (!first || !reader_.expects_continue() || !in_.empty()) return read();
  asio::async_write(stream_, asio::buffer(kContinue),
                    [self = this->shared_from_this()](const error_code& error, std::size_t) {
                      if (self->phase_ != Phase::body) return;
                      if (error) return self->close();
                      self->read();
                    });
}

template <class Stream>
void Session<Stream>::hand_over() {
  keep_alive_ = reader_.keep_alive() && !stopping_;
  is_head_ = reader_.is_head();
  Request request = reader_.take();
  request.peer = peer_;
  enter(Phase::answering, options_.answer_deadline);
  loop_.shared->requests.fetch_add(1, std::memory_order_relaxed);
  const std::uint64_t number = ++number_;
  // The loop outlives the server for as long as somebody may answer; the connection does not.
  std::weak_ptr<Session> weak = this->weak_from_this();
  Responder respond([loop = loop_.shared_from_this(), weak, number](Response response) {
    asio::dispatch(loop->io, [weak, number, answer = std::move(response)]() mutable {
      if (const auto self = weak.lock()) self->answer(number, std::move(answer));
    });
  });
  loop_.shared->handler(std::move(request), std::move(respond));
}

template <class Stream>
void Session<Stream>::answer(std::uint64_t number, Response response) {
  if (phase_ != Phase::answering || number != number_) return;  // closed, or 503 was faster
  if (!is_writable(response)) response = problem(500, "http.response", "the answer cannot be written as HTTP");
  write(std::move(response));
}

template <class Stream>
void Session<Stream>::refuse(Response response) {
  keep_alive_ = false;
  is_head_ = false;
  write(std::move(response));
}

template <class Stream>
void Session<Stream>::write(Response response) {
  if (stopping_) keep_alive_ = false;
  enter(Phase::writing, options_.write_deadline);
  head_ = format_head(response, keep_alive_ ? Connection::keep : Connection::close, loop_.date());
  body_ = is_head_ || !has_content(response.status) ? Bytes{} : std::move(response.body);
  const std::array<asio::const_buffer, 2> parts{asio::buffer(head_), asio::buffer(body_)};
  asio::async_write(stream_, parts,
                    [self = this->shared_from_this()](const error_code& error, std::size_t) { self->written(error); });
}

template <class Stream>
void Session<Stream>::written(error_code error) {
  if (phase_ != Phase::writing) return;
  if (error) return close();
  body_ = {};
  if (!keep_alive_ || stopping_) return drain();
  next_request();
}

template <class Stream>
void Session<Stream>::next_request() {
  enter(Phase::idle, options_.idle_deadline);
  if (!in_.empty()) return process();  // pipelined
  if (in_.capacity() > kKeptBytesMax) in_ = {};
  if (head_.capacity() > kKeptBytesMax) head_ = {};
  read();
}

/// RFC 9112 9.6: closing while the client still sends would reset the connection, and the answer with it. So say that
/// nothing follows, and read on for a while, without keeping anything.
template <class Stream>
void Session<Stream>::drain() {
  enter(Phase::draining, kDrainDeadline);
  in_ = {};
  if constexpr (std::is_same_v<Stream, PlainStream>) {
    error_code ignored;  // the client may be gone: the next read tells
    stream_.shutdown(PlainStream::shutdown_send, ignored);
    read();
  } else {
    stream_.async_shutdown([self = this->shared_from_this()](const error_code&) { self->close(); });
  }
}

template <class Stream>
void Session<Stream>::expired() {
  if (phase_ == Phase::closed) return;  // by another one's expiry in the same round
  if (phase_ != Phase::idle && phase_ != Phase::draining)
    loop_.shared->deadlines_missed.fetch_add(1, std::memory_order_relaxed);
  switch (phase_) {
    case Phase::head:
      if (in_.empty()) return close();
      return refuse(problem(408, "http.timeout", "the request's head did not arrive in time"));
    case Phase::body:
      return refuse(problem(408, "http.timeout", "the request's body did not arrive in time"));
    case Phase::answering:
      return refuse(problem(503, "http.unanswered", "no answer in time"));
    case Phase::handshake:
    case Phase::idle:
    case Phase::writing:
    case Phase::draining:
    case Phase::closed:
      return close();
  }
}

template <class Stream>
void Session<Stream>::begin_stop() {
  stopping_ = true;
  if (phase_ == Phase::handshake || phase_ == Phase::idle || phase_ == Phase::head) close();
}

template <class Stream>
void Session<Stream>::cut_off() {
  if (phase_ == Phase::body || phase_ == Phase::answering || phase_ == Phase::writing)
    loop_.shared->requests_cut_off.fetch_add(1);
  close();
}

template <class Stream>
void Session<Stream>::close() {
  if (phase_ == Phase::closed) return;
  phase_ = Phase::closed;
  error_code ignored;  // the descriptor is gone either way
  socket().close(ignored);
  loop_.remove(*this);
}

template class Session<PlainStream>;
template class Session<TlsStream>;

}  // namespace isthmus::http::detail
