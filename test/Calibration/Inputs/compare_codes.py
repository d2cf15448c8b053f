"""Says of each quantized weight of three models whether the first, and the third, is the same as the second."""

import re
import sys

constants = [re.findall(r"lowbit.constant \{.*?\}", open(path).read(), re.S) for path in sys.argv[1:]]
for index, (layer, block, plain) in enumerate(zip(*constants, strict=True)):
    print(f"layer {index}: {', '.join('the same' if other == block else 'others' for other in (layer, plain))}")
