/*===- model.c - runs compiled models ------------------------------ C ----===*\
|*                                                                            *|
|* Part of the Lowbit project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

#include "runtime.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define self LOWBIT_NAME(thread)
#define fail LOWBIT_NAME(fail)
#define tables LOWBIT_NAME(tables)
#define model tables.model

_Thread_local thread_t self = {.size = 1};
/* Static, because it is changed between setjmp and longjmp. */
static _Thread_local run_t current;

static _Noreturn void fail_with(int status, const char *format, va_list args) {
  run_t *run = self.run;
  LOWBIT_NAME(lock)(run);
  if (run->status == LOWBIT_OK) {
    run->status = status;
    vsnprintf(run->message, sizeof run->message, format, args);
  }
  LOWBIT_NAME(unlock)(run);
  longjmp(*self.landing, 1);
}

_Noreturn void fail(int status, const char *format, ...) {
  va_list args;
  va_start(args, format);
  fail_with(status, format, args);
}

/* Generated code calls this in place of the C library's errx, with which it
 * ends when an assertion fails: a library must not end the process. */
_Noreturn void LOWBIT_NAME(rt_errx)(int status, const char *format, ...) {
  (void)status;
  va_list args;
  va_start(args, format);
  fail_with(LOWBIT_INVALID_INPUT, format, args);
}

/*===----------------------------------------------------------------------===*\
|* Checks
\*===----------------------------------------------------------------------===*/

/* Appends to the text of `capacity` bytes, as much as there is room for. */
__attribute__((format(printf, 3, 4))) static void
append(char *text, size_t capacity, const char *format, ...) {
  size_t length = strlen(text);
  va_list args;
  va_start(args, format);
  vsnprintf(text + length, capacity - length, format, args);
  va_end(args);
}

static _Noreturn void fail_shape(const lowbit_tensor_info *info,
                                 const int64_t *shape) {
  char expected[160] = "", actual[160] = "";
  for (int i = 0; i < info->rank; ++i) {
    const char *separator = i ? ", " : "";
    if (info->shape[i] >= 0)
      append(expected, sizeof expected, "%s%lld", separator,
             (long long)info->shape[i]);
    else
      append(expected, sizeof expected, "%s%s", separator,
             info->dims[i] ? info->dims[i] : "?");
    append(actual, sizeof actual, "%s%lld", separator, (long long)shape[i]);
  }
  fail(LOWBIT_INVALID_INPUT, "input '%s' must have the shape [%s], got [%s]",
       info->name, expected, actual);
}

/* The first input that has a dimension of this name, which must have the size
 * that the one at hand has. */
static void check_name(const lowbit_tensor *inputs, const char *name, int input,
                       int64_t size) {
  for (int i = 0; i <= input; ++i) {
    const lowbit_tensor_info *info = &model.inputs[i];
    for (int dim = 0; dim < info->rank; ++dim)
      if (info->dims[dim] && !strcmp(info->dims[dim], name)) {
        if (inputs[i].shape[dim] != size)
          fail(LOWBIT_INVALID_INPUT,
               "'%s' is %lld in input '%s', but %lld in input '%s'", name,
               (long long)inputs[i].shape[dim], info->name, (long long)size,
               model.inputs[input].name);
        return;
      }
  }
}

static void check_inputs(const lowbit_tensor *inputs) {
  for (int i = 0; i < model.num_inputs; ++i) {
    const lowbit_tensor_info *info = &model.inputs[i];
    bool is_empty = false;
    for (int dim = 0; dim < info->rank; ++dim) {
      int64_t size = inputs[i].shape[dim];
      if (size < 0 || (info->shape[dim] >= 0 && info->shape[dim] != size))
        fail_shape(info, inputs[i].shape);
      if (info->dims[dim])
        check_name(inputs, info->dims[dim], i, size);
      is_empty |= size == 0;
    }
    if (!inputs[i].data && !is_empty)
      fail(LOWBIT_INVALID_INPUT, "input '%s' has no data", info->name);
  }
}

/*===----------------------------------------------------------------------===*\
|* Runs
\*===----------------------------------------------------------------------===*/

/* What MLIR's C ABI passes for a ranked memref: `sizes` has the sizes and then
 * the strides. */
