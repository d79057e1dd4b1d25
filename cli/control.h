#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace isthmus::cli {

/// What the daemon answered, whatever the status.
struct Reply {
  int status = 0;
  std::string content_type;
  std::string body;

  [[nodiscard]] bool good() const { return status >= 200 && status < 300; }
};

/// The control API of a running daemon, over its Unix socket (HTTP/1.1).
///
/// Threads: one. Errors: control.unreachable (nobody listens, or no permission; the hint says what to do), control.lost
/// (the connection broke, nothing came for two minutes, or the answer is larger than 64 MiB). An answer with an error
/// status is a Reply.
class Control {
 public:
  explicit Control(std::string socket);
  ~Control();
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  /// @param target path and query, encoded: "/control/v1/status".
  [[nodiscard]] Result<Reply> get(const std::string& target);
  [[nodiscard]] Result<Reply> remove(const std::string& target);
  struct Body {
    std::string_view bytes;
    std::string_view content_type;
    std::vector<std::pair<std::string, std::string>> headers = {};
  };
  [[nodiscard]] Result<Reply> post(const std::string& target, const Body& body);
  [[nodiscard]] Result<Reply> put(const std::string& target, const Body& body);

  /// GET of something large: the pieces of a 2xx go to take, which says whether to go on; the body of another status is
  /// in the reply.
  [[nodiscard]] Result<Reply> download(const std::string& target, const std::function<bool(std::string_view)>& take);

 private:
  struct Call;
  Result<Reply> perform(Call call);

  const std::string socket_;
  void* handle_;  // CURL*: one connection, kept open
};

/// One segment of a path or one value of a query, percent-encoded (RFC 3986 2.3).
[[nodiscard]] std::string encode(std::string_view text);

}  // namespace isthmus::cli
