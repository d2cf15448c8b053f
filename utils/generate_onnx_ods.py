#!/usr/bin/env python3
"""Writes the generated half of the onnx dialect from ONNX's operator schemas.

    python3 utils/generate_onnx_ods.py            # rewrite the generated files
    python3 utils/generate_onnx_ods.py --check    # exit 1 if they are stale

The schemas come from the PyPI package `onnx`, in exactly the version that is
pinned below, so that the output is the same on every machine. Three files are
written, all checked in, so that a build needs no Python:

  include/lowbit/Dialect/Onnx/IR/OnnxGeneratedOps.td   one op per operator
  lib/Dialect/Onnx/IR/OnnxSchemas.cpp.inc              the schemas as C++ tables
  test/Dialect/Onnx/IR/generated-ops.mlir              a round trip of each op

What a schema does not say (traits, interfaces with hand-written methods,
verifiers, folders, the values that a string attribute may have) stands in the
tables below and survives regeneration. To add an operator: add its name to
OPERATORS, run the script, and write what the new entries declare.
"""

import argparse
import pathlib
import re
import sys
import textwrap

ONNX_VERSION = "1.19.1"
OPSET = 24

OPERATORS = """
    Abs Add And ArgMax Attention Cast CastLike Ceil Clip Concat ConstantOfShape
    Cos CumSum DequantizeLinear Div Dropout Einsum Equal Erf Exp Expand Flatten
    Floor Gather GatherElements GatherND Gelu Gemm Greater GreaterOrEqual
    Identity IsNaN LayerNormalization Less LessOrEqual Log LogSoftmax MatMul Max
    Min Mod Mul Neg NonZero Not OneHot Or Pad Pow QuantizeLinear
    RMSNormalization Range Reciprocal ReduceL2 ReduceMax ReduceMean ReduceMin
    ReduceProd ReduceSum ReduceSumSquare Relu Reshape RotaryEmbedding Round
    ScatterElements ScatterND Shape Sigmoid Sin Size Slice Softmax Split Sqrt
    Squeeze Sub Swish Tanh TensorScatter Tile TopK Transpose Trilu Unsqueeze
    Where Xor
""".split()

# Ops whose `inferShapes` is written in lib/Dialect/Onnx/IR/ShapeInference: all
# of them so far. Others would keep the interface's default, which knows nothing
# of their results.
SHAPE_INFERENCE = set(OPERATORS)

# Ops with a hand-written `verify` in lib/Dialect/Onnx/IR/Verifiers.
VERIFIER = set("""
    Add And ArgMax Attention Cast Concat CumSum DequantizeLinear Div Equal
    Flatten Gather GatherElements GatherND Gemm Greater GreaterOrEqual
    LayerNormalization Less LessOrEqual LogSoftmax MatMul Max Min Mod Mul OneHot
    Or Pow QuantizeLinear RMSNormalization RotaryEmbedding ScatterElements
    ScatterND Softmax Split Sub TensorScatter TopK Transpose Where Xor
""".split())

# Ops with a hand-written `fold` (lib/Dialect/Onnx/IR/Folds.cpp) and
# `getCanonicalizationPatterns`.
FOLDER = set("Add Cast Concat Div Expand Identity Mul Reshape Sub "
             "Transpose".split())
CANONICALIZER = set()

# Further traits and interfaces, as ODS text.
QUANTIZABLE = "DeclareOpInterfaceMethods<QuantizableOpInterface>"
TRAITS = {
    "Gather": [QUANTIZABLE],
    "Gemm": ["DeclareOpInterfaceMethods<QuantizableOpInterface, "
             '["getQuantizableBias"]>'],
    "MatMul": [QUANTIZABLE],
}

# Further declarations of the op's class, as C++ text.
EXTRA_CLASS_DECLARATION = {}

# String attributes that are enumerations.
STRING_VALUES = {
    ("Cast", "round_mode"): ["up", "down", "nearest"],
    ("CastLike", "round_mode"): ["up", "down", "nearest"],
    ("Gelu", "approximate"): ["none", "tanh"],
    ("Pad", "mode"): ["constant", "reflect", "edge", "wrap"],
    ("ScatterElements", "reduction"): ["none", "add", "mul", "max", "min"],
    ("ScatterND", "reduction"): ["none", "add", "mul", "max", "min"],
    ("TensorScatter", "mode"): ["linear", "circular"],
}

