#pragma once

#include <memory>
#include <mutex>

#include "routing/router.h"
#include "support/small_company.h"

namespace isthmus::routing {

/// Collects what reached later rooms and was committed; fails when told to.
class CollectingSink final : public EventSink {
 public:
  Result<void> received(store::Transaction&, int, const std::vector<NewEvent>& batch) override {
    for (const NewEvent& event : batch) {
      if (event.event->dedup_key == refuse) return fail("store.data", "the database refuses this row");
    }
    if (failures > 0) {
      --failures;
      return fail("store.unavailable", "the database went away");
    }
    for (const NewEvent& event : batch) events.push_back(event.event->dedup_key);
    return {};
  }
  std::string refuse = "(none)";
  std::atomic<int> failures{0};
  std::vector<std::string> events;  ///< read once the router is idle
};

/// A line of FakeAdapter: one lead.
inline std::string lead(const std::string& id, const std::string& order, const std::string& purposes,
                        const std::string& person = R"({"email":"z@example.com"})",
                        const std::string& message = "hello") {
  return id + "\tlead.form\t" + order + "\t1800000000000\tlead/1\t" + purposes + "\t" +
         R"({"source":"forms","external_id":")" + id + R"(","submitted_at":"2026-11-24T18:00:00Z","person":)" + person +
         R"(,"message":")" + message +
         R"(","consent":{"given":true,"wording":"ok","at":"2026-11-24T18:00:00Z","channel":"web","purposes":["crm"]}})" +
         "\n";
}

/// Two connections, one route between them through a mapping that needs an address, the shipped rule pack.
struct RoutingWorld {
  RoutingWorld() {
    Diagnostics diagnostics;
    map = mapping::Mapping::parse(
        "mapping: by-mail\nversion: 1\nfrom: lead/1\nto: lead/1\nfields:\n"
        "  - { to: source, value: \"${event.source}\" }\n  - { to: external_id, value: \"${event.external_id}\" }\n"
        "  - { to: submitted_at, value: \"${event.submitted_at}\" }\n  - { to: person.email, value: "
        "\"${event.person.email}\" }\n"
        "  - { to: message, value: \"${event.message?}\" }\n  - { to: consent, value: \"${event.consent}\" }\n"
        "examples: [ { name: one, given: {}, held: source } ]\n",
        "by-mail.yaml", diagnostics);
    packs = policy::PackSet::load({std::string(ISTHMUS_SOURCE_DIR) + "/policies/base.yaml"}, diagnostics);
    ISTHMUS_CHECK(map && packs, "the mapping and the pack load");
    const std::int64_t from = company.add_connection("forms", 3);
    const std::int64_t to = company.add_connection("crm", 7);
    company.add_route("leads", from, "lead.form", to, "upsert", "by-mail");
    company.refresh();
    source = company.directory.current()->snapshot->connection(from);
  }
  ~RoutingWorld() {
    if (router) router->stop();
  }

  void receive(const std::string& call) { company.receive(*source, call); }
  void start() {
    router = std::make_unique<Router>(
        Router::Parts{company.pool, company.keys, company.recorder, company.directory, sink, company.clock,
                      company.random, company.log, key,
                      [this](std::string_view name) { return name == map->name() ? &*map : nullptr; },
                      [this] { return packs; }, [this](int lane) { return company.epoch(lane); }, [](int) {}},
        2);
  }
  bool routed(int calls) {
    return test::eventually(std::chrono::seconds(20),
                            [&] { return company.books().routed == calls && company.books().unread == 0; }) &&
           company.books().balanced();
  }
  std::string books() { return company.books().to_json(); }

  test::SmallCompany company;
  Secret key{std::string(32, 'k')};
  std::optional<mapping::Mapping> map;
  std::shared_ptr<const policy::PackSet> packs;
  CollectingSink sink;
  const identity::Connection* source = nullptr;
  std::unique_ptr<Router> router;
};

class Routing : public ::testing::Test, protected RoutingWorld {};

}  // namespace isthmus::routing
