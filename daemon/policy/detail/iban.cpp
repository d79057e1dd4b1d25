#include <array>
#include <cctype>

#include "policy/detail/detectors.h"
#include "policy/detail/digits.h"

namespace isthmus::policy::detail {

namespace {

/// Lengths by country: SWIFT, IBAN Registry, release 99 (2024-12).
struct Country {
  std::string_view code;
  std::size_t length;
};
constexpr std::array kCountries = {
    Country{"AD", 24}, Country{"AE", 23}, Country{"AL", 28}, Country{"AT", 20}, Country{"AZ", 28}, Country{"BA", 20},
    Country{"BE", 16}, Country{"BG", 22}, Country{"BH", 22}, Country{"BI", 27}, Country{"BR", 29}, Country{"BY", 28},
    Country{"CH", 21}, Country{"CR", 22}, Country{"CY", 28}, Country{"CZ", 24}, Country{"DE", 22}, Country{"DJ", 27},
    Country{"DK", 18}, Country{"DO", 28}, Country{"EE", 20}, Country{"EG", 29}, Country{"ES", 24}, Country{"FI", 18},
    Country{"FK", 18}, Country{"FO", 18}, Country{"FR", 27}, Country{"GB", 22}, Country{"GE", 22}, Country{"GI", 23},
    Country{"GL", 18}, Country{"GR", 27}, Country{"GT", 28}, Country{"HN", 28}, Country{"HR", 21}, Country{"HU", 28},
    Country{"IE", 22}, Country{"IL", 23}, Country{"IQ", 23}, Country{"IS", 26}, Country{"IT", 27}, Country{"JO", 30},
    Country{"KW", 30}, Country{"KZ", 20}, Country{"LB", 28}, Country{"LC", 32}, Country{"LI", 21}, Country{"LT", 20},
    Country{"LU", 20}, Country{"LV", 21}, Country{"LY", 25}, Country{"MC", 27}, Country{"MD", 24}, Country{"ME", 22},
    Country{"MK", 19}, Country{"MN", 20}, Country{"MR", 27}, Country{"MT", 31}, Country{"MU", 30}, Country{"NI", 28},
    Country{"NL", 18}, Country{"NO", 15}, Country{"OM", 23}, Country{"PK", 24}, Country{"PL", 28}, Country{"PS", 29},
    Country{"PT", 25}, Country{"QA", 29}, Country{"RO", 24}, Country{"RS", 22}, Country{"RU", 33}, Country{"SA", 24},
    Country{"SC", 31}, Country{"SD", 18}, Country{"SE", 24}, Country{"SI", 19}, Country{"SK", 24}, Country{"SM", 27},
    Country{"SO", 23}, Country{"ST", 25}, Country{"SV", 28}, Country{"TL", 23}, Country{"TN", 24}, Country{"TR", 26},
    Country{"UA", 29}, Country{"VA", 22}, Country{"VG", 24}, Country{"XK", 20}, Country{"YE", 30},
};

std::size_t length_of(char first, char second) {
  for (const Country& country : kCountries) {
    if (country.code[0] == first && country.code[1] == second) return country.length;
  }
  return 0;
}

/// ISO 7064 MOD 97-10 over the characters from the fifth, then the first four; letters count as 10 to 35.
bool checks(std::span<const Sign> iban) {
  unsigned rest = 0;
  for (std::size_t i = 0; i < iban.size(); ++i) {
    const char c = iban[(i + 4) % iban.size()].value;
    rest = std::isdigit(static_cast<unsigned char>(c)) != 0 ? (rest * 10 + static_cast<unsigned>(c - '0')) % 97
                                                            : (rest * 100 + static_cast<unsigned>(c - 'A') + 10) % 97;
  }
  return rest == 1;
}

bool is_unbroken(std::span<const Sign> signs) {
  for (std::size_t i = 1; i < signs.size(); ++i) {
    if (signs[i].starts_number) return false;
  }
  return true;
}

}  // namespace

std::optional<Span> find_iban(std::string_view text) {
  const std::vector<Sign> signs = read_signs(text);
  for (std::size_t begin = 0; begin + 4 <= signs.size(); ++begin) {
    if (!signs[begin].opens && !signs[begin].starts_number) continue;
    const std::size_t length = length_of(signs[begin].value, signs[begin + 1].value);
    if (length == 0 || begin + length > signs.size()) continue;
    const std::span<const Sign> iban(signs.data() + begin, length);
    const bool ends =
        begin + length == signs.size() || signs[begin + length].opens || signs[begin + length].starts_number;
    if (ends && is_unbroken(iban) && checks(iban)) return Span{iban.front().begin, iban.back().end};
  }
  return std::nullopt;
}

}  // namespace isthmus::policy::detail
