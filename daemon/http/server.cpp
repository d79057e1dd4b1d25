// The edge to Boost.Asio's exceptions: they are caught here, in open(), and nowhere else in the room's server.
#include "http/server.h"

#include <openssl/ssl.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <thread>
#include <vector>

#include "http/detail/listener.h"
#include "http/detail/session.h"

namespace isthmus::http {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace detail;

constexpr std::size_t kRefusedConnectionsMax = 64;  // above the limit, being told so; the rest is closed unheard
constexpr int kAcceptsAtOnce = 64;                  // then the loop looks at its connections again
constexpr std::chrono::milliseconds kAcceptPause{50};

Result<asio::ssl::context> make_tls(const ServerTls& tls) {
  asio::ssl::context context(asio::ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context.native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.native_handle(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);  // idle connections give 34 kB back
  error_code error;
  context.use_certificate_chain(asio::buffer(tls.certificate_chain_pem), error);
  if (error)
    return fail("http.tls", "read the certificate chain: " + error.message(),
                "PEM, the server's own certificate first");
  const std::string_view key = tls.private_key_pem.reveal();
  context.use_private_key(asio::buffer(key.data(), key.size()), asio::ssl::context::pem, error);
  if (error || SSL_CTX_check_private_key(context.native_handle()) != 1) {
    return fail("http.tls", "read the private key: not PEM, or of another certificate");
  }
  return context;
}

Result<void> check(const ServerOptions& options) {
  const std::chrono::milliseconds zero{0};
  const bool times = options.header_deadline > zero && options.body_deadline > zero && options.answer_deadline > zero &&
                     options.write_deadline > zero && options.idle_deadline > zero;
  if (options.io_threads < 1 || options.io_threads > 16 || options.connections_max < 1 ||
      options.header_bytes_max < 256 || !times) {
    return fail("http.options",
                "open a server: threads outside 1 to 16, no connections, a head under 256 bytes, or a deadline of 0");
  }
  return {};
}

}  // namespace

struct Server::Impl {
  Impl(std::shared_ptr<Shared> all, Listener bound) : shared(std::move(all)), listener(bound) {
    for (unsigned i = 0; i < shared->options.io_threads; ++i) loops.push_back(std::make_shared<Loop>(shared));
    acceptor.emplace(loops[0]->io, listener.descriptor);
    pause.emplace(loops[0]->io);
  }

  ~Impl() { stop(std::chrono::milliseconds(0)); }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void run() {
    for (const auto& loop : loops) {
      guards.push_back(asio::make_work_guard(loop->io));
      threads.emplace_back([loop] { loop->io.run(); });
    }
    asio::post(loops[0]->io, [this] { wait_for_connection(); });
  }

  void wait_for_connection() {
    acceptor->async_wait(asio::posix::stream_descriptor::wait_read, [this](const error_code& error) {
      if (!error) accept_some();
    });
  }

  void accept_some() {
    using Outcome = Accepted::Outcome;
    for (int i = 0; i < kAcceptsAtOnce; ++i) {
      Accepted accepted = accept_next(listener.descriptor);
      if (accepted.outcome == Outcome::none_waiting) break;
      if (accepted.outcome == Outcome::failed) continue;  // that client went away
      if (accepted.outcome == Outcome::no_descriptors) {
        // It stays in the backlog. The socket stays readable, so waiting for that would spin.
        pause->expires_after(kAcceptPause);
        pause->async_wait([this](const error_code& error) {
          if (!error) accept_some();
        });
        return;
      }
      place(std::move(accepted));
    }
    wait_for_connection();
  }

