// Products of rows of inputs with packed weights, and the order in which they are summed.
//
// A word is 32 bits for each of 16 outputs. In float32 it is the weight of one input; in bfloat16 of two, which the
// processor multiplies and adds to a float32 sum in one instruction; in int8 of four, which it adds to an integer sum.
// The order of all additions is fixed, so that a row's result depends neither on the other rows nor on how rows are
// grouped.
//
// The build says whose products a table adds (PYVOCSEP_BFLOAT16, PYVOCSEP_INT8): the compiler may be told to use more
// of the processor than the table's name promises.
#pragma once

#include "kernels/kernels.h"
#include "kernels/math.h"
#include "kernels/simd.h"

namespace pyvocsep::PYVOCSEP_ISA {

// Addresses of the weights of V vectors of outputs, of which every G have theirs side by side, a word of each taking
// Width floats. What is constant between addresses costs no instruction.
template <int V, int G, int Width>
struct Weights {
  static constexpr ptrdiff_t kWord = G * Width;

  const float* at[V / G];

  Vec load(int v, int word) const { return PYVOCSEP_ISA::load(at[v / G] + word * kWord + v % G * Width); }
  Weights from(int word) const {
    Weights later = *this;
    for (int i = 0; i < V / G; ++i) later.at[i] += word * kWord;
    return later;
  }
};

// kLanes values from k on, zeros from `count` on.
inline Vec load_some(const float* x, int k, int count) {
  const Vec v = load(x + k);
  if (count - k >= kLanes) return v;
  VecInt lane;
  for (int i = 0; i < kLanes; ++i) lane[i] = i;
  return lane < VecInt{} + (count - k) ? v : Vec{};
}

#if defined(PYVOCSEP_INT8)

inline constexpr Precision kPrecision = Precision::kInt8;
inline constexpr int kPerWord = 4;
using Sum = VecInt;

// R rows of inputs, each scaled to [-127, 127] by its largest value and rounded to nearest even. x86 multiplies
// unsigned bytes with signed ones: there they are moved up by 128. The last two words of the weights are their own
// scale and -128 times their sum, which cancels the 128.
template <int R>
struct Inputs {
  alignas(64) uint8_t bytes[R][kChunk];
  float scale[R];

  void take(const float* x, ptrdiff_t stride, int count) {
    for (int r = 0; r < R; ++r, x += stride) {
      Vec largest = splat(0.0f);
      for (int k = 0; k < count; k += kLanes) largest = max(largest, magnitude(load_some(x, k, count)));
      float lane[kLanes], top = 0.0f;
      store(lane, largest);
      for (float value : lane) top = value > top ? value : top;
      scale[r] = top * (1.0f / 127);
      const Vec inverse = splat(top > 0.0f ? 127.0f / top : 0.0f);
      for (int k = 0; k < count; k += kLanes) {
        // Adding 1.5 * 2^23 + kOffset leaves round(x) + kOffset in the lowest byte.
        const VecInt rounded = bits_of(load_some(x, k, count) * inverse + splat(12582912.0f + kOffset)) & 0xff;
        store_bytes(bytes[r] + k, rounded);
      }
    }
  }
  Vec at(int row, int word) const {
    int32_t four;
    __builtin_memcpy(&four, bytes[row] + 4 * word, 4);
    return floats_of(VecInt{} + four);
  }
#if defined(__aarch64__)
  Vec four_words(int row, int word) const { return vreinterpretq_f32_u8(vld1q_u8(bytes[row] + 4 * word)); }
#endif
  // What the sum of an output begins with, by the last word of its weights.
  static VecInt start(Vec last_word) { return kOffset == 0 ? VecInt{} : bits_of(last_word); }

 private:
#if defined(__aarch64__)
  static constexpr int kOffset = 0;
#else
  static constexpr int kOffset = 128;
#endif

  // The lowest byte of each lane, whose others are zero.
  static void store_bytes(uint8_t* to, VecInt v) {
#if defined(__AVX512F__)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm512_maskz_cvtepi32_epi8(0xffff, reinterpret_cast<__m512i>(v)));
#elif defined(__AVX2__)
    const __m256i lanes = reinterpret_cast<__m256i>(v);
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(lanes), _mm256_extracti128_si256(lanes, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), _mm_packus_epi16(words, words));
#else
    for (int i = 0; i < kLanes; ++i) to[i] = static_cast<uint8_t>(v[i]);
#endif
  }
  static Vec magnitude(Vec v) { return max(v, -v); }
};

