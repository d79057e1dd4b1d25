#include "http/client.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <future>
#include <map>
#include <thread>
#include <unordered_map>

#include "base/check.h"
#include "base/guarded.h"
#include "http/detail/transfer.h"

namespace isthmus::http {
namespace {

using namespace detail;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr int kEventsAtOnce = 256;
constexpr std::size_t kSpareHandlesMax = 256;
constexpr std::chrono::milliseconds kWaitMax{60'000};  // the loop looks up at least so often, for nothing

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  const int fd_;
};

Result<std::vector<CurlOwner<X509>>> read_authorities(const std::string& path) {
  std::vector<CurlOwner<X509>> out;
  if (path.empty()) return out;
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "r"), &BIO_free);
  while (file != nullptr) {
    CurlOwner<X509> certificate(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    out.push_back(std::move(certificate));
  }
  ERR_clear_error();  // the end of the file is an error there
  if (out.empty())
    return fail("http.ca-file", "read authorities from " + path + ": no PEM certificate found",
                "check the path and that it is readable");
  return out;
}

Result<void> check_proxy(const Proxy& proxy) {
  if (proxy.url.empty()) return {};
  const CurlOwner<CURLU> url(curl_url());
  const bool http = proxy.url.rfind("http://", 0) == 0 || proxy.url.rfind("https://", 0) == 0;
  if (!http || curl_url_set(url.get(), CURLUPART_URL, proxy.url.c_str(), 0) != CURLUE_OK) {
    return fail("http.proxy", "the proxy's address is not a URL with http or https", "write it as http://host:port");
  }
  return {};
}

struct Arrival {
  ClientRequest request;
  Client::Callback done;
  SteadyTime sent_at;
  bool overloaded = false;
};

struct Inbox {
  std::vector<Arrival> arrivals;
  bool closed = false;
};

}  // namespace

std::string_view to_string(LossKind kind) {
  switch (kind) {
    case LossKind::bad_request:
      return "bad_request";
    case LossKind::refused_by_guard:
      return "refused_by_guard";
    case LossKind::overloaded:
      return "overloaded";
    case LossKind::connect:
      return "connect";
    case LossKind::tls:
      return "tls";
    case LossKind::timeout_unsent:
      return "timeout_unsent";
    case LossKind::cancelled_unsent:
      return "cancelled_unsent";
    case LossKind::timeout_sent:
      return "timeout_sent";
    case LossKind::reset_sent:
      return "reset_sent";
    case LossKind::too_large:
      return "too_large";
    case LossKind::cancelled_sent:
      return "cancelled_sent";
  }
  return "";
}

struct Client::Impl {
  struct Active {
    std::unique_ptr<Transfer> transfer;
    std::multimap<SteadyTime, CURL*>::iterator deadline;
  };

  Impl() : epoll(::epoll_create1(EPOLL_CLOEXEC)), wake(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  ~Impl() {
    stop();
    spare.clear();
    if (multi != nullptr) curl_multi_cleanup(multi);
    curl_global_cleanup();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> open(ClientOptions given);
  void send(ClientRequest request, Callback done);
  void stop();

  // The rest on the client's thread.
  void run();
  [[nodiscard]] int wait_ms() const;
  void take_arrivals();
  void start(Arrival arrival);
  void collect();
  void expire();
  void answer(CURL* easy, ClientResult result);
  void cancel_all();
  static int watch(CURL* easy, curl_socket_t fd, int what, void* self, void* known);
  static int set_timer(CURLM* multi, long timeout_ms, void* self);

  ClientOptions options;
  TransferSettings settings;
  const Descriptor epoll;
  const Descriptor wake;
  CURLM* multi = nullptr;
  Guarded<Inbox> inbox;
  std::atomic<std::size_t> in_flight{0};
  std::atomic<bool> stopping{false};
  std::unordered_map<CURL*, Active> active;
  std::multimap<SteadyTime, CURL*>
      deadlines;  // of whole requests: libcurl's own do not run while one waits for a connection
  std::optional<SteadyTime> timer;
  std::vector<EasyHandle> spare;
  std::jthread thread;
};

Result<void> Client::Impl::open(ClientOptions given) {
  options = std::move(given);
  curl_global_init(CURL_GLOBAL_DEFAULT);  // counted, and thread safe since 7.84
  if (auto good = check_proxy(options.proxy); !good) return fail(std::move(good).error());
  auto authorities = read_authorities(options.extra_ca_file);
  if (!authorities) return fail(std::move(authorities).error());
  settings.user_agent = options.user_agent;
  settings.proxy = options.proxy;
  settings.authorities = std::move(*authorities);
  for (const FixedAddress& fixed : options.fixed_addresses) {
    const std::string line = fixed.host + ":" + std::to_string(fixed.port) + ":" + fixed.address;
    curl_slist* longer = curl_slist_append(settings.resolve.get(), line.c_str());
    (void)settings.resolve.release();
    settings.resolve.reset(longer);
  }
  multi = curl_multi_init();
  if (multi == nullptr || epoll.get() < 0 || wake.get() < 0)
    return fail("http.client", "open a client: no descriptors or memory");
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::watch);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::set_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, static_cast<long>(options.connections_max));
  curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, static_cast<long>(options.connections_per_host_max));
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(options.connections_max));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake.get();
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0)
    return fail("http.client", "open a client: epoll");
  thread = std::jthread([this] { run(); });
  return {};
}

