#include "config/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <array>
#include <fstream>
#include <istream>
#include <map>
#include <streambuf>

#include "base/bytes.h"

// The one file that meets yaml-cpp: its exceptions end here.
namespace isthmus::config {

namespace {

/// Ends the parse of a file that is beyond judging; the diagnostic is already written.
struct Stop {};

/// A stream over text that is not copied.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // only read: no put area is set
    setg(begin, begin, begin + text.size());
  }
};

/// Where lines begin, to turn yaml-cpp's byte columns into the character columns of an editor.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    starts_.push_back(0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') starts_.push_back(i + 1);
    }
  }

  /// Marks come nearly in order: counting goes on from the last one, or a file of one long line would cost its square.
  [[nodiscard]] int column(int line, int byte_column) {
    if (line < 0 || static_cast<std::size_t>(line) >= starts_.size()) return byte_column + 1;
    if (line != counted_line_ || byte_column < counted_bytes_) {
      counted_line_ = line;
      counted_bytes_ = 0;
      counted_characters_ = 0;
    }
    const std::size_t start = starts_[static_cast<std::size_t>(line)];
    for (; counted_bytes_ < byte_column; ++counted_bytes_) {
      const std::size_t at = start + static_cast<std::size_t>(counted_bytes_);
      const bool continues = at < text_.size() && (static_cast<unsigned char>(text_[at]) & 0xC0U) == 0x80U;
      counted_characters_ += continues ? 0 : 1;
    }
    return counted_characters_ + 1;
  }

  [[nodiscard]] char byte_at(int line, int byte_column) const {
    if (line < 0 || static_cast<std::size_t>(line) >= starts_.size() || byte_column < 0) return '\0';
    const std::size_t at = starts_[static_cast<std::size_t>(line)] + static_cast<std::size_t>(byte_column);
    return at < text_.size() ? text_[at] : '\0';
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
  int counted_line_ = -1;
  int counted_bytes_ = 0;
  int counted_characters_ = 0;
};