# Integer attributes that are truth values, whichever op has them.
BOOL_ATTRIBUTES = set("""
    allowzero exclusive fmod interleaved is_causal keepdims largest
    noop_with_empty_axes reverse saturate select_last_index sorted transA transB
    upper
""".split())

# Attributes of which ONNX writes the number of a data type; a type in the IR.
TYPE_ATTRIBUTES = {("Cast", "to")}

# Names that ONNX has for variadic operands, by what they are.
RENAMED_VALUES = {"data_0": "inputs", "Inputs": "inputs"}

# ONNX data types: the number in TensorProto.DataType and the MLIR spelling.
# Signed integers are signless in MLIR; unsigned ones keep their sign.
ELEMENT_TYPES = {
    "float": (1, "F32", "f32"),
    "uint8": (2, "UI8", "ui8"),
    "int8": (3, "I8", "i8"),
    "uint16": (4, "UI16", "ui16"),
    "int16": (5, "I16", "i16"),
    "int32": (6, "I32", "i32"),
    "int64": (7, "I64", "i64"),
    "string": (8, "Onnx_StringType", "!onnx.string"),
    "bool": (9, "I1", "i1"),
    "float16": (10, "F16", "f16"),
    "double": (11, "F64", "f64"),
    "uint32": (12, "UI32", "ui32"),
    "uint64": (13, "UI64", "ui64"),
    "complex64": (14, "Complex<F32>", "complex<f32>"),
    "complex128": (15, "Complex<F64>", "complex<f64>"),
    "bfloat16": (16, "BF16", "bf16"),
    "float8e4m3fn": (17, "F8E4M3FN", "f8E4M3FN"),
    "float8e4m3fnuz": (18, "F8E4M3FNUZ", "f8E4M3FNUZ"),
    "float8e5m2": (19, "F8E5M2", "f8E5M2"),
    "float8e5m2fnuz": (20, "F8E5M2FNUZ", "f8E5M2FNUZ"),
    "uint4": (21, "Onnx_UI4", "ui4"),
    "int4": (22, "Onnx_I4", "i4"),
    "float4e2m1": (23, "F4E2M1FN", "f4E2M1FN"),
    "float8e8m0": (24, "F8E8M0FNU", "f8E8M0FNU"),
}

# Sets of element types that OnnxTypes.td names, widest first.
TYPE_GROUPS = [
    ("Onnx_Float", ["float16", "float", "double", "bfloat16"]),
    ("Onnx_Int", ["int8", "int16", "int32", "int64"]),
    ("Onnx_UInt", ["uint8", "uint16", "uint32", "uint64"]),
    ("Onnx_Float8", ["float8e4m3fn", "float8e4m3fnuz", "float8e5m2",
                     "float8e5m2fnuz"]),
    ("Onnx_Complex", ["complex64", "complex128"]),
    ("Onnx_Int4", ["int4", "uint4"]),
]

ATTRIBUTE_KINDS = {
    "INT": ("Int", "Onnx_IntAttr"),
    "FLOAT": ("Float", "Onnx_FloatAttr"),
    "STRING": ("String", "StrAttr"),
    "TENSOR": ("Tensor", "ElementsAttr"),
    "INTS": ("Ints", "DenseI64ArrayAttr"),
    "FLOATS": ("Floats", "DenseF32ArrayAttr"),
    "STRINGS": ("Strings", "StrArrayAttr"),
}


class Value:
    """One operand or result of a schema."""

    def __init__(self, schema, formal, prefix):
        self.name = RENAMED_VALUES.get(formal.name, formal.name)
        self.description = formal.description
        self.arity = formal.option.name
        allowed = {c.type_param_str: c.allowed_type_strs
                   for c in schema.type_constraints}
        # A type written out stands for a variable that no other value shares.
        self.variable = formal.type_str if formal.type_str in allowed else ""
        types = allowed.get(formal.type_str, [formal.type_str])
        tensors = [m.group(1) for m in
                   (re.fullmatch(r"tensor\((\w+)\)", t) for t in types) if m]
        self.elements = [e for e in ELEMENT_TYPES if e in tensors]
        self.example = EXAMPLE_ELEMENTS.get(schema.name, "float")
        if not self.elements:
            sys.exit(f"{schema.name}: {prefix} '{self.name}' is never a tensor")
        if self.example not in self.elements:
            self.example = self.elements[0]

    def ods(self):
        rest, names = list(self.elements), []
        for group, members in TYPE_GROUPS:
            if all(m in rest for m in members):
                names.append(group)
                rest = [e for e in rest if e not in members]
        names += [ELEMENT_TYPES[e][1] for e in rest]
        tensor = f"Onnx_TensorOf<[{', '.join(names)}]>"
        if self.arity == "Variadic":
            return f"Variadic<{tensor}>"
        if self.arity == "Optional":
            return f"Onnx_Optional<{tensor}>"
        return tensor


