#pragma once

#include <optional>
#include <string>

#include "adapter/contract.h"
#include "expression/value.h"

namespace isthmus::adapter::detail {

/// Where a stream stands; JSON on the wire, committed by the host with each page.
///   mark  what was read for good          top   the newest seen in this run, becomes the mark when the run ends
///   page  token or address of the next page of this run; absent between runs
struct Cursor {
  std::optional<expression::Value> mark;
  std::optional<expression::Value> top;
  std::string page;
  std::string page_before;  ///< the page that was read last: the guard against a network that repeats itself
  int pages = 0;            ///< read in this run
  expression::Value::Object keep;

  [[nodiscard]] Bytes to_bytes() const;
  static Result<Cursor> from_bytes(const Bytes& bytes);
};

/// a < b, as text or as numbers (what is no number is smallest).
[[nodiscard]] bool mark_less(const expression::Value& a, const expression::Value& b, bool as_number);

}  // namespace isthmus::adapter::detail
