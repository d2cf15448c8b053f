//===- gpu_check.c - compares compiled models with reference outputs ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* Runs a compiled model on recorded inputs and compares what it gives with
 * recorded outputs; then times it. Needs a C library and the model, nothing
 * else:
 *
 *   cc -O2 -I. gpu_check.c -ldl -o gpu_check
 *   ./gpu_check model.so case.bin
 *
 * gpu_check.py makes the files. A case is a sequence of tensors: "input" or
 * "output", the name, the rank, the sizes, the number of bytes and the bytes;
 * texts are their length and their characters, all numbers are int64. */

#include "model.h"
#include <dlfcn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_TENSORS = 512, WARM_UPS = 3, RUNS = 21 };
static const double tolerance = 1e-3;

static const lowbit_model *model;
static lowbit_tensor inputs[MAX_TENSORS], expected[MAX_TENSORS];
static lowbit_tensor outputs[MAX_TENSORS];

static _Noreturn void fail(const char *what, const char *detail) {
  fflush(stdout);
  fprintf(stderr, "gpu_check: error: %s: %s\n", what, detail);
  exit(1);
}

static void read_bytes(FILE *file, void *to, size_t size) {
  if (size && fread(to, size, 1, file) != 1)
    fail("the case is cut off", "unexpected end of file");
}

static int64_t read_number(FILE *file) {
  int64_t number;
  read_bytes(file, &number, sizeof number);
  return number;
}

static void read_text(FILE *file, char text[256]) {
  int64_t length = read_number(file);
  if (length < 0 || length >= 256)
    fail("the case is damaged", "a name is too long");
  read_bytes(file, text, (size_t)length);
  text[length] = '\0';
}

/* The place of the tensor of that name among those that the model has. */
static lowbit_tensor *find(const lowbit_tensor_info *infos, int count,
                           lowbit_tensor *tensors, const char *name) {
  for (int i = 0; i < count; ++i)
    if (!strcmp(infos[i].name, name))
      return &tensors[i];
  fail("the model has no such tensor", name);
}

static void read_case(const char *path) {
  FILE *file = fopen(path, "rb");
  if (!file)
    fail("cannot open the case", path);
  for (int64_t left = read_number(file); left > 0; --left) {
    char kind[256], name[256];
    read_text(file, kind);
    read_text(file, name);
    lowbit_tensor *tensor =
        strcmp(kind, "input")
            ? find(model->outputs, model->num_outputs, expected, name)
            : find(model->inputs, model->num_inputs, inputs, name);
    int64_t rank = read_number(file);
    for (int64_t i = 0; i < rank && i < LOWBIT_MAX_RANK; ++i)
      tensor->shape[i] = read_number(file);
    size_t size = (size_t)read_number(file);
    tensor->data = malloc(size ? size : 1);
    read_bytes(file, tensor->data, size);
  }
  fclose(file);
}

static void run(void) {
  if (model->run(inputs, outputs) != LOWBIT_OK)
    fail("the model fails", model->error());
}

/* The larger number; a NaN counts as larger than all. */
static double get_worse(double x, double y) {
  return x >= y || isnan(x) ? x : y;
}

/* The largest difference, relative to the largest magnitude; NaN if there is
 * one. */
static double compare(const lowbit_tensor_info *info,
                      const lowbit_tensor *output,
                      const lowbit_tensor *wanted) {
  int64_t count = 1;
  for (int i = 0; i < info->rank; ++i) {
    if (output->shape[i] != wanted->shape[i])
      fail("an output has another shape", info->name);
    count *= output->shape[i];
  }
  const float *x = output->data, *y = wanted->data;
  double error = 0, scale = 0;
  for (int64_t i = 0; i < count; ++i) {
    error = get_worse(error, fabs((double)x[i] - y[i]));
    scale = fmax(scale, fabs((double)y[i]));
  }
  return count == 0 ? 0 : error / scale;
}

static double check(void) {
  double worst = 0;
  int compared = 0;
  run();
  for (int i = 0; i < model->num_outputs; ++i) {
    if (expected[i].data && model->outputs[i].type == LOWBIT_FLOAT32) {
      worst = get_worse(worst,
                        compare(&model->outputs[i], &outputs[i], &expected[i]));
      ++compared;
    }
    model->release(&outputs[i]);
  }
  if (!compared)
    fail("there is nothing to compare", "the case has no float outputs");
  return worst;
}

static double get_seconds(void) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare_times(const void *left, const void *right) {
  double x = *(const double *)left, y = *(const double *)right;
  return (x > y) - (x < y);
}

/* The median time of a run, in seconds. */
static double measure(void) {
  double times[RUNS];
  for (int i = -WARM_UPS; i < RUNS; ++i) {
    double start = get_seconds();
    run();
    if (i >= 0)
      times[i] = get_seconds() - start;
    for (int j = 0; j < model->num_outputs; ++j)
      model->release(&outputs[j]);
  }
  qsort(times, RUNS, sizeof *times, compare_times);
  return times[RUNS / 2];
}

int main(int argc, char **argv) {
  if (argc != 3)
    fail("usage", "gpu_check <model.so> <case.bin>");
  void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (!library)
    fail("cannot load the model", dlerror());
  lowbit_get_model_fn *get_model;
  /* POSIX guarantees that a function's address fits a pointer to void. */
  *(void **)&get_model = dlsym(library, LOWBIT_GET_MODEL);
  if (!get_model)
    fail("no compiled model", argv[1]);
  model = get_model();
  if (model->version != LOWBIT_MODEL_VERSION ||
      model->num_inputs > MAX_TENSORS || model->num_outputs > MAX_TENSORS)
    fail("the model is for another program than this", argv[1]);
  read_case(argv[2]);
  double error = check();
  printf("%s: relative error %.2e, %.1f us\n", argv[2], error, 1e6 * measure());
  if (!(error <= tolerance))
    fail("the outputs differ from the reference", argv[2]);
  return 0;
}