void Client::Impl::send(ClientRequest request, Callback done) {
  Arrival arrival{std::move(request), std::move(done), std::chrono::steady_clock::now(), false};
  arrival.overloaded = in_flight.fetch_add(1) >= options.requests_max;
  const bool closed = inbox.with([&](Inbox& box) {
    if (!box.closed) box.arrivals.push_back(std::move(arrival));
    return box.closed;
  });
  if (closed) {
    in_flight.fetch_sub(1);
    arrival.done(Loss{LossKind::cancelled_unsent, "the client has stopped"});
    return;
  }
  const std::uint64_t one = 1;
  // Cannot fail but for a full counter, and then the loop is awake anyway.
  (void)!::write(wake.get(), &one, sizeof(one));
}

void Client::Impl::stop() {
  if (!thread.joinable()) return;
  stopping = true;
  const std::uint64_t one = 1;
  (void)!::write(wake.get(), &one, sizeof(one));
  thread.join();
}

void Client::Impl::run() {
  std::array<epoll_event, kEventsAtOnce> events{};
  int running = 0;
  while (!stopping) {
    const int count = ::epoll_wait(epoll.get(), events.data(), kEventsAtOnce, wait_ms());
    ISTHMUS_CHECK(count >= 0 || errno == EINTR, "epoll_wait fails only on a descriptor that is not ours");
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      if (event.data.fd == wake.get()) {
        std::uint64_t ignored = 0;
        (void)!::read(wake.get(), &ignored, sizeof(ignored));
        continue;
      }
      int mask = 0;
      if ((event.events & EPOLLIN) != 0) mask |= CURL_CSELECT_IN;
      if ((event.events & EPOLLOUT) != 0) mask |= CURL_CSELECT_OUT;
      if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) mask |= CURL_CSELECT_ERR;
      curl_multi_socket_action(multi, event.data.fd, mask, &running);
    }
    take_arrivals();
    if (timer && *timer <= std::chrono::steady_clock::now()) {
      timer.reset();
      curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
    }
    collect();
    expire();
  }
  cancel_all();
}

int Client::Impl::wait_ms() const {
  SteadyTime next = std::chrono::steady_clock::now() + kWaitMax;
  if (timer) next = std::min(next, *timer);
  if (!deadlines.empty()) next = std::min(next, deadlines.begin()->first);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(next - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, left.count()));
}

void Client::Impl::take_arrivals() {
  auto arrivals = inbox.with([](Inbox& box) { return std::exchange(box.arrivals, {}); });
  for (Arrival& arrival : arrivals) start(std::move(arrival));
}

