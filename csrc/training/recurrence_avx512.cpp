// Compile with -mavx512f -mavx512dq -mavx512vl -mavx512bw -mfma.
#define VARIANT recurrence_avx512
#define WIDTH 16
#include "recurrence.inl"
