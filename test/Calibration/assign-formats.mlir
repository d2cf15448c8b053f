// RUN: rm -rf %t && mkdir %t
// RUN: quant-opt %s --assign-formats="rules=layers.1=float,@attention_[kv]=u8g16,@head=q8_0,@token=Q4_0,@ffn_(up|gate)=s4 default=nf4 report=-" 2>%t/table | FileCheck %s
// RUN: FileCheck %s --check-prefix=TABLE --input-file=%t/table

// The same from a file; rules of the command line come first.
// RUN: quant-opt %s --assign-formats="recipe=%S/Inputs/recipe.json report=%t/saved.json" 2>/dev/null | FileCheck %s
// RUN: quant-opt %s --assign-formats="rules=@head=f16 recipe=%S/Inputs/recipe.json" 2>/dev/null | FileCheck %s --check-prefix=FIRST
// FIRST: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.float<f16>}{{.*}}tensor<32x8xf32>

// What was decided is a recipe that decides the same.
// RUN: FileCheck %s --check-prefix=SAVED --input-file=%t/saved.json
// RUN: quant-opt %s --assign-formats="recipe=%t/saved.json" 2>/dev/null | FileCheck %s
// SAVED:      "comment": "token_embedding, 8x32, 4.500 bits per weight, by {{.*}}recipe.json: rules[3]",
// SAVED-NEXT: "format": "#lowbit.ggml<q4_0>",
// SAVED-NEXT: "layers": "^embedding$"
// SAVED:      "format": "float",
// SAVED-NEXT: "layers": "^layers\\.1/gate$"

// Passes that quantize take the formats of the layers, and their own for others.
// RUN: quant-opt %s --assign-formats="rules=@attention_k=u8g16,layers.1=float,@token=q4_0,@head=q8_0" --quantize-rtn="bits=3 group-size=32" 2>/dev/null | FileCheck %s --check-prefix=SOLVE
// RUN: quant-opt %s --assign-formats="rules=@attention_k=u8g16,layers.1=float,@token=q4_0,@head=q8_0" --gptq="bits=3 group-size=32 samples=2 length=4" 2>/dev/null | FileCheck %s --check-prefix=SOLVE
// RUN: quant-opt %s --assign-formats="rules=@attention_k=u8g16,layers.1=float,.*=u4g32" --hqq 2>/dev/null | FileCheck %s --check-prefix=HQQ
// HQQ-COUNT-2: #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>
// HQQ: #lowbit.uniform<u8, group = [1, 16], scale = f16, zero = u8>

// A second assignment speaks of what it matches; the rest stays as it was.
// RUN: quant-opt %s --assign-formats="rules=.*=u8" --assign-formats="rules=@head=float" 2>/dev/null | FileCheck %s --check-prefix=AGAIN
// AGAIN-COUNT-8: lowbit.format = #lowbit.uniform<u8,
// AGAIN: {lowbit.format = "float"}

// Without a format of their own, the head and embeddings stay float as ever.
// RUN: quant-opt %s --assign-formats="default=f16" --quantize-rtn 2>%t/remark | FileCheck %s --check-prefix=DEFAULT
// RUN: FileCheck %s --check-prefix=REMARK --input-file=%t/remark
// REMARK: remark: assigned formats to 7 of 9 layers, 16.000 bits per weight{{$}}
// DEFAULT: onnx.Gather
// DEFAULT-COUNT-7: lowbit.matmul
// DEFAULT: onnx.MatMul

// What does not fit takes the first fallback that does.
// RUN: quant-opt %s --assign-formats="rules=@attention_k=q6_K,.*=q5_K fallback=q2_K,ggml report=-" 2>%t/ggml | FileCheck %s --check-prefix=GGML
// RUN: FileCheck %s --check-prefix=FALLBACK --input-file=%t/ggml
// GGML: {lowbit.format = #lowbit.ggml<q5_1>}
// GGML: {lowbit.format = #lowbit.ggml<q8_0>}
// FALLBACK: layers.0/k {{.*}} q8_0 {{.*}} rules[0], not q6_K
// FALLBACK: remark: assigned formats to 9 of 9 layers, {{.*}} bits per weight; 9 take a fallback

// A rule that decides nothing is no error, but worth a word.
// RUN: quant-opt %s --assign-formats="rules=layers=u8,down=u4,nothing=u2" 2>&1 >/dev/null | FileCheck %s --check-prefix=IDLE
// IDLE: warning: rules[1]: 'down' matches only layers that earlier rules took
// IDLE: warning: rules[2]: 'nothing' matches no layer

// TABLE:      warning: rules[4]: '@ffn_(up|gate)' matches only layers that earlier rules took
// TABLE:      layer {{ *}}role {{ *}}shape {{ *}}format {{ *}}bits/weight  by
// TABLE-NEXT: embedding {{ *}}token_embedding {{ *}}8x32 {{ *}}q4_0 {{ *}}4.500  rules[3]
// TABLE-NEXT: layers.0/q {{ *}}attention_q {{ *}}32x32 {{ *}}nf4
// TABLE-SAME: default
// TABLE-NEXT: layers.0/k {{ *}}attention_k {{ *}}32x32 {{ *}}u8 [1, 16] f16 {{ *}}9.500  rules[1]
// TABLE-NEXT: layers.0/v {{ *}}attention_v {{ *}}32x32 {{ *}}u8
// TABLE-NEXT: layers.0/o {{ *}}attention_output {{ *}}32x32 {{ *}}nf4
// TABLE-NEXT: layers.1/gate {{ *}}ffn_gate {{ *}}64x32 {{ *}}float {{ *}}32.000  rules[0]
// TABLE-NEXT: layers.1/up {{ *}}ffn_up {{ *}}64x32 {{ *}}float {{ *}}32.000  rules[0]
// TABLE-NEXT: layers.1/down {{ *}}ffn_down {{ *}}32x64 {{ *}}float {{ *}}32.000  rules[0]
// TABLE-NEXT: logits {{ *}}head {{ *}}8x32 {{ *}}q8_0 {{ *}}8.500  rules[2]
// TABLE:      remark: assigned formats to 9 of 9 layers, {{.*}} bits per weight

