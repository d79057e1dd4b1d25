#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "webhooks.h"

namespace isthmus::bench {

struct LoadOptions {
  std::uint16_t port = 0;      ///< of 127.0.0.1
  int connections = 64;        ///< kept alive, one request at a time on each
  double requests_per_second;  ///< the intended rate; 0: whenever a connection is free
};

struct LoadReport {
  double seconds = 0;  ///< from the first request's time to the last answer
  std::map<int, std::size_t> statuses;
  std::vector<float> latencies_ms;  ///< from the intended time, so a stalled server cannot hide the requests it delayed
  std::vector<float> stalls_ms;     ///< how much later than intended the generator itself wrote, with a free connection
  double cpu_seconds = 0;           ///< of the generator's thread

  [[nodiscard]] std::size_t answered(int status) const {
    const auto found = statuses.find(status);
    return found == statuses.end() ? 0 : found->second;
  }
};

/// Sends all requests of `webhooks` in an open loop, on the calling thread. Aborts with a message when the server ends
/// a connection.
[[nodiscard]] LoadReport run_load(const LoadOptions& options, const Webhooks& webhooks);

/// The value that `part` (0 to 1) of them do not exceed.
[[nodiscard]] double percentile(std::vector<float> values, double part);

}  // namespace isthmus::bench
