"""Opens a bundle with the safetensors package and checks its tensors against what the bundle says of itself."""

import json
import pathlib
import sys

import numpy as np
from safetensors.numpy import load_file

bundle = pathlib.Path(sys.argv[1])
tensors = load_file(bundle / "model.safetensors")
assert tensors, "no tensors"
for name, tensor in tensors.items():
    assert tensor.dtype == np.float32, f"{name} is {tensor.dtype}"
    assert np.isfinite(tensor).all(), f"{name} has NaN or infinity"
config = json.loads((bundle / "config.json").read_text())
print(f"interop: safetensors reads {len(tensors)} tensors of {bundle.name}, model {config['model']}")
