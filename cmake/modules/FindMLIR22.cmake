# Finds the one LLVM/MLIR that Lowbit builds against. find_package's own version
# check accepts only an identical minor version, so the check stands here.
set(LOWBIT_LLVM_MAJOR 22)
find_package(MLIR REQUIRED CONFIG
             HINTS "/usr/lib/llvm-${LOWBIT_LLVM_MAJOR}/lib/cmake/mlir")
if(NOT LLVM_VERSION_MAJOR EQUAL LOWBIT_LLVM_MAJOR)
  message(FATAL_ERROR
    "Lowbit needs LLVM/MLIR ${LOWBIT_LLVM_MAJOR}, but ${MLIR_DIR} is of LLVM "
    "${LLVM_PACKAGE_VERSION}. Install libmlir-${LOWBIT_LLVM_MAJOR}-dev, or set "
    "-DMLIR_DIR=<prefix>/lib/cmake/mlir.")
endif()
message(STATUS "Using MLIR ${LLVM_PACKAGE_VERSION} in ${MLIR_DIR}")
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
set(LLVM_EXTERNAL_LIT "${LLVM_TOOLS_BINARY_DIR}/lit" CACHE FILEPATH
    "lit, as packaged with LLVM")
