// The JSON Schemas in interfaces/ are what others rely on; the field table is what the daemon runs. Both say the same.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "expression/value.h"
#include "mapping/format.h"

using namespace isthmus;

namespace {

void flatten(const expression::Value& schema, const std::string& prefix, std::map<std::string, bool>& out) {
  const expression::Value required = schema.get("required");
  for (const auto& [name, property] : schema.get("properties").members()) {
    bool needed = false;
    for (const expression::Value& one : required.items()) needed = needed || one.as_text() == name;
    const std::string path = prefix + std::string(name);
    out[path] = needed;
    flatten(property, path + ".", out);
    flatten(property.get("items"), path + ".", out);
  }
}

}  // namespace

TEST(FormatSchemas, HaveTheFieldsOfTheTable) {
  for (const mapping::Format& format : mapping::all_formats()) {
    std::string file(format.name);
    file.replace(file.find('/'), 1, "-");
    std::ifstream in(std::filesystem::path(ISTHMUS_SOURCE_DIR) / "interfaces" / (file + ".schema.json"));
    const std::string text(std::istreambuf_iterator<char>(in), {});
    auto document = expression::Document::parse(text);
    ASSERT_TRUE(document) << file;
    std::map<std::string, bool> schema, table;
    flatten(document->root(), "", schema);
    for (const mapping::FormatField& field : format.fields)
      table[std::string(field.path)] = field.presence == mapping::FormatField::Presence::required;
    EXPECT_EQ(schema, table) << file;
  }
}
