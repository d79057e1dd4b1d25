#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.h"

namespace isthmus::config::detail {

using TextMember = std::string& (*)(Settings&);
using NumberMember = std::int64_t& (*)(Settings&);
using ListMember = std::vector<std::string>& (*)(Settings&);

/// What a text must look like.
enum class Form {
  any,
  node_name,       ///< lower-case letters, digits and -, at most 63
  host,            ///< host name, address or absolute folder
  address,         ///< IPv4 or IPv6 literal
  credential,      ///< a plain file name
  folder,          ///< made absolute
  existing_paths,  ///< made absolute; must exist when a person wrote them
  socket_path,     ///< made absolute; at most 107 bytes (sun_path)
  origin,          ///< C2SP signed-note key name: no spaces, no +
  log_level,
};

struct Field {
  std::string_view path;
  std::variant<TextMember, NumberMember, ListMember> member;
  Form form;
  bool required;
  std::string_view fallback;  ///< as written in YAML, unused when required; of a list its only item
  std::int64_t min;
  std::int64_t max;  ///< of numbers
  bool live;         ///< a reload may change it
  std::string_view english;
  std::string_view french;
};

/// Every key of isthmus.yaml.
[[nodiscard]] std::span<const Field> settings_fields();

/// The words a log_level may be.
[[nodiscard]] const std::vector<std::string>& log_levels();

}  // namespace isthmus::config::detail
