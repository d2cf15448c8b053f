//===- QuantFormatInterface.td - what a number format has to say -*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_QUANTFORMATINTERFACE_TD
#define LOWBIT_DIALECT_LOWBIT_IR_QUANTFORMATINTERFACE_TD

include "mlir/IR/OpBase.td"

def QuantFormatAttrInterface : AttrInterface<"QuantFormatAttrInterface"> {
  let cppNamespace = "::lowbit";
  let description = [{
    A number format: how a tensor is stored in few bits and what the stored bits
    mean. Everything that the compiler does with quantized tensors goes through
    this interface; no pass, solver or lowering names a format.

    A format views a tensor as a matrix: its last dimension is the columns, all
    dimensions before it are the rows. It stores the matrix in one or more dense
    *components* (codes, scales, zero points, a codebook, ...), ordinary tensors
    that the format lists by name.
  }];
  let methods = [
    InterfaceMethod<[{
      Checks that a tensor of this shape, whose dimensions may be dynamic, can be
      stored; reports why not.
    }], "::llvm::LogicalResult", "verifyShape", (ins
      "::llvm::ArrayRef<int64_t>":$shape,
      "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError)>,
    InterfaceMethod<[{
      The same format with what it must state for tensors of this shape, such as
      padding; it need not accept the shape for other reasons.
    }], "::lowbit::QuantFormatAttrInterface", "adaptToShape", (ins
      "::llvm::ArrayRef<int64_t>":$shape),
      /*methodBody=*/"", /*defaultImplementation=*/"return $_attr;">,
    InterfaceMethod<[{
      The same format with what it must state for this matrix, which was coded in
      it: how many elements are stored apart, where the data decides that.
    }], "::lowbit::QuantFormatAttrInterface", "adaptToMatrix", (ins
      "const ::lowbit::QuantizedMatrix &":$matrix),
      /*methodBody=*/"", /*defaultImplementation=*/"return $_attr;">,
    InterfaceMethod<[{
      The tensors that store a tensor of a shape that `verifyShape` accepts.
    }], "::llvm::SmallVector<::lowbit::FormatComponent>", "getComponents", (ins
      "::llvm::ArrayRef<int64_t>":$shape)>,
    InterfaceMethod<[{
      How many adjacent elements of a row share their parameters, in a tensor of
      this shape: a product can sum that many codes before it scales the sum.
    }], "int64_t", "getGroupCols", (ins "::llvm::ArrayRef<int64_t>":$shape)>,
    InterfaceMethod<[{
      The format as plain C++, which encodes and decodes matrices: what solvers,
      the constant folder and the tests use. It lists the same components.
    }], "std::shared_ptr<const ::lowbit::BlockFormat>", "getBlockFormat">,
    InterfaceMethod<[{
      Builds the value of the element at `indices` (one index for each dimension)
      of a tensor that expresses `expressed` and is stored in `components`. This
      is what the format means in IR: the reference lowering consists of it.
    }], "::mlir::Value", "buildDecode", (ins
      "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
      "::mlir::RankedTensorType":$expressed, "::mlir::ValueRange":$components,
      "::mlir::ValueRange":$indices)>,
    InterfaceMethod<[{
      Builds the components that store `source`, a float tensor, rounded to the
      nearest codes, every group spanning the range of its values. Fails if the
      format cannot be computed at run time.
    }], "::llvm::FailureOr<::llvm::SmallVector<::mlir::Value>>", "buildEncode",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
       "::mlir::Value":$source),
      /*methodBody=*/"", /*defaultImplementation=*/"return ::mlir::failure();">,
    InterfaceMethod<[{
      Builds the components that store `source`, a float tensor, with `scale`,
      rounded to what scales are stored as, for the whole tensor: what
      `ScaledLevels` of the block format rounds to. Fails for formats that have
      none.
    }], "::llvm::FailureOr<::llvm::SmallVector<::mlir::Value>>",
      "buildEncodeWithScale",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
       "::mlir::Value":$source, "float":$scale),
      /*methodBody=*/"", /*defaultImplementation=*/"return ::mlir::failure();">,
    InterfaceMethod<[{
      If an element is `scale * (level[code] - zero)`, with a code of its own, a
      scale and perhaps a zero point, or a sum of such products, perhaps with an
      offset: the particulars, by which kernels compute with any such format. What
      a code stands for can be a level of a table, the float whose bits it is, or
      depend on the code beside it. The format's components must be these, as those
      of `#lowbit.uniform` are: codes as streams of bits, row by row, scales, factors
      of scales, zero points, offsets, and factors of offsets, those of them that
      there are. There is one scale, zero point and offset for each group, and one
      factor for each of the groups that share it; numbers of eight bits are bytes,
      and integer zero points are streams of bits, as codes are. A format with other
      components says so (`ownStorage`). Nothing for other formats.
    }], "std::optional<::lowbit::ScaledCodes>", "getScaledCodes", (ins),
      /*methodBody=*/"", /*defaultImplementation=*/"return std::nullopt;">,
    InterfaceMethod<[{
      The components that `getScaledCodes` describes, from those of a format that
      has other ones. They stand for exactly the same numbers.
    }], "::llvm::SmallVector<std::vector<char>>", "unpackScaledCodes", (ins
      "::llvm::ArrayRef<int64_t>":$shape,
      "::llvm::ArrayRef<::llvm::ArrayRef<char>>":$components),
      /*methodBody=*/"", /*defaultImplementation=*/[{
        llvm_unreachable("the components are scaled codes as they are");
      }]>,
    InterfaceMethod<[{
      If an element is the sum of one in another format and one of a sparse
      matrix: the other format, so that a product can be the sum of two. Its
      components come first. Three more store the sparse matrix in compressed rows
      (CSR), as `lowbit.sparse_matmul` takes it. Null for other formats.
    }], "::lowbit::QuantFormatAttrInterface", "getDenseFormat", (ins),
      /*methodBody=*/"", /*defaultImplementation=*/"return {};">
  ];
  let extraClassDeclaration = [{
    /// What is stored for a tensor of a static shape, padding included, divided
    /// by the number of its elements.
    double getBitsPerWeight(::llvm::ArrayRef<int64_t> shape);
  }];
}

