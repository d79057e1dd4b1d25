// What takes long and is done now and then: the two books are counted, and what is over its time leaves the journal.
#include "parts.h"

#include <condition_variable>
#include <mutex>

#include "events/events.h"
#include "journal/books.h"
#include "journal/retention.h"

namespace isthmus::detail {
namespace {

using Steady = std::chrono::steady_clock;

constexpr std::chrono::seconds kBooksEvery{30};
constexpr int kBooksShare = 20;  // counting takes a twentieth of the time at most, however large the tables are
constexpr std::chrono::hours kExpireEvery{1};
constexpr std::chrono::seconds kExpireFirst{60};  // after the start, which has enough to do
constexpr std::chrono::seconds kStatementMax{60};

/// The two books as gauges.
class BookGauges {
 public:
  explicit BookGauges(ops::MetricsRegistry& metrics)
      : oldest_(metrics.gauge("isthmus_delivery_oldest_undelivered_seconds",
                              "Age of the oldest command that has no end.", {})),
        balanced_(metrics.gauge("isthmus_journal_books_balanced", "1 when every term of the two books adds up.", {})) {
    for (const Term& term : kTerms)
      terms_.push_back(&metrics.gauge("isthmus_journal_book", "Terms of the two books.", {{"term", term.name}}));
  }

  void show(const journal::Books& books) {
    oldest_.set(static_cast<double>(books.oldest_undelivered_seconds));
    balanced_.set(books.balanced() ? 1 : 0);
    for (std::size_t i = 0; i < std::size(kTerms); ++i) terms_[i]->set(static_cast<double>(books.*kTerms[i].value));
  }

 private:
  struct Term {
    const char* name;
    std::int64_t journal::Books::*value;
  };
  static constexpr Term kTerms[] = {
      {"inbox", &journal::Books::inbox},
      {"routed", &journal::Books::routed},
      {"quarantined", &journal::Books::quarantined},
      {"unread", &journal::Books::unread},
      {"dropped", &journal::Books::dropped},
      {"made", &journal::Books::made},
      {"delivered", &journal::Books::delivered},
      {"duplicate", &journal::Books::duplicate},
      {"expired", &journal::Books::expired},
      {"dead", &journal::Books::dead},
      {"held", &journal::Books::held},
      {"waiting", &journal::Books::waiting},
      {"in_flight", &journal::Books::in_flight},
      {"refused", &journal::Books::refused},
  };

  Gauge& oldest_;
  Gauge& balanced_;
  std::vector<Gauge*> terms_;
};

}  // namespace

// A node that finds nothing to drop may hold keys that another one destroyed.
Result<void> NodeParts::expire(store::Connection& db) {
  if (auto made = journal::make_partitions(db); !made) return made;
  auto expired = journal::expire_journal(db, clock.now(), std::chrono::days(settings.journal_days));
  if (!expired) return fail(std::move(expired).error());
  if (expired->days > 0) events::journal_days_dropped(*log, {.days = expired->days});
  if (!expired->kept_day.empty() && expired->kept_for != "busy")
    events::journal_day_kept(*log,
                             {.day = expired->kept_day, .reason = expired->kept_for, .waiting = expired->waiting});
  if (auto done = keys->forget_destroyed(); !done) return done;
  auto names = journal::expire_names(db, clock.now());
  if (!names) return fail(std::move(names).error());
  return {};
}

void NodeParts::keep_books(const std::stop_token& stop) {
  BookGauges gauges(metrics);
  store::Options patient = database;
  patient.statement_timeout = kStatementMax;
  auto books_due = Steady::now();
  auto expire_due = Steady::now() + kExpireFirst;
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    if (const auto started = Steady::now(); started >= books_due) {
      auto db = store::Connection::open(patient);
      auto books = db ? journal::read_books(**db) : fail(db.error());
      if (books) gauges.show(*books);
      const auto took = Steady::now() - started;
      books_due = Steady::now() + std::max<Steady::duration>(kBooksEvery, took * kBooksShare);
    }
    if (Steady::now() >= expire_due) {
      auto db = store::Connection::open(patient);
      if (auto done = db ? expire(**db) : fail(db.error()); !done)
        events::store_unavailable(*log, {.stage = "retention", .reason = done.error().what});
      expire_due = Steady::now() + kExpireEvery;
    }
    never.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
  }
}

}  // namespace isthmus::detail
