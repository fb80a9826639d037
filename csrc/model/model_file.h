// A model file: safetensors (a JSON header, then raw little-endian tensors) with string metadata.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace pyvocsep {

struct Tensor {
  std::vector<int> shape;
  std::vector<float> values;  // row-major

  float at(int row, int column) const { return values[static_cast<size_t>(row) * shape[1] + column]; }
};

class ModelFile {
 public:
  // Throws std::system_error if the file cannot be read, std::invalid_argument if it is not a sound model.
  explicit ModelFile(const std::string& path);
  // The same from memory; `name` stands for the path in messages.
  ModelFile(std::string_view bytes, const std::string& name);

  const std::map<std::string, std::string>& metadata() const { return metadata_; }

  // The metadata value; throws std::invalid_argument that names the key if it is missing, no number or out of range.
  const std::string& text(const std::string& key) const;
  int integer(const std::string& key, int lowest, int highest) const;
  double real(const std::string& key, double lowest, double highest) const;
  std::vector<int> integers(const std::string& key) const;

  bool has(const std::string& tensor) const { return tensors_.count(tensor) > 0; }
  // The tensor's shape, from which the sizes of a network are taken; throws std::invalid_argument that names it if it
  // is missing, has another number of dimensions or a size of zero.
  std::vector<int> shape(const std::string& name, size_t dimensions) const;
  // The tensor; throws std::invalid_argument that names it if it is missing or has another shape. There is no other way
  // to the values: nothing reads a tensor of a shape that it does not expect.
  const Tensor& tensor(const std::string& name, const std::vector<int>& shape) const;

  [[noreturn]] void fail(const std::string& what) const;
  // A metadata value as messages show it: no longer than a line.
  std::string shown(const std::string& key) const;

 private:
  void parse(std::string_view bytes);
  const Tensor& find(const std::string& name) const;

  std::string name_;
  std::map<std::string, std::string> metadata_;
  std::map<std::string, Tensor> tensors_;
};

}  // namespace pyvocsep
