import os
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
