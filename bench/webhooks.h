#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/secret.h"

namespace isthmus::bench {

/// Standard Webhooks requests, made and signed ahead, so that the generator only writes bytes. They share one body but
/// for the 12 digits of the lead's number, so that half a million of them fit into memory.
class Webhooks {
 public:
  enum class Kind {
    lead,     ///< becomes a lead/1 event that a route delivers
    unknown,  ///< of a type that the adapter makes no event of: the inbox is read past it
  };
  struct Options {
    Kind kind = Kind::lead;
    std::size_t body_bytes = 3000;
    std::vector<std::string> paths;  ///< "/in/forms-1", used in turn
  };

  Webhooks(Options options, const Secret& webhook_secret);

  /// Signs `count` more, with the system's time: they are good for five minutes.
  void prepare(std::size_t count);
  [[nodiscard]] std::size_t size() const { return heads_.size(); }
  /// The whole request number n.
  void write(std::size_t n, std::string& out) const;
  /// Its body.
  [[nodiscard]] std::string body(std::uint64_t number) const;
  /// Forgets the requests, not the numbers.
  void forget() { heads_.clear(); }

 private:
  Options options_;
  Secret key_;
  std::string before_;
  std::string after_;
  std::uint64_t first_ = 0;  // number of heads_[0]
  std::uint64_t next_ = 0;
  std::vector<std::string> heads_;
};

}  // namespace isthmus::bench
