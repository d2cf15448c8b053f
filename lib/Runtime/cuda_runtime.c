//===- cuda_runtime.c - what GPU programs call, with CUDA -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "cuda_driver.h"
#include "gpu_error.h"
#include "lowbit/Runtime/gpu.h"
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory that a program frees is kept for its next allocation: a model asks for
 * the same sizes in every run, and the driver's own functions wait for the
 * device. All work is on one stream, so reuse needs no waiting. */
struct block {
  CUdeviceptr address;
  size_t size;
  bool used;
  /* The thread whose run allocated it; null for weights. */
  const void *owner;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct block *blocks;
static size_t block_count, block_capacity;

enum { ALIGNMENT = 256 };

static bool reserve_block(void) {
  if (block_count < block_capacity)
    return true;
  size_t capacity = block_capacity ? 2 * block_capacity : 64;
  struct block *grown = realloc(blocks, capacity * sizeof *grown);
  if (!grown) {
    lowbit_gpu_fail("out of host memory");
    return false;
  }
  blocks = grown;
  block_capacity = capacity;
  return true;
}

/* The smallest free block that wastes less than half of itself. */
static struct block *find_free(size_t size) {
  struct block *best = NULL;
  for (size_t i = 0; i < block_count; ++i) {
    struct block *block = &blocks[i];
    if (!block->used && block->size >= size && block->size / 2 <= size &&
        (!best || block->size < best->size))
      best = block;
  }
  return best;
}

static void release_free(const struct cuda_driver *cuda) {
  size_t kept = 0;
  for (size_t i = 0; i < block_count; ++i) {
    if (blocks[i].used)
      blocks[kept++] = blocks[i];
    else
      cuda->free(blocks[i].address);
  }
  block_count = kept;
}

static void *allocate(const struct cuda_driver *cuda, size_t bytes,
                      const void *owner) {
  size_t size = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  if (size == 0)
    size = ALIGNMENT;
  struct block *block = find_free(size);
  if (block) {
    block->used = true;
    block->owner = owner;
    return (void *)(uintptr_t)block->address;
  }
  if (!reserve_block())
    return NULL;
  CUdeviceptr address = 0;
  CUresult result = cuda->alloc(&address, size);
  if (result == CUDA_ERROR_OUT_OF_MEMORY) {
    release_free(cuda);
    result = cuda->alloc(&address, size);
  }
  if (result == CUDA_ERROR_OUT_OF_MEMORY) {
    size_t used = 0;
    for (size_t i = 0; i < block_count; ++i)
      used += blocks[i].size;
    lowbit_gpu_fail("out of memory on the GPU '%s': %zu bytes asked for, %zu "
                    "held by this program",
                    cuda->device_name_text, size, used);
    return NULL;
  }
  if (!lowbit_cuda_check(cuda, result, "cuMemAlloc"))
    return NULL;
  blocks[block_count++] = (struct block){address, size, true, owner};
  return (void *)(uintptr_t)address;
}

/* Its address tells threads apart. */
static _Thread_local char thread;

void *lowbit_gpu_alloc(int64_t bytes) {
  const struct cuda_driver *cuda = lowbit_cuda_get();
  if (!cuda)
    return NULL;
  pthread_mutex_lock(&lock);
  void *memory = allocate(cuda, (size_t)bytes, &thread);
  pthread_mutex_unlock(&lock);
  return memory;
}

void lowbit_gpu_free(void *memory) {
  /* Memory must not leak because of an earlier error, so this does not ask for
   * the driver; the table knows all that it handed out. */
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < block_count; ++i)
    if (blocks[i].address == (uintptr_t)memory)
      blocks[i].used = false;
  pthread_mutex_unlock(&lock);
}

void lowbit_gpu_abandon_run(void) {
  pthread_mutex_lock(&lock);
  for (size_t i = 0; i < block_count; ++i)
    if (blocks[i].owner == &thread)
      blocks[i].used = false;
  pthread_mutex_unlock(&lock);
}

static CUdeviceptr address_of(const void *memory) {
  return (CUdeviceptr)(uintptr_t)memory;
}

void lowbit_gpu_copy_to_device(void *device, const void *host, int64_t bytes) {
  const struct cuda_driver *cuda = lowbit_cuda_get();
  if (!cuda || bytes == 0)
    return;
  /* The host may change its memory when this returns; pageable memory has been
   * read by then, pinned memory has not. */
  if (lowbit_cuda_check(cuda,
                        cuda->copy_to_device(address_of(device), host,
                                             (size_t)bytes, cuda->stream),
                        "copying to the GPU"))
    lowbit_cuda_check(cuda, cuda->synchronize(cuda->stream),
                      "copying to the GPU");
}

void lowbit_gpu_copy_to_host(void *host, const void *device, int64_t bytes) {
  const struct cuda_driver *cuda = lowbit_cuda_get();
  if (bytes == 0)
    return;
  if (!cuda ||
      !lowbit_cuda_check(cuda,
                         cuda->copy_to_host(host, address_of(device),
                                            (size_t)bytes, cuda->stream),
                         "copying from the GPU") ||
      !lowbit_cuda_check(cuda, cuda->synchronize(cuda->stream),
                         "running on the GPU"))
    memset(host, 0, (size_t)bytes);
}

