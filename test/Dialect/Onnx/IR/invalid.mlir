// RUN: quant-opt %s --allow-unregistered-dialect -split-input-file -verify-diagnostics

func.func @schema_types(%a: tensor<4xf32>, %b: tensor<4xi64>) {
  // expected-error @below {{'onnx.Add' op 'B' has element type 'i64', but 'A' has 'f32'; they must be equal}}
  %0 = onnx.Add(%a, %b) : (tensor<4xf32>, tensor<4xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @schema_result_type(%a: tensor<4xf32>) {
  // expected-error @below {{'onnx.Neg' op 'Y' has element type 'f64', but 'X' has 'f32'; they must be equal}}
  %0 = onnx.Neg(%a) : (tensor<4xf32>) -> tensor<4xf64>
  return
}

// -----

func.func @element_type(%a: tensor<4xi32>) {
  // expected-error @below {{'onnx.Exp' op operand #0 must be tensor of float values, but got 'tensor<4xi32>'}}
  %0 = onnx.Exp(%a) : (tensor<4xi32>) -> tensor<4xi32>
  return
}

// -----

func.func @string_enum(%a: tensor<4xf32>) {
  // expected-error @below {{attribute 'approximate' failed to satisfy constraint: string attribute that is one of none, tanh}}
  %0 = onnx.Gelu(%a) {approximate = "erf"} : (tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @truth_value(%a: tensor<4x4xf32>) {
  %none = onnx.NoValue
  // expected-error @below {{attribute 'keepdims' failed to satisfy constraint: 64-bit signless integer attribute that is 0 or 1}}
  %0 = onnx.ReduceMean(%a, %none) {keepdims = 2 : i64} : (tensor<4x4xf32>, none) -> tensor<f32>
  return
}

// -----

func.func @axis(%a: tensor<4x8xf32>) {
  // expected-error @below {{'onnx.Softmax' op axis must be in [-2, 1] for 'tensor<4x8xf32>', got 2}}
  %0 = onnx.Softmax(%a) {axis = 2 : i64} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @flatten_axis(%a: tensor<4x8xf32>) {
  // expected-error @below {{'onnx.Flatten' op axis must be in [-3, 2] for 'tensor<4x8xf32>', got 3}}
  %0 = onnx.Flatten(%a) {axis = 3 : i64} : (tensor<4x8xf32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @flatten_rank(%a: tensor<4x8xf32>) {
  // expected-error @below {{'onnx.Flatten' op 'output' must have rank 2, got 'tensor<32xf32>'}}
  %0 = onnx.Flatten(%a) : (tensor<4x8xf32>) -> tensor<32xf32>
  return
}

// -----

func.func @cumsum_axis(%a: tensor<4x8xf32>, %axis: tensor<2xi64>) {
  // expected-error @below {{'onnx.CumSum' op 'axis' must be a single number, got 'tensor<2xi64>'}}
  %0 = onnx.CumSum(%a, %axis) : (tensor<4x8xf32>, tensor<2xi64>) -> tensor<4x8xf32>
  return
}

// -----

func.func @broadcast_operands(%a: tensor<4x8xf32>, %b: tensor<7xf32>) {
  // expected-error @below {{'onnx.Mul' op operands do not broadcast: dimension -1 is 8 and 7}}
  %0 = onnx.Mul(%a, %b) : (tensor<4x8xf32>, tensor<7xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @broadcast_rank(%a: tensor<4x8xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{'onnx.Mul' op result must have rank 2, got 'tensor<8xf32>'}}
  %0 = onnx.Mul(%a, %b) : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return
}

// -----

func.func @broadcast_result(%a: tensor<?x8xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{'onnx.Mul' op result dimension -1 must be 8, got 9}}
  %0 = onnx.Mul(%a, %b) : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x9xf32>
  return
}

// -----

func.func @mod_float(%a: tensor<4xf32>) {
  // expected-error @below {{'onnx.Mod' op fmod must be 1 for elements of type 'f32'}}
  %0 = onnx.Mod(%a, %a) : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @cast_type(%a: tensor<4xf32>) {
  // expected-error @below {{'onnx.Cast' op result must have element type 'f16' as 'to' says, got 'f64'}}
  %0 = onnx.Cast(%a) {to = f16} : (tensor<4xf32>) -> tensor<4xf64>
  return
}

// -----

func.func @gather_elements_rank(%a: tensor<4x8xf32>, %i: tensor<4xi64>) {
  // expected-error @below {{'onnx.GatherElements' op 'indices' must have rank 2, got 'tensor<4xi64>'}}
  %0 = onnx.GatherElements(%a, %i) : (tensor<4x8xf32>, tensor<4xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @gather_nd_batch(%a: tensor<4x8xf32>, %i: tensor<4x1xi64>) {
  // expected-error @below {{'onnx.GatherND' op batch_dims must be non-negative and less than both ranks, got 2}}
  %0 = onnx.GatherND(%a, %i) {batch_dims = 2 : i64} : (tensor<4x8xf32>, tensor<4x1xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @gather_nd_depth(%a: tensor<4x8xf32>, %i: tensor<4x3xi64>) {
  // expected-error @below {{'onnx.GatherND' op the last dimension of 'indices' must be in [1, 2], got 3}}
  %0 = onnx.GatherND(%a, %i) : (tensor<4x8xf32>, tensor<4x3xi64>) -> tensor<4xf32>
  return
}

// -----

func.func @scatter_elements_rank(%a: tensor<4x8xf32>, %i: tensor<4x8xi64>, %u: tensor<4xf32>) {
  // expected-error @below {{'onnx.ScatterElements' op 'updates' must have rank 2, got 'tensor<4xf32>'}}
  %0 = onnx.ScatterElements(%a, %i, %u) : (tensor<4x8xf32>, tensor<4x8xi64>, tensor<4xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @scatter_nd_depth(%a: tensor<4x8xf32>, %i: tensor<4x3xi64>, %u: tensor<4xf32>) {
  // expected-error @below {{'onnx.ScatterND' op the last dimension of 'indices' must be at most 2, got 3}}
  %0 = onnx.ScatterND(%a, %i, %u) : (tensor<4x8xf32>, tensor<4x3xi64>, tensor<4xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @one_hot_values(%i: tensor<4xi64>, %depth: tensor<i64>, %v: tensor<3xf32>) {
  // expected-error @below {{'onnx.OneHot' op 'values' must be [off, on], got 3 elements}}
  %0 = onnx.OneHot(%i, %depth, %v) : (tensor<4xi64>, tensor<i64>, tensor<3xf32>) -> tensor<4x?xf32>
  return
}

// -----

func.func @concat_rank(%a: tensor<4x8xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{'onnx.Concat' op inputs must have one rank, got 'tensor<4x8xf32>' and 'tensor<8xf32>'}}
  %0 = onnx.Concat(%a, %b) {axis = 0 : i64} : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<5x8xf32>
  return
}

// -----

func.func @concat_dims(%a: tensor<4x8xf32>, %b: tensor<4x7xf32>) {
  // expected-error @below {{'onnx.Concat' op inputs must agree in dimension 1, got 'tensor<4x8xf32>' and 'tensor<4x7xf32>'}}
  %0 = onnx.Concat(%a, %b) {axis = -2 : i64} : (tensor<4x8xf32>, tensor<4x7xf32>) -> tensor<8x8xf32>
  return
}

// -----

func.func @split_both(%a: tensor<8xf32>, %s: tensor<2xi64>) {
  // expected-error @below {{'onnx.Split' op must not have both 'split' and num_outputs}}
  %0:2 = onnx.Split(%a, %s) {num_outputs = 2 : i64} : (tensor<8xf32>, tensor<2xi64>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @split_count(%a: tensor<8xf32>, %s: tensor<3xi64>) {
  // expected-error @below {{'onnx.Split' op 'split' has 3 elements, but 2 results}}
  %0:2 = onnx.Split(%a, %s) : (tensor<8xf32>, tensor<3xi64>) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @split_outputs(%a: tensor<8xf32>) {
  %none = onnx.NoValue
  // expected-error @below {{'onnx.Split' op num_outputs is 4, but 2 results}}
  %0:2 = onnx.Split(%a, %none) {num_outputs = 4 : i64} : (tensor<8xf32>, none) -> (tensor<4xf32>, tensor<4xf32>)
  return
}

// -----

func.func @transpose_rank(%a: tensor<4x8xf32>) {
  // expected-error @below {{'onnx.Transpose' op perm has 3 elements, but 'tensor<4x8xf32>' has rank 2}}
  %0 = onnx.Transpose(%a) {perm = array<i64: 0, 1, 2>} : (tensor<4x8xf32>) -> tensor<4x8xf32>
  return
}

// -----

func.func @transpose_perm(%a: tensor<4x8xf32>) {
  // expected-error @below {{'onnx.Transpose' op perm must be a permutation of 0 to 1, got [1, 1]}}
  %0 = onnx.Transpose(%a) {perm = array<i64: 1, 1>} : (tensor<4x8xf32>) -> tensor<8x4xf32>
  return
}

// -----

func.func @matmul_scalar(%a: tensor<4x8xf32>, %b: tensor<f32>) {
  // expected-error @below {{'onnx.MatMul' op operands must have at least rank 1}}
  %0 = onnx.MatMul(%a, %b) : (tensor<4x8xf32>, tensor<f32>) -> tensor<4xf32>
  return
}

// -----

func.func @matmul_dims(%a: tensor<?x8xf32>, %b: tensor<9x4xf32>) {
  // expected-error @below {{'onnx.MatMul' op the last dimension of 'A' and the summed one of 'B' must be equal, got 8 and 9}}
  %0 = onnx.MatMul(%a, %b) : (tensor<?x8xf32>, tensor<9x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @gemm_rank(%a: tensor<2x4x8xf32>, %b: tensor<8x4xf32>) {
  %none = onnx.NoValue
  // expected-error @below {{'onnx.Gemm' op 'A' must have rank 2, got 'tensor<2x4x8xf32>'}}
  %0 = onnx.Gemm(%a, %b, %none) : (tensor<2x4x8xf32>, tensor<8x4xf32>, none) -> tensor<4x4xf32>
  return
}

// -----

func.func @gemm_dims(%a: tensor<4x8xf32>, %b: tensor<8x5xf32>) {
  %none = onnx.NoValue
  // expected-error @below {{'onnx.Gemm' op the summed dimensions of 'A' and 'B' must be equal, got 8 and 5}}
  %0 = onnx.Gemm(%a, %b, %none) {transB = 1 : i64} : (tensor<4x8xf32>, tensor<8x5xf32>, none) -> tensor<4x8xf32>
  return
}

// -----

func.func @gemm_bias(%a: tensor<4x8xf32>, %b: tensor<8x5xf32>, %c: tensor<1x4x5xf32>) {
  // expected-error @below {{'onnx.Gemm' op 'C' must have at most rank 2, got 'tensor<1x4x5xf32>'}}
  %0 = onnx.Gemm(%a, %b, %c) : (tensor<4x8xf32>, tensor<8x5xf32>, tensor<1x4x5xf32>) -> tensor<4x5xf32>
  return
}

// -----

func.func @rotary_rank(%x: tensor<4x8xf32>, %c: tensor<4x2x4xf32>) {
  %none = onnx.NoValue
  // expected-error @below {{'onnx.RotaryEmbedding' op 'X' must have rank 3 or 4, got 'tensor<4x8xf32>'}}
  %0 = onnx.RotaryEmbedding(%x, %c, %c, %none) : (tensor<4x8xf32>, tensor<4x2x4xf32>, tensor<4x2x4xf32>, none) -> tensor<4x8xf32>
  return
}

// -----

func.func @rotary_heads(%x: tensor<1x4x8xf32>, %c: tensor<1x4x4xf32>) {
  %none = onnx.NoValue
  // expected-error @below {{'onnx.RotaryEmbedding' op with 'X' of rank 3 needs num_heads}}
  %0 = onnx.RotaryEmbedding(%x, %c, %c, %none) : (tensor<1x4x8xf32>, tensor<1x4x4xf32>, tensor<1x4x4xf32>, none) -> tensor<1x4x8xf32>
  return
}

// -----

func.func @rotary_cache(%x: tensor<1x2x4x8xf32>, %c: tensor<4x4xf32>) {
  %none = onnx.NoValue
  // expected-error @below {{'onnx.RotaryEmbedding' op 'cos_cache' must have rank 3, got 'tensor<4x4xf32>'}}
  %0 = onnx.RotaryEmbedding(%x, %c, %c, %none) : (tensor<1x2x4x8xf32>, tensor<4x4xf32>, tensor<4x4xf32>, none) -> tensor<1x2x4x8xf32>
  return
}

// -----

func.func @attention_heads(%q: tensor<1x5x4x8xf32>, %k: tensor<1x2x4x8xf32>) {
  %n = onnx.NoValue
  // expected-error @below {{'onnx.Attention' op the number of query heads, 5, must be a multiple of the number of key heads, 2}}
  %0:4 = onnx.Attention(%q, %k, %k, %n, %n, %n, %n)
      : (tensor<1x5x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, none, none, none, none)
      -> (tensor<1x5x4x8xf32>, none, none, none)
  return
}

// -----

func.func @attention_no_heads(%q: tensor<1x4x8xf32>) {
  %n = onnx.NoValue
  // expected-error @below {{'onnx.Attention' op with 'Q' of rank 3 needs q_num_heads and kv_num_heads}}
  %0:4 = onnx.Attention(%q, %q, %q, %n, %n, %n, %n)
      : (tensor<1x4x8xf32>, tensor<1x4x8xf32>, tensor<1x4x8xf32>, none, none, none, none)
      -> (tensor<1x4x8xf32>, none, none, none)
  return
}

// -----

func.func @attention_past(%q: tensor<1x2x4x8xf32>) {
  %n = onnx.NoValue
  // expected-error @below {{'onnx.Attention' op needs both of 'past_key' and 'past_value', or neither}}
  %0:4 = onnx.Attention(%q, %q, %q, %n, %q, %n, %n)
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, none, tensor<1x2x4x8xf32>, none, none)
      -> (tensor<1x2x4x8xf32>, none, none, none)
  return
}

// -----

func.func @attention_lengths(%q: tensor<1x2x4x8xf32>, %v: tensor<1x2x5x8xf32>) {
  %n = onnx.NoValue
  // expected-error @below {{'onnx.Attention' op the sequence lengths of 'K' and 'V' must be equal, got 4 and 5}}
  %0:4 = onnx.Attention(%q, %q, %v, %n, %n, %n, %n)
      : (tensor<1x2x4x8xf32>, tensor<1x2x4x8xf32>, tensor<1x2x5x8xf32>, none, none, none, none)
      -> (tensor<1x2x4x8xf32>, none, none, none)
  return
}

// -----

func.func @custom_graphs(%a: tensor<i1>) {
  // expected-error @below {{'onnx.Custom' op has 1 regions, but names 2 graphs}}
  onnx.Custom "If"(%a) opset(17) graphs ["then_branch", "else_branch"] {
    onnx.Yield
  } : (tensor<i1>) -> ()
  return
}

// -----

func.func @custom_opset(%a: tensor<i1>) {
  // expected-error @below {{'onnx.Custom' op opset version must be positive, got 0}}
  onnx.Custom "Foo"(%a) opset(0) : (tensor<i1>) -> ()
  return
}

// -----

func.func @custom_terminator(%a: tensor<i1>) {
  // expected-error @below {{'onnx.Custom' op graph must end with an onnx.Yield}}
  onnx.Custom "If"(%a) opset(17) graphs ["then_branch"] {
    "test.end"() : () -> ()
  } : (tensor<i1>) -> ()
  return
}

// -----

func.func @constant_type() {
  // expected-error @below {{attribute 'value' failed to satisfy constraint: dense or external tensor constant}}
  %0 = "onnx.Constant"() {value = 1 : i64} : () -> tensor<i64>
  return
}

// -----

func.func @cache_of_batches(%cache: tensor<2x8x4xf32>, %rows: tensor<2x1x4xf32>, %none: none) {
  // expected-error @below {{axis must not be the batch, dimension 0}}
  %0 = onnx.TensorScatter(%cache, %rows, %none) {axis = 0 : i64} : (tensor<2x8x4xf32>, tensor<2x1x4xf32>, none) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @more_rows_than_cache(%cache: tensor<2x8x4xf32>, %rows: tensor<2x9x4xf32>, %none: none) {
  // expected-error @below {{'update' must fit into the cache in dimension 1, got 'tensor<2x9x4xf32>' and 'tensor<2x8x4xf32>'}}
  %0 = onnx.TensorScatter(%cache, %rows, %none) : (tensor<2x8x4xf32>, tensor<2x9x4xf32>, none) -> tensor<2x8x4xf32>
  return
}

// -----

func.func @cache_indices(%cache: tensor<2x8x4xf32>, %rows: tensor<2x1x4xf32>, %at: tensor<3xi64>) {
  // expected-error @below {{the batches of the cache and of 'write_indices' must be equal, got 2 and 3}}
  %0 = onnx.TensorScatter(%cache, %rows, %at) : (tensor<2x8x4xf32>, tensor<2x1x4xf32>, tensor<3xi64>) -> tensor<2x8x4xf32>
  return
}
