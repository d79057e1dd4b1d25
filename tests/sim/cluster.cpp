#include "sim/cluster.h"

namespace isthmus::sim {
namespace {

constexpr const char* kMapping =
    "mapping: as-it-is\nversion: 1\nfrom: lead/1\nto: lead/1\nfields:\n"
    "  - { to: source, value: \"${event.source}\" }\n  - { to: external_id, value: \"${event.external_id}\" }\n"
    "  - { to: submitted_at, value: \"${event.submitted_at}\" }\n"
    "  - { to: person.email, value: \"${event.person.email}\" }\n"
    "  - { to: consent, value: \"${event.consent}\" }\n"
    "examples: [ { name: one, given: {}, held: source } ]\n";

archive::MasterKey master_key() {
  auto key = archive::MasterKey::from_secret(Secret(std::string(32, 'm')));
  ISTHMUS_CHECK(key.has_value(), "a key of 32 bytes is a master key");
  return std::move(*key);
}

}  // namespace

Company::Company(std::uint64_t seed, Instant start, const std::string& source_folder)
    : clock(start), random(seed), network(clock, random), master(master_key()) {
  Diagnostics diagnostics;
  map = mapping::Mapping::parse(kMapping, "as-it-is.yaml", diagnostics);
  packs = policy::PackSet::load({source_folder + "/policies/base.yaml"}, diagnostics);
  ISTHMUS_CHECK(map && packs, "the mapping and the shipped rule pack load");
}

Node::Node(Company& company, const store::Options& database, std::string name)
    : name_(std::move(name)),
      pool_(with_faults(database), 4),
      keys_(pool_, company.master, company.clock, company.random),
      recorder_(pool_, company.master, company.random),
      directory_(
          pool_, company.vault,
          [&company](std::string_view wanted) { return wanted == "fake" ? &company.adapter : nullptr; }, company.log),
      port_(company.network),
      dispatcher_({pool_, keys_, recorder_, directory_, port_, ends_, company.clock, company.random, company.log,
                   [this](int lane) { return epoch(lane); }},
                  delivery::Dispatcher::Turns::caller),
      router_({pool_, keys_, recorder_, directory_, events_, company.clock, company.random, company.log,
               company.installation_key,
               [&company](std::string_view wanted) { return wanted == company.map->name() ? &*company.map : nullptr; },
               [&company] { return company.packs; }, [this](int lane) { return epoch(lane); },
               [this](int lane) { dispatcher_.wake(lane); }},
              0) {
  ISTHMUS_CHECK(directory_.refresh().has_value(), "a node that starts reads what is administered");
}

// Counts down to the statement that meets a lost connection, once.
store::Options Node::with_faults(store::Options plain) {
  plain.allow_statement = [this](std::string_view) { return fails_at_ == 0 || --fails_at_ != 0; };
  return plain;
}

}  // namespace isthmus::sim