// Four products of bytes, added to integers.
inline VecInt multiply_add(Vec x, Vec w, VecInt sum) {
#if defined(__AVX512F__)
  return reinterpret_cast<VecInt>(
      _mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(x), reinterpret_cast<__m512i>(w)));
#elif defined(__AVX2__)
  return reinterpret_cast<VecInt>(_mm256_dpbusd_avx_epi32(reinterpret_cast<__m256i>(sum), reinterpret_cast<__m256i>(x),
                                                          reinterpret_cast<__m256i>(w)));
#else
  return vdotq_s32(sum, vreinterpretq_s8_f32(x), vreinterpretq_s8_f32(w));
#endif
}
#if defined(__aarch64__)
template <int lane>
VecInt multiply_add_lane(Vec x, Vec w, VecInt sum) {
  return vdotq_laneq_s32(sum, vreinterpretq_s8_f32(w), vreinterpretq_s8_f32(x), lane);
}
#endif

#elif defined(PYVOCSEP_BFLOAT16)

inline constexpr Precision kPrecision = Precision::kBfloat16;
inline constexpr int kPerWord = 2;
using Sum = Vec;

// R rows of inputs as pairs of bfloat16, rounded to nearest even.
template <int R>
struct Inputs {
  alignas(64) int32_t pairs[R][kChunk / 2];

  void take(const float* x, ptrdiff_t stride, int count) {
    for (int r = 0; r < R; ++r, x += stride)
      for (int k = 0; k < count; k += kLanes) store_pairs(pairs[r] + k / 2, load_some(x, k, count));
  }
#if defined(__aarch64__)
  Vec at(int row, int word) const { return vreinterpretq_f32_s32(vdupq_n_s32(pairs[row][word])); }
  Vec four_words(int row, int word) const { return vreinterpretq_f32_s32(vld1q_s32(pairs[row] + word)); }
#else
  Vec at(int row, int word) const { return reinterpret_cast<Vec>(_mm512_set1_epi32(pairs[row][word])); }
#endif

 private:
  static void store_pairs(int32_t* to, Vec v) {
#if defined(__aarch64__)
    vst1_s32(to, vreinterpret_s32_bf16(vcvt_bf16_f32(v)));
#else
    _mm256_store_si256(reinterpret_cast<__m256i*>(to), reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(v)));
#endif
  }
};

inline Vec multiply_add(Vec x, Vec w, Vec sum) {
#if defined(__aarch64__)
  return vbfdotq_f32(sum, vreinterpretq_bf16_f32(x), vreinterpretq_bf16_f32(w));
#else
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(x), reinterpret_cast<__m512bh>(w));
#endif
}
#if defined(__aarch64__)
template <int lane>
Vec multiply_add_lane(Vec x, Vec w, Vec sum) {
  return vbfdotq_laneq_f32(sum, vreinterpretq_bf16_f32(w), vreinterpretq_bf16_f32(x), lane);
}
#endif

#else

inline constexpr Precision kPrecision = Precision::kFloat32;
inline constexpr int kPerWord = 1;
using Sum = Vec;

template <int R>
struct Inputs {
  const float* x;
  ptrdiff_t stride;

  void take(const float* rows, ptrdiff_t row_stride, int) { x = rows, stride = row_stride; }
  Vec at(int row, int word) const { return splat(x[row * stride + word]); }
#if defined(__aarch64__)
  Vec four_words(int row, int word) const { return load(x + row * stride + word); }
#endif
};

inline Vec multiply_add(Vec x, Vec w, Vec sum) { return fma(x, w, sum); }
#if defined(__aarch64__)
template <int lane>
Vec multiply_add_lane(Vec x, Vec w, Vec sum) {
  return vfmaq_laneq_f32(sum, w, x, lane);
}
#endif

#endif

