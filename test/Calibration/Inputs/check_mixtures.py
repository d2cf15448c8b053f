"""Holds --assign-formats against the types that llama.cpp gave the tensors of some Llamas:
check_mixtures.py mixtures.json folder. benchmarks/ggml_mixtures.py makes the file."""

import json
import pathlib
import subprocess
import sys

VOCABULARY = 32
TOKENS = "1x4"
NAMES = {"attention_q": "q", "attention_k": "k", "attention_v": "v", "attention_output": "o", "ffn_gate": "gate",
         "ffn_up": "up", "ffn_down": "down"}


class Function:
    """One model, whose layers have names that say nothing of their roles."""

    def __init__(self, shape):
        self.shape, self.lines, self.names, self.count = shape, [], {}, 0
        head = shape["width"] // shape["heads"]
        self.narrow = shape["kv_heads"] * head

    def add(self, text, location=""):
        self.count += 1
        self.lines.append(f"  %{self.count} = {text}{location}")
        return f"%{self.count}"

    def tensor(self, width):
        return f"tensor<{TOKENS}x{width}xf32>"

    def linear(self, x, cols, rows, role, value=None):
        name = f"{self.shape['name']}/{len(self.names)}/MatMul"
        # Equal layers would become one.
        value = value or 1 + len(self.names) / 1024
        self.names[name] = role
        w = self.add(f"onnx.Constant dense<{value}> : tensor<{cols}x{rows}xf32>")
        return self.add(f"onnx.MatMul({x}, {w}) : ({self.tensor(cols)}, tensor<{cols}x{rows}xf32>) -> {self.tensor(rows)}",
                        f' loc("{name}")')

    def norm(self, x):
        width = self.shape["width"]
        scale = self.add(f"onnx.Constant dense<1.0> : tensor<{width}xf32>")
        return self.add(f"onnx.RMSNormalization({x}, {scale}) : ({self.tensor(width)}, tensor<{width}xf32>) -> "
                        f"{self.tensor(width)}")

    def sum(self, x, y):
        t = self.tensor(self.shape["width"])
        return self.add(f"onnx.Add({x}, {y}) : ({t}, {t}) -> {t}")

    def block(self, x, layer):
        width, hidden, narrow = self.shape["width"], self.shape["hidden"], self.narrow
        wide, kv, inner = self.tensor(width), self.tensor(narrow), self.tensor(hidden)
        h = self.norm(x)
        q = self.linear(h, width, width, ("attention_q", layer))
        k = self.linear(h, width, narrow, ("attention_k", layer))
        v = self.linear(h, width, narrow, ("attention_v", layer))
        self.count += 1
        y = f"%{self.count}"
        self.lines.append(f"  {y}, %k{self.count}, %v{self.count}, %s{self.count} = onnx.Attention({q}, {k}, {v}, %none, %none, "
                          f"%none, %none) {{q_num_heads = {self.shape['heads']} : i64, kv_num_heads = "
                          f"{self.shape['kv_heads']} : i64}} : ({wide}, {kv}, {kv}, none, none, none, none) -> "
                          f"({wide}, none, none, none)")
        x = self.sum(x, self.linear(y, width, width, ("attention_output", layer)))
        h = self.norm(x)
        gate = self.linear(h, width, hidden, ("ffn_gate", layer))
        gate = self.add(f"onnx.Swish({gate}) : ({inner}) -> {inner}")
        up = self.linear(h, width, hidden, ("ffn_up", layer))
        inside = self.add(f"onnx.Mul({gate}, {up}) : ({inner}, {inner}) -> {inner}")
        return self.sum(x, self.linear(inside, hidden, width, ("ffn_down", layer)))

    def text(self):
        width = self.shape["width"]
        table = f"tensor<{VOCABULARY}x{width}xf32>"
        self.names[f"{self.shape['name']}/0/Gather"] = ("token_embedding", None)
        w = self.add(f"onnx.Constant dense<0.25> : {table}")
        x = self.add(f"onnx.Gather({w}, %ids) {{axis = 0 : i64}} : ({table}, tensor<{TOKENS}xi64>) -> {self.tensor(width)}",
                     f" loc(\"{self.shape['name']}/0/Gather\")")
        for layer in range(self.shape["layers"]):
            x = self.block(x, layer)
        value = 0.25 if self.shape.get("tied") else 0.125
        x = self.linear(self.norm(x), width, VOCABULARY, ("head", None), value)
        result = self.tensor(VOCABULARY)
        head = (f'func.func @{self.shape["name"]}(%ids: tensor<{TOKENS}xi64> {{onnx.name = "input_ids"}}) -> {result} {{\n'
                "  %none = onnx.NoValue\n")
        return head + "\n".join(self.lines) + f"\n  return {x} : {result}\n}}\n"


def expected_type(types, role, layer, shape):
    # What is tied is in the file once.
    text = types["token_embedding" if role == "head" and shape.get("tied") else role]
    return text.split()[layer] if layer is not None and " " in text else text


def main():
    folder = pathlib.Path(sys.argv[2])
    shapes = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    functions = [Function(shape) for shape in shapes]
    model = folder / "llamas.mlir"
    model.write_text("".join(function.text() for function in functions), encoding="utf-8")
    wrong = count = 0
    for mixture in shapes[0]["mixtures"]:
        report = folder / f"{mixture}.json"
        subprocess.run(["quant-opt", str(model), f"--assign-formats=mixture={mixture} report={report}", "-o", "/dev/null"],
                       check=True, stderr=subprocess.DEVNULL)
        formats = {rule["layers"]: rule["format"] for rule in json.loads(report.read_text(encoding="utf-8"))["rules"]}
        for function, shape in zip(functions, shapes):
            for name, (role, layer) in function.names.items():
                kind = expected_type(shape["mixtures"][mixture], role, layer, shape)
                expected = f"#lowbit.{'float' if kind == 'f16' else 'ggml'}<{kind}>"
                count += 1
                if formats.get(f"^{name}$") != expected:
                    wrong += 1
                    print(f"{mixture}, {name}, {role} {layer}: {formats.get(f'^{name}$')}, expected {expected}")
    print(f"{count - wrong} of {count} types agree")


if __name__ == "__main__":
    main()