class Operator:
    """One schema with the entries of the tables above."""

    def __init__(self, onnx, name):
        self.schema = onnx.defs.get_schema(name, OPSET, "")
        self.onnx = onnx
        self.name = name
        self.operands = [Value(self.schema, v, "operand")
                         for v in self.schema.inputs]
        self.results = [Value(self.schema, v, "result")
                        for v in self.schema.outputs]
        self.attributes = [a for _, a in sorted(self.schema.attributes.items())]

    # -- ODS ------------------------------------------------------------------

    def attribute_ods(self, attribute):
        key = (self.name, attribute.name)
        kind = ATTRIBUTE_KINDS[attribute.type.name][1]
        if key in TYPE_ATTRIBUTES:
            kind = "TypeAttr"
        elif attribute.name in BOOL_ATTRIBUTES:
            kind = "Onnx_BoolAttr"
        elif key in STRING_VALUES:
            values = ", ".join(f'"{v}"' for v in STRING_VALUES[key])
            kind = f"Onnx_StringEnumAttr<[{values}]>"
        if attribute.required:
            return kind
        if not attribute.default_value.name:
            return f"OptionalAttr<{kind}>"
        value = self.onnx.helper.get_attribute_value(attribute.default_value)
        if attribute.type.name == "STRING":
            return f'DefaultValuedStrAttr<{kind}, "{value.decode()}">'
        if attribute.type.name == "FLOAT":
            return f'DefaultValuedAttr<{kind}, "{float_literal(value)}">'
        if attribute.name in BOOL_ATTRIBUTES:
            value = "true" if value else "false"
        return f'DefaultValuedAttr<{kind}, "{value}">'

    def traits(self):
        methods = ', ["inferShapes"]' if self.name in SHAPE_INFERENCE else ""
        return [f"DeclareOpInterfaceMethods<ShapeInferenceOpInterface{methods}>",
                *TRAITS.get(self.name, [])]

    def description(self):
        lines = self.schema.doc.strip("\n").replace("\t", "  ").split("\n")
        text = textwrap.dedent("\n".join(l.rstrip() for l in lines)).strip()
        text = re.sub(r"\n{3,}", "\n\n", text).replace("}]", "} ]")
        values = []
        for title, group in (("Operands", self.operands),
                             ("Results", self.results)):
            values.append(f"\n{title}:\n")
            values += [f"- `{v.name}`: {one_line(v.description)}" for v in group]
        for attribute in self.attributes:
            if attribute is self.attributes[0]:
                values.append("\nAttributes:\n")
            values.append(f"- `{attribute.name}`: "
                          f"{one_line(attribute.description)}")
        example = f"Example:\n\n```mlir\n{self.example()}\n```"
        return f"{text}\n" + "\n".join(values) + f"\n\n{example}"

    def summary(self):
        doc = re.sub(r"\s+", " ", self.schema.doc).strip()
        first = re.split(r"(?<=[a-z0-9)\]`])\.\s|:\s", doc)[0]
        first = first.rstrip(".").replace("\\", "\\\\").replace('"', "'")
        if len(first) > 100:
            first = first[:97].rsplit(" ", 1)[0] + "..."
        return first

    def example(self):
        attributes = []
        for attribute in self.attributes:
            if not attribute.required:
                continue
            if (self.name, attribute.name) in TYPE_ATTRIBUTES:
                attributes.append(f"{attribute.name} = {EXAMPLE_CAST_TYPE}")
            else:
                attributes.append(f"{attribute.name} = "
                                  f"{EXAMPLE_ATTRIBUTES[attribute.type.name]}")
        operands, types, results, result_types = [], [], [], []
        for value in self.operands:
            if value.arity == "Optional":
                operands.append("%none")
                types.append("none")
                continue
            for name in ([f"{value.name}0", f"{value.name}1"]
                         if value.arity == "Variadic" else [value.name]):
                operands.append(f"%{name}")
                types.append(example_type(value))
        for value in self.results:
            results.append(f"%{value.name}")
            if value.arity == "Optional":
                result_types.append("none")
            elif (self.name, "to") in TYPE_ATTRIBUTES:
                result_types.append(f"tensor<*x{EXAMPLE_CAST_TYPE}>")
            else:
                result_types.append(example_type(value))
        right = ", ".join(result_types)
        if len(result_types) != 1:
            right = f"({right})"
        written = f" {{{', '.join(attributes)}}}" if attributes else ""
        return (f"{', '.join(results)} = onnx.{self.name}"
                f"({', '.join(operands)}){written}\n"
                f"    : ({', '.join(types)}) -> {right}")

    def ods(self):
        def arguments(entries, keyword):
            if not entries:
                return f"({keyword})"
            return (f"({keyword}\n    " +
                    ",\n    ".join(f"{kind}:${name}" for kind, name in entries) +
                    "\n  )")

        operands = [(v.ods(), v.name) for v in self.operands]
        operands += [(self.attribute_ods(a), a.name) for a in self.attributes]
        results = [(v.ods(), v.name) for v in self.results]
        traits = ",\n    ".join(self.traits())
        out = [f'def Onnx_{self.name}Op : Onnx_SchemaOp<"{self.name}", [',
               f"    {traits}]> {{",
               f'  let summary = "{self.summary()}";',
               "  let description = [{",
               textwrap.indent(self.description(), "    "),
               "  }];",
               f"  let arguments = {arguments(operands, 'ins')};",
               f"  let results = {arguments(results, 'outs')};"]
        for names, field in ((VERIFIER, "hasVerifier"), (FOLDER, "hasFolder"),
                             (CANONICALIZER, "hasCanonicalizer")):
            if self.name in names:
                out.append(f"  let {field} = 1;")
        if self.name in EXTRA_CLASS_DECLARATION:
            out += ["  let extraClassDeclaration = [{",
                    EXTRA_CLASS_DECLARATION[self.name], "  }];"]
        return "\n".join(out) + "\n}\n"

    # -- C++ ------------------------------------------------------------------

    def schema_cpp(self, header, with_attributes=True):
        """A function that returns the schema, with the given first line."""
        variables = []
        for value in self.operands + self.results:
            if value.variable and value.variable not in variables:
                variables.append(value.variable)

        def values(group):
            rows = []
            for v in group:
                index = variables.index(v.variable) if v.variable else -1
                only = ELEMENT_TYPES[v.elements[0]][0] \
                    if len(v.elements) == 1 else 0
                rows.append(f'    {{"{v.name}", ValueArity::{v.arity}, {index}, '
                            f"{only}}},")
            return rows

        def table(kind, name, rows):
            if not rows:
                return [f"  static constexpr llvm::ArrayRef<{kind}> {name} = {{}};"]
            return [f"  static constexpr {kind} {name}[] = {{", *rows, "  };"]

        out = [f"{header} {{"]
        out += table("ValueSchema", "operands", values(self.operands))
        out += table("ValueSchema", "results", values(self.results))
        attributes = "{}"
        if self.attributes and with_attributes:
            attributes = "attributes"
            rows = []
            for a in self.attributes:
                kind = ATTRIBUTE_KINDS[a.type.name][0]
                if (self.name, a.name) in TYPE_ATTRIBUTES:
                    kind = "ElementType"
                rows.append(f'    {{"{a.name}", AttributeKind::{kind}, '
                            f"{'true' if a.required else 'false'}}},")
            out += table("AttributeSchema", "attributes", rows)
        out += [f'  static constexpr OpSchema schema = {{"{self.name}", '
                f"{self.schema.since_version},",
                f"                                      operands, results, "
                f"{attributes}}};",
                "  return schema;", "}", ""]
        return "\n".join(out)

    # -- test -----------------------------------------------------------------

    def test(self):
        arguments, names = [], []
        for value in self.operands:
            if value.arity == "Optional":
                continue
            for name in ([f"{value.name}0", f"{value.name}1"]
                         if value.arity == "Variadic" else [value.name]):
                arguments.append(f"%{name}: {example_type(value)}")
        needs_none = any(v.arity == "Optional" for v in self.operands)
        body = textwrap.indent(self.example(), "  ")
        out = [f"// CHECK-LABEL: func.func @{self.name}(",
               f"func.func @{self.name}({', '.join(arguments)}) {{"]
        if needs_none:
            out.append("  %none = onnx.NoValue")
        out += [f"  // CHECK: onnx.{self.name}(", body, "  return", "}"]
        return "\n".join(out) + "\n"