func.func @model(%ids: tensor<?x?xi64> {onnx.name = "input_ids"}) -> (tensor<?x?x8xf32> {onnx.name = "logits"}) {
  %none = onnx.NoValue
  // CHECK: onnx.Gather({{.*}}) {lowbit.format = #lowbit.ggml<q4_0>}
  // SOLVE: lowbit.gather {{.*}}#lowbit.ggml<q4_0>
  %table = onnx.Constant dense<0.5> : tensor<8x32xf32>
  %x = onnx.Gather(%table, %ids) {axis = 0 : i64} : (tensor<8x32xf32>, tensor<?x?xi64>) -> tensor<?x?x32xf32> loc("embedding")

  // CHECK: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.codebook<nf4, group = [1, 64], scale = #lowbit.codebook<dynamic8, group = [256, 1], scale = f32, pad>, offset = f32, pad>}
  // CHECK: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u8, group = [1, 16], scale = f16, zero = u8>}
  // CHECK: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u8, group = [1, 16], scale = f16, zero = u8>}
  // SOLVE: lowbit.matmul {{.*}}#lowbit.uniform<u3, group = [1, 32], scale = f16, zero = u3>
  // SOLVE: lowbit.matmul {{.*}}#lowbit.uniform<u8, group = [1, 16], scale = f16, zero = u8>
  // SOLVE: lowbit.matmul {{.*}}#lowbit.uniform<u3, group = [1, 32], scale = f16, zero = u3>
  %wq = onnx.Constant dense<0.25> : tensor<32x32xf32>
  %q = onnx.MatMul(%x, %wq) : (tensor<?x?x32xf32>, tensor<32x32xf32>) -> tensor<?x?x32xf32> loc("layers.0/q")
  %wk = onnx.Constant dense<0.125> : tensor<32x32xf32>
  %k = onnx.MatMul(%x, %wk) : (tensor<?x?x32xf32>, tensor<32x32xf32>) -> tensor<?x?x32xf32> loc("layers.0/k")
  %wv = onnx.Constant dense<0.75> : tensor<32x32xf32>
  %v = onnx.MatMul(%x, %wv) : (tensor<?x?x32xf32>, tensor<32x32xf32>) -> tensor<?x?x32xf32> loc("layers.0/v")
  %y, %pk, %pv, %s = onnx.Attention(%q, %k, %v, %none, %none, %none, %none) {q_num_heads = 2 : i64, kv_num_heads = 2 : i64} : (tensor<?x?x32xf32>, tensor<?x?x32xf32>, tensor<?x?x32xf32>, none, none, none, none) -> (tensor<?x?x32xf32>, none, none, none)
  // CHECK: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.codebook<nf4,
  %wo = onnx.Constant dense<0.375> : tensor<32x32xf32>
  %o = onnx.MatMul(%y, %wo) : (tensor<?x?x32xf32>, tensor<32x32xf32>) -> tensor<?x?x32xf32> loc("layers.0/o")
  %r = onnx.Add(%x, %o) : (tensor<?x?x32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x32xf32>

  // CHECK-COUNT-3: onnx.MatMul({{.*}}) {lowbit.format = "float"}
  // SOLVE-COUNT-3: onnx.MatMul({{.*}}) {lowbit.format = "float"}
  %wg = onnx.Constant dense<0.625> : tensor<32x64xf32>
  %g = onnx.MatMul(%r, %wg) : (tensor<?x?x32xf32>, tensor<32x64xf32>) -> tensor<?x?x64xf32> loc("layers.1/gate")
  %a = onnx.Swish(%g) : (tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  %wu = onnx.Constant dense<-0.5> : tensor<32x64xf32>
  %u = onnx.MatMul(%r, %wu) : (tensor<?x?x32xf32>, tensor<32x64xf32>) -> tensor<?x?x64xf32> loc("layers.1/up")
  %m = onnx.Mul(%a, %u) : (tensor<?x?x64xf32>, tensor<?x?x64xf32>) -> tensor<?x?x64xf32>
  %wd = onnx.Constant dense<0.0625> : tensor<64x32xf32>
  %d = onnx.MatMul(%m, %wd) : (tensor<?x?x64xf32>, tensor<64x32xf32>) -> tensor<?x?x32xf32> loc("layers.1/down")
  %e = onnx.Add(%r, %d) : (tensor<?x?x32xf32>, tensor<?x?x32xf32>) -> tensor<?x?x32xf32>

  // CHECK: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.ggml<q8_0>}
  // SOLVE: lowbit.matmul {{.*}}#lowbit.ggml<q8_0>
  %wh = onnx.Constant dense<0.875> : tensor<32x8xf32>
  %h = onnx.MatMul(%e, %wh) : (tensor<?x?x32xf32>, tensor<32x8xf32>) -> tensor<?x?x8xf32> loc("logits")
  return %h : tensor<?x?x8xf32>
}
