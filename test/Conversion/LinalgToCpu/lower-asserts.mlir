// RUN: quant-opt %s -lowbit-lower-asserts | FileCheck %s

// CHECK-DAG: llvm.mlir.global private constant @[[FORMAT:.+]]("%s\00")
// CHECK-DAG: llvm.mlir.global private constant @[[MESSAGE:.+]]("index out of range\00")
// CHECK-DAG: llvm.func @errx(i32, !llvm.ptr, ...)

// CHECK-LABEL: @check
// CHECK-SAME: %[[OK:.+]]: i1
// CHECK: cf.cond_br %[[OK]], ^[[AFTER:.+]], ^[[FAILURE:.+]]
// CHECK: ^[[FAILURE]]:
// CHECK: %[[STATUS:.+]] = llvm.mlir.constant(1 : i32)
// CHECK: llvm.mlir.addressof @[[FORMAT]]
// CHECK: llvm.mlir.addressof @[[MESSAGE]]
// CHECK: llvm.call @errx(%[[STATUS]],
// CHECK: ^[[AFTER]]:
// CHECK: return
func.func @check(%ok: i1) {
  cf.assert %ok, "index out of range"
  return
}
