// RUN: quant-opt %s -split-input-file -verify-diagnostics | FileCheck %s
// RUN: quant-opt %s -split-input-file --emit-bytecode -verify-diagnostics -o %t.mlirbc

// The path is seen from the working directory, because the output is standard
// output.
// CHECK-LABEL: @forms
func.func private @forms() attributes {
  // CHECK-SAME: a = #lowbit.external<"{{.*}}w.safetensors", "q.codes"> : tensor<2x3xi8>
  a = #lowbit.external<"w.safetensors", "q.codes"> : tensor<2x3xi8>,
  // CHECK-SAME: b = #lowbit.external<"{{.*}}w.data", offset = 4096, length = 24> : tensor<2x3xf32>
  b = #lowbit.external<"w.data", offset = 4096, length = 24> : tensor<2x3xf32>
}

// -----

// expected-error @below {{external weight of type 'tensor<2x3xf32>' takes 24 bytes, but its length is 25}}
func.func private @length() attributes {a = #lowbit.external<"w.data", offset = 0, length = 25> : tensor<2x3xf32>}

// -----

// expected-error @below {{external weight must have a tensor type of static shape}}
func.func private @dynamic() attributes {a = #lowbit.external<"w.data", "k"> : tensor<?xf32>}

// -----

// expected-error @below {{external weight must have a ranked tensor type, got 'i32'}}
func.func private @scalar() attributes {a = #lowbit.external<"w.data", "k"> : i32}

// -----

// expected-error @below {{external weight names no file}}
func.func private @nofile() attributes {a = #lowbit.external<"", "k"> : tensor<1xf32>}
