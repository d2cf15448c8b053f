// Where calibration data comes from: arrays for several inputs, and text.

// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: sed '/^ *\/\/ LANGUAGE/,$d' %s > model.mlir
// RUN: %python %S/../Integration/Inputs/make_npz.py both.npz "ids=np.array([[1, 3], [3, 1]])" "bias=np.ones((2, 2, 2), np.float32)"
// RUN: quant-opt model.mlir --collect-importance="calibration=both.npz" | FileCheck %s --check-prefix=BOTH
// BOTH: lowbit.importance = dense<[1.000000e+01, 5.000000e+00]>
// What can be made up may be given, too.
// RUN: %python %S/../Integration/Inputs/make_npz.py mask.npz "ids=np.array([[1, 3]])" "bias=np.ones((1, 2, 2), np.float32)" "mask=np.zeros((1, 2), np.int64)"
// RUN: quant-opt model.mlir --collect-importance="calibration=mask.npz" | FileCheck %s --check-prefix=MASK
// MASK: lowbit.importance = dense<[5.000000e+00, 2.000000e+00]>

// Some of the samples. The same seed takes the same ones.
// RUN: %python %S/../Integration/Inputs/make_npz.py four.npz "ids=np.repeat(np.arange(4), 2).reshape(4, 2)" "bias=np.zeros((4, 2, 2), np.float32)"
// RUN: quant-opt model.mlir --collect-importance="calibration=four.npz samples=2" | FileCheck %s --check-prefix=EVEN
// EVEN: lowbit.importance = dense<[2.000000e+00, 1.000000e+00]>
// RUN: quant-opt model.mlir --collect-importance="calibration=four.npz samples=1 sampling=random seed=1" -o one.mlir
// RUN: quant-opt model.mlir --collect-importance="calibration=four.npz samples=1 sampling=random seed=1" -o again.mlir
// RUN: diff one.mlir again.mlir
// RUN: sh -c 'for seed in 1 2 3 4 5 6 7 8 9 10 11 12; do quant-opt model.mlir --collect-importance="calibration=four.npz samples=1 sampling=random seed=$seed"; done' > others
// RUN: FileCheck %s --check-prefix=OTHERS --input-file=others
// OTHERS-DAG: lowbit.importance = dense<[0.000000e+00, 1.000000e+00]>
// OTHERS-DAG: lowbit.importance = dense<[1.000000e+00, 4.000000e+00]>
// OTHERS-DAG: lowbit.importance = dense<[4.000000e+00, 1.000000e+00]>
// OTHERS-DAG: lowbit.importance = dense<[9.000000e+00, 0.000000e+00]>

// Text: <s>, a space and six letters, in two windows.
// RUN: sed -n '/^ *\/\/ LANGUAGE/,$p' %s > language.mlir
// RUN: %python %S/Inputs/make_tokenizer.py tokens.bin "<unk>" "<s>" " " a
// RUN: printf aaaaaa > text.txt
// RUN: quant-opt language.mlir --collect-importance="calibration=text.txt tokenizer=tokens.bin length=4" | FileCheck %s --check-prefix=TEXT
// TEXT: lowbit.importance = dense<[7.375000e+00, 6.250000e-01]>
// RUN: quant-opt language.mlir --collect-importance="calibration=text.txt tokenizer=tokens.bin length=4 samples=1" | FileCheck %s --check-prefix=WINDOW
// WINDOW: lowbit.importance = dense<[5.750000e+00, 1.250000e+00]>
// RUN: quant-opt language.mlir --gptq="calibration=text.txt tokenizer=tokens.bin length=4 group-size=2" | FileCheck %s --check-prefix=GPTQ
// RUN: quant-opt language.mlir --q4-0="calibration=text.txt tokenizer=tokens.bin length=4 rules=.=u4g2" | FileCheck %s --check-prefix=GPTQ
// GPTQ: lowbit.matmul

