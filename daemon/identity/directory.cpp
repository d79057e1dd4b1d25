#include "identity/directory.h"
#include "events/events.h"

namespace isthmus::identity {

const adapter::Adapter* World::adapter_of(std::int64_t connection) const {
  const auto found = adapters.find(connection);
  return found == adapters.end() ? nullptr : found->second;
}

const adapter::Secrets& World::secrets_of(std::int64_t connection) const {
  static const adapter::Secrets none;
  const auto found = secrets.find(connection);
  return found == secrets.end() ? none : found->second;
}

adapter::Context World::context_of(const Connection& connection, Instant now) const {
  adapter::Context context;
  context.now_ms = to_ms(now);
  context.connection = connection.fields;
  if (const auto told = facts.find(connection.id); told != facts.end()) context.facts_json = told->second.json;
  return context;
}

std::shared_ptr<const World> Directory::current() const {
  return world_.with([](const auto& world) { return world; });
}

Result<bool> Directory::refresh() {
  auto db = pool_.take();
  if (!db) return fail(std::move(db).error());
  const auto before = current();
  if (before) {
    auto version = current_version(**db);
    if (!version) return fail(std::move(version).error());
    if (*version == before->snapshot->version()) return false;
  }
  auto snapshot = Snapshot::load(**db);
  if (!snapshot) return fail(std::move(snapshot).error());
  auto world = std::make_shared<World>();
  world->snapshot = std::move(*snapshot);
  auto facts = read_facts(**db, *world->snapshot);
  if (!facts) return fail(std::move(facts).error());
  world->facts = std::move(*facts);
  for (const auto& [id, connection] : world->snapshot->connections()) {
    const adapter::Adapter* adapter = find_(connection.adapter);
    if (adapter == nullptr) {
      world->suspended.emplace(id, "no adapter named " + connection.adapter + " is installed on this node");
    } else if (adapter->describe().sha256 != connection.descriptor_sha256) {
      world->suspended.emplace(id, "the adapter " + connection.adapter +
                                       " changed since its hosts were approved: apply again to approve it");
    } else {
      world->adapters.emplace(id, adapter);
    }
    auto secrets = vault_.get(**db, connection);
    if (!secrets) {
      if (secrets.error().code != "seal.refused") return fail(std::move(secrets).error());
      events::identity_secret_refused(log_, {.connection = connection.name});
      world->adapters.erase(id);
      world->suspended.emplace(id, secrets.error().what);
      continue;
    }
    world->secrets.emplace(id, adapter::Secrets(secrets->begin(), secrets->end()));
  }
  world_.with([&](auto& current) { current = std::move(world); });
  return true;
}

}  // namespace isthmus::identity
