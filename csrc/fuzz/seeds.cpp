// Writes what the fuzzers begin with: seeds FOLDER makes a folder in it for each of them.
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "tests/small_models.h"

namespace {

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: seeds FOLDER\n";
    return 2;
  }
  const std::filesystem::path folder = arguments[1];
  const std::string band_gru = pyvocsep::test::small_band_gru().bytes(), gru = pyvocsep::test::small_gru().bytes();
  write(folder / "model" / "band-gru", band_gru);
  write(folder / "model" / "gru", gru);
  write(folder / "model" / "band-gru-ahead", pyvocsep::test::small_band_gru_ahead().bytes());
  write(folder / "model_edits" / "none", std::string(3, '\1'));
  write(folder / "model_edits" / "some", std::string("\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 16));
  write(folder / "json" / "header", gru.substr(8, gru.find('}', 1000) - 8));
  write(folder / "json" / "values",
        R"({"a\u00e9\n\ud83c\udfb5": [1, -2.5e1, "x", true, false, null, {}, [[0.1E-3]]]})");
  write(folder / "state" / "initial", std::string("\37pvcs\1\0\0\0\x70\3\0\0\x18\1\0\0\0\0\0\0\0\0\0\0", 25));
  write(folder / "state" / "other", std::string("\4pvcs\1\0\0\0\xf8\2\0\0\0\0\0\0\1\0\0\0\1\0\0\0", 25));
  write(folder / "state" / "text", std::string("\1-\0001\0002\0.\0005\0", 11));
  return 0;
}
