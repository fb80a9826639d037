#define VARIANT recurrence_baseline
#define WIDTH 4
#include "recurrence.inl"