// RUN: not quant-opt language.mlir --gptq="calibration=text.txt" 2>&1 | FileCheck %s --check-prefix=TOKENIZER
// TOKENIZER: error: calibration file 'text.txt' is neither .npy nor .npz; for text, name its tokenizer with tokenizer=
// RUN: not quant-opt language.mlir --gptq="calibration=x.npy tokenizer=tokens.bin" 2>&1 | FileCheck %s --check-prefix=NOTEXT
// NOTEXT: error: tokenizer is given, but calibration file 'x.npy' is no text
// RUN: not quant-opt language.mlir --gptq="tokenizer=tokens.bin" 2>&1 | FileCheck %s --check-prefix=NODATA
// NODATA: error: tokenizer is given, but no text to calibrate on
// RUN: not quant-opt language.mlir --gptq="sampling=odd" 2>&1 | FileCheck %s --check-prefix=SAMPLING
// SAMPLING: error: sampling is 'odd', but must be even or random
// RUN: not quant-opt language.mlir --gptq="calibration=absent.txt tokenizer=tokens.bin" 2>&1 | FileCheck %s --check-prefix=ABSENT
// ABSENT: error: cannot cut calibration file 'absent.txt' into tokens: cannot read text 'absent.txt': No such file or directory
// RUN: not quant-opt language.mlir --gptq="calibration=text.txt tokenizer=absent.bin" 2>&1 | FileCheck %s --check-prefix=NOTOKENS
// NOTOKENS: error: {{.*}}: there is no tokenizer 'absent.bin'
// RUN: not quant-opt language.mlir --gptq="calibration=text.txt tokenizer=tokens.bin length=9" -o out.mlir 2>&1 | FileCheck %s --check-prefix=SHORT
// RUN: not test -e out.mlir
// SHORT: error: {{.*}}: text 'text.txt' has only 8 tokens, but a window has 9; ask for shorter ones
// RUN: printf aab > outside.txt
// RUN: %python %S/Inputs/make_tokenizer.py larger.bin "<unk>" "<s>" " " a b
// RUN: not quant-opt language.mlir --gptq="calibration=outside.txt tokenizer=larger.bin length=5" 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// OUTSIDE: error: calibration file 'outside.txt': token 4 in sample 0 is outside the vocabulary of 4
// RUN: %python %S/../Integration/Inputs/make_npz.py none.npy "x=np.zeros((0, 4), np.int32)"
// RUN: not quant-opt language.mlir --gptq="calibration=none.npy" 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: calibration file 'none.npy' holds int32[0, 4], which are no samples for the input 'tokens' of type tensor<?x?xi64>
// RUN: touch empty.npy empty.npz
// RUN: not quant-opt language.mlir --gptq="calibration=empty.npy" 2>&1 | FileCheck %s --check-prefix=EMPTY
// RUN: not quant-opt language.mlir --gptq="calibration=empty.npz" 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: error: {{.*}}empty.np

// RUN: %python %S/../Integration/Inputs/make_npz.py one.npy "x=np.array([[1, 3]])"
// RUN: not quant-opt model.mlir --collect-importance="calibration=one.npy" 2>&1 | FileCheck %s --check-prefix=SEVERAL
// SEVERAL: error: the model has the inputs 'ids', 'bias', but calibration file 'one.npy' is for one; give an .npz file with an array for each
// RUN: %python %S/../Integration/Inputs/make_npz.py name.npz "ids=np.array([[1, 3]])" "bias=np.ones((1, 2, 2), np.float32)" "other=np.zeros(1)"
// RUN: not quant-opt model.mlir --collect-importance="calibration=name.npz" 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: error: calibration file 'name.npz' has an array 'other', but the inputs of the model are 'ids', 'bias', 'mask'
// RUN: %python %S/../Integration/Inputs/make_npz.py missing.npz "ids=np.array([[1, 3]])"
// RUN: not quant-opt model.mlir --collect-importance="calibration=missing.npz" 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: calibration file 'missing.npz' has no array 'bias' for that input of the model
// RUN: %python %S/../Integration/Inputs/make_npz.py count.npz "ids=np.zeros((5, 2), np.int64)" "bias=np.ones((4, 2, 2), np.float32)"
// RUN: not quant-opt model.mlir --collect-importance="calibration=count.npz samples=2" 2>&1 | FileCheck %s --check-prefix=COUNT
// COUNT: error: calibration file 'count.npz' has 5 samples for 'ids', but 4 for 'bias'
// RUN: %python %S/../Integration/Inputs/make_npz.py type.npz "ids=np.zeros((1, 2), np.int64)" "bias=np.ones((1, 2, 2))"
// RUN: not quant-opt model.mlir --collect-importance="calibration=type.npz" 2>&1 | FileCheck %s --check-prefix=TYPE
// TYPE: error: calibration file 'type.npz', array 'bias', holds float64[1, 2, 2], but the input 'bias' takes float32
// RUN: %python %S/../Integration/Inputs/make_npz.py shape.npz "ids=np.zeros((1, 2), np.int64)" "bias=np.ones((1, 2, 3), np.float32)"
// RUN: not quant-opt model.mlir --collect-importance="calibration=shape.npz" 2>&1 | FileCheck %s --check-prefix=SHAPE
// SHAPE: error: calibration file 'shape.npz', array 'bias', holds float32[1, 2, 3], which are no samples for the input 'bias' of type tensor<?x?x2xf32>
// RUN: %python %S/../Integration/Inputs/make_npz.py scalar.npz "ids=np.int64(1)" "bias=np.ones((1, 2, 2), np.float32)"
// RUN: not quant-opt model.mlir --collect-importance="calibration=scalar.npz" 2>&1 | FileCheck %s --check-prefix=SCALAR
// SCALAR: error: calibration file 'scalar.npz', array 'ids', holds int64[], which are no samples for the input 'ids'
// RUN: %python -c "import zipfile; zipfile.ZipFile('hollow.npz', 'w').close()"
// RUN: not quant-opt model.mlir --collect-importance="calibration=hollow.npz" 2>&1 | FileCheck %s --check-prefix=HOLLOW
// HOLLOW: error: {{.*}}hollow.npz

