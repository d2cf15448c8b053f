// What the recipes are made of:

// RUN: quant-opt %s --nf4 --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=NF4
// NF4: quantize-rtn{bits=4 embeddings=false exclude= format=nf4 {{.*}}head=false include= 
// RUN: quant-opt %s --fp4="include=up exclude=head" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=FP4
// FP4: quantize-rtn{{.*}} exclude=head format=fp4 {{.*}} include=up
// RUN: quant-opt %s --mxfp4=embeddings --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=MXFP4
// MXFP4: quantize-rtn{{.*}} embeddings=true {{.*}} format=mxfp4
// RUN: quant-opt %s --mxfp8=head --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=MXFP8
// MXFP8: quantize-rtn{{.*}} format=mxfp8 {{.*}} head=true
// RUN: quant-opt %s --nvfp4=threads=1 --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=NVFP4
// NVFP4: quantize-rtn{{.*}} format=nvfp4 {{.*}} threads=1
// RUN: quant-opt %s --spqr="bits=4 threshold=inf head inputs=block samples=2" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=SPQR
// SPQR: quantize-spqr{act-order=true {{.*}}damping=1.0{{.*}} format={#lowbit.uniform<u4, group = [1, 16], scale = #lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16>, zero = #lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16>>} {{.*}}head=true {{.*}}inputs=block {{.*}}samples=2 {{.*}}threshold={{(INF|inf)}}
// RUN: quant-opt %s --spqr="damping=0.01 samples=2" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=DAMPED
// DAMPED: quantize-spqr{act-order=true {{.*}}damping=1.0{{0*}}e-02
// RUN: quant-opt %s --q4-k-m --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=Q4_K_M
// Q4_K_M:      assign-formats{{{.*}}default= {{.*}}mixture=Q4_K_M
// Q4_K_M-NEXT: quantize-rtn{
// RUN: quant-opt %s --iq4-xs="rules=head=float,emb=q8_0 include=up calibration=%S/Inputs/tokens.npy samples=2" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=IQ4_XS
// IQ4_XS:      collect-importance{calibration={{.*}}tokens.npy {{.*}}include=up {{.*}}samples=2
// IQ4_XS-NEXT: assign-formats{{.*}}mixture=IQ4_XS{{.*}}rules={head=float,emb=q8_0}
// IQ4_XS-NEXT: quantize-rtn{{.*}}include=up

// RUN: quant-opt %s --llm-int8="exclude=down threshold=5" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=INT8
// INT8:      quantize-rtn{{.*}}exclude=down format={#lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>}
// INT8-NEXT: quantize-activations{bits=8 {{.*}}exclude=down {{.*}}granularity=row
// INT8-NEXT: split-dynamic-outliers{threshold=5
// RUN: quant-opt %s --llm-int8="calibration=%S/Inputs/tokens.npy samples=2 threshold=inf head" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=STATIC
// STATIC:      split-static-outliers{calibration={{.*}}tokens.npy {{.*}}head=true {{.*}}samples=2 {{.*}}threshold=INF
// STATIC-NEXT: quantize-rtn{{.*}}head=true
// STATIC-NEXT: quantize-activations{bits=8 {{.*}}granularity=row
// RUN: quant-opt %s --zeroquant --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=ZEROQUANT
// ZEROQUANT-NOT:  assign-formats
// ZEROQUANT:      quantize-rtn{{.*}}format=s8n64
// ZEROQUANT-NEXT: quantize-activations{bits=8 {{.*}}granularity=row
// RUN: quant-opt %s --zeroquant="ffn-bits=4 groups=16" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=W48
// W48:      assign-formats{{.*}}rules={@^ffn_=s4n16}
// W48-NEXT: quantize-rtn{{.*}}format=s8n16

// All mixtures have a flag.
// RUN: quant-opt %s --q2-k --q3-k-s --q3-k-m --q3-k-l --q4-0 --q4-1 --q4-k-s --q5-0 --q5-1 --q5-k-s --q5-k-m --q6-k --q8-0 --iq4-nl --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=ALL
// ALL: assign-formats{{.*}}mixture=Q2_K 
// ALL: assign-formats{{.*}}mixture=Q3_K_S 
// ALL: assign-formats{{.*}}mixture=Q3_K_M 
// ALL: assign-formats{{.*}}mixture=Q3_K_L 
// ALL: assign-formats{{.*}}mixture=Q4_0 
// ALL: assign-formats{{.*}}mixture=Q4_1 
// ALL: assign-formats{{.*}}mixture=Q4_K_S 
// ALL: assign-formats{{.*}}mixture=Q5_0 
// ALL: assign-formats{{.*}}mixture=Q5_1 
// ALL: assign-formats{{.*}}mixture=Q5_K_S 
// ALL: assign-formats{{.*}}mixture=Q5_K_M 
// ALL: assign-formats{{.*}}mixture=Q6_K 
// ALL: assign-formats{{.*}}mixture=Q8_0 
// ALL: assign-formats{{.*}}mixture=IQ4_NL 

// What they make:

