import os
import shutil
import lit.formats
from lit.llvm import llvm_config

config.name = "lowbit"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".textproto"]
config.excludes = ["Inputs"]
config.test_source_root = os.path.dirname(__file__)
config.test_exec_root = os.path.join(config.lowbit_binary_dir, "test")

tools_dir = os.path.join(config.lowbit_binary_dir, "bin")
llvm_config.with_environment(
    "PATH", [tools_dir, config.llvm_tools_dir], append_path=True)
config.substitutions.append(
    ("%examples", os.path.join(config.lowbit_source_dir, "examples")))
# From the text form of an ONNX model to the binary one.
config.substitutions.append(
    ("%encode-onnx", f'"{config.protoc}" --encode=onnx.ModelProto '
     f'--proto_path="{config.onnx_include_dir}" onnx/onnx.proto'))
config.substitutions.append(("%python", f'"{config.python_executable}"'))
config.environment["LOWBIT_PYTHON"] = config.python_executable

# For tests that run what they compile.
config.substitutions.append(
    ("%mlir_libs", os.path.join(config.llvm_tools_dir, "..", "lib")))
config.substitutions.append(
    ("%lowbit_libs", os.path.join(config.lowbit_binary_dir, "lib")))
# For tests in C.
config.substitutions.append(("%clang", os.path.join(config.llvm_tools_dir, "clang")))
config.substitutions.append(
    ("%include", os.path.join(config.lowbit_source_dir, "include")))
config.substitutions.append(
    ("%runtime", os.path.join(config.lowbit_source_dir, "lib", "Runtime", "Model")))
config.substitutions.append(
    ("%fake_cuda", os.path.join(config.test_exec_root, "Runtime", "fake-cuda")))
config.substitutions.append(("%gpu_runtime_test", os.path.join(
    config.test_exec_root, "Runtime", "gpu-runtime-test")))
# The plainest way from linalg to code, with nothing of ours in it.
config.substitutions.append((
    "%loops",
    '--one-shot-bufferize="bufferize-function-boundaries '
    'function-boundary-type-conversion=identity-layout-map" '
    "--convert-linalg-to-loops --convert-bufferization-to-memref "
    "--expand-strided-metadata --lower-affine --convert-scf-to-cf "
    "--convert-math-to-libm --convert-to-llvm --reconcile-unrealized-casts"))
# Debian's package libonnx-testdata.
onnx_testdata = "/usr/share/libonnx-testdata/data"
if os.path.isdir(onnx_testdata):
    config.available_features.add("onnx-testdata")
    config.substitutions.append(("%onnx-testdata", onnx_testdata))
if os.path.exists("/usr/local/cuda/bin/ptxas"):
    config.available_features.add("ptxas")
    config.substitutions.append(("%ptxas", "/usr/local/cuda/bin/ptxas"))

# Tests that run code for an instruction set need a machine that has it.
with open("/proc/cpuinfo") as cpuinfo:
    flags = cpuinfo.read().split()
    if "avx512_vnni" in flags:
        config.available_features.add("avx512vnni")
    if "amx_int8" in flags:
        config.available_features.add("amx")
# Code with AMX instructions runs anywhere else, if it finds AVX-512.
config.substitutions += [
    ("%with_amx", "env LD_PRELOAD=" + os.path.join(
        config.test_exec_root, "tools", "amx-emulator", "liblowbit_amx_emulator.so")),
    ("%amx_emulator_test", os.path.join(
        config.test_exec_root, "tools", "amx-emulator", "amx-emulator-test")),
]
# Debian's packages qemu-user and libc6-dev-arm64-cross.
if shutil.which("qemu-aarch64") and os.path.isdir("/usr/aarch64-linux-gnu/lib"):
    config.available_features.add("qemu")
# Processes that share a run.
if config.has_mpi and config.mpirun:
    config.available_features.add("mpi")
    # More of them than processors, as root in containers, without a network.
    config.substitutions.append(("%mpirun", (
        f'env OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 "{config.mpirun}" --oversubscribe')))
