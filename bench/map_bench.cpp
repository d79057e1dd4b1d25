// One map of twenty fields from an event of 3 kB, bytes in and bytes out: ours beside libjq doing the same map in the
// same run. The two bodies are compared first, so that both do the work. Each is measured in alternating rounds; the
// median of the rounds and their spread are printed, in CPU time of this thread.
//
// Use: map_bench MAPPING.yaml [ROUNDS [TABLE]]; a line for the goal is appended to the file TABLE.
extern "C" {  // its header does not say so itself
#include <jq.h>
}
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "expression/value.h"
#include "mapping/mapping.h"

namespace {

using namespace isthmus;

constexpr int kMapsOfRound = 2000;
constexpr double kGoalUs = 5.0;

const char* const kJqProgram = R"JQ({
  source: .source, external_id: "\(.source):\(.external_id)", submitted_at: .submitted_at,
  person: {name: (.person.name // .social.handle), first: (.person.first // "unknown"),
           last: (.person.last // .person.name[0:80]), email: (.person.email | ascii_downcase),
           phone: (.person.phone | split(" ") | join("")), company: (.person.company // "[unknown]")},
  social: {network: .social.network, id: .social.id, handle: "@\(.social.handle)"},
  message: "\(.message) -- consent: \(.consent.wording)", campaign: (.campaign | ascii_downcase),
  consent: {given: .consent.given, wording: .consent.wording, at: .consent.at,
            channel: ({"web form": "form", "phone": "call"}[.consent.channel] // .consent.channel),
            purposes: .consent.purposes},
  opt_out: (.opt_out // false)})JQ";

std::string event() {
  std::string message;
  while (message.size() < 2350) {
    message +=
        "Nous cherchons un fournisseur pour l'été : \\\"délai\\\" d'abord, prix ensuite. Deux sites, l'un à Lille et "
        "l'autre "
        "à Brest, et des livraisons chaque lundi avant huit heures.\\n";
  }
  return R"({"source":"forms","external_id":"sub_0123456789ab","submitted_at":"2026-11-24T18:00:00.000Z",)"
         R"("person":{"name":"Zoé Dupont","first":"Zoé","last":"Dupont","email":"Zoe.Dupont@Example.COM","phone":"+33 1 02 03 04 05"},)"
         R"("social":{"network":"mastodon","id":"109348730912837409","handle":"zoe"},"message":")" +
         message +
         R"(","campaign":"Autumn-2026","consent":{"given":true,"wording":"Vous pouvez me rappeler au sujet de ma demande.",)"
         R"("at":"2026-11-24T17:59:58.000Z","channel":"web form","purposes":["crm","marketing"]}})";
}

double cpu_us() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::string ours(const mapping::Mapping& map, mapping::Workspace& workspace, const std::string& json) {
  static const expression::MapScope more;
  auto result = map.apply(workspace, json, mapping::Terms{mapping::Purposes::all(), {}}, more);
  auto* mapped = std::get_if<mapping::Mapped>(&result);
  return mapped == nullptr ? std::string() : std::move(mapped->body);
}

std::string theirs(jq_state* jq, const std::string& json) {
  jq_start(jq, jv_parse_sized(json.data(), static_cast<int>(json.size())), 0);
  jv result = jq_next(jq);
  if (!jv_is_valid(result)) {
    jv_free(result);
    return {};
  }
  jv text = jv_dump_string(result, 0);
  std::string out(jv_string_value(text), static_cast<std::size_t>(jv_string_length_bytes(jv_copy(text))));
  jv_free(text);
  return out;
}

struct Spread {
  double median, low, high;
};
Spread spread(std::vector<double> rounds) {
  std::sort(rounds.begin(), rounds.end());
  return {rounds[rounds.size() / 2], rounds.front(), rounds.back()};
}

template <class Map>
double round_us(const Map& map) {
  const double start = cpu_us();
  std::size_t bytes = 0;
  for (int i = 0; i < kMapsOfRound; ++i) bytes += map().size();
  if (bytes == 0) std::abort();
  return (cpu_us() - start) / kMapsOfRound;
}

bool same(const std::string& a, const std::string& b) {
  const auto left = expression::Document::parse(a);
  const auto right = expression::Document::parse(b);
  return left && right && left->root() == right->root();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "use: map_bench MAPPING.yaml [ROUNDS]\n"), 2;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 15;
  Diagnostics diagnostics;
  const auto map = mapping::Mapping::load(argv[1], diagnostics);
  jq_state* jq = jq_init();
  if (!map || jq == nullptr || jq_compile(jq, kJqProgram) == 0 || rounds < 1) {
    return std::fprintf(stderr, "%sthe map or its jq form does not compile\n", diagnostics.to_string().c_str()), 2;
  }
  const std::string json = event();
  mapping::Workspace workspace;
  const std::string body = ours(*map, workspace, json);
  if (!same(body, theirs(jq, json))) {
    return std::fprintf(stderr, "the two maps differ:\n%s\n%s\n", body.c_str(), theirs(jq, json).c_str()), 1;
  }
  std::vector<double> us;
  std::vector<double> jq_us;
  for (int i = 0; i < rounds; ++i) {
    us.push_back(round_us([&] { return ours(*map, workspace, json); }));
    jq_us.push_back(round_us([&] { return theirs(jq, json); }));
  }
  jq_teardown(&jq);
  const Spread a = spread(us);
  const Spread b = spread(jq_us);
  std::printf("map: 20 fields, event of %zu bytes, body of %zu bytes, %d rounds of %d\n", json.size(), body.size(),
              rounds, kMapsOfRound);
  std::printf("  isthmus  %7.2f us  (%.2f to %.2f)\n", a.median, a.low, a.high);
  std::printf("  libjq    %7.2f us  (%.2f to %.2f)\n", b.median, b.low, b.high);
  std::printf("  ratio    %7.1f     goal: at most %.1f us: %s\n", b.median / a.median, kGoalUs,
              a.median <= kGoalUs ? "met" : "missed");
  std::FILE* table = argc > 3 ? std::fopen(argv[3], "a") : nullptr;
  if (table == nullptr) return 0;
  std::fprintf(table, "%-46s %22s   %-26s %s\n", "map: 20 fields of a 3 kB event",
               (std::to_string(a.median).substr(0, 4) + " us").c_str(), "<= 5 us",
               a.median <= kGoalUs ? "met" : "missed");
  return std::fclose(table);
}