  void place(Accepted accepted) {
    const std::uint64_t open = shared->connections_open.fetch_add(1);
    const std::size_t max = shared->options.connections_max;
    if (open >= max) shared->connections_refused.fetch_add(1);
    if (open >= max + kRefusedConnectionsMax) {
      ::close(accepted.descriptor);
      shared->connection_closed();
      return;
    }
    shared->connections_accepted.fetch_add(1);
    const std::shared_ptr<Loop>& loop = loops[next_loop++ % loops.size()];
    // Owned from here on, so that it is closed also when the loop never runs the task.
    auto socket = std::make_shared<PlainStream>(loop->io);
    error_code unwatchable;  // the kernel's limit on what epoll watches
    socket->assign(asio::generic::stream_protocol(AF_UNSPEC, SOCK_STREAM), accepted.descriptor, unwatchable);
    if (unwatchable) {
      ::close(accepted.descriptor);
      shared->connection_closed();
      return;
    }
    asio::post(loop->io,
               [this, loop = loop.get(), socket, peer = std::move(accepted.peer), refused = open >= max]() mutable {
                 error_code error;
                 socket->non_blocking(true, error);
                 if (shared->tls) {
                   auto session = std::make_shared<Session<TlsStream>>(
                       *loop, TlsStream(std::move(*socket), *shared->tls), std::move(peer));
                   return refused ? session->start_refused() : session->start();
                 }
                 auto session = std::make_shared<Session<PlainStream>>(*loop, std::move(*socket), std::move(peer));
                 return refused ? session->start_refused() : session->start();
               });
  }

  std::size_t stop(std::chrono::milliseconds patience) {
    if (stopped) return shared->requests_cut_off.load();
    stopped = true;
    // On the accepting loop first: whatever it accepted before is then queued at its loop ahead of begin_stop.
    asio::post(loops[0]->io, [this] {
      error_code ignored;
      pause->cancel(ignored);
      acceptor->close(ignored);
      for (const auto& loop : loops) asio::post(loop->io, [loop = loop.get()] { loop->begin_stop(); });
    });
    const auto deadline = std::chrono::steady_clock::now() + patience;
    {
      std::unique_lock lock(shared->last_mutex);
      shared->last_closed.wait_until(lock, deadline, [this] { return shared->connections_open.load() == 0; });
    }
    for (const auto& loop : loops) {
      asio::post(loop->io, [loop = loop.get()] {
        loop->cut_off();
        loop->io.stop();
      });
    }
    threads.clear();  // joins
    if (const auto* local = std::get_if<UnixAddress>(&shared->options.address)) ::unlink(local->path.c_str());
    return shared->requests_cut_off.load();
  }

  const std::shared_ptr<Shared> shared;
  const Listener listener;
  std::vector<std::shared_ptr<Loop>> loops;
  std::optional<asio::posix::stream_descriptor> acceptor;  // on the first loop
  std::optional<asio::steady_timer> pause;
  std::size_t next_loop = 0;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
  bool stopped = false;
  std::vector<std::jthread> threads;
};

Result<std::unique_ptr<Server>> Server::open(ServerOptions options, const Clock& clock, Handler handler) {
  if (auto good = check(options); !good) return fail(std::move(good).error());
  auto shared = std::make_shared<Shared>(std::move(options), clock, std::move(handler));
  try {
    if (shared->options.tls) {
      auto tls = make_tls(*shared->options.tls);
      if (!tls) return fail(std::move(tls).error());
      shared->tls.emplace(std::move(*tls));
    }
    auto listener = open_listener(shared->options.address);
    if (!listener) return fail(std::move(listener).error());
    auto impl = std::make_unique<Impl>(std::move(shared), *listener);
    impl->run();
    return std::unique_ptr<Server>(new Server(std::move(impl)));
  } catch (const std::system_error& error) {  // Asio's, and std::thread's
    return fail("http.listen", std::string("open a server: ") + error.what());
  } catch (const boost::system::system_error& error) {
    return fail("http.listen", std::string("open a server: ") + error.what());
  }
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

std::uint16_t Server::port() const { return impl_->listener.port; }

ServerCounts Server::counts() const {
  const Shared& shared = *impl_->shared;
  return {shared.connections_open.load(), shared.connections_accepted.load(), shared.connections_refused.load(),
          shared.requests.load(),         shared.requests_refused.load(),     shared.deadlines_missed.load()};
}

std::size_t Server::stop(std::chrono::milliseconds patience) { return impl_->stop(patience); }

}  // namespace isthmus::http
