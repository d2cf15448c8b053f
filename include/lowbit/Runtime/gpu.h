//===- gpu.h - what GPU programs call ------------------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* The functions that the host code of a program for a GPU calls. They are plain
 * C, need no LLVM, and open the CUDA driver (libcuda.so.1) when first called,
 * so that a program which contains GPU code starts on a machine without a GPU.
 *
 * Nothing here aborts. The first failure of a thread is kept until
 * lowbit_gpu_take_error asks for it; until then every call does nothing, and
 * copies to the host deliver zeros. A program therefore needs no checks between
 * its calls, and its caller asks once at the end.
 *
 * Calls of one process share one stream: what one call starts, the next one
 * sees. They may come from several threads. */

#ifndef LOWBIT_RUNTIME_GPU_H
#define LOWBIT_RUNTIME_GPU_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Device memory, aligned to 256 bytes; null after a failure. */
void *lowbit_gpu_alloc(int64_t bytes);
/* The memory may be handed out again at once: the stream keeps the order. */
void lowbit_gpu_free(void *memory);

void lowbit_gpu_copy_to_device(void *device, const void *host, int64_t bytes);
/* Waits for all work before. */
void lowbit_gpu_copy_to_host(void *host, const void *device, int64_t bytes);
void lowbit_gpu_copy_on_device(void *target, const void *source, int64_t bytes);

/* The device's copy of a constant. `slot` starts as null and belongs to the
 * program; the copy is made when it is null. */
void *lowbit_gpu_constant(void **slot, const void *host, int64_t bytes);

/* What a program keeps for each PTX text and each kernel; starts as null. */
typedef void *lowbit_gpu_slot;

/* Runs a kernel of the PTX text `image`, which is loaded when `module` is null.
 * `arguments` points to each argument in turn. An empty grid does nothing. */
void lowbit_gpu_launch(lowbit_gpu_slot *module, const char *image,
                       lowbit_gpu_slot *function, const char *name,
                       int64_t grid_x, int64_t grid_y, int64_t grid_z,
                       int64_t block_x, int64_t block_y, int64_t block_z,
                       void **arguments);

/* Frees what this thread has allocated and not freed, weights not included: for
 * a run that ended in the middle. */
void lowbit_gpu_abandon_run(void);

/* Gives back what a program holds, before it is unloaded. */
void lowbit_gpu_release_constant(void **slot);
void lowbit_gpu_release_module(lowbit_gpu_slot *module);

/* The first failure of this thread since the last call, or null. The text is
 * valid until this thread's next failure. */
const char *lowbit_gpu_take_error(void);

#ifdef __cplusplus
}
#endif

#endif /* LOWBIT_RUNTIME_GPU_H */
