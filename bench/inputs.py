"""The files that workloads read, made once in the build directory. No network: a text is taken from what `make data` brought, else from this repository."""
import gzip
import os
import pathlib
import random
import subprocess

TEXT_BYTES, ROWS = 8_000_000, 300_000


def write_whole(path, content):
    """Complete or absent."""
    part = path.with_suffix(".part")
    part.write_bytes(content)
    part.rename(path)


def text(path, source):
    """About 8 MB of English."""
    pages = sorted(pathlib.Path(os.environ.get("DANLU_DATA", pathlib.Path.home() / ".cache/danlu")).glob("anarchism/*.md.gz"))
    found = b"\n\n".join(gzip.decompress(page.read_bytes()) for page in pages)
    if not found:
        found = b"\n\n".join(p.read_bytes() for pattern in ("docs/**/*.md", "danlu/**/*.h", "danlu/**/*.cpp") for p in sorted(source.glob(pattern)))
    found = found.decode("utf-8", "ignore").replace("\0", "").replace("\r\n", "\n")
    write_whole(path, found.encode()[:TEXT_BYTES].decode("utf-8", "ignore").encode())


def table(path, _):
    """Numbers, whole and not, words, and gaps."""
    rng = random.Random(7)
    words = ["car", "house", "education", "repairs", "furniture", "business"]
    lines = ["id,age,amount,rate,score,purpose,region,balance,months,default"]
    for row in range(ROWS):
        balance = "" if rng.random() < 0.05 else f"{rng.gauss(1000, 400):.2f}"
        lines.append(f"{row},{rng.randrange(18, 90)},{rng.randrange(100, 50000)},{rng.random() * 12:.4f},{rng.gauss(0, 1):.6f},{rng.choice(words)},"
                     f"region {rng.randrange(40)},{balance},{rng.randrange(1, 72)},{rng.choice('yn')}")
    write_whole(path, ("\n".join(lines) + "\n").encode())


def prepare(workload, folder, source, program):
    """Paths for the workload's files, and the amount of a step."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {"text": folder / "text.txt", "table": folder / "table.csv", "images": folder / "images", "tokeniser": folder / "tokeniser", "models": folder / "models"}
    for name, make in (("text", text), ("table", table)):
        if name in workload.files and not paths[name].exists():
            make(paths[name], source)
    if "tokeniser" in workload.files and not (paths["tokeniser"] / "tokenizer.json").exists():
        subprocess.run([program, "bpe-train", "f32", paths["text"], paths["tokeniser"]], check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    files = [paths[name] for name in workload.files]
    return files, workload.amount or files[0].stat().st_size / 1e6
