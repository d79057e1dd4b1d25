#pragma once

#include <cstdint>
#include <random>

#include "base/bytes.h"

namespace isthmus {

/// Randomness is a parameter, so that a seed replays a run. Thread safe unless an implementation says otherwise.
class Random {
 public:
  virtual ~Random() = default;
  [[nodiscard]] virtual Bytes bytes(std::size_t count) = 0;
  /// Uniform in [0, bound), bound >= 1.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
};

class SystemRandom final : public Random {
 public:
  [[nodiscard]] Bytes bytes(std::size_t count) override;
};

/// Repeatable; for tests and simulation, one thread.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
  [[nodiscard]] Bytes bytes(std::size_t count) override;

 private:
  std::mt19937_64 engine_;
};

}  // namespace isthmus