typedef struct descriptor {
  void *allocated, *aligned;
  int64_t offset;
  int64_t sizes[2 * LOWBIT_MAX_RANK];
} descriptor;

static size_t get_size(lowbit_type type) {
  switch (type) {
  case LOWBIT_BOOL:
  case LOWBIT_INT8:
  case LOWBIT_UINT8:
    return 1;
  case LOWBIT_INT16:
  case LOWBIT_UINT16:
  case LOWBIT_FLOAT16:
  case LOWBIT_BFLOAT16:
    return 2;
  case LOWBIT_INT32:
  case LOWBIT_UINT32:
  case LOWBIT_FLOAT32:
    return 4;
  case LOWBIT_INT64:
  case LOWBIT_UINT64:
  case LOWBIT_FLOAT64:
    break;
  }
  return 8;
}

static void execute(const lowbit_tensor *inputs, lowbit_tensor *outputs) {
  void (*entry)(void **) = tables.get_entry();
  if (!entry)
    fail(LOWBIT_UNSUPPORTED_CPU,
         "this CPU cannot run the model, which was compiled for %s",
         tables.needs);
  check_inputs(inputs);

  int count = model.num_inputs + model.num_outputs;
  descriptor *descriptors =
      LOWBIT_NAME(rt_malloc)((size_t)count * sizeof *descriptors);
  void **pointers = LOWBIT_NAME(rt_malloc)((size_t)count * sizeof *pointers);
  for (int i = 0; i < count; ++i)
    pointers[i] = &descriptors[i];
  for (int i = 0; i < model.num_inputs; ++i) {
    descriptor *to = &descriptors[i];
    to->allocated = to->aligned = inputs[i].data;
    to->offset = 0;
    int rank = model.inputs[i].rank;
    int64_t stride = 1;
    for (int dim = rank - 1; dim >= 0; --dim) {
      to->sizes[dim] = inputs[i].shape[dim];
      to->sizes[rank + dim] = stride;
      stride *= inputs[i].shape[dim];
    }
  }
  entry(pointers);
  const char *gpu_error = tables.take_gpu_error ? tables.take_gpu_error() : 0;
  if (gpu_error)
    fail(LOWBIT_GPU_FAILED, "%s", gpu_error);
  for (int i = 0; i < model.num_outputs; ++i) {
    const lowbit_tensor_info *info = &model.outputs[i];
    const descriptor *from = &descriptors[model.num_inputs + i];
    outputs[i].data =
        (char *)from->aligned + (size_t)from->offset * get_size(info->type);
    memset(outputs[i].shape, 0, sizeof outputs[i].shape);
    memcpy(outputs[i].shape, from->sizes, (size_t)info->rank * sizeof(int64_t));
    outputs[i].owner = (char *)from->allocated - LOWBIT_BLOCK_HEADER;
  }
  LOWBIT_NAME(rt_free)(pointers);
  LOWBIT_NAME(rt_free)(descriptors);
}

static void abandon_gpu_run(void) {
  if (!tables.abandon_gpu_run)
    return;
  tables.abandon_gpu_run();
  /* The failure that counts came first. */
  tables.take_gpu_error();
}

int LOWBIT_NAME(run)(const lowbit_tensor *inputs, lowbit_tensor *outputs) {
  jmp_buf landing;
  memset(outputs, 0, (size_t)model.num_outputs * sizeof *outputs);
  current = (run_t){.status = LOWBIT_OK, .lock = ATOMIC_FLAG_INIT};
  self.run = &current;
  self.landing = &landing;
  if (!setjmp(landing))
    execute(inputs, outputs);
  self.run = NULL;
  self.landing = NULL;
  bool failed = current.status != LOWBIT_OK;
  LOWBIT_NAME(free_blocks)(&current, failed);
  if (failed)
    abandon_gpu_run();
  return current.status;
}

const char *LOWBIT_NAME(error)(void) { return current.message; }

void LOWBIT_NAME(release)(lowbit_tensor *output) {
  free(output->owner);
  output->owner = output->data = NULL;
}

const lowbit_model *LOWBIT_NAME(get_model)(void) { return &model; }

#undef self
#undef fail
#undef tables
#undef model
