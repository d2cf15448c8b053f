//===- cuda_driver.h - the CUDA driver, opened at run time ---- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

/* The few functions of the CUDA driver that the runtime uses, declared here so
 * that nothing of CUDA is needed to build it. */

#ifndef LOWBIT_LIB_RUNTIME_CUDA_DRIVER_H
#define LOWBIT_LIB_RUNTIME_CUDA_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef int CUresult;
typedef int CUdevice;
typedef uint64_t CUdeviceptr;
typedef struct CUctx_st *CUcontext;
typedef struct CUmod_st *CUmodule;
typedef struct CUfunc_st *CUfunction;
typedef struct CUstream_st *CUstream;

enum {
  CUDA_SUCCESS = 0,
  CUDA_ERROR_OUT_OF_MEMORY = 2,
  CUDA_ERROR_NO_DEVICE = 100,
  CUDA_ERROR_INVALID_PTX = 218,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION = 222,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR = 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR = 76,
  CU_JIT_ERROR_LOG_BUFFER = 5,
  CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES = 6,
};

/* X(name in the table, symbol in the library, parameters) */
#define LOWBIT_CUDA_FUNCTIONS(X)                                               \
  X(init, "cuInit", (unsigned))                                                \
  X(driver_version, "cuDriverGetVersion", (int *))                             \
  X(device_count, "cuDeviceGetCount", (int *))                                 \
  X(device, "cuDeviceGet", (CUdevice *, int))                                  \
  X(device_name, "cuDeviceGetName", (char *, int, CUdevice))                   \
  X(device_attribute, "cuDeviceGetAttribute", (int *, int, CUdevice))          \
  X(retain_context, "cuDevicePrimaryCtxRetain", (CUcontext *, CUdevice))       \
  X(set_context, "cuCtxSetCurrent", (CUcontext))                               \
  X(create_stream, "cuStreamCreate", (CUstream *, unsigned))                   \
  X(synchronize, "cuStreamSynchronize", (CUstream))                            \
  X(alloc, "cuMemAlloc_v2", (CUdeviceptr *, size_t))                           \
  X(free, "cuMemFree_v2", (CUdeviceptr))                                       \
  X(copy_to_device, "cuMemcpyHtoDAsync_v2",                                    \
    (CUdeviceptr, const void *, size_t, CUstream))                             \
  X(copy_to_host, "cuMemcpyDtoHAsync_v2",                                      \
    (void *, CUdeviceptr, size_t, CUstream))                                   \
  X(copy_on_device, "cuMemcpyDtoDAsync_v2",                                    \
    (CUdeviceptr, CUdeviceptr, size_t, CUstream))                              \
  X(load_module, "cuModuleLoadDataEx",                                         \
    (CUmodule *, const void *, unsigned, int *, void **))                      \
  X(unload_module, "cuModuleUnload", (CUmodule))                               \
  X(get_function, "cuModuleGetFunction",                                       \
    (CUfunction *, CUmodule, const char *))                                    \
  X(launch, "cuLaunchKernel",                                                  \
    (CUfunction, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,   \
     unsigned, CUstream, void **, void **))                                    \
  X(error_string, "cuGetErrorString", (CUresult, const char **))

#define LOWBIT_CUDA_FIELD(name, symbol, parameters) CUresult(*name) parameters;
struct cuda_driver {
  LOWBIT_CUDA_FUNCTIONS(LOWBIT_CUDA_FIELD)
  int version;    /* 1000 * major + 10 * minor, as CUDA counts */
  int capability; /* 10 * major + minor */
  char device_name_text[128];
  CUcontext context;
  CUstream stream;
};
#undef LOWBIT_CUDA_FIELD

/* The driver with its first device ready for the calling thread, or null with
 * the thread's error set. */
const struct cuda_driver *lowbit_cuda_get(void);

/* Sets the thread's error if `result` is one. */
bool lowbit_cuda_check(const struct cuda_driver *driver, CUresult result,
                       const char *what);

#endif /* LOWBIT_LIB_RUNTIME_CUDA_DRIVER_H */