# What examples are made of, where f32 tensors and these would not verify.
EXAMPLE_ELEMENTS = {"Mod": "int64"}
EXAMPLE_CAST_TYPE = "f16"
EXAMPLE_ATTRIBUTES = {"INT": "0 : i64", "STRING": '"ij,jk->ik"'}


def example_type(value):
    return f"tensor<*x{ELEMENT_TYPES[value.example][2]}>"


def float_literal(value):
    """The shortest decimal that is the same float32."""
    import numpy
    text = str(numpy.float32(value))
    return text + ("f" if "." in text or "e" in text else ".0f")


def one_line(text):
    return re.sub(r"\s+", " ", text).strip().replace("}]", "} ]")


def banner(path, comment="//"):
    title = f"{path.name} - from ONNX's operator schemas"
    return f"""{comment}===- {title} {'-' * (69 - len(title))}===//
{comment}
{comment} Part of the Lowbit project, under the Apache License v2.0 with LLVM
{comment} Exceptions. See LICENSE for license information.
{comment} SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
{comment}
{comment}===----------------------------------------------------------------------===//
{comment}
{comment} Generated by utils/generate_onnx_ods.py from the schemas of onnx
{comment} {ONNX_VERSION}, opset {OPSET}; edit the script and run it again. The descriptions
{comment} are those of the ONNX project (Apache License v2.0).
{comment}
{comment}===----------------------------------------------------------------------===//

"""