def PackedLayoutAttrInterface : AttrInterface<"PackedLayoutAttrInterface"> {
  let cppNamespace = "::lowbit";
  let description = [{
    An order of the bytes of a quantized weight that suits the kernels of a
    target. A layout is part of the tensor's type, so that a kernel cannot meet
    bytes of another order; it changes neither shape nor format.
  }];
  let methods = [
    InterfaceMethod<[{
      Checks that a tensor of this format and shape can be laid out this way;
      reports why not.
    }], "::llvm::LogicalResult", "verifyLayout", (ins
      "::lowbit::QuantFormatAttrInterface":$format,
      "::llvm::ArrayRef<int64_t>":$shape,
      "::llvm::function_ref<::mlir::InFlightDiagnostic()>":$emitError)>,
    InterfaceMethod<[{
      The tensors that store a tensor of this format and shape.
    }], "::llvm::SmallVector<::lowbit::FormatComponent>",
      "getPackedComponents", (ins
      "::lowbit::QuantFormatAttrInterface":$format,
      "::llvm::ArrayRef<int64_t>":$shape)>,
    InterfaceMethod<[{
      Reorders the bytes of the format's components into those of the packed
      components. Both lists are in order; the outputs have the right sizes.
    }], "void", "pack", (ins
      "::lowbit::QuantFormatAttrInterface":$format,
      "::llvm::ArrayRef<int64_t>":$shape,
      "::llvm::ArrayRef<::llvm::ArrayRef<char>>":$components,
      "::llvm::ArrayRef<::llvm::MutableArrayRef<char>>":$packed)>,
    InterfaceMethod<[{
      Whether single elements of a tensor of this format can be read out of this
      layout. What needs them keeps the format's own components otherwise.
    }], "bool", "canDecode", (ins
      "::lowbit::QuantFormatAttrInterface":$format)>,
    InterfaceMethod<[{
      Builds what `buildDecode` of the format does, bit for bit, from the packed
      components.
    }], "::mlir::Value", "buildDecode", (ins
      "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
      "::lowbit::QuantFormatAttrInterface":$format,
      "::mlir::RankedTensorType":$expressed, "::mlir::ValueRange":$components,
      "::mlir::ValueRange":$indices)>
  ];
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_QUANTFORMATINTERFACE_TD
