//===- fake_libcuda.c - a CUDA driver without a GPU -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* Stands in for libcuda.so.1: memory is the host's, launches are printed and
 * compute nothing. The environment says what kind of machine it pretends to be:
 * FAKE_CUDA_VERSION (12040), FAKE_CUDA_CAPABILITY (80), FAKE_CUDA_MEMORY
 * (bytes), FAKE_CUDA_DEVICES (1), and FAKE_CUDA_FAIL, the name of a function
 * that fails. */

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
  SUCCESS = 0,
  OUT_OF_MEMORY = 2,
  NO_DEVICE = 100,
  INVALID_PTX = 218,
  NOT_FOUND = 500,
  ILLEGAL_ADDRESS = 700,
};

static long get(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text ? atol(text) : otherwise;
}

static int fails(const char *function) {
  const char *name = getenv("FAKE_CUDA_FAIL");
  return name && !strcmp(name, function);
}

/* The size of each allocation stands before it. */
enum { HEADER = 64 };
static size_t used;

int cuInit(unsigned flags) {
  (void)flags;
  /* Programs print with other buffers than this one. */
  setvbuf(stdout, NULL, _IONBF, 0);
  return get("FAKE_CUDA_DEVICES", 1) ? SUCCESS : NO_DEVICE;
}
int cuDriverGetVersion(int *version) {
  *version = (int)get("FAKE_CUDA_VERSION", 12040);
  return SUCCESS;
}
int cuDeviceGetCount(int *count) {
  *count = (int)get("FAKE_CUDA_DEVICES", 1);
  return SUCCESS;
}
int cuDeviceGet(int *device, int ordinal) {
  *device = ordinal;
  return SUCCESS;
}
int cuDeviceGetName(char *name, int size, int device) {
  (void)device;
  snprintf(name, (size_t)size, "Fake GPU");
  return SUCCESS;
}
int cuDeviceGetAttribute(int *value, int attribute, int device) {
  (void)device;
  long capability = get("FAKE_CUDA_CAPABILITY", 80);
  *value = (int)(attribute == 75 ? capability / 10 : capability % 10);
  return SUCCESS;
}
int cuDevicePrimaryCtxRetain(void **context, int device) {
  (void)device;
  *context = &used;
  return SUCCESS;
}
int cuCtxSetCurrent(void *context) {
  (void)context;
  return SUCCESS;
}
int cuStreamCreate(void **stream, unsigned flags) {
  (void)flags;
  *stream = &used;
  return SUCCESS;
}
int cuStreamSynchronize(void *stream) {
  (void)stream;
  return fails("cuStreamSynchronize") ? ILLEGAL_ADDRESS : SUCCESS;
}
int cuMemAlloc_v2(uint64_t *address, size_t size) {
  if (used + size > (size_t)get("FAKE_CUDA_MEMORY", 1 << 20))
    return OUT_OF_MEMORY;
  char *memory = malloc(size + HEADER);
  memcpy(memory, &size, sizeof size);
  used += size;
  printf("alloc %zu\n", size);
  *address = (uint64_t)(uintptr_t)(memory + HEADER);
  return SUCCESS;
}
int cuMemFree_v2(uint64_t address) {
  char *memory = (char *)(uintptr_t)address - HEADER;
  size_t size;
  memcpy(&size, memory, sizeof size);
  used -= size;
  printf("free %zu\n", size);
  free(memory);
  return SUCCESS;
}
int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t size,
                         void *stream) {
  (void)stream;
  printf("copy to device %zu\n", size);
  memcpy((void *)(uintptr_t)to, from, size);
  return SUCCESS;
}
int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t size, void *stream) {
  (void)stream;
  printf("copy to host %zu\n", size);
  memcpy(to, (const void *)(uintptr_t)from, size);
  return SUCCESS;
}
int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t size,
                         void *stream) {
  (void)stream;
  printf("copy on device %zu\n", size);
  memcpy((void *)(uintptr_t)to, (const void *)(uintptr_t)from, size);
  return SUCCESS;
}
int cuModuleLoadDataEx(void **module, const void *image, unsigned count,
                       int *options, void **values) {
  (void)image;
  printf("load module\n");
  if (fails("cuModuleLoadDataEx")) {
    enum { ERROR_LOG = 5, ERROR_LOG_SIZE = 6 };
    char *log = NULL;
    size_t size = 0;
    for (unsigned i = 0; i < count; ++i) {
      if (options[i] == ERROR_LOG)
        log = values[i];
      if (options[i] == ERROR_LOG_SIZE)
        size = (size_t)(uintptr_t)values[i];
    }
    snprintf(log, size, "ptxas fatal: the fake driver takes no PTX");
    return INVALID_PTX;
  }
  *module = &used;
  return SUCCESS;
}
int cuModuleUnload(void *module) {
  (void)module;
  printf("unload module\n");
  return SUCCESS;
}
int cuModuleGetFunction(void **function, void *module, const char *name) {
  (void)module;
  printf("get function %s\n", name);
  if (fails(name))
    return NOT_FOUND;
  *function = &used;
  return SUCCESS;
}
int cuLaunchKernel(void *function, unsigned gx, unsigned gy, unsigned gz,
                   unsigned bx, unsigned by, unsigned bz, unsigned shared,
                   void *stream, void **arguments, void **extra) {
  (void)function, (void)shared, (void)stream, (void)arguments, (void)extra;
  printf("launch %ux%ux%u of %ux%ux%u\n", gx, gy, gz, bx, by, bz);
  return SUCCESS;
}
int cuGetErrorString(int result, const char **text) {
  *text = result == NOT_FOUND         ? "named symbol not found"
          : result == ILLEGAL_ADDRESS ? "an illegal memory access"
                                      : "fake error";
  return SUCCESS;
}
