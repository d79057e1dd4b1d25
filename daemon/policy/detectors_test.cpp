#include "policy/detail/detectors.h"

#include <gtest/gtest.h>

namespace isthmus::policy::detail {
namespace {

std::string words(std::string_view text, const std::optional<Span>& span) {
  return span ? std::string(text.substr(span->begin, span->end - span->begin)) : std::string();
}
std::string card(std::string_view text) { return words(text, find_card_number(text)); }
std::string iban(std::string_view text) { return words(text, find_iban(text)); }
std::string nir(std::string_view text) { return words(text, find_french_nir(text)); }
std::string secret(std::string_view text) { return words(text, find_secret(text)); }
std::string link(std::string_view text, const std::vector<std::string>& except = {}) {
  return words(text, find_link(text, except));
}

// Test numbers that processors publish: docs.stripe.com/testing and developer.paypal.com "Test credit card numbers"
// (2026-11).
TEST(CardNumber, FindsTheTestNumbersOfEachNetwork) {
  for (const char* number :
       {"4242424242424242", "4000056655665556", "5555555555554444", "2223003122003222", "5105105105105100",
        "378282246310005", "371449635398431", "6011111111111117", "3056930009020004", "36227206271667",
        "3566002020360505", "6200000000000005", "4222222222222"}) {
    EXPECT_EQ(card(std::string("x ") + number + " y"), number);
    std::string wrong = number;
    wrong.back() = wrong.back() == '9' ? '0' : static_cast<char>(wrong.back() + 1);
    EXPECT_EQ(card("x " + wrong + " y"), "") << wrong;
  }
}

TEST(CardNumber, SeesThroughSeparatorsAndOtherDigits) {
  EXPECT_EQ(card("4242 4242 4242 4242"), "4242 4242 4242 4242");
  EXPECT_EQ(card("4242-4242.4242_4242"), "4242-4242.4242_4242");
  EXPECT_EQ(card("4242 - 4242 - 4242 - 4242"), "4242 - 4242 - 4242 - 4242");
  EXPECT_EQ(card("4242    4242 4242 4242"), "") << "four spaces end a number";
  EXPECT_EQ(card("４２４２４２４２４２４２４２４２"), "４２４２４２４２４２４２４２４２") << "full width";
  EXPECT_EQ(card("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢"), "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢") << "Arabic-Indic";
  EXPECT_EQ(card("4242\xE2\x80\x8B"
                 "4242\xC2\xA0"
                 "42424242"),
            "4242\xE2\x80\x8B"
            "4242\xC2\xA0"
            "42424242")
      << "zero-width and no-break space";
  EXPECT_EQ(card("carte:4242424242424242,12/27"), "4242424242424242");
  EXPECT_EQ(card("4242 4242 4242 4242 12 27"), "4242 4242 4242 4242") << "followed by its expiry";
  EXPECT_EQ(card("ref4242424242424242x"), "4242424242424242");
}

TEST(CardNumber, LeavesOtherNumbersAlone) {
  EXPECT_EQ(card("74242424242424242"), "") << "part of a longer number";
  EXPECT_EQ(card("424242424242424242424242"), "");
  EXPECT_EQ(card("4242 4242/4242 4242"), "");
  EXPECT_EQ(card("0000000000000000"), "") << "passes Luhn, issued by nobody";
  EXPECT_EQ(card("9999999999999995"), "") << "passes Luhn, issued by nobody";
  EXPECT_EQ(card("+33 1 42 42 42 42, 2026-11-24T17:00:00"), "");
  EXPECT_EQ(card(""), "");
}

// Examples of the SWIFT IBAN Registry, release 99.
TEST(Iban, FindsTheRegistrysExamplesAndRefusesAWrongDigit) {
  for (const char* number :
       {"FR1420041010050500013M02606", "DE89370400440532013000", "GB29NWBK60161331926819", "NO9386011117947",
        "MT84MALT011000012345MTLCAST001S", "BE68539007547034", "CH9300762011623852957", "ES9121000418450200051332",
        "NL91ABNA0417164300", "LC55HEMM000100010012001200023015", "SC18SSCB11010000000000001497USD"}) {
    EXPECT_EQ(iban(std::string("to ") + number + "."), number);
    std::string wrong = number;
    wrong[3] = wrong[3] == '9' ? '0' : static_cast<char>(wrong[3] + 1);
    EXPECT_EQ(iban("to " + wrong), "") << wrong;
    EXPECT_EQ(iban(std::string("to ") + number + "0"), "") << "one longer";
  }
}

TEST(Iban, SeesThroughSpacesCaseAndWidth) {
  EXPECT_EQ(iban("IBAN: FR14 2004 1010 0505 0001 3M02 606, merci"), "FR14 2004 1010 0505 0001 3M02 606");
  EXPECT_EQ(iban("fr14-2004-1010-0505-0001-3m02-606"), "fr14-2004-1010-0505-0001-3m02-606");
  EXPECT_EQ(iban("ＢＥ６８５３９００７５４７０３４"), "ＢＥ６８５３９００７５４７０３４");
  EXPECT_EQ(iban("xBE68539007547034"), "") << "inside a word";
  EXPECT_EQ(iban("ZZ68539007547034"), "") << "no country";
  EXPECT_EQ(iban("BE68 5390, 0754 7034"), "");
}

TEST(FrenchNir, FindsNumbersWithTheirKeyCorsicaIncluded) {
  EXPECT_EQ(nir("NIR 2 55 08 14 168 025 38!"),
            "2 55 08 14 168 025 38");  // INSEE's documentation, "Numéro de sécurité sociale"
  EXPECT_EQ(nir("255081416802539"), "");
  EXPECT_EQ(nir("255081416802538"), "255081416802538");
  EXPECT_EQ(nir("2550814168025381"), "") << "one longer";
  EXPECT_EQ(nir("355081416802538"), "");
  // Corsica: the letter counts as 0, then 1,000,000 (2A) or 2,000,000 (2B) is subtracted before the division.
  const auto key = [](std::int64_t number) { return std::to_string(100 + 97 - number % 97).substr(1); };
  EXPECT_EQ(nir("185052A004123" + key(1850520004123 - 1'000'000)), "185052A004123" + key(1850520004123 - 1'000'000));
  EXPECT_EQ(nir("185052B004123" + key(1850520004123 - 2'000'000)), "185052B004123" + key(1850520004123 - 2'000'000));
  EXPECT_EQ(nir("185052B004123" + key(1850520004123 - 1'000'000)), "");
}

TEST(SecretForms, AreFoundByTheirIssuersPrefixes) {
  EXPECT_EQ(secret("key AKIAIOSFODNN7EXAMPLE here"), "AKIAIOSFODNN7EXAMPLE");  // docs.aws.amazon.com's example
  EXPECT_EQ(secret("AKIAIOSFODNN7EXAMPL"), "");
  EXPECT_NE(secret("-----BEGIN RSA PRIVATE KEY-----\nMII"), "");
  EXPECT_EQ(secret("-----BEGIN PUBLIC KEY-----"), "");
  EXPECT_NE(secret("ghp_" + std::string(36, 'a')), "");
  EXPECT_EQ(secret("ghp_" + std::string(35, 'a')), "");
  EXPECT_NE(secret("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijk"), "");
  EXPECT_EQ(secret("eyebrows.eye.abc"), "");
}

TEST(Links, AreExceptedByHostAndNotByWhatLooksLikeOne) {
  const std::vector<std::string> ours = {"acme.example"};
  EXPECT_EQ(link("see https://evil.example/x now"), "https://evil.example/x");
  EXPECT_EQ(link("see https://acme.example/x now", ours), "");
  EXPECT_EQ(link("see https://shop.ACME.example, and www.acme.example.", ours), "");
  EXPECT_EQ(link("https://notacme.example", ours), "https://notacme.example");
  EXPECT_EQ(link("https://acme.example.evil.example", ours), "https://acme.example.evil.example");
  EXPECT_EQ(link("https://acme.example@evil.example/", ours), "https://acme.example@evil.example/");
  EXPECT_EQ(link("https://evil.example\\@acme.example/", ours), "https://evil.example\\@acme.example/");
  EXPECT_EQ(link("https://acme.example https://evil.example", ours), "https://evil.example");
  EXPECT_EQ(link("no link"), "");
}

}  // namespace
}  // namespace isthmus::policy::detail