void Client::Impl::start(Arrival arrival) {
  if (arrival.overloaded) {
    in_flight.fetch_sub(1);
    arrival.done(Loss{LossKind::overloaded, "as many requests as allowed are waiting"});
    return;
  }
  EasyHandle easy;
  if (spare.empty()) {
    easy.reset(curl_easy_init());
  } else {
    easy = std::move(spare.back());
    spare.pop_back();
  }
  auto transfer = std::make_unique<Transfer>(settings, std::move(arrival.request), std::move(arrival.done));
  if (auto bad = transfer->prepare(std::move(easy))) {
    in_flight.fetch_sub(1);
    transfer->done(std::move(*bad));
    return;
  }
  CURL* key = transfer->easy();
  const auto deadline = deadlines.emplace(arrival.sent_at + transfer->total_timeout(), key);
  active.emplace(key, Active{std::move(transfer), deadline});
  curl_multi_add_handle(multi, key);
}

void Client::Impl::collect() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;  // the message dies with the handle's removal
    answer(easy, active.at(easy).transfer->finish(code));
  }
}

void Client::Impl::expire() {
  const auto now = std::chrono::steady_clock::now();
  while (!deadlines.empty() && deadlines.begin()->first <= now) {
    CURL* easy = deadlines.begin()->second;
    answer(easy, active.at(easy).transfer->give_up(LossKind::timeout_unsent, LossKind::timeout_sent,
                                                   "no whole reply in time"));
  }
}

/// Out of the books first: the callback may send again, or ask in_flight().
void Client::Impl::answer(CURL* easy, ClientResult result) {
  const auto found = active.find(easy);
  const std::unique_ptr<Transfer> transfer = std::move(found->second.transfer);
  deadlines.erase(found->second.deadline);
  active.erase(found);
  curl_multi_remove_handle(multi, easy);
  EasyHandle handle = transfer->release();
  if (spare.size() < kSpareHandlesMax) spare.push_back(std::move(handle));
  in_flight.fetch_sub(1);
  transfer->done(std::move(result));
}

void Client::Impl::cancel_all() {
  auto late = inbox.with([](Inbox& box) {
    box.closed = true;
    return std::exchange(box.arrivals, {});
  });
  for (Arrival& arrival : late) {
    in_flight.fetch_sub(1);
    arrival.done(Loss{LossKind::cancelled_unsent, "the client stops"});
  }
  while (!active.empty()) {
    const auto& [easy, one] = *active.begin();
    answer(easy, one.transfer->give_up(LossKind::cancelled_unsent, LossKind::cancelled_sent, "the client stops"));
  }
}

int Client::Impl::watch(CURL*, curl_socket_t fd, int what, void* self, void* known) {
  auto& impl = *static_cast<Impl*>(self);
  if (what == CURL_POLL_REMOVE) {
    ::epoll_ctl(impl.epoll.get(), EPOLL_CTL_DEL, fd, nullptr);  // may be closed already
    return 0;
  }
  epoll_event event{};
  event.data.fd = fd;
  if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  // A number is given anew once its descriptor was closed, so what libcurl knows of it may be older than what epoll
  // knows.
  if (::epoll_ctl(impl.epoll.get(), known != nullptr ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0) {
    if (errno != ENOENT && errno != EEXIST) return -1;
    if (::epoll_ctl(impl.epoll.get(), errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &event) != 0) return -1;
  }
  if (known == nullptr) curl_multi_assign(impl.multi, fd, self);
  return 0;
}

int Client::Impl::set_timer(CURLM*, long timeout_ms, void* self) {
  auto& impl = *static_cast<Impl*>(self);
  impl.timer.reset();
  if (timeout_ms >= 0) impl.timer = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::open(ClientOptions options) {
  auto impl = std::make_unique<Impl>();
  if (auto opened = impl->open(std::move(options)); !opened) return fail(std::move(opened).error());
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

void Client::send(ClientRequest request, Callback done) { impl_->send(std::move(request), std::move(done)); }

ClientResult Client::call(ClientRequest request) {
  ISTHMUS_CHECK(std::this_thread::get_id() != impl_->thread.get_id(),
                "a call on the client's own thread would wait for itself");
  auto promise = std::make_shared<std::promise<ClientResult>>();
  auto result = promise->get_future();
  impl_->send(std::move(request), [promise](ClientResult got) { promise->set_value(std::move(got)); });
  return result.get();
}

std::size_t Client::in_flight() const { return impl_->in_flight.load(); }
void Client::stop() { impl_->stop(); }

}  // namespace isthmus::http