// A model with batches of one size.
// RUN: sed 's/tensor<?x?xi64>/tensor<2x?xi64>/g; s/tensor<?x?x2xf32>/tensor<2x?x2xf32>/g' language.mlir > fixed.mlir
// RUN: %python %S/../Integration/Inputs/make_npz.py pairs.npy "x=np.array([[1, 3], [3, 1], [3, 3], [1, 1]])"
// RUN: quant-opt fixed.mlir --collect-importance="calibration=pairs.npy" | FileCheck %s --check-prefix=FIXED
// FIXED: lowbit.importance = dense<[5.000000e+00, 2.000000e+00]>
// RUN: not quant-opt fixed.mlir --collect-importance="calibration=pairs.npy samples=3" 2>&1 | FileCheck %s --check-prefix=MULTIPLE
// MULTIPLE: error: the model takes 2 samples at once, but there are 3, which is no multiple

func.func @model(%ids: tensor<?x?xi64> {onnx.name = "ids"}, %bias: tensor<?x?x2xf32> {onnx.name = "bias"}, %mask: tensor<?x?xi64> {onnx.name = "mask"}) -> tensor<?x?x2xf32> {
  %table = onnx.Constant dense<[[0.0, 1.0], [1.0, 2.0], [2.0, -1.0], [3.0, 0.0]]> : tensor<4x2xf32>
  %x = onnx.Gather(%table, %ids) {axis = 0 : i64} : (tensor<4x2xf32>, tensor<?x?xi64>) -> tensor<?x?x2xf32>
  %axes = onnx.Constant dense<2> : tensor<1xi64>
  %m = onnx.Cast(%mask) {to = f32} : (tensor<?x?xi64>) -> tensor<?x?xf32>
  %m3 = onnx.Unsqueeze(%m, %axes) : (tensor<?x?xf32>, tensor<1xi64>) -> tensor<?x?x1xf32>
  %b = onnx.Mul(%bias, %m3) : (tensor<?x?x2xf32>, tensor<?x?x1xf32>) -> tensor<?x?x2xf32>
  %sum = onnx.Add(%x, %b) : (tensor<?x?x2xf32>, tensor<?x?x2xf32>) -> tensor<?x?x2xf32>
  %w = onnx.Constant dense<[[0.0, 1.0], [1.0, -1.0]]> : tensor<2x2xf32>
  %y = onnx.MatMul(%sum, %w) : (tensor<?x?x2xf32>, tensor<2x2xf32>) -> tensor<?x?x2xf32> loc("layer")
  return %y : tensor<?x?x2xf32>
}

// LANGUAGE
func.func @language(%tokens: tensor<?x?xi64> {onnx.name = "tokens"}) -> tensor<?x?x2xf32> {
  %table = onnx.Constant dense<[[0.0, 1.0], [1.0, 2.0], [2.0, -1.0], [3.0, 0.0]]> : tensor<4x2xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<4x2xf32>, tensor<?x?xi64>) -> tensor<?x?x2xf32>
  %w = onnx.Constant dense<[[0.0, 1.0], [1.0, -1.0]]> : tensor<2x2xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<?x?x2xf32>, tensor<2x2xf32>) -> tensor<?x?x2xf32> loc("layer")
  return %y : tensor<?x?x2xf32>
}
