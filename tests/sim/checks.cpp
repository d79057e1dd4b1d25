// What must hold: after each step, and at the end.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include "archive/exporter.h"
#include "archive/sequencer.h"
#include "sim/simulation.h"

namespace isthmus::sim {
namespace {

constexpr int kBooksEvery = 20;
constexpr int kTurnsToRestMax = 4000;

}  // namespace

Result<Simulation::Summary> Simulation::run() {
  while (step_ < options_.steps) {
    step();
    if (auto done = check(); !done) return fail(std::move(done).error());
  }
  if (auto done = come_to_rest(); !done) return fail(std::move(done).error());
  if (auto done = check_end(); !done) return fail(std::move(done).error());
  if (auto done = check_archive(); !done) return fail(std::move(done).error());
  summary_.effects = static_cast<int>(company_.network.effects().size());
  return summary_;
}

Result<void> Simulation::check() {
  if (auto done = check_effects(); !done) return done;
  return step_ % kBooksEvery == 0 ? check_books(false) : Result<void>();
}

// The network's own view: what it was made to do, in which order.
Result<void> Simulation::check_effects() {
  static const std::regex kPlace(R"(c(\d+)k(\d+)n(\d+))");
  const auto& effects = company_.network.effects();
  for (; effects_seen_ < effects.size(); ++effects_seen_) {
    const Effect& effect = effects[effects_seen_];
    const auto known = operations_.find(effect.command);
    const bool repeatable = known == operations_.end() || known->second == "upsert";
    const int times = company_.network.taken(effect.command);
    if (times > 1 && !repeatable)
      return fail("sim.twice",
                  fmt::format("step {}: {} {} took effect {} times", step_, known->second, effect.body, times));
    std::smatch place;
    if (!std::regex_search(effect.body, place, kPlace) || times > 1) continue;
    int& last = last_of_key_[place[1].str() + "/" + place[2].str()];
    const int number = std::stoi(place[3].str());
    if (number < last)
      return fail("sim.order",
                  fmt::format("step {}: {} took effect after number {} of its key", step_, effect.body, last));
    last = number;
  }
  return {};
}

Result<void> Simulation::check_books(bool at_rest) {
  auto books = journal::read_books(*db_);
  if (!books) return fail(std::move(books).error());
  if (!books->balanced()) return fail("sim.books", fmt::format("step {}: {}", step_, books->to_json()));
  if (at_rest && (books->unread != 0 || books->in_flight != 0 || books->waiting != 0 || books->quarantined != 0))
    return fail("sim.rest", fmt::format("it does not come to rest: {}", books->to_json()));
  return {};
}

// Everybody is well again and knows who owns what: what is left must flow.
Result<void> Simulation::come_to_rest() {
  company_.network.calm();
  for (auto& node : nodes_) {
    node->fails_statement(0);
    node->forgets_all();
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) own(i % nodes_.size(), lanes_[i]);
  for (int turn = 0; turn < kTurnsToRestMax; ++turn) {
    for (auto& node : nodes_) {
      (void)node->router().turn(source_lane_);
      node->dispatcher().turn(std::chrono::milliseconds(0));
    }
    ++step_;
    const auto next = company_.network.next();
    company_.clock.advance(next ? *next - company_.clock.now() : std::chrono::microseconds(std::chrono::seconds(5)));
    company_.network.run_due();
    if (auto done = check_effects(); !done) return done;
    if (turn % kBooksEvery == 0 && check_books(true)) return {};
  }
  return check_books(true);
}

// Every command has one fate, and the network's view agrees with it.
Result<void> Simulation::check_end() {
  const auto rows = ask(
      "SELECT l.command::text, coalesce((SELECT verdict FROM attempt a WHERE a.command = l.command AND a.closing LIMIT "
      "1), 0), coalesce((SELECT state FROM parked p WHERE p.command = l.command), 0), (SELECT reason FROM parked p "
      "WHERE "
      "p.command = l.command) FROM ledger l");
  std::set<std::string> known;
  for (int i = 0; i < rows.size(); ++i) {
    const std::string command(rows.text(i, 0));
    known.insert(command);
    const auto verdict = static_cast<adapter::Verdict>(rows.number(i, 1));
    const bool dead = rows.number(i, 2) == 6;
    const bool held = rows.number(i, 2) == 5;
    const int times = company_.network.taken(command);
    const bool delivered = verdict == adapter::Verdict::delivered || verdict == adapter::Verdict::duplicate;
    if (delivered == (dead || held))
      return fail("sim.fate", fmt::format("command {} has verdict {} and parked state {}", command, rows.number(i, 1),
                                          rows.number(i, 2)));
    if (delivered && times == 0)
      return fail("sim.lost", fmt::format("command {} counts as delivered, and the network never saw it", command));
    if (dead && times > 0)
      return fail("sim.dead", fmt::format("command {} is dead, and took effect {} times", command, times));
    if (held && operations_[command] != "blind")
      return fail("sim.held",
                  fmt::format("command {} waits for a person, who need not be asked: {}", command, rows.text(i, 3)));
    summary_.dead += dead ? 1 : 0;
    summary_.held += held ? 1 : 0;
  }
  for (const Effect& effect : company_.network.effects()) {
    if (!known.contains(effect.command))
      return fail("sim.unknown", fmt::format("the network saw {}, which nobody ordered", effect.command));
  }
  summary_.commands = rows.size();
  const auto leads = ask("SELECT count(*) FROM event_key").number(0, 0);
  if (leads != events_) return fail("sim.events", fmt::format("{} events came in, {} are known", events_, leads));
  if (rows.size() != made_ + events_)
    return fail("sim.ledger", fmt::format("{} orders and {} leads made {} commands", made_, events_, rows.size()));
  return {};
}

// The auditor's program judges what the archive says of this run.
Result<void> Simulation::check_archive() {
  std::array<char, 32> name{"/tmp/isthmus-sim-XXXXXX"};
  ISTHMUS_CHECK(mkdtemp(name.data()) != nullptr, "a temporary folder can be made");
  const std::filesystem::path folder = name.data();
  std::filesystem::create_directory(folder / "state");
  auto signing = crypto::SigningKey::from_seed(Secret(std::string(32, 's')));
  auto signer = archive::NoteSigner::create("simulation.example/log", std::move(*signing));
  own(0, journal::kSequencerLane);
  Node& node = *nodes_.front();
  auto sequencer = archive::Sequencer::open({node.pool(), *signer, company_.clock, folder / "state"});
  if (!sequencer) return fail(std::move(sequencer).error());
  for (;;) {
    auto step = (*sequencer)->step(node.epoch(journal::kSequencerLane));
    if (!step) return fail(std::move(step).error());
    if (step->leaves == 0) break;
  }
  archive::Exporter exporter({node.pool(), node.recorder(), *signer, company_.clock, "isthmus simulation"});
  auto written = exporter.write(folder / "bag", {});
  if (!written) return fail(std::move(written).error());
  const auto records = static_cast<std::int64_t>(written->records);
  const auto wanted = ask("SELECT count(*) FROM record").number(0, 0);
  std::ofstream(folder / "log.key") << signer->verifier_key() << "\n";
  const std::string judge =
      fmt::format("{} {} --key {} > {} 2>&1", options_.verifier_program, (folder / "bag").string(),
                  (folder / "log.key").string(), (folder / "said").string());
  const bool accepted = std::system(judge.c_str()) == 0;  // one thread
  if (!accepted) return fail("sim.archive", "isthmus-verify refuses the bag; see " + folder.string());
  std::filesystem::remove_all(folder);
  if (records != wanted) return fail("sim.archive", fmt::format("{} of {} records are in the bag", records, wanted));
  return {};
}

}  // namespace isthmus::sim
