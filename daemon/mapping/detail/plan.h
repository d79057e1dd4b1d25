#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "expression/expression.h"
#include "expression/library.h"
#include "mapping/format.h"
#include "mapping/mapping.h"

namespace isthmus::mapping {

enum class OnError { hold, drop_field, reject };

/// An object of the target that holds fields of it: "person".
struct Group {
  std::string path;
  std::string key;
  bool required = false;
};

struct PlannedField {
  std::string to;   ///< "person.email"
  std::string key;  ///< "email"
  const FormatField* format = nullptr;
  expression::Template value;
  OnError on_error = OnError::hold;
  std::vector<std::size_t> groups;  ///< into Plan::groups, outermost first
  std::vector<std::string> reads;   ///< paths of the event's body; "" is all of it
};

/// One example of the file, as JSON.
struct Example {
  enum class End { gives, held, rejected, denied };
  std::string name;
  int line = 0;
  std::string given;
  std::string connection;  ///< JSON object
  std::int64_t now_ms = 0;
  Terms terms;
  End end = End::gives;
  std::string gives;                                ///< JSON, when it gives
  std::string field;                                ///< where it stops, otherwise
  std::vector<std::string> dropped;                 ///< target fields
  std::optional<std::vector<std::string>> allowed;  ///< purposes that come out, when the example says
};

struct Plan {
  std::string name;
  std::int64_t version = 0;
  const Format* from = nullptr;
  const Format* to = nullptr;
  Bytes sha256;
  expression::Library library;  ///< what the templates call; outlives them here
  std::vector<Group> groups;
  std::vector<PlannedField> fields;
  std::vector<Example> examples;
};

}  // namespace isthmus::mapping
