"""What the figures were measured on, and where its limit lies."""
import json
import os
import pathlib
import platform
import subprocess

FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "avx512_fp16", "avx512_vnni", "avx_vnni", "amx_bf16", "amx_int8")


def cpu():
    model, flags = platform.machine(), []
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            model = value.strip()
        if name.strip() in ("flags", "Features"):
            flags = [flag for flag in FLAGS if flag in value.split()]
            break
    return model, flags


def caches():
    """Bytes by level of what the first processor reads data through, with the processors that share each."""
    found = {}
    for folder in pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*"):
        read = lambda name: (folder / name).read_text().strip()  # noqa: E731
        if read("type") != "Instruction":
            found[int(read("level"))] = int(read("size").rstrip("K")) * 1024
    return found


def facts(program, threads):
    """The machine, and its peaks as `danlu bench --machine` measures them now."""
    model, flags = cpu()
    lines = subprocess.run([program, "bench", "--machine", "--log", "json", "--threads", str(threads)], check=True, capture_output=True, text=True).stdout
    peaks = {event["peak"]: {"value": event["value"], "unit": event["unit"]} for event in map(json.loads, lines.splitlines()) if "peak" in event}
    return {"cpu": model, "flags": flags, "cores": os.cpu_count(), "threads": threads, "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
            "caches": {f"l{level}": size for level, size in sorted(caches().items())}, "system": f"{platform.system()} {platform.release()}", "peaks": peaks}


# Of what a program computes products in; a processor has some of them. PyTorch's medium and its bf16 are as ours.
PEAKS = {"f32": ("f32_fma",), "medium": ("f32_fma", "bf16_dot", "bf16_tile"), "bf16": ("f32_fma", "bf16_dot", "bf16_tile")}


def limit_us(work, machine, precision="f32"):
    """The least time of a step on this machine: arithmetic at its peak, then the traffic at the bandwidth of the smallest memory that holds all of it."""
    value = lambda name: machine["peaks"].get(name, {"value": 0})["value"] * 1e9  # noqa: E731
    sizes, threads = machine["caches"], machine["threads"]
    if work.resident <= sizes.get("l2", 0) * threads and "read_l2" in machine["peaks"]:
        bandwidth = value("read_l2")
    elif work.resident <= sizes.get("l3", 0) and "read_l3" in machine["peaks"]:
        bandwidth = value("read_l3")
    else:
        bandwidth = value("read_memory")
    return (work.flops / max(map(value, PEAKS[precision])) + work.traffic / bandwidth) * 1e6
