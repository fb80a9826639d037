# Writes OUTPUT, a C++ source that holds the bytes of the file INPUT (see csrc/model/embedded.cpp):
#
#   cmake -DINPUT=model.safetensors -DOUTPUT=model.cpp -P embed.cmake
#
# Words of eight bytes, because a compiler takes eight times as long for an array of single bytes.
file(SIZE ${INPUT} size)
file(READ ${INPUT} bytes HEX)
math(EXPR padding "(8 - ${size} % 8) % 8 * 2")
string(REPEAT 0 ${padding} padding)
string(REGEX REPLACE "(..)(..)(..)(..)(..)(..)(..)(..)" "0x\\8\\7\\6\\5\\4\\3\\2\\1,\n" words "${bytes}${padding}")
file(WRITE ${OUTPUT} "#include <cstddef>
#include <cstdint>

namespace pyvocsep {
extern const uint64_t kEmbeddedWords[];
extern const size_t kEmbeddedBytes;
const uint64_t kEmbeddedWords[] = {
${words}};
const size_t kEmbeddedBytes = ${size};
}  // namespace pyvocsep
")
