#include "archive/exporter.h"

#include <algorithm>

#include "archive/bag.h"

namespace isthmus::archive {

using store::Param;

namespace {

constexpr std::uint64_t kPageRecords = 100;  // at most about 7 MB of bodies in memory

/// One run of an export.
class Export {
 public:
  Export(store::Connection& db, Recorder& recorder, BagWriter& bag, NodeReader& nodes, Exporter::Summary& summary)
      : db_(db), recorder_(recorder), bag_(bag), nodes_(nodes), summary_(summary) {}

  Result<void> page(std::uint64_t from, std::uint64_t to) {
    auto rows = db_.exec(
        "SELECT l.idx, r.header, r.wrapped_key, r.body, r.day_key FROM leaf l LEFT JOIN record r ON r.lane = l.lane "
        "AND r.seq = l.seq "
        "AND r.at = l.at WHERE l.idx >= $1 AND l.idx < $2 ORDER BY l.idx",
        {static_cast<std::int64_t>(from), static_cast<std::int64_t>(to)});
    if (!rows) return fail(std::move(rows).error());
    for (int i = 0; i < rows->size(); ++i) {
      if (auto added = row(*rows, i); !added) return added;
    }
    return {};
  }

 private:
  Result<void> row(const store::Rows& rows, int i) {
    const auto index = static_cast<std::uint64_t>(rows.number(i, 0));
    if (rows.is_null(i, 1)) {
      ++summary_.absent;
      return bag_.lack(index, "no longer kept");
    }
    BagRecord record;
    record.index = index;
    record.header = Bytes(rows.bytes(i, 1));
    if (!parse_header(record.header)) {
      ++summary_.absent;
      return bag_.lack(index, "its header is damaged");
    }
    auto path = inclusion_proof(nodes_, index, summary_.log_size);
    if (!path) return fail(std::move(path).error());
    record.path = *std::move(path);
    if (auto shown = show_body(rows, i, record); !shown) return shown;
    ++summary_.records;
    return bag_.add(record);
  }

  Result<void> show_body(const store::Rows& rows, int i, BagRecord& record) {
    if (rows.is_null(i, 2) || rows.is_null(i, 3)) {
      record.reason = "erased";
      ++summary_.erased;
      return {};
    }
    const auto day_key = recorder_.day_key(static_cast<std::int32_t>(rows.number(i, 4)), false);
    if (!day_key && day_key.error().code.starts_with("store.")) return fail(day_key.error());
    auto opened = day_key ? open_record(record.header, rows.bytes(i, 2), rows.bytes(i, 3), *day_key)
                          : Result<OpenedBody>(fail(day_key.error()));
    if (opened) {
      record.opened = *std::move(opened);
    } else {
      record.reason = "does not open";
      ++summary_.unopened;
    }
    return {};
  }

  store::Connection& db_;
  Recorder& recorder_;
  BagWriter& bag_;
  NodeReader& nodes_;
  Exporter::Summary& summary_;
};

}  // namespace

Result<Exporter::Summary> Exporter::write(const std::filesystem::path& dir, Range range) {
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto head = last_checkpoint(**db, parts_.signer.name());
  if (!head) return fail(std::move(head).error());
  if (!*head)
    return fail("archive.empty", "the log has no checkpoint yet",
                "records get their place within two seconds; try again");
  auto waiting = unsequenced(**db);
  if (!waiting) return fail(std::move(waiting).error());

  Summary summary;
  summary.log_size = (*head)->checkpoint.size;
  summary.waiting = *waiting;
  BagInfo info;
  info.checkpoint = (*head)->checkpoint;
  info.note = (*head)->note;
  info.made = parts_.clock.now();
  info.software = parts_.software;
  auto bag = BagWriter::create(dir, std::move(info), parts_.signer);
  if (!bag) return fail(std::move(bag).error());

  StoredTiles tiles(**db);
  TiledNodes nodes(tiles, summary.log_size);
  Export run(**db, parts_.recorder, **bag, nodes, summary);
  const std::uint64_t end = std::min(range.to.value_or(summary.log_size), summary.log_size);
  for (std::uint64_t from = range.from; from < end; from += kPageRecords) {
    if (auto done = run.page(from, std::min(end, from + kPageRecords)); !done) return fail(std::move(done).error());
  }
  if (auto finished = (*bag)->finish(); !finished) return fail(std::move(finished).error());
  return summary;
}

}  // namespace isthmus::archive
