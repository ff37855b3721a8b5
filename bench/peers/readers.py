"""The peers of csv and images:  readers.py WORKLOAD SETTING PATH, a setting as JSON {"library": ...}.

csv: the table at PATH, its columns typed. images: the JPEG files in PATH decoded, brought to 224 x 224 as bilinear does with antialiasing, mirrored and
shifted at random, and normalised, by as many threads as OMP_NUM_THREADS says.
"""
import concurrent.futures
import importlib
import json
import os
import pathlib
import random
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent))
from measure import answer  # noqa: E402

THREADS = int(os.environ["OMP_NUM_THREADS"])
SIDE, SHIFT = 224, 22
os.environ["POLARS_MAX_THREADS"] = str(THREADS)


def read_pandas(pandas, path):
    return lambda: len(pandas.read_csv(path))


def read_polars(polars, path):
    return lambda: len(polars.read_csv(path))


def read_pyarrow(pyarrow, path):
    from pyarrow import csv
    pyarrow.set_cpu_count(THREADS)
    return lambda: csv.read_csv(path).num_rows


def read_numpy(numpy, path):
    return lambda: len(numpy.genfromtxt(path, delimiter=",", names=True, dtype=None, encoding="utf-8"))


def vary(numpy, pixels, out):
    """Mirrors and shifts (H, W, 3) bytes into normalised floats; what comes in from outside is 0."""
    down, right = random.randint(-SHIFT, SHIFT), random.randint(-SHIFT, SHIFT)
    moved = numpy.zeros_like(pixels)
    to = lambda by: slice(max(by, 0), SIDE + min(by, 0))  # noqa: E731
    moved[to(down), to(right)] = pixels[to(-down), to(-right)]
    if random.random() < 0.5:
        moved = moved[:, ::-1]
    numpy.multiply(moved, 1 / (255 * 0.25), out=out)
    out -= 0.5 / 0.25


def load_pillow(image, paths):
    import numpy
    from PIL import Image
    x = numpy.empty((len(paths), SIDE, SIDE, 3), numpy.float32)

    def load(i):
        with Image.open(paths[i]) as picture:
            vary(numpy, numpy.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)), x[i])

    pool = concurrent.futures.ThreadPoolExecutor(THREADS)
    return lambda: len(list(pool.map(load, range(len(paths)))))


def load_torchvision(torchvision, paths):
    import torch
    from torchvision.io import read_file, decode_jpeg
    from torchvision.transforms import v2
    torch.set_num_threads(1)
    transform = v2.Compose([v2.Resize((SIDE, SIDE), antialias=True), v2.RandomHorizontalFlip(), v2.RandomAffine(0, (0.1, 0.1)),
                            v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.25] * 3)])
    pool = concurrent.futures.ThreadPoolExecutor(THREADS)
    return lambda: len(list(pool.map(lambda path: transform(decode_jpeg(read_file(str(path)))), paths)))


def load_opencv(cv2, paths):
    import numpy
    cv2.setNumThreads(1)
    x = numpy.empty((len(paths), SIDE, SIDE, 3), numpy.float32)

    def load(i):
        vary(numpy, cv2.cvtColor(cv2.resize(cv2.imread(str(paths[i])), (SIDE, SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB), x[i])

    pool = concurrent.futures.ThreadPoolExecutor(THREADS)
    return lambda: len(list(pool.map(load, range(len(paths)))))


READ = {"pandas": read_pandas, "polars": read_polars, "pyarrow": read_pyarrow, "numpy": read_numpy}
LOAD = {"pillow": load_pillow, "torchvision": load_torchvision, "opencv": load_opencv}
MODULES = {"pillow": "PIL", "opencv": "cv2"}


def main():
    workload, library, path = sys.argv[1], json.loads(sys.argv[2])["library"], pathlib.Path(sys.argv[3])
    try:
        module = importlib.import_module(MODULES.get(library, library))
    except ImportError:
        print(json.dumps({"missing": f"{library} is not installed"}), flush=True)
        return
    step = READ[library](module, path) if workload == "csv" else LOAD[library](module, sorted(path.glob("*.jpg")))
    answer(step, {"version": f"{library} {module.__version__}", "items": step()})


if __name__ == "__main__":
    main()
