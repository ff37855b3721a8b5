"""What was measured, as JSON and as a page: one pair of files for a day, a machine and a number of threads. A part that is measured again replaces its rows."""
import json
import re


def rate(us, amount):
    per_second = amount / us * 1e6
    return f"{per_second:,.0f}" if per_second >= 100 else f"{per_second:.3g}"


def time_text(us):
    return f"{us:.3g} us" if us < 1e3 else f"{us / 1e3:.3g} ms" if us < 1e6 else f"{us / 1e6:.3g} s"


def percent(share):
    return "" if share is None else f"{100 * share:.0f} %"


def setting_text(peer):
    return f"{peer['version']}, {', '.join(v for v in peer['setting'].values() if v not in ('default', 'contiguous', peer['version'].split()[0]))}".rstrip(", ")


HEADERS = ("workload", "ours", "a second", "the peer's best", "time", "ratio (quartiles)", "of the roofline", "the peer's", "peak MB", "the peer's")


def cells(row):
    ours, peer = row["ours"], row["peer"]
    low, middle, high = row["ratio"] or (0, 0, 0)
    return (row["workload"], time_text(ours["us"]) + ("" if ours["precision"] == "f32" else f" ({ours['precision']})"), f"{rate(ours['us'], row['amount'])} {row['unit']}",
            setting_text(peer) if peer else "-", time_text(peer["us"]) if peer else "", f"**{middle:.2f}** ({low:.2f} to {high:.2f})" if peer else "",
            percent(ours["roofline"]), percent(peer["roofline"]) if peer else "", f"{ours['memory_mb']:.0f}", f"{peer['memory_mb']:.0f}" if peer else "")


def table(headers, rows):
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in (headers, ["---"] * len(headers), *rows))


def page(result):
    machine = result["machine"]
    parts = [f"# {result['date']}: {machine['cpu']}, {machine['threads']} threads",
             f"Danlu {result['danlu']}; {machine['cores']} processors, {machine['memory_gib']} GiB, {machine['system']}; {' '.join(machine['flags'])}.",
             "Made by `make bench` (docs/howto/benchmark.md): both sides in turn, medians; ratio is the peer's time by ours.",
             table(("what the machine does at most", "", ""), [(name, f"{p['value']:.1f}", p["unit"]) for name, p in machine["peaks"].items()]),
             table(HEADERS, map(cells, result["rows"]))]
    loaded = [r for r in result["rows"] if r.get("foreign_load")]
    if loaded:
        parts += ["With a process of somebody else burning one core, a step takes so many times as long:",
                  table(("workload", "ours (quartiles)", "the peer's best"), [(r["workload"], *("-" if f is None else f"**{f[1]:.2f}** ({f[0]:.2f} to {f[2]:.2f})" for f in (
                      r["foreign_load"]["ours"], r["foreign_load"]["peer"]))) for r in loaded])]
    feeding = feeds(result["rows"])
    if feeding:
        parts += ["Images made a second, by those that a training step takes:", table(("", *next(iter(feeding.values()))), [(name, *(f"{x:.1f}" for x in f.values())) for name, f in feeding.items()])]
    absent = sorted({m for r in result["rows"] for m in r["missing"]})
    if absent:
        parts.append("Not measured: " + "; ".join(absent) + ".")
    return "\n\n".join(parts) + "\n"


def feeds(rows):
    """How many times the images that steps take are made."""
    a_second = {r["workload"]: r["amount"] / r["ours"]["us"] for r in rows}
    return {made: {taken: a_second[made] / a_second[taken] for taken in ("cnn", "resnet", "dcgan") if taken in a_second} for made in ("images", "augment")
            if made in a_second and {"cnn", "resnet", "dcgan"} & set(a_second)}


def write(folder, result, order):
    """Adds to what stands there of the same day, machine and threads; returns the path of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", re.sub(r"\((r|tm)\)|processor|cpu", "", result["machine"]["cpu"].lower())).strip("-")
    path = folder / f"{result['date']}-{slug}-{result['machine']['threads']}-threads.json"
    rows = {}
    if path.exists():
        rows = {r["workload"]: r for r in json.loads(path.read_text())["rows"]}
    for row in result["rows"]:
        rows[row["workload"]] = {"foreign_load": rows.get(row["workload"], {}).get("foreign_load"), **row}
    result = {**result, "rows": [rows[name] for name in order if name in rows]}
    for file, content in ((path, json.dumps(result, indent=1) + "\n"), (path.with_suffix(".md"), page(result))):
        part = file.with_suffix(file.suffix + ".part")
        part.write_text(content)
        part.rename(file)
    return path.with_suffix(".md")