#if defined(__aarch64__)
// What add_words does, for four words from `word` on. The multiply-add takes one lane of a vector as a factor: four
// words of a row are one load, and none of them is broadcast, which would cost an arithmetic instruction.
template <int R, int V, int G, int Width>
[[gnu::always_inline]] inline void add_four_words(const Inputs<R>& rows, int word, const Weights<V, G, Width>& weights,
                                                  Sum (&sums)[R][V]) {
  Vec x[R];
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r) x[r] = rows.four_words(r, word);
  const auto add_lane = [&]<int lane>() __attribute__((always_inline)) {
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      const Vec w = weights.load(v, word + lane);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) sums[r][v] = multiply_add_lane<lane>(x[r], w, sums[r][v]);
    }
  };
  add_lane.template operator()<0>();
  add_lane.template operator()<1>();
  add_lane.template operator()<2>();
  add_lane.template operator()<3>();
}
#endif

template <int R, int V>
[[gnu::always_inline]] inline void copy_sums(const Sum (&from)[R][V], Sum (&to)[R][V]) {
#pragma GCC unroll 16
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) to[r][v] = from[r][v];
}

// to[r][v] += the words of row r times those of weights v, in registers: every loop is unrolled, that over words by
// four, and the sums are a copy of which the compiler knows that no pointer leads to it.
template <int R, int V, int G, int Width>
[[gnu::always_inline]] inline void add_words(const Inputs<R>& rows, int words, const Weights<V, G, Width>& weights,
                                             Sum (&to)[R][V]) {
  // Registers hold the inputs of all rows, or else as many vectors of weights: what is fewer.
  constexpr bool kHoldInputs = R < 3 && V > R;
  constexpr int kHeld = kHoldInputs ? 1 : V > 4 ? 3 : V;
  Sum sums[R][V];
  copy_sums(to, sums);
  int k = 0;
#if defined(__aarch64__)
  for (; k + 4 <= words; k += 4) add_four_words(rows, k, weights, sums);
#endif
#pragma GCC unroll 4
  for (; k < words; ++k) {
    Vec held[R];
#pragma GCC unroll 16
    for (int r = 0; r < R; ++r)
      if constexpr (kHoldInputs) held[r] = rows.at(r, k);
#pragma GCC unroll 16
    for (int first = 0; first < V; first += kHeld) {
      Vec w[kHeld];
#pragma GCC unroll 16
      for (int v = 0; v < kHeld; ++v) w[v] = weights.load(first + v, k);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) {
        const Vec x = kHoldInputs ? held[r] : rows.at(r, k);
#pragma GCC unroll 16
        for (int v = 0; v < kHeld; ++v) sums[r][first + v] = multiply_add(x, w[v], sums[r][first + v]);
      }
    }
  }
  copy_sums(sums, to);
}

// sums[r][v] += the product of row r, of `count` inputs that are at most a chunk, with weights v.
template <int R, int V, int G, int Width>
[[gnu::always_inline]] inline void add_products(const Inputs<R>& rows, int count, const Weights<V, G, Width>& weights,
                                                Vec (&sums)[R][V]) {
  const int words = (count + kPerWord - 1) / kPerWord;
  if constexpr (kPrecision == Precision::kInt8) {
    VecInt whole[R][V];
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      const VecInt start = Inputs<R>::start(weights.load(v, words + 1));
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r) whole[r][v] = start;
    }
    add_words(rows, words, weights, whole);
#pragma GCC unroll 16
    for (int v = 0; v < V; ++v) {
      const Vec scale = weights.load(v, words);
#pragma GCC unroll 16
      for (int r = 0; r < R; ++r)
        sums[r][v] = fma(__builtin_convertvector(whole[r][v], Vec), scale * splat(rows.scale[r]), sums[r][v]);
    }
  } else {
    add_words(rows, words, weights, sums);
  }
}

// The same for any number of inputs, a chunk at a time; in float32 nothing is converted, and all is one chunk.
template <int R, int V, int G, int Width>
[[gnu::always_inline]] inline void add_products(const float* x, ptrdiff_t stride, int count,
                                                Weights<V, G, Width> weights, Vec (&sums)[R][V]) {
  Inputs<R> rows;
  if constexpr (kPrecision == Precision::kFloat32) {
    rows.take(x, stride, count);
    add_products(rows, count, weights, sums);
  } else {
    for (int done = 0; done < count; done += kChunk) {
      const int chunk = count - done < kChunk ? count - done : kChunk;
      rows.take(x + done, stride, chunk);
      add_products(rows, chunk, weights, sums);
      weights = weights.from(words_of(kPrecision, chunk));
    }
  }
}

}  // namespace pyvocsep::PYVOCSEP_ISA