def lookup_cpp(function, schemas):
    cases = [f'      .Case("{name}", &{schema})' for name, schema in schemas]
    return "\n".join([f"const OpSchema *{function}(StringRef name) {{",
                      "  return llvm::StringSwitch<const OpSchema *>(name)",
                      *cases, "      .Default(nullptr);", "}", ""])


def get_other_operators(onnx):
    """The operators without an op of the dialect whose results are tensors.
    Only their results' types are of interest."""
    newest = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        if (schema.domain == "" and schema.since_version <= OPSET and
                (schema.name not in newest or
                 schema.since_version > newest[schema.name].since_version)):
            newest[schema.name] = schema
    others = []
    for name, schema in sorted(newest.items()):
        if name in OPERATORS or name == "Constant" or schema.deprecated:
            continue
        types = {c.type_param_str: c.allowed_type_strs
                 for c in schema.type_constraints}
        values = [*schema.inputs, *schema.outputs]
        if all(t.startswith("tensor(")
               for v in values for t in types.get(v.type_str, [v.type_str])):
            others.append(Operator(onnx, name))
    return others


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true",
                        help="compare with the files instead of writing them")
    options = parser.parse_args()
    import onnx
    import onnx.defs
    if onnx.__version__ != ONNX_VERSION:
        sys.exit(f"needs onnx=={ONNX_VERSION}, but onnx {onnx.__version__} is "
                 "installed; the output depends on the version")

    operators = [Operator(onnx, name) for name in OPERATORS]
    others = get_other_operators(onnx)
    root = pathlib.Path(__file__).resolve().parent.parent
    files = {}
    path = root / "include/lowbit/Dialect/Onnx/IR/OnnxGeneratedOps.td"
    files[path] = banner(path) + "\n".join(o.ods() for o in operators)
    path = root / "lib/Dialect/Onnx/IR/OnnxSchemas.cpp.inc"
    files[path] = banner(path) + "\n".join(
        [o.schema_cpp(f"const OpSchema &{o.name}Op::getSchema()")
         for o in operators] +
        [o.schema_cpp(f"static const OpSchema &get{o.name}Schema()",
                      with_attributes=False) for o in others] +
        [lookup_cpp("lookupSchema",
                    [(o.name, f"{o.name}Op::getSchema()") for o in operators]),
         lookup_cpp("lookupOpaqueSchema",
                    [(o.name, f"get{o.name}Schema()") for o in others])])
    path = root / "test/Dialect/Onnx/IR/generated-ops.mlir"
    files[path] = (
        "// RUN: quant-opt %s | quant-opt | FileCheck %s\n"
        "// RUN: quant-opt %s --mlir-print-op-generic | quant-opt | FileCheck %s\n"
        "// RUN: quant-opt %s --emit-bytecode | quant-opt | FileCheck %s\n\n"
        + banner(path) + "\n".join(o.test() for o in operators))

    stale = [p for p, text in files.items()
             if not p.exists() or p.read_text() != text]
    for path in stale:
        if options.check:
            print(f"{path.relative_to(root)} is not what the script writes",
                  file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(files[path])
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
