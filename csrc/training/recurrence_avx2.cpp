// Compile with -mavx2 -mfma.
#define VARIANT recurrence_avx2
#define WIDTH 8
#include "recurrence.inl"
