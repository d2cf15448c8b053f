/*===- model.h - the C interface of compiled models ------------- -*- C -*-===*\
|*                                                                            *|
|* Part of the Lowbit project, under the Apache License v2.0 with LLVM        *|
|* Exceptions. See LICENSE for license information.                           *|
|* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception                    *|
|*                                                                            *|
\*===----------------------------------------------------------------------===*/

/* The same for every model. A model's own header, which quant-compile writes
 * beside the library, begins with a copy of this text. */

#ifndef LOWBIT_RUNTIME_MODEL_H
#define LOWBIT_RUNTIME_MODEL_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Changes when a program that was compiled for another version would break. */
#define LOWBIT_MODEL_VERSION 2
#define LOWBIT_MAX_RANK 8

typedef enum lowbit_type {
  LOWBIT_BOOL, /* a byte, 0 or 1 */
  LOWBIT_INT8,
  LOWBIT_UINT8,
  LOWBIT_INT16,
  LOWBIT_UINT16,
  LOWBIT_INT32,
  LOWBIT_UINT32,
  LOWBIT_INT64,
  LOWBIT_UINT64,
  LOWBIT_FLOAT16,
  LOWBIT_BFLOAT16,
  LOWBIT_FLOAT32,
  LOWBIT_FLOAT64
} lowbit_type;

typedef enum lowbit_status {
  LOWBIT_OK,
  LOWBIT_INVALID_INPUT, /* a shape that the model does not take */
  LOWBIT_OUT_OF_MEMORY,
  LOWBIT_UNSUPPORTED_CPU, /* the code uses instructions that the CPU lacks */
  LOWBIT_GPU_FAILED       /* no driver, no GPU, no memory on it, ... */
} lowbit_status;

/* What an input or output is. */
typedef struct lowbit_tensor_info {
  const char *name;
  lowbit_type type;
  int32_t rank;
  int64_t shape[LOWBIT_MAX_RANK]; /* -1: known only when the model runs */
  /* Dimensions of one name have one size; NULL where there is none. */
  const char *dims[LOWBIT_MAX_RANK];
  /* Of an input: not 0 if the model changes its elements, as those of a KV
   * cache, which stay the caller's. It must not overlap with other inputs. A
   * run that fails may have changed some. */
  int32_t updated;
} lowbit_tensor_info;

/* Elements in row-major order, without gaps, of the type that the model's
 * lowbit_tensor_info says. */
typedef struct lowbit_tensor {
  void *data;
  int64_t shape[LOWBIT_MAX_RANK];
  void *owner; /* of an output: what to free; of an input: not used */
} lowbit_tensor;

/* A model and what can be done with it. All functions may be called from any
 * thread, also at the same time. */
typedef struct lowbit_model {
  int32_t version;
  int32_t num_inputs, num_outputs;
  const lowbit_tensor_info *inputs, *outputs;
  /* Reads the inputs and fills in the outputs, whose memory the model provides;
   * returns a lowbit_status. After a failure there are no outputs. */
  int (*run)(const lowbit_tensor *inputs, lowbit_tensor *outputs);
  /* What was wrong with the calling thread's last run. */
  const char *(*error)(void);
  /* Frees the memory of an output. */
  void (*release)(lowbit_tensor *output);
  /* Sets the number of threads; 0, the default, stands for OMP_NUM_THREADS or
   * else for all processors. Results do not depend on it. */
  void (*set_threads)(int count);
} lowbit_model;

/* What a library exports under this name, for programs that open it with
 * dlopen: a function of this type. */
typedef const lowbit_model *lowbit_get_model_fn(void);
#define LOWBIT_GET_MODEL "lowbit_get_model"

#ifdef __cplusplus
}
#endif

#endif /* LOWBIT_RUNTIME_MODEL_H */
