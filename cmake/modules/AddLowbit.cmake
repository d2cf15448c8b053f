# Wrappers that give every library, tool and test the same shape.

add_library(lowbit_options INTERFACE)
# libstdc++ 12 marks as deprecated what its own std::stable_sort uses.
target_compile_options(lowbit_options INTERFACE
  -Wall -Wextra -Wno-unused-parameter -Wno-deprecated-declarations)
if(LOWBIT_ENABLE_WERROR)
  target_compile_options(lowbit_options INTERFACE -Werror)
endif()
if(LOWBIT_SANITIZE)
  list(JOIN LOWBIT_SANITIZE "," _sanitizers)
  target_compile_options(lowbit_options INTERFACE
    -fsanitize=${_sanitizers} -fno-omit-frame-pointer)
  target_link_options(lowbit_options INTERFACE -fsanitize=${_sanitizers})
endif()
if(LOWBIT_ENABLE_FUZZERS)
  target_compile_options(lowbit_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# Code that has no IR (the solvers, the weight store) is always optimized:
# quantizing with it at -O0 takes minutes.
add_library(lowbit_ir_options INTERFACE)
target_link_libraries(lowbit_ir_options INTERFACE lowbit_options)
# Executables share the precompiled header of the libraries, so both are made
# with -fPIC.
target_compile_options(lowbit_ir_options INTERFACE -fPIC)
if(LOWBIT_FAST_COMPILE)
  target_compile_options(lowbit_ir_options INTERFACE -O0)
endif()

# One precompiled header of the MLIR headers that nearly every file includes,
# shared by everything that links MLIR.
if(LOWBIT_USE_PCH)
  file(WRITE "${CMAKE_BINARY_DIR}/lowbit_pch.cpp" "")
  add_library(lowbit_pch OBJECT "${CMAKE_BINARY_DIR}/lowbit_pch.cpp")
  target_link_libraries(lowbit_pch PRIVATE lowbit_ir_options)
  target_precompile_headers(lowbit_pch PRIVATE
    <mlir/IR/Builders.h> <mlir/IR/BuiltinOps.h> <mlir/IR/Matchers.h>
    <mlir/IR/DialectImplementation.h> <mlir/IR/OpImplementation.h>
    <mlir/IR/PatternMatch.h> <mlir/Pass/Pass.h> <mlir/Pass/PassManager.h>
    <mlir/Dialect/Arith/IR/Arith.h> <mlir/Dialect/Func/IR/FuncOps.h>
    <mlir/Dialect/LLVMIR/LLVMDialect.h> <mlir/Dialect/Linalg/IR/Linalg.h>
    <mlir/Dialect/Linalg/Transforms/Transforms.h>
    <mlir/Dialect/MemRef/IR/MemRef.h> <mlir/Dialect/SCF/IR/SCF.h>
    <mlir/Dialect/Tensor/IR/Tensor.h> <mlir/Dialect/Vector/IR/VectorOps.h>
    <mlir/Transforms/DialectConversion.h>
    <mlir/Transforms/GreedyPatternRewriteDriver.h>
    <llvm/ADT/TypeSwitch.h> <llvm/Support/JSON.h>)
endif()

# Options and precompiled header of a target whose code works on IR.
function(lowbit_compiles_ir target)
  target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:lowbit_ir_options>)
  add_dependencies(${target} lowbit-headers)
  if(LOWBIT_USE_PCH)
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_precompile_headers(${target} REUSE_FROM lowbit_pch)
  endif()
endfunction()

# add_lowbit_library(<name> sources... [NO_MLIR] [DEPENDS t...] [LINK_LIBS l...])
# NO_MLIR: for code that has no IR (it may use LLVM's Support through libMLIR's
# dependency, libLLVM).
function(add_lowbit_library name)
  cmake_parse_arguments(ARG "NO_MLIR" "" "DEPENDS;LINK_LIBS" ${ARGN})
  add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE ON
                                           EXPORT_NAME ${name})
  target_include_directories(${name} INTERFACE
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include>
    $<INSTALL_INTERFACE:include>)
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS})
  if(ARG_NO_MLIR)
    target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:lowbit_options>)
    target_link_libraries(${name} PUBLIC LLVM)
  else()
    lowbit_compiles_ir(${name})
    target_link_libraries(${name} PUBLIC MLIR)
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  install(TARGETS ${name} EXPORT LowbitTargets ARCHIVE DESTINATION lib)
endfunction()

# add_lowbit_tool(<name> sources... LINK_LIBS l...)
function(add_lowbit_tool name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  lowbit_compiles_ir(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} MLIR)
  install(TARGETS ${name} EXPORT LowbitTargets RUNTIME DESTINATION bin)
  set_property(GLOBAL APPEND PROPERTY LOWBIT_TOOLS ${name})
endfunction()

# add_lowbit_tablegen(<target> <td file> <output> <generator args> ...)
# A list of output/argument pairs from one .td; the target joins lowbit-headers.
function(add_lowbit_tablegen target td)
  set(LLVM_TARGET_DEFINITIONS ${td})
  list(LENGTH ARGN n)
  math(EXPR last "${n} - 1")
  foreach(i RANGE 0 ${last} 2)
    math(EXPR j "${i} + 1")
    list(GET ARGN ${i} output)
    list(GET ARGN ${j} arguments)
    separate_arguments(arguments)
    mlir_tablegen(${output} ${arguments})
  endforeach()
  add_public_tablegen_target(${target})
  add_dependencies(lowbit-headers ${target})
endfunction()

# add_lowbit_unittest(<name> sources... [NO_MLIR] LINK_LIBS l...)
function(add_lowbit_unittest name)
  cmake_parse_arguments(ARG "NO_MLIR" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/unittests")
  if(ARG_NO_MLIR)
    target_link_libraries(${name} PRIVATE lowbit_options)
  else()
    lowbit_compiles_ir(${name})
  endif()
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    LOWBIT_UNITTEST_SOURCE_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
  set_property(GLOBAL APPEND PROPERTY LOWBIT_UNITTESTS ${name})
endfunction()
