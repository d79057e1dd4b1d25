#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace isthmus::adapter::detail {

/// An element of a small XML reader: what feeds need and no more. Names are without prefix, lower case.
struct XmlElement {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;  ///< of the element itself, entities resolved, CDATA included
  std::vector<XmlElement> children;

  [[nodiscard]] const XmlElement* child(std::string_view wanted) const;
  [[nodiscard]] std::string attribute(std::string_view wanted) const;
};

/// Reads one document. Refused: document types (so no entity of the sender's is ever expanded), more than 64 levels,
/// more than 200,000 elements, more than 4 MiB, text that is not UTF-8. Errors: xml.bad. Pure, total.
[[nodiscard]] Result<XmlElement> read_xml(std::string_view xml);

}  // namespace isthmus::adapter::detail
