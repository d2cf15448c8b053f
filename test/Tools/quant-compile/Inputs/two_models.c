#include "first.h"
#include "second.h"
#include <stdio.h>

int main(void) {
  float x[] = {-1, 2, -3, 4};
  lowbit_tensor input = {x, {1, 4}, 0}, outputs[2];
  if (first_run(&input, &outputs[0]) || second_run(&input, &outputs[1]))
    return 1;
  for (int i = 0; i < 2; ++i) {
    const float *y = outputs[i].data;
    printf("%.1f %.1f %.1f %.1f\n", y[0], y[1], y[2], y[3]);
  }
  first_release(&outputs[0]);
  second_release(&outputs[1]);
  return 0;
}
