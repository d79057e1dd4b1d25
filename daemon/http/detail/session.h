#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <memory>
#include <string>

#include "http/detail/loop.h"
#include "http/detail/request_reader.h"
#include "http/detail/response_head.h"

namespace isthmus::http::detail {

using PlainStream = boost::asio::generic::stream_protocol::socket;  // TCP and Unix sockets alike
using TlsStream = boost::asio::ssl::stream<PlainStream>;

/// One connection: reads a request, hands it over, writes the answer, and again. On its loop's thread only.
template <class Stream>
class Session final : public SessionFace, public std::enable_shared_from_this<Session<Stream>> {
 public:
  Session(Loop& loop, Stream stream, std::string peer);

  void start();
  /// Answers 503 and ends, for a connection above the limit.
  void start_refused();

  void expired() override;
  void begin_stop() override;
  void cut_off() override;

 private:
  enum class Phase { handshake, idle, head, body, answering, writing, draining, closed };

  void enter(Phase phase, std::chrono::milliseconds deadline);
  PlainStream& socket();
  void handshake();
  void read();
  void received(boost::system::error_code error, std::size_t bytes);
  void process();
  void body_begins();
  void hand_over();
  void answer(std::uint64_t number, Response response);
  void refuse(Response response);
  void write(Response response);
  void written(boost::system::error_code error);
  void next_request();
  void drain();
  void close();

  Loop& loop_;
  const ServerOptions& options_;
  Stream stream_;
  const std::string peer_;
  Phase phase_ = Phase::idle;
  std::string in_;  // received, not yet taken by the reader
  RequestReader reader_;
  std::string tls_in_;  // where TLS decrypts to; plain sockets use the loop's scratch
  std::string head_;    // of the answer being written
  Bytes body_;
  std::uint64_t number_ = 0;  // of the request being served, so that a late answer finds no other
  bool keep_alive_ = true;
  bool is_head_ = false;
  bool stopping_ = false;
  std::size_t drained_bytes_ = 0;
};

extern template class Session<PlainStream>;
extern template class Session<TlsStream>;

}  // namespace isthmus::http::detail
