#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/cluster.h"

namespace isthmus::sim {

/// One run of a cluster that a seed decides: nodes that share a real PostgreSQL, a virtual clock and a network that
/// loses, delays and refuses. Who acts next, what fails, who dies and which lane changes hands is drawn; after each
/// step the checks look at what users could see.
///
/// Checks: nothing takes effect twice where the network can be asked; within a key, effects come in order; the two
/// books balance; at the end everything that was accepted was delivered, is dead for a reason, or waits for a person,
/// and isthmus-verify accepts the archive.
class Simulation {
 public:
  struct Options {
    std::uint64_t seed = 1;
    int steps = 400;
    bool trace = false;            ///< prints each step
    std::string source_folder;     ///< of the shipped rule pack
    std::string verifier_program;  ///< path of isthmus-verify
  };
  struct Summary {
    int commands = 0, effects = 0, crashes = 0, takeovers = 0, faults = 0, dead = 0, held = 0;
  };

  explicit Simulation(Options options);
  /// The first broken promise, in words, with the step; or what was seen.
  Result<Summary> run();

 private:
  static constexpr int kNodes = 3;
  static constexpr int kKeys = 4;

  void set_up();
  void step();
  void order();
  void receive();
  void advance();
  void crash();
  void restart(std::size_t index);
  void take_over();
  void say(const std::string& what) const;
  Result<void> check();
  Result<void> check_effects();
  Result<void> check_books(bool at_rest);
  Result<void> come_to_rest();
  Result<void> check_end();
  Result<void> check_archive();
  store::Rows ask(const std::string& sql, const std::vector<store::Param>& params = {});
  [[nodiscard]] std::size_t any_node();
  void own(std::size_t index, int lane);

  Options options_;
  store::Options database_;
  std::unique_ptr<store::Connection> db_;
  Company company_;
  std::unique_ptr<store::Pool> pool_;
  std::unique_ptr<journal::Keys> keys_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::vector<int> lanes_;                 // of the connections
  std::vector<std::int64_t> connections_;  // that commands go to
  std::int64_t source_ = 0;
  int source_lane_ = 0;
  int step_ = 0;
  int made_ = 0;
  int events_ = 0;
  std::map<std::string, std::string> operations_;  // of commands made here, by id
  std::size_t effects_seen_ = 0;
  std::map<std::string, int> last_of_key_;  // highest number that took effect, by connection and key
  Summary summary_;
};

}  // namespace isthmus::sim
