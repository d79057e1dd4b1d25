#include "system/bridge.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <simdjson.h>
#include <stdlib.h>

#include "base/check.h"
#include "support/eventually.h"
#include "support/postgres.h"

namespace isthmus::test {
namespace {

constexpr const char* kKey = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

std::filesystem::path fresh_folder() {
  char name[] = "/tmp/isthmus-sys-XXXXXX";  // short: a socket's path has 107 bytes at most
  ISTHMUS_CHECK(::mkdtemp(name) != nullptr, "a temporary folder can be made");
  return name;
}

std::string listed(const std::vector<std::string>& folders) {
  std::string out;
  for (const std::string& folder : folders) out += (out.empty() ? "" : ", ") + folder;
  return "[ " + out + " ]";
}

}  // namespace

std::string program(const std::string& name) { return std::string(ISTHMUS_BIN) + "/" + name; }

Bridge::Bridge(Options options)
    : options_(std::move(options)), database_(Postgres::instance().fresh_database()), folder_(fresh_folder()) {
  std::filesystem::create_directories(folder_ / "state");
  write_text(folder_ / "credentials" / "vault-key", kKey);
  write_text(folder_ / "credentials" / "log-key", kKey);
  for (const char* key : {"vault-key", "log-key"}) {
    std::filesystem::permissions(folder_ / "credentials" / key, std::filesystem::perms::owner_read);
  }
  options_.adapters.push_back(std::string(ISTHMUS_SOURCE_DIR) + "/adapters");
}

Bridge::~Bridge() {
  daemon_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void Bridge::write_settings() const {
  const std::string source(ISTHMUS_SOURCE_DIR);
  std::string text = "node: node-1\n";
  text +=
      "database: { host: " + database_.host + ", name: " + database_.database + ", user: " + database_.user + " }\n";
  text += "listeners:\n";
  text += "  public: { address: 127.0.0.1, port: " + std::to_string(public_port_) + " }\n";
  text += "  house: { address: 127.0.0.1, port: " + std::to_string(house_port_) + " }\n";
  text += "  admin: { socket: " + (folder_ / "control.sock").string() + " }\n";
  text += "adapters: " + listed(options_.adapters) + "\n";
  text += "mappings: [ " + source + "/mappings ]\npolicies: [ " + source + "/policies ]\n";
  text += "state: " + (folder_ / "state").string() + "\ncredentials: " + (folder_ / "credentials").string() + "\n";
  text += "archive: { origin: isthmus.example/hostile }\n" + options_.more;
  write_text(folder_ / "isthmus.yaml", text);
}

void Bridge::start() {
  write_settings();
  daemon_ = std::make_unique<Process>(
      folder_, "daemon",
      std::vector<std::string>{program("isthmusd"), "run", "--config", (folder_ / "isthmus.yaml").string()});
  const bool up = eventually(std::chrono::seconds(30), [this] {
    return !daemon_->running() || isthmus({"status"}).out.find("\"ready\":true") != std::string::npos;
  });
  ASSERT_TRUE(up && daemon_->running()) << "the daemon did not become ready:\n" << daemon_->err();
  simdjson::dom::parser parser;
  const std::string text = isthmus({"status"}).out;
  std::int64_t number = 0;
  simdjson::dom::element status;
  ASSERT_EQ(parser.parse(text).get(status), simdjson::SUCCESS) << text;
  ASSERT_EQ(status["public_port"].get(number), simdjson::SUCCESS);
  public_port_ = static_cast<std::uint16_t>(number);
  ASSERT_EQ(status["house_port"].get(number), simdjson::SUCCESS);
  house_port_ = static_cast<std::uint16_t>(number);
}

int Bridge::stop() {
  daemon_->signal(SIGTERM);
  return daemon_->wait(std::chrono::seconds(30)).value_or(-1);
}

void Bridge::kill() {
  daemon_->signal(SIGKILL);
  (void)daemon_->wait(std::chrono::seconds(30));
}

Ran Bridge::isthmus(std::vector<std::string> words, std::chrono::milliseconds deadline) const {
  words.insert(words.begin(), program("isthmus"));
  words.insert(words.end(), {"--socket", (folder_ / "control.sock").string(), "--json"});
  return run(folder_, words, deadline);
}

void Bridge::apply(const std::string& yaml) const {
  write_text(folder_ / "apply.yaml", yaml);
  const Ran done = isthmus({"apply", (folder_ / "apply.yaml").string()});
  ASSERT_EQ(done.status, 0) << done.out << done.err;
}

void Bridge::secret(const std::string& connection, const std::string& field, const std::string& value) const {
  write_text(folder_ / "secret", value);
  const Ran done = isthmus({"connection", "secret", connection, field, "--file", (folder_ / "secret").string()});
  ASSERT_EQ(done.status, 0) << done.out << done.err;
}

std::map<std::string, std::int64_t> Bridge::books() const {
  std::map<std::string, std::int64_t> terms;
  const std::string text = isthmus({"books"}).out;
  simdjson::dom::parser parser;
  simdjson::dom::object all;
  if (parser.parse(text).get(all) != simdjson::SUCCESS) return terms;
  for (const auto book : all) {
    simdjson::dom::object members;
    bool truth = false;
    std::int64_t number = 0;
    if (book.value.get(truth) == simdjson::SUCCESS) terms[std::string(book.key)] = truth ? 1 : 0;
    if (book.value.get(number) == simdjson::SUCCESS) terms[std::string(book.key)] = number;
    if (book.value.get(members) != simdjson::SUCCESS) continue;
    for (const auto term : members) {
      if (term.value.get(number) == simdjson::SUCCESS)
        terms[std::string(book.key) + "." + std::string(term.key)] = number;
    }
  }
  return terms;
}

std::string Bridge::parked() const { return isthmus({"parked", "list"}).out; }

std::string Bridge::quarantine() const { return isthmus({"quarantine", "list"}).out; }

Ran Bridge::verify() const {
  const std::filesystem::path bag = folder_ / ("bag-" + std::to_string(++bags_));
  const Ran exported = isthmus({"archive", "export", "--out", bag.string()});
  if (exported.status != 0) return exported;
  const Ran key = run(folder_, {program("isthmus"), "archive", "key", "--socket", (folder_ / "control.sock").string()});
  write_text(folder_ / "log.vkey", key.out);
  return run(folder_, {program("isthmus-verify"), bag.string(), "--key", (folder_ / "log.vkey").string()});
}

int Bridge::probe(const std::string& path) const {
  Socket socket(house_port_);
  if (!socket.connected()) return 0;
  socket.send("GET " + path + " HTTP/1.1\r\nHost: house\r\n\r\n");
  return socket.receive().status;
}

std::map<std::string, std::int64_t> books_when(const Bridge& bridge,
                                               const std::function<bool(std::map<std::string, std::int64_t>&)>& settled,
                                               std::chrono::milliseconds deadline) {
  std::map<std::string, std::int64_t> last;
  (void)eventually(deadline, [&] {
    last = bridge.books();
    return !last.empty() && settled(last);
  });
  return last;
}

}  // namespace isthmus::test
