#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/uuid.h"

namespace isthmus::store {

/// The rows of one statement. Reading a column as another type than it has is a bug of ours and stops the process.
/// Views live as long as the Rows.
class Rows {
 public:
  Rows() = default;
  explicit Rows(PGresult* result) : result_(result, &PQclear) {}

  [[nodiscard]] int size() const { return result_ ? PQntuples(result_.get()) : 0; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] std::int64_t affected() const;  ///< rows that INSERT, UPDATE or DELETE touched

  [[nodiscard]] bool is_null(int row, int column) const { return PQgetisnull(result_.get(), row, column) == 1; }
  [[nodiscard]] std::int64_t number(int row, int column) const;  ///< smallint, int, bigint
  [[nodiscard]] bool truth(int row, int column) const;
  [[nodiscard]] std::string_view text(int row, int column) const;   ///< text, jsonb; NULL reads as ""
  [[nodiscard]] std::string_view bytes(int row, int column) const;  ///< bytea; NULL reads as ""
  [[nodiscard]] Uuid uuid(int row, int column) const;
  [[nodiscard]] Instant instant(int row, int column) const;

 private:
  [[nodiscard]] std::string_view raw(int row, int column) const;
  std::shared_ptr<PGresult> result_;
};

}  // namespace isthmus::store
