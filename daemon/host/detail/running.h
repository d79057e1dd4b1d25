#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "host/driver.h"
#include "host/limits.h"

namespace isthmus::host {

namespace detail {

[[nodiscard]] inline adapter::HttpReply to_reply(const http::ClientReply& reply) {
  adapter::HttpReply out;
  out.status = reply.status;
  for (const http::Header& header : reply.headers) out.headers.push_back({header.name, header.value});
  out.body = reply.body;
  return out;
}

}  // namespace detail

/// One task on its way. Touched by one thread at a time: each move hands it to the next callback.
struct Driver::Running {
  TaskSpec spec;
  TaskHooks hooks;
  std::function<void(TaskEnd)> ended;
  const identity::Connection* connection = nullptr;
  const adapter::Adapter* adapter = nullptr;
  Bytes state;
  int moves = 0;
  bool session_renewed = false;  // once a task: a network that refuses a fresh session is told by the adapter's verdict
  Limits::Slot slot;             // what the last request counts against
  std::chrono::microseconds waited_for_limit{0};  // by this task, in the middle
  std::uint64_t signed_with = 0;                  // the number of the session that the last request was signed with
  TaskEnd end;
};

/// Sessions by connection, with those who wait for the one login that is under way.
struct Driver::Sessions {
  struct Entry {
    std::optional<adapter::Session> session;
    std::shared_ptr<const identity::World> world;  ///< the newest that a task brought; logins are made from it
    std::uint64_t number = 0;  ///< of the session: a refusal of an older one says nothing about this one
    bool logging_in = false;
    std::vector<std::pair<std::shared_ptr<Running>, std::function<void()>>> waiting;

    /// A task brought this world. When it is newer and the connection's secrets or fields are others, the session ends:
    /// what an administrator took away is used no more. A task that began under an older world changes nothing.
    void see(const std::shared_ptr<const identity::World>& brought, std::int64_t connection);
  };
  Guarded<std::map<std::int64_t, Entry>> entries;

  std::optional<adapter::Session> of(std::int64_t connection) {
    return entries.with([&](auto& all) { return all[connection].session; });
  }
};

/// Whether a login made under one world is as good as one made under the other.
[[nodiscard]] bool same_access(const identity::World& a, const identity::World& b, std::int64_t connection);

}  // namespace isthmus::host