bool reads_as_boolean_elsewhere(std::string_view key) {
  std::string lower(key);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::array<std::string_view, 6> kWords = {"yes", "no", "on", "off", "true", "false"};
  for (const std::string_view word : kWords) {
    if (lower == word) return true;
  }
  return false;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(std::shared_ptr<const std::string> file, Lines& lines, const YamlLimits& limits, Diagnostics& diagnostics)
      : file_(std::move(file)), lines_(lines), limits_(limits), diagnostics_(diagnostics) {}

  [[nodiscard]] std::optional<Node> take() { return std::move(root_); }

  void complain(const YAML::Mark& mark, std::string code, std::string message) {
    diagnostics_.add({.file = *file_,
                      .line = mark.line + 1,
                      .column = lines_.column(mark.line, mark.column),
                      .severity = Diagnostic::Severity::error,
                      .code = std::move(code),
                      .path = {},
                      .message = std::move(message)});
    if (++complaints_ >= limits_.diagnostics_max) throw Stop{};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (root_) {
      complain(mark, "yaml.several-documents",
               "a second document starts here; a file holds one document, without \"---\" in the middle");
      throw Stop{};
    }
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t) override { add(at(mark, Node::Kind::null), mark); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    complain(mark, "yaml.alias", "an alias (*name) is not accepted; write the value again");
    add(at(mark, Node::Kind::null), mark);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, const std::string& value) override {
    refuse_tag(mark, tag);
    Node node = at(mark, Node::Kind::scalar);
    node.quoted = tag == "!";  // yaml-cpp's mark for quoted and block scalars
    node.text = value;
    add(std::move(node), mark);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::sequence);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t, YAML::EmitterStyle::value) override {
    open(mark, tag, Node::Kind::map);
  }
  void OnMapEnd() override { close(); }

  void OnAnchor(const YAML::Mark& mark, const std::string& name) override {
    complain(mark, "yaml.anchor",
             fmt::format("an anchor (&{}) is not accepted; write the value where it is needed", name));
  }

 private:
  /// A container that is not closed yet.
  struct Frame {
    Node node;
    YAML::Mark mark;
    std::map<std::string, int, std::less<>> lines_of_keys;
    bool key_is_read = false;
    bool keep_value = false;  ///< false behind a key that was refused
    Entry entry;
  };

  [[nodiscard]] Node at(const YAML::Mark& mark, Node::Kind kind) {
    Node node;
    node.kind = kind;
    node.line = mark.line + 1;
    node.column = lines_.column(mark.line, mark.column);
    node.file = file_;
    return node;
  }

  void refuse_tag(const YAML::Mark& mark, const std::string& tag) {
    const bool plain = tag.empty() || tag == "?" || (tag == "!" && lines_.byte_at(mark.line, mark.column) != '!');
    if (!plain)
      complain(mark, "yaml.tag", fmt::format("a tag ({}) is not accepted; the type follows from the key", tag));
  }

  void open(const YAML::Mark& mark, const std::string& tag, Node::Kind kind) {
    refuse_tag(mark, tag);
    if (frames_.size() >= limits_.depth_max) {
      complain(mark, "yaml.too-deep", fmt::format("more than {} levels of lists and maps", limits_.depth_max));
      throw Stop{};
    }
    Frame frame;
    frame.node = at(mark, kind);
    frame.mark = mark;
    frames_.push_back(std::move(frame));
  }

  void close() {
    Frame frame = std::move(frames_.back());
    frames_.pop_back();
    add(std::move(frame.node), frame.mark);
  }

  void add(Node node, const YAML::Mark& mark) {
    if (frames_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& top = frames_.back();
    if (top.node.kind == Node::Kind::sequence) {
      top.node.items.push_back(std::move(node));
    } else if (!top.key_is_read) {
      take_key(top, std::move(node), mark);
    } else {
      top.key_is_read = false;
      if (!top.keep_value) return;
      top.entry.value = std::move(node);
      top.node.entries.push_back(std::move(top.entry));
      top.entry = Entry{};
    }
  }

  void take_key(Frame& top, Node key, const YAML::Mark& mark) {
    top.key_is_read = true;
    top.keep_value = false;
    if (key.kind != Node::Kind::scalar) {
      complain(mark, "yaml.key", fmt::format("a key must be a text, not {}", describe(key)));
      return;
    }
    if (!key.quoted && key.text == "<<") {
      complain(mark, "yaml.merge-key", "a merge key (<<) is not accepted; write the keys out");
      return;
    }
    if (!key.quoted && reads_as_boolean_elsewhere(key.text)) {
      complain(mark, "yaml.key", fmt::format("the key {0} is a boolean to other readers; quote it: \"{0}\"", key.text));
    }
    const auto [first, fresh] = top.lines_of_keys.emplace(key.text, key.line);
    if (!fresh) {
      complain(mark, "yaml.repeated-key",
               fmt::format("\"{}\" was given before, on line {}; a key may stand once", key.text, first->second));
      return;
    }
    top.keep_value = true;
    top.entry.key = std::move(key.text);
    top.entry.quoted = key.quoted;
    top.entry.line = key.line;
    top.entry.column = key.column;
  }

  std::shared_ptr<const std::string> file_;
  Lines& lines_;
  const YamlLimits& limits_;
  Diagnostics& diagnostics_;
  std::size_t complaints_ = 0;
  std::vector<Frame> frames_;
  std::optional<Node> root_;
};

void complain_about_file(const std::string& file, std::string code, std::string message, Diagnostics& diagnostics) {
  diagnostics.add({.file = file,
                   .line = 0,
                   .column = 0,
                   .severity = Diagnostic::Severity::error,
                   .code = std::move(code),
                   .path = {},
                   .message = std::move(message)});
}

