// --tune measures kernels and stores what it finds in the module.

// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: quant-compile %s -o tuned.mlir --target=x86-64-v3 --tune --emit=quantized 2> log
// RUN: FileCheck %s --check-prefix=LOG < log
// Equal products are measured once, also if one has another number of tokens.
// LOG: {{^}}2 products with 64x32 #lowbit.uniform<s4, {{.*}}>, input f32{{$}}
// LOG-NEXT: {{^}}  tokens        median  ratio  kernel{{$}}
// LOG-NEXT: {{^}}       1  {{[0-9.]+}} us   1.00  dequantize 1 x 4 (so far){{$}}
// LOG: {{^}}       1 {{.*}} prefetch 0{{$}}
// LOG: {{^}}       2 {{.*}} dequantize 2 x 2 (so far){{$}}
// LOG: {{^}}     120 {{.*}} dequantize 4 x 1 (so far){{$}}
// LOG: {{^}}1 product with 64x32 #lowbit.uniform<s4, {{.*}}>, input #lowbit.uniform<s8, {{.*}}>, bias{{$}}
// LOG: dot 1 x 4 (so far)
// LOG: lut 1 x

// RUN: FileCheck %s --check-prefix=TUNED < tuned.mlir
// TUNED-COUNT-2: lowbit.matmul {{.*}} {tunings = [#lowbit.matmul_tuning<"avx2", [{{.*}}dequantize 1 x {{.*}}], prefetch = {{[0-9]+}}>]} :
// TUNED: lowbit.matmul {{.*}} {tunings = [#lowbit.matmul_tuning<"avx2", [{{.*(dot|lut)}} 1 x {{.*}}], prefetch = {{[0-9]+}}>]} :

// What was found is used, and measured anew only if asked for.
// RUN: quant-compile tuned.mlir -o again.mlir --target=x86-64-v3 --emit=quantized 2>&1 | count 0
// RUN: diff tuned.mlir again.mlir
// RUN: quant-compile tuned.mlir -o tuned.so --target=x86-64
// RUN: quant-compile tuned.mlir -o again.mlir --target=x86-64-v3 --tune --emit=quantized 2>&1 | FileCheck %s --check-prefix=LOG
// A library for several kinds of CPUs has one that is measured.
// RUN: quant-compile %s -o tuned.so --target=x86-64 --tune 2>&1 | FileCheck %s --check-prefix=LEVEL
// LEVEL: {{^}}2 products with

// A model without quantized weights has nothing to measure.
// RUN: echo 'func.func @main(%%x: tensor<?xf32>) -> tensor<?xf32> { return %%x : tensor<?xf32> }' > none.mlir
// RUN: quant-compile none.mlir -o none.so --tune 2>&1 | count 0

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>
!w = !lowbit.tensor<64x32xf32, #s4>
func.func @main(%x: tensor<?x32xf32>, %one: tensor<1x32xf32>)
    -> (tensor<?x64xf32>, tensor<1x64xf32>, tensor<?x64xf32>) {
  %w = lowbit.constant {codes = dense<17> : tensor<64x16xi8>, scales = dense<1.0> : tensor<64x1xf16>} : !w
  %bias = lowbit.weight dense<1.0> : tensor<64xf32>
  %0 = lowbit.matmul %x, %w : (tensor<?x32xf32>, !w) -> tensor<?x64xf32>
  %1 = lowbit.matmul %one, %w : (tensor<1x32xf32>, !w) -> tensor<1x64xf32>
  %q = lowbit.dynamic_quantize %x : tensor<?x32xf32> -> !lowbit.tensor<?x32xf32, #s8>
  %2 = lowbit.matmul %q, %w, %bias : (!lowbit.tensor<?x32xf32, #s8>, !w, tensor<64xf32>) -> tensor<?x64xf32>
  return %0, %1, %2 : tensor<?x64xf32>, tensor<1x64xf32>, tensor<?x64xf32>
}
