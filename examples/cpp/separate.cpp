// Separates a WAV file into vocals.wav and accompaniment.wav, block by block, with the C++ classes of pyvocsep.
//
//     cmake -S . -B build -DCMAKE_PREFIX_PATH=PREFIX && cmake --build build
//     build/separate song.wav 512 [model.safetensors]
//
// Needs libsndfile, and pyvocsep as `cmake --install` installs it into PREFIX. Without a model, the library must have
// been built with -DPYVOCSEP_EMBED_WEIGHTS=ON. The stems have the input's rate, channels and length, as 32-bit floats:
// the samples that pyvocsep.process gives in Python.
#include <pyvocsep/separator.h>
#include <sndfile.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using File = std::unique_ptr<SNDFILE, decltype(&sf_close)>;

File open_file(const std::string& path, int mode, SF_INFO& info) {
  File file(sf_open(path.c_str(), mode, &info), &sf_close);
  if (!file) throw std::runtime_error(path + ": " + sf_strerror(nullptr));
  return file;
}

// Channels of float, and the array of pointers to them that pyvocsep takes.
struct Audio {
  std::vector<std::vector<float>> channels;
  std::vector<float*> pointers;

  Audio(int channel_count, int samples) : channels(channel_count, std::vector<float>(samples)) {
    for (auto& channel : channels) pointers.push_back(channel.data());
  }
};

class StemFile {
 public:
  StemFile(const std::string& path, SF_INFO info, int latency) : path_(path), late_(latency), file_(open(path, info)) {}

  // The first `latency` samples precede the song and are left out.
  void write(const Audio& audio, int samples) {
    const int dropped = std::min(late_, samples);
    late_ -= dropped;
    frames_.clear();
    for (int i = dropped; i < samples; ++i)
      for (const auto& channel : audio.channels) frames_.push_back(channel[i]);
    if (sf_writef_float(file_.get(), frames_.data(), samples - dropped) != samples - dropped)
      throw std::runtime_error(path_ + ": " + sf_strerror(file_.get()));
  }

  void close() {
    if (sf_close(file_.release()) != 0) throw std::runtime_error(path_ + ": it could not be written to its end");
  }

 private:
  static File open(const std::string& path, SF_INFO info) {
    info.format = SF_FORMAT_WAV | SF_FORMAT_FLOAT;
    return open_file(path, SFM_WRITE, info);
  }

  std::string path_;
  int late_;
  File file_;
  std::vector<float> frames_;  // the channels side by side, as files have them
};

void separate(const std::string& path, int block, const pyvocsep::Model& model) {
  SF_INFO info{};
  const File song = open_file(path, SFM_READ, info);
  pyvocsep::Separator separator(model, info.samplerate, info.channels);
  const int latency = separator.latency(), largest = std::max(block, latency);

  std::vector<float> frames(static_cast<std::size_t>(block) * info.channels);
  Audio mixture(info.channels, block), vocals(info.channels, largest), accompaniment(info.channels, largest);
  StemFile vocals_file("vocals.wav", info, latency), accompaniment_file("accompaniment.wav", info, latency);
  while (const int samples = static_cast<int>(sf_readf_float(song.get(), frames.data(), block))) {
    for (int i = 0; i < samples; ++i)
      for (int c = 0; c < info.channels; ++c) mixture.channels[c][i] = frames[i * info.channels + c];
    separator.process(mixture.pointers.data(), vocals.pointers.data(), accompaniment.pointers.data(), samples);
    vocals_file.write(vocals, samples);
    accompaniment_file.write(accompaniment, samples);
  }
  if (sf_error(song.get()) != 0) throw std::runtime_error(path + ": " + sf_strerror(song.get()));
  separator.flush(vocals.pointers.data(), accompaniment.pointers.data());
  vocals_file.write(vocals, latency);
  accompaniment_file.write(accompaniment, latency);
  vocals_file.close();
  accompaniment_file.close();
}

}  // namespace

int main(int arguments, char** argument) {
  const int block = arguments > 2 ? std::atoi(argument[2]) : 0;
  if (arguments < 3 || arguments > 4 || block < 1 || block > 1 << 20) {
    std::fprintf(stderr, "usage: separate SONG.wav BLOCK [MODEL.safetensors]\nBLOCK is 1 to 1048576 samples.\n");
    return 2;
  }
  try {
    separate(argument[1], block, arguments > 3 ? pyvocsep::Model(argument[3]) : pyvocsep::Model::embedded());
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "separate: %s\n", error.what());
    return 1;
  }
}
