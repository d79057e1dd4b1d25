// What must happen now and then: the world is read again, partitions are made, the figures that people watch are kept.
#include "parts.h"

#include <condition_variable>
#include <mutex>

#include "events/events.h"
#include "journal/books.h"

namespace isthmus::detail {
namespace {

constexpr std::chrono::milliseconds kRefreshEvery{500};
constexpr std::int64_t kBooksTurns = 60;         // every 30 s: it counts whole tables
constexpr std::int64_t kPartitionsTurns = 7200;  // every hour

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

void NodeParts::keep_house(const std::stop_token& stop) {
  Gauge& queue = metrics.gauge("isthmus_intake_queue_depth", "Verified calls that wait for a commit.", {});
  BookGauges gauges(metrics);
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  for (std::int64_t turn = 0; !stop.stop_requested(); ++turn) {
    housekeeping_beat->beat();
    auto refreshed = directory->refresh();
    if (refreshed) {
      health->good("store");
    } else {
      health->bad("store", refreshed.error().what);
    }
    queue.set(static_cast<double>(committer->depth()));
    if (turn % kBooksTurns == 0) {
      auto db = pool->take();
      auto books = db ? journal::read_books(**db) : fail(db.error());
      if (books) gauges.show(*books);
    }
    if (turn % kPartitionsTurns == kPartitionsTurns - 1) {
      if (auto db = pool->take()) {
        if (auto made = journal::make_partitions(**db); !made)
          events::store_unavailable(*log, {.stage = "partitions", .reason = made.error().what});
      }
    }
    never.wait_for(lock, stop, kRefreshEvery, [] { return false; });
  }
}

}  // namespace isthmus::detail