void lowbit_gpu_copy_on_device(void *target, const void *source,
                               int64_t bytes) {
  const struct cuda_driver *cuda = lowbit_cuda_get();
  if (cuda && bytes != 0)
    lowbit_cuda_check(cuda,
                      cuda->copy_on_device(address_of(target),
                                           address_of(source), (size_t)bytes,
                                           cuda->stream),
                      "copying on the GPU");
}

void *lowbit_gpu_constant(void **slot, const void *host, int64_t bytes) {
  const struct cuda_driver *cuda = lowbit_cuda_get();
  if (!cuda)
    return NULL;
  pthread_mutex_lock(&lock);
  void *memory = *slot;
  if (!memory) {
    memory = allocate(cuda, (size_t)bytes, NULL);
    if (memory &&
        (bytes == 0 ||
         (lowbit_cuda_check(cuda,
                            cuda->copy_to_device(address_of(memory), host,
                                                 (size_t)bytes, cuda->stream),
                            "copying weights to the GPU") &&
          lowbit_cuda_check(cuda, cuda->synchronize(cuda->stream),
                            "copying weights to the GPU"))))
      *slot = memory;
  }
  pthread_mutex_unlock(&lock);
  return memory;
}

void lowbit_gpu_release_constant(void **slot) {
  if (*slot)
    lowbit_gpu_free(*slot);
  *slot = NULL;
}

/* The CUDA release, as the driver counts them, that brought a version of PTX.
 */
static int release_of_ptx(int major, int minor) {
  if (major == 7)
    return 11000 + 10 * minor;
  if (major == 8)
    return 12000 + 10 * (minor < 6 ? minor : minor + 1);
  return 13000 + 10 * minor;
}

/* Says what is wrong before the driver says that something is. */
static bool check_image(const struct cuda_driver *cuda, const char *image) {
  int major = 0, minor = 0, capability = 0;
  const char *version = strstr(image, ".version ");
  const char *target = strstr(image, ".target sm_");
  if (!version || sscanf(version, ".version %d.%d", &major, &minor) != 2 ||
      !target || sscanf(target, ".target sm_%d", &capability) != 1) {
    lowbit_gpu_fail("the program's GPU code is not PTX");
    return false;
  }
  int release = release_of_ptx(major, minor);
  if (cuda->version < release) {
    lowbit_gpu_fail("the CUDA driver is too old: it is for CUDA %d.%d, the "
                    "program needs %d.%d (PTX %d.%d)",
                    cuda->version / 1000, cuda->version % 1000 / 10,
                    release / 1000, release % 1000 / 10, major, minor);
    return false;
  }
  if (cuda->capability < capability) {
    lowbit_gpu_fail("unsupported GPU: '%s' has compute capability %d.%d, the "
                    "program needs %d.%d or newer",
                    cuda->device_name_text, cuda->capability / 10,
                    cuda->capability % 10, capability / 10, capability % 10);
    return false;
  }
  return true;
}

static CUmodule load_module(const struct cuda_driver *cuda,
                            lowbit_gpu_slot *slot, const char *image) {
  if (*slot)
    return *slot;
  if (!check_image(cuda, image))
    return NULL;
  char log[256] = "";
  int options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, (void *)(uintptr_t)sizeof log};
  CUmodule module = NULL;
  CUresult result = cuda->load_module(&module, image, 2, options, values);
  if (result != CUDA_SUCCESS && log[0]) {
    lowbit_gpu_fail("the driver rejects the program's PTX: %s", log);
    return NULL;
  }
  if (!lowbit_cuda_check(cuda, result, "loading the program's PTX"))
    return NULL;
  *slot = module;
  return module;
}

void lowbit_gpu_release_module(lowbit_gpu_slot *slot) {
  const struct cuda_driver *cuda = *slot ? lowbit_cuda_get() : NULL;
  if (cuda)
    cuda->unload_module(*slot);
  *slot = NULL;
}

static CUfunction find_function(const struct cuda_driver *cuda,
                                lowbit_gpu_slot *module, const char *image,
                                lowbit_gpu_slot *slot, const char *name) {
  pthread_mutex_lock(&lock);
  if (!*slot) {
    CUmodule loaded = load_module(cuda, module, image);
    CUfunction function = NULL;
    if (loaded && lowbit_cuda_check(
                      cuda, cuda->get_function(&function, loaded, name), name))
      *slot = function;
  }
  pthread_mutex_unlock(&lock);
  return *slot;
}

void lowbit_gpu_launch(lowbit_gpu_slot *module, const char *image,
                       lowbit_gpu_slot *function, const char *name,
                       int64_t grid_x, int64_t grid_y, int64_t grid_z,
                       int64_t block_x, int64_t block_y, int64_t block_z,
                       void **arguments) {
  const struct cuda_driver *cuda = lowbit_cuda_get();
  if (!cuda || grid_x == 0 || grid_y == 0 || grid_z == 0)
    return;
  if (grid_x > INT_MAX || grid_y > 65535 || grid_z > 65535) {
    lowbit_gpu_fail("kernel %s needs a grid of %lld x %lld x %lld blocks, more "
                    "than a GPU takes",
                    name, (long long)grid_x, (long long)grid_y,
                    (long long)grid_z);
    return;
  }
  CUfunction kernel = find_function(cuda, module, image, function, name);
  if (kernel)
    lowbit_cuda_check(cuda,
                      cuda->launch(kernel, (unsigned)grid_x, (unsigned)grid_y,
                                   (unsigned)grid_z, (unsigned)block_x,
                                   (unsigned)block_y, (unsigned)block_z, 0,
                                   cuda->stream, arguments, NULL),
                      name);
}
