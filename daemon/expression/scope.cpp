#include "expression/scope.h"

#include <algorithm>

#include "base/diagnostic.h"

namespace isthmus::expression {
namespace {

// True when path is prefix, or lies below it.
bool below(std::string_view path, std::string_view prefix) {
  return path.substr(0, prefix.size()) == prefix && (path.size() == prefix.size() || path[prefix.size()] == '.');
}

}  // namespace

MapScope& MapScope::set(std::string_view name, Value value) {
  const auto same = std::find_if(values_.begin(), values_.end(), [&](const auto& v) { return v.first == name; });
  if (same != values_.end()) {
    same->second = std::move(value);
  } else {
    values_.emplace_back(std::string(name), std::move(value));
  }
  return *this;
}

Value MapScope::lookup(std::string_view root) const {
  for (const auto& value : values_) {
    if (value.first == root) return value.second;
  }
  return behind_ != nullptr ? behind_->lookup(root) : Value();
}

Value ObjectScope::lookup(std::string_view root) const {
  Value found = object_.get(root);
  return found.is_null() && behind_ != nullptr ? behind_->lookup(root) : found;
}

Names Names::any() {
  Names names({});
  names.any_ = true;
  return names;
}

bool Names::admits(std::string_view dotted) const {
  return any_ || std::any_of(paths_.begin(), paths_.end(),
                             [&](const std::string& entry) { return below(dotted, entry) || below(entry, dotted); });
}

std::string Names::nearest(std::string_view dotted) const {
  std::vector<std::string> candidates;  // entries and the objects above them
  for (const std::string& entry : paths_) {
    for (std::size_t dot = entry.find('.'); dot != std::string::npos; dot = entry.find('.', dot + 1)) {
      candidates.push_back(entry.substr(0, dot));
    }
    candidates.push_back(entry);
  }
  std::string near = nearest_name(dotted, candidates);
  return near.empty() ? nearest_name(dotted.substr(0, dotted.find('.')), candidates) : near;
}

Names Names::with(std::vector<std::string> more) const {
  Names names = *this;
  names.paths_.insert(names.paths_.end(), more.begin(), more.end());
  return names;
}

}  // namespace isthmus::expression
