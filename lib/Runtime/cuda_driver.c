//===- cuda_driver.c - the CUDA driver, opened at run time ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "cuda_driver.h"
#include "gpu_error.h"
#include <dlfcn.h>
#include <pthread.h>

static struct cuda_driver driver;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool ready;

bool lowbit_cuda_check(const struct cuda_driver *cuda, CUresult result,
                       const char *what) {
  if (result == CUDA_SUCCESS)
    return true;
  const char *text = NULL;
  if (cuda->error_string)
    cuda->error_string(result, &text);
  lowbit_gpu_fail("%s failed: %s (CUDA error %d)", what,
                  text ? text : "unknown error", result);
  return false;
}

static bool load_functions(void) {
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    lowbit_gpu_fail("no CUDA driver: %s", dlerror());
    return false;
  }
  /* POSIX guarantees that a function's address fits a pointer to void. */
#define LOWBIT_CUDA_LOAD(name, symbol, parameters)                             \
  *(void **)&driver.name = dlsym(library, symbol);                             \
  if (!driver.name) {                                                          \
    lowbit_gpu_fail("the CUDA driver is too old: it has no %s", symbol);       \
    dlclose(library);                                                          \
    return false;                                                              \
  }
  LOWBIT_CUDA_FUNCTIONS(LOWBIT_CUDA_LOAD)
#undef LOWBIT_CUDA_LOAD
  return true;
}

static bool open_device(void) {
  int count = 0, major = 0, minor = 0;
  CUdevice device;
  CUresult result = driver.init(0);
  if (result == CUDA_ERROR_NO_DEVICE) {
    lowbit_gpu_fail("no CUDA device: the driver is there, but no GPU");
    return false;
  }
  if (!lowbit_cuda_check(&driver, result, "cuInit") ||
      !lowbit_cuda_check(&driver, driver.driver_version(&driver.version),
                         "cuDriverGetVersion") ||
      !lowbit_cuda_check(&driver, driver.device_count(&count),
                         "cuDeviceGetCount"))
    return false;
  if (count == 0) {
    lowbit_gpu_fail("no CUDA device: the driver is there, but no GPU");
    return false;
  }
  if (!lowbit_cuda_check(&driver, driver.device(&device, 0), "cuDeviceGet") ||
      !lowbit_cuda_check(&driver,
                         driver.device_name(driver.device_name_text,
                                            sizeof driver.device_name_text,
                                            device),
                         "cuDeviceGetName") ||
      !lowbit_cuda_check(
          &driver,
          driver.device_attribute(
              &major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device),
          "cuDeviceGetAttribute") ||
      !lowbit_cuda_check(
          &driver,
          driver.device_attribute(
              &minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device),
          "cuDeviceGetAttribute") ||
      !lowbit_cuda_check(&driver,
                         driver.retain_context(&driver.context, device),
                         "cuDevicePrimaryCtxRetain") ||
      !lowbit_cuda_check(&driver, driver.set_context(driver.context),
                         "cuCtxSetCurrent") ||
      !lowbit_cuda_check(&driver, driver.create_stream(&driver.stream, 0),
                         "cuStreamCreate"))
    return false;
  driver.capability = 10 * major + minor;
  return true;
}

const struct cuda_driver *lowbit_cuda_get(void) {
  /* A context belongs to the threads that made it current. */
  static _Thread_local bool current;
  if (lowbit_gpu_failed())
    return NULL;
  pthread_mutex_lock(&lock);
  if (!ready)
    ready = load_functions() && open_device();
  bool usable = ready;
  pthread_mutex_unlock(&lock);
  if (!usable)
    return NULL;
  if (!current)
    current = lowbit_cuda_check(&driver, driver.set_context(driver.context),
                                "cuCtxSetCurrent");
  return current ? &driver : NULL;
}