/// Bytes that no text file of ours holds. yaml-cpp would also take a NUL for UTF-16 and recode the file.
bool encoding_is_good(std::string_view text, const std::string& file, Diagnostics& diagnostics) {
  if (!is_utf8(text)) {
    complain_about_file(file, "yaml.encoding", "the file is not UTF-8; save it as UTF-8", diagnostics);
    return false;
  }
  int line = 1;
  for (const char c : text) {
    line += c == '\n' ? 1 : 0;
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\r' && c != '\t') || byte == 0x7F) {
      diagnostics.add(
          {.file = file,
           .line = line,
           .column = 1,
           .severity = Diagnostic::Severity::error,
           .code = "yaml.encoding",
           .path = {},
           .message = fmt::format("a control character (0x{:02x}) on this line; in a quoted text write \\x{:02x}", byte,
                                  byte)});
      return false;
    }
  }
  return true;
}

}  // namespace

const Node* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry.value;
  }
  return nullptr;
}

std::string describe(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return "nothing";
    case Node::Kind::sequence:
      return "a list";
    case Node::Kind::map:
      return "a map";
    case Node::Kind::scalar:
      break;
  }
  constexpr std::size_t kShownBytesMax = 60;
  std::string shown = node.text.substr(0, kShownBytesMax);
  while (!is_utf8(shown)) shown.pop_back();  // the cut may have split a character
  if (shown.size() < node.text.size()) shown += "...";
  return node.quoted ? fmt::format("the text \"{}\"", shown) : fmt::format("\"{}\"", shown);
}

void report(const Node& at, std::string code, std::string path, std::string message, Diagnostics& diagnostics) {
  diagnostics.add({.file = at.file ? *at.file : std::string{},
                   .line = at.line,
                   .column = at.column,
                   .severity = Diagnostic::Severity::error,
                   .code = std::move(code),
                   .path = std::move(path),
                   .message = std::move(message)});
}

std::optional<Node> parse_yaml(std::string_view text, const std::string& file, Diagnostics& diagnostics,
                               const YamlLimits& limits) {
  if (text.size() > limits.bytes_max) {
    complain_about_file(file, "yaml.too-large",
                        fmt::format("{} bytes; a file has at most {}", text.size(), limits.bytes_max), diagnostics);
    return std::nullopt;
  }
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (!encoding_is_good(text, file, diagnostics)) return std::nullopt;

  Lines lines(text);
  TreeBuilder builder(std::make_shared<const std::string>(file), lines, limits, diagnostics);
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    if (parser.HandleNextDocument(builder)) {
      while (parser.HandleNextDocument(builder)) {
      }
    }
  } catch (const Stop&) {
    return std::nullopt;
  } catch (const YAML::Exception& e) {
    try {
      builder.complain(e.mark, "yaml.syntax", fmt::format("this is not YAML: {}", e.msg));
    } catch (const Stop&) {
    }
    return std::nullopt;
  }
  std::optional<Node> root = builder.take();
  if (!root || root->kind == Node::Kind::null) {
    complain_about_file(file, "yaml.empty", "the file holds nothing", diagnostics);
    return std::nullopt;
  }
  return root;
}

std::optional<std::string> read_text_file(const std::filesystem::path& path, Diagnostics& diagnostics,
                                          const YamlLimits& limits) {
  std::ifstream stream(path, std::ios::binary);
  std::error_code ignored;
  if (!stream || std::filesystem::is_directory(path, ignored)) {
    complain_about_file(path.string(), "yaml.unreadable",
                        "the file cannot be read; it must exist and be readable by this user", diagnostics);
    return std::nullopt;
  }
  std::string text(limits.bytes_max + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (stream.bad()) {
    complain_about_file(path.string(), "yaml.unreadable", "reading the file failed", diagnostics);
    return std::nullopt;
  }
  if (text.size() > limits.bytes_max) {
    complain_about_file(path.string(), "yaml.too-large",
                        fmt::format("a file has at most {} bytes; this one has more", limits.bytes_max), diagnostics);
    return std::nullopt;
  }
  text.shrink_to_fit();
  return text;
}

std::optional<Node> read_yaml_file(const std::filesystem::path& path, Diagnostics& diagnostics,
                                   const YamlLimits& limits) {
  const std::optional<std::string> text = read_text_file(path, diagnostics, limits);
  if (!text) return std::nullopt;
  return parse_yaml(*text, path.string(), diagnostics, limits);
}

}  // namespace isthmus::config
