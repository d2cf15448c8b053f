// RUN: rm -rf %t && mkdir %t
// RUN: not quant-opt %s --assign-formats 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: error: there is nothing to assign: give rules, a mixture, a default, a recipe or search
// RUN: not quant-opt %s --assign-formats="rules=up" 2>&1 | FileCheck %s --check-prefix=RULE
// RULE: error: rules[0] is 'up', but must be a pattern and a format, such as down_proj=q6_K or @head=float
// RUN: not quant-opt %s --assign-formats="rules=up=u4,=q4_0" 2>&1 | FileCheck %s --check-prefix=PATTERN
// PATTERN: error: rules[1]: there is no pattern
// RUN: not quant-opt %s --assign-formats="rules=*=u4" 2>&1 | FileCheck %s --check-prefix=REGEX
// REGEX: error: rules[0]: '*' is no regular expression: repetition-operator operand invalid
// RUN: not quant-opt %s --assign-formats="rules=up=q9_K" 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: error: rules[0]: the format is 'q9_K', but must be a name such as f16, u4g64, q4_K or nf4, or a format as IR spells it, such as #lowbit.float<f16>, or float{{$}}
// RUN: not quant-opt %s --assign-formats="rules=up=u4,@head=u8,up=u8" 2>&1 | FileCheck %s --check-prefix=CONTRADICTION
// CONTRADICTION: error: rules[2]: 'up' gets u8, but rules[0] gives it u4
// RUN: not quant-opt %s --assign-formats="mixture=Q4_K_X" 2>&1 | FileCheck %s --check-prefix=MIXTURE
// MIXTURE: error: mixture is 'Q4_K_X', but must be one of Q2_K, Q3_K_S, {{.*}}, IQ4_XS{{$}}
// RUN: not quant-opt %s --assign-formats="default=s1" 2>&1 | FileCheck %s --check-prefix=DEFAULT
// DEFAULT: error: default: the format is 's1', but must be a name
// RUN: not quant-opt %s --assign-formats="default=u4 fallback=float,none" 2>&1 | FileCheck %s --check-prefix=FALLBACK
// FALLBACK: error: fallback[1]: the format is 'none', but must be a name

// RUN: not quant-opt %s --assign-formats="rules=up=q6_K" 2>&1 | FileCheck %s --check-prefix=WIDTH
// WIDTH: error: cannot assign q6_K to layer 'up' (rules[0]): q6_K has blocks of 256 columns, which do not divide the 20; {{.*}}; no fallback is given
// RUN: not quant-opt %s --assign-formats="rules=up=q6_K fallback=q4_0" 2>&1 | FileCheck %s --check-prefix=NEITHER
// NEITHER: error: cannot assign q6_K to layer 'up' (rules[0]): q6_K has blocks of 256 columns, which do not divide the 20; {{.*}}; no fallback does

// RUN: not quant-opt %s --assign-formats="recipe=%t/missing.json" 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: cannot read recipe '{{.*}}missing.json': {{[Nn]}}o such file or directory
// RUN: echo '{"rules": [}' > %t/syntax.json
// RUN: not quant-opt %s --assign-formats="recipe=%t/syntax.json" 2>&1 | FileCheck %s --check-prefix=SYNTAX
// SYNTAX: error: {{.*}}syntax.json:[1:{{[0-9]+}}, byte={{[0-9]+}}]: {{.+}}
// RUN: echo '[]' > %t/list.json
// RUN: not quant-opt %s --assign-formats="recipe=%t/list.json" 2>&1 | FileCheck %s --check-prefix=LIST
// LIST: error: {{.*}}list.json: the recipe must be an object
// RUN: echo '{"rule": []}' > %t/key.json
// RUN: not quant-opt %s --assign-formats="recipe=%t/key.json" 2>&1 | FileCheck %s --check-prefix=KEY
// KEY: error: {{.*}}key.json: there is no 'rule', but comment, rules, mixture, default, fallback
// RUN: echo '{"mixture": "Q4_K_M", "mixture": "Q6_K"}' > %t/twice.json
// RUN: not quant-opt %s --assign-formats="recipe=%t/twice.json" 2>&1 | FileCheck %s --check-prefix=TWICE
// TWICE: error: {{.*}}twice.json:[1]: there are two entries 'mixture' in one object; keep one of them
// RUN: echo '{"rules": {}}' > %t/rules.json
// RUN: not quant-opt %s --assign-formats="recipe=%t/rules.json" 2>&1 | FileCheck %s --check-prefix=RULES
// RULES: error: {{.*}}rules.json: rules must be a list
// RUN: echo '{"rules": [{"layers": "up", "format": "u4"}, 4]}' > %t/object.json
// RUN: not quant-opt %s --assign-formats="recipe=%t/object.json" 2>&1 | FileCheck %s --check-prefix=OBJECT
// OBJECT: error: {{.*}}object.json: rules[1] must be an object
// RUN: echo '{"rules": [{"layers": "up", "role": "head", "format": "u4"}]}' > %t/both.json
// RUN: not quant-opt %s --assign-formats="recipe=%t/both.json" 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: error: {{.*}}both.json: rules[0] must have a format, and layers or a role
// RUN: echo '{"rules": [{"layers": "up", "format": 4}]}' > %t/number.json
// RUN: not quant-opt %s --assign-formats="recipe=%t/number.json" 2>&1 | FileCheck %s --check-prefix=NUMBER
// NUMBER: error: {{.*}}number.json: rules[0].format must be a string
// RUN: echo '{"mixture": "Q4_K_M"}' > %t/mixture.json
// RUN: not quant-opt %s --assign-formats="recipe=%t/mixture.json mixture=Q6_K" 2>&1 | FileCheck %s --check-prefix=TWO
// TWO: error: mixture is 'Q6_K', but the recipe's is Q4_K_M
// RUN: echo '{"fallback": ["ggml", "u99"]}' > %t/fallback.json
// RUN: not quant-opt %s --assign-formats="recipe=%t/fallback.json" 2>&1 | FileCheck %s --check-prefix=FILE_FALLBACK
// FILE_FALLBACK: error: {{.*}}fallback.json: fallback[1]: the format is 'u99', but must be a name

// A mixture says when it finds nothing to go by.
// RUN: quant-opt %s --assign-formats="mixture=Q4_K_M" 2>&1 >/dev/null | FileCheck %s --check-prefix=UNKNOWN
// UNKNOWN: warning: no attention is recognized: mixture Q4_K_M has no rule for most layers

// A solver that does not know an assigned format names both.
// RUN: not quant-opt %s --assign-formats="rules=up=bf16" --quantize-hqq="include=up" 2>&1 | FileCheck %s --check-prefix=SOLVER
// SOLVER: error: cannot quantize layer 'up': {{.*}}bf16

func.func @model(%x: tensor<?x20xf32>) -> tensor<?x4xf32> {
  %wu = onnx.Constant dense<0.25> : tensor<20x8xf32>
  %u = onnx.MatMul(%x, %wu) : (tensor<?x20xf32>, tensor<20x8xf32>) -> tensor<?x8xf32> loc("up")
  %wh = onnx.Constant dense<0.5> : tensor<8x4xf32>
  %h = onnx.MatMul(%u, %wh) : (tensor<?x8xf32>, tensor<8x4xf32>) -> tensor<?x4xf32> loc("head")
  return %h : tensor<?x4xf32>
}
