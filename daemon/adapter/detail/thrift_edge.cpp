#include "adapter/detail/thrift_edge.h"

#include <fmt/format.h>
#include <optional>

#include <thrift/TApplicationException.h>
#include <thrift/protocol/TBinaryProtocol.h>
#include <thrift/protocol/TProtocolException.h>

#include "Adapter.h"
#include "adapter/detail/thrift_transport.h"
#include "expression/value.h"

namespace isthmus::adapter::detail {
namespace {

using apache::thrift::protocol::TBinaryProtocolT;
using apache::thrift::transport::TTransportException;

constexpr std::int32_t kContainerItemsMax = 10'000;
constexpr std::size_t kReasonBytesMax = 400;

/// What a program says of itself, as a person may read it: no control characters, not long.
std::string readable(std::string text) {
  if (!is_utf8(text)) return "(a text that is not UTF-8)";
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  if (text.size() <= kReasonBytesMax) return text;
  text.resize(kReasonBytesMax);
  while (!is_utf8(text)) text.pop_back();
  return text;
}

/// Whether two descriptions say the same, however they are written: a file is made for people to read.
bool same_json(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const auto one = expression::Document::parse(a);
  const auto other = expression::Document::parse(b);
  return one && other && one->root() == other->root();
}

}  // namespace

struct ThriftConnection {
  explicit ThriftConnection(const Clock& clock)
      : socket(std::make_shared<DeadlineSocket>(clock)),
        client(std::make_shared<TBinaryProtocolT<MessageFrames>>(std::make_shared<MessageFrames>(socket),
                                                                 kFrameBytesMax, kContainerItemsMax, true, true)) {}

  std::shared_ptr<DeadlineSocket> socket;
  wire::AdapterClient client;
};

namespace {

/// Runs what may throw. This is the only place that catches what Thrift and its generated code throw.
/// @param good set when the connection can be used again.
Result<void> run(const std::filesystem::path& socket, bool& good, const std::function<void()>& ask) {
  const auto fault = [&](const std::string& what) {
    return fail("adapter.fault", fmt::format("the adapter program at {}: {}", socket.string(), what),
                "see the program's log");
  };
  good = false;
  try {
    ask();
    good = true;
    return {};
  } catch (const wire::Fault& said) {
    good = true;
    if (said.poison) return fail("adapter.poison", readable(said.reason));
    return fault(readable(said.reason));
  } catch (const wire::Refusal& said) {
    return fail("adapter.contract",
                fmt::format("the adapter program at {} speaks contracts {} to {}, this daemon {}: {}", socket.string(),
                            said.contract_min, said.contract_max, kContract, readable(said.reason)));
  } catch (const TTransportException& error) {
    if (error.getType() == TTransportException::BAD_ARGS) {
      return fail("adapter.poison",
                  fmt::format("it cannot be handed to the program at {}: {}", socket.string(), error.what()));
    }
    if (error.getType() == TTransportException::TIMED_OUT) {
      return fail("adapter.slow",
                  fmt::format("the adapter program at {}: no answer within the time of a call", socket.string()),
                  "see the program's log");
    }
    return fault(readable(error.what()));
  } catch (const apache::thrift::TApplicationException& error) {
    return fault("it failed inside: " + readable(error.what()));
  } catch (const apache::thrift::TException& error) {
    return fault("its answer cannot be read: " + readable(error.what()));
  }
}

}  // namespace

ThriftPeer::ThriftPeer(std::filesystem::path socket, const Clock& clock, ThriftAdapter::Limits limits,
                       std::string expected)
    : socket_(std::move(socket)), clock_(clock), limits_(limits), description_(std::move(expected)) {}
ThriftPeer::~ThriftPeer() = default;

ThriftPeer::Handle ThriftPeer::idle() {
  while (true) {
    Handle connection = idle_.with([](auto& idle) {
      Handle last;
      if (!idle.empty()) {
        last = std::move(idle.back());
        idle.pop_back();
      }
      return last;
    });
    if (!connection || connection->socket->quiet()) return connection;  // else: closed, or bytes that nobody asked for
  }
}

Result<ThriftPeer::Handle> ThriftPeer::connect() {
  auto connection = std::make_unique<ThriftConnection>(clock_);
  std::int32_t contract = 0;
  std::string description;
  bool good = false;
  Result<void> done = run(socket_, good, [&] {
    connection->socket->set_deadline(limits_.call);
    connection->socket->connect(socket_);
    contract = connection->client.hello(kContract, kContract);
    connection->client.describe(description);
  });
  if (!done) {
    if (done.error().code == "adapter.contract") return fail(std::move(done).error());
    return fail("adapter.unavailable", done.error().what,
                "is its socket there, and its program well? systemctl status isthmus-adapter@NAME.socket, and its log");
  }
  if (contract != kContract) {
    return fail("adapter.contract", fmt::format("the adapter program at {} wants to speak contract {}, this daemon {}",
                                                socket_.string(), contract, kContract));
  }
  if (description_.empty())
    description_ = std::move(description);
  else if (!same_json(description, description_)) {
    return fail(
        "adapter.unavailable",
        fmt::format("the adapter program at {} describes itself otherwise than when it was loaded", socket_.string()),
        "program and program.json must be of one version; a new one is read when the daemon starts");
  }
  return connection;
}

Result<ThriftPeer::Handle> ThriftPeer::reach() {
  const auto resting = rest_.with([&](const Rest& rest) {
    return clock_.since_boot() < rest.until ? std::optional<Error>(rest.why) : std::nullopt;
  });
  if (resting) return fail(*resting);
  Result<Handle> made = connect();
  if (!made) {
    rest_.with([&](Rest& rest) {
      rest.until = clock_.since_boot() + limits_.rest;
      rest.why = made.error();
      rest.why.code = "adapter.unavailable";
    });
  }
  return made;
}

Result<void> ThriftPeer::meet() {
  Handle connection = idle();
  if (!connection) {
    Result<Handle> made = reach();
    if (!made) return fail("adapter.unavailable", made.error().what, made.error().hint);
    connection = std::move(*made);
  }
  give_back(std::move(connection));
  return {};
}

void ThriftPeer::give_back(Handle connection) {
  // One too many is closed after the lock is free.
  idle_.with([&](auto& idle) {
    if (idle.size() < limits_.idle_max) idle.push_back(std::move(connection));
  });
}

Result<std::string> ThriftPeer::describe() {
  Result<Handle> connection = connect();
  if (!connection) return fail(std::move(connection).error());
  give_back(std::move(*connection));
  return description_;
}

Result<void> ThriftPeer::call(const std::function<void(wire::AdapterClient&)>& ask) {
  Handle connection = idle();
  if (!connection) {
    Result<Handle> made = reach();
    if (!made) return fail("adapter.unavailable", made.error().what, made.error().hint);
    connection = std::move(*made);
  }
  connection->socket->set_deadline(limits_.call);
  bool good = false;
  Result<void> done = run(socket_, good, [&] { ask(connection->client); });
  if (good) give_back(std::move(connection));
  if (done || done.error().code != "adapter.slow") return done;
  // Is it this call, or the program? The answer decides whether the task or the connection suffers for it.
  Result<Handle> well = reach();
  if (!well) return fail("adapter.unavailable", well.error().what, well.error().hint);
  give_back(std::move(*well));
  return done;
}

}  // namespace isthmus::adapter::detail
