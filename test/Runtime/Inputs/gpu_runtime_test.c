//===- gpu_runtime_test.c - what a GPU program does -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* Makes the calls of a small GPU program, twice, and prints the error if there
 * is one. The argument is the number of blocks of the kernel. */

#include "lowbit/Runtime/gpu.h"
#include <stdio.h>
#include <stdlib.h>

static const char ptx[] = ".version 7.8\n.target sm_80\n";

int main(int argc, char **argv) {
  static void *weights_slot, *module, *function, *empty;
  long long blocks = argc > 1 ? atoll(argv[1]) : 2;
  float weights[64] = {0}, result[64];
  for (int i = 0; i < 64; ++i)
    result[i] = 1;
  for (int run = 0; run < 2; ++run) {
    void *constant =
        lowbit_gpu_constant(&weights_slot, weights, sizeof weights);
    void *buffer = lowbit_gpu_alloc(sizeof result);
    void *arguments[] = {&constant, &buffer};
    lowbit_gpu_launch(&module, ptx, &function, "kernel", blocks, 1, 1, 256, 1,
                      1, arguments);
    lowbit_gpu_launch(&module, ptx, &empty, "empty", 0, 1, 1, 256, 1, 1,
                      arguments);
    lowbit_gpu_copy_on_device(buffer, constant, sizeof weights);
    lowbit_gpu_copy_to_host(result, buffer, sizeof result);
    lowbit_gpu_free(buffer);
  }
  const char *error = lowbit_gpu_take_error();
  printf("error: %s\n", error ? error : "none");
  printf("again: %s\n", lowbit_gpu_take_error() ? "error" : "none");
  printf("result: %g\n", result[63]);
  /* The second block of these is the one that the abandoned run had. */
  void *abandoned = lowbit_gpu_alloc(1024);
  lowbit_gpu_abandon_run();
  if (lowbit_gpu_alloc(1024) != abandoned)
    printf("memory of an abandoned run is lost\n");
  if (lowbit_gpu_take_error())
    printf("no memory for another run\n");
  lowbit_gpu_release_constant(&weights_slot);
  lowbit_gpu_release_module(&module);
  return error != 0;
}