// RUN: quant-opt %s --nf4 | FileCheck %s --check-prefix=CODES -DFORMAT="codebook<nf4, group = [1, 64], scale = #lowbit.codebook<dynamic8, group = [256, 1], scale = f32, pad>, offset = f32, pad>"
// RUN: quant-opt %s --fp4 | FileCheck %s --check-prefix=CODES -DFORMAT="codebook<fp4, group = [1, 64], scale = f32, pad>"
// RUN: quant-opt %s --mxfp4 | FileCheck %s --check-prefix=CODES -DFORMAT="codebook<e2m1, group = [1, 32], scale = f8E8M0FNU>"
// RUN: quant-opt %s --mxfp8 | FileCheck %s --check-prefix=CODES -DFORMAT="codebook<e4m3, group = [1, 32], scale = f8E8M0FNU>"
// RUN: quant-opt %s --nvfp4 | FileCheck %s --check-prefix=CODES -DFORMAT="codebook<e2m1, group = [1, 16], scale = #lowbit.codebook<e4m3, group = [*, *], scale = f32>>"
// RUN: quant-opt %s --quantize-rtn="format=fp8" | FileCheck %s --check-prefix=CODES -DFORMAT="codebook<e4m3, group = [1, *], scale = f32>"
// RUN: quant-opt %s --q5-0 2>/dev/null | FileCheck %s --check-prefix=MIXTURE -DOTHER=q5_0
// RUN: quant-opt %s --q4-k-m 2>/dev/null | FileCheck %s --check-prefix=MIXTURE -DOTHER=q5_0
// RUN: quant-opt %s --q4-k-m="exclude=up rules=head=float" 2>/dev/null | FileCheck %s --check-prefix=RULES

// 16 of 64 rows, and as many groups of 32, are bundles of 4 and of 2 rows.
// RUN: quant-opt %s --zeroquant=groups=16 | FileCheck %s --check-prefix=CODES -DFORMAT="uniform<s8, group = [4, *], scale = f16, zero = none>"
// 128 are halves of rows, and quarters of those of the other layer.
// RUN: quant-opt %s --zeroquant=groups=128 | FileCheck %s --check-prefix=CODES -DFORMAT="uniform<s8, group = [1, 16], scale = f16, zero = none>"
// 65 halve rows, too, and 20 are rounded up to 32.
// RUN: quant-opt %s --quantize-rtn=format=u4n65 | FileCheck %s --check-prefix=CODES -DFORMAT="uniform<u4, group = [1, 16], scale = f16, zero = u4>"
// RUN: quant-opt %s --quantize-rtn=format=s8n20 | FileCheck %s --check-prefix=CODES -DFORMAT="uniform<s8, group = [2, *], scale = f16, zero = none>"
// RUN: not quant-opt %s --zeroquant=groups=4096 2>&1 | FileCheck %s --check-prefix=GROUPS
// GROUPS: error: cannot quantize layer 'up': 4096 groups are more than the 64 x 32 elements of the matrix
// RUN: not quant-opt %s --zeroquant=bits=9 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: {{.*}}'s9n64', but must be a name such as f16, u4g64, q4_K or nf4
// RUN: not quant-opt %s --llm-int8=threshold=-1 2>&1 | FileCheck %s --check-prefix=THRESHOLD
// THRESHOLD: error: {{.*}}threshold is -1{{.*}}, but must be 0 or more

// A misspelled option is an error.
// RUN: not quant-opt %s --nf4=bits=3 2>&1 | FileCheck %s --check-prefix=OPTION
// OPTION: no such option bits

// RULES: lowbit.gather
// RULES: onnx.MatMul
// RULES: lowbit.matmul
// RULES: onnx.MatMul{{.*}}lowbit.format = "float"
func.func @model(%tokens: tensor<?x?xi64> {onnx.name = "input_ids"}) -> tensor<?x?x6xf32> {
  // CODES: onnx.Gather
  // MIXTURE: lowbit.gather {{.*}}#lowbit.ggml<[[OTHER]]>
  %table = onnx.Constant dense<0.5> : tensor<6x32xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x32xf32>, tensor<?x?xi64>) -> tensor<?x?x32xf32> loc("emb")
  // CODES: lowbit.matmul {{.*}}!lowbit.tensor<64x32xf32, #lowbit.[[FORMAT]]>
  // MIXTURE: lowbit.matmul {{.*}}!lowbit.tensor<64x32xf32, #lowbit.ggml<[[OTHER]]>>
  %wu = onnx.Constant dense<0.25> : tensor<32x64xf32>
  %u = onnx.MatMul(%x, %wu) : (tensor<?x?x32xf32>, tensor<32x64xf32>) -> tensor<?x?x64xf32> loc("up")
  %a = onnx.Relu(%u) : (tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  // CODES: lowbit.matmul
  // MIXTURE: lowbit.matmul
  %wd = onnx.Constant dense<0.75> : tensor<64x32xf32>
  %d = onnx.MatMul(%a, %wd) : (tensor<?x?x64xf32>, tensor<64x32xf32>) -> tensor<?x?x32xf32> loc("down")
  %r = onnx.Add(%x, %d) : (tensor<?x?x32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x32xf32>
  // CODES: onnx.MatMul
  // MIXTURE: lowbit.matmul {{.*}}!lowbit.tensor<6x32xf32, #lowbit.ggml<q8_0>>
  %wh = onnx.Constant dense<1.0> : tensor<32x6xf32>
  %h = onnx.MatMul(%r, %wh) : (tensor<?x?x32xf32>, tensor<32x6xf32>) -> tensor<?x?x6xf32> loc("head")
  return %h : tensor<?x?x6xf32>
}
