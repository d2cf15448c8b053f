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

# One precompiled header of the MLIR headers that nearly every file includes,
# shared by all libraries that link MLIR.
if(LOWBIT_USE_PCH)
  file(WRITE "${CMAKE_BINARY_DIR}/lowbit_pch.cpp" "")
  add_library(lowbit_pch OBJECT "${CMAKE_BINARY_DIR}/lowbit_pch.cpp")
  target_link_libraries(lowbit_pch PRIVATE lowbit_options)
  set_target_properties(lowbit_pch PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_precompile_headers(lowbit_pch PRIVATE
    <mlir/IR/Builders.h> <mlir/IR/BuiltinOps.h> <mlir/IR/OpImplementation.h>
    <mlir/IR/PatternMatch.h> <mlir/Pass/Pass.h>
    <mlir/Interfaces/SideEffectInterfaces.h>)
endif()

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
  target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:lowbit_options>)
  target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS})
  if(ARG_NO_MLIR)
    target_link_libraries(${name} PUBLIC LLVM)
  else()
    target_link_libraries(${name} PUBLIC MLIR)
    add_dependencies(${name} lowbit-headers)
    if(LOWBIT_USE_PCH)
      target_precompile_headers(${name} REUSE_FROM lowbit_pch)
    endif()
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
  add_dependencies(${name} lowbit-headers)
  target_link_libraries(${name} PRIVATE lowbit_options ${ARG_LINK_LIBS} MLIR)
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

# add_lowbit_unittest(<name> sources... LINK_LIBS l...)
function(add_lowbit_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/unittests")
  target_link_libraries(${name} PRIVATE
    lowbit_options ${ARG_LINK_LIBS} GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE
    LOWBIT_UNITTEST_SOURCE_DIR="${CMAKE_CURRENT_SOURCE_DIR}")
  set_property(GLOBAL APPEND PROPERTY LOWBIT_UNITTESTS ${name})
endfunction()
