"""The driver without a program to measure: what it makes of times, settings, arguments and processes that answer, or do not."""
import contextlib
import io
import json
import pathlib
import re
import sys
import tempfile
import unittest

import base
import machine
import measure
import results
import run
import workloads

HERE = pathlib.Path(__file__).parent
# Answers each step with as many microseconds as its argument says, and 7 MB.
FAKE = "import sys\nprint('{\"version\": \"fake 1\", \"items\": 3}', flush=True)\nfor line in sys.stdin: print(sys.argv[1], 7.0, flush=True)"


def fake(us):
    return measure.Process([sys.executable, "-c", FAKE, us])


class Arguments(unittest.TestCase):
    def refuse(self, words, said):
        with contextlib.redirect_stderr(io.StringIO()) as error, self.assertRaises(SystemExit):
            run.parse(words)
        self.assertIn(said, error.getvalue())

    def test_names_patterns_and_kinds_in_the_order_of_the_table(self):
        names = lambda *words: [w.name for w in run.parse(["--threads", "1", *words]).chosen]  # noqa: E731
        self.assertEqual(names("cnn", "mlp"), ["mlp", "cnn"])
        self.assertEqual(names("mlp-infer-*"), ["mlp-infer-1", "mlp-infer-64"])
        self.assertEqual(names("data")[0], "bpe-train")
        self.assertEqual(len(names()), len(workloads.WORKLOADS))

    def test_what_is_not_there_is_refused(self):
        self.refuse(["perceptron"], "got the workload perceptron; expected training, inference, generation, data")
        self.refuse(["--threads", "100000"], "got 100000 threads; expected 1 to")

    def test_every_row_has_its_workload_on_our_side_and_its_peer(self):
        ours = "".join(p.read_text() for p in (HERE / "danlu").glob("*.cpp"))
        for row in workloads.WORKLOADS:
            self.assertIn('"' + re.sub(r"-infer-\d+|-(\d+-)?q\d$", "", row.name) + '"', ours)
            if row.peer:
                peer = HERE / "peers" / row.peer
                compile(peer.read_text(), str(peer), "exec")


class Slower(unittest.TestCase):
    base = [100, 110, 90, 105, 95, 100, 120, 100]

    def test_a_slower_run_is_found_through_noise_that_both_share(self):
        self.assertTrue(measure.is_slower([1.1 * t for t in self.base], self.base))

    def test_the_same_and_a_little_slower_and_faster_are_not(self):
        for factor in (1.0, 1.03, 0.8):
            self.assertFalse(measure.is_slower([factor * t for t in self.base], self.base))

    def test_what_lies_within_the_spread_is_not(self):
        self.assertFalse(measure.is_slower([130, 80, 125, 90, 128, 120, 85, 140], [100] * 8))


class Revisions(unittest.TestCase):
    def compare(self, us):
        """Two programs, the second of which takes 200 ms."""
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()) as said:
            programs = []
            for name, step_us in (("ours", us), ("base", 200000)):
                programs.append(pathlib.Path(folder, name))
                programs[-1].write_text(f"#!{sys.executable}\n" + FAKE.replace("sys.argv[1]", str(step_us)))
                programs[-1].chmod(0o755)
            slower = base.compare(workloads.select(["mlp"]), *programs, "f32", pathlib.Path(folder, "inputs"), HERE.parent, {}, 0.1)
        return slower, said.getvalue()

    def test_the_slower_revision_is_named(self):
        slower, said = self.compare(220000)
        self.assertEqual(slower, ["mlp"])
        self.assertRegex(said, r"mlp .*1\.100 of its time \(1\.100 to 1\.100\)  SLOWER")

    def test_the_others_are_not(self):
        self.assertEqual(self.compare(206000)[0], [])
        slower, said = self.compare(150000)
        self.assertEqual(slower, [])
        self.assertIn("faster", said)


class Settings(unittest.TestCase):
    cost = {"precision": {"f32": 1.0, "bf16": 0.5}, "mode": {"eager": 1.0, "compile": 2.0}}

    def test_each_kind_is_tried_on_the_best_so_far(self):
        asked = []

        def time_of(setting):
            asked.append(tuple(setting.values()))
            return self.cost["precision"][setting["precision"]] * self.cost["mode"][setting["mode"]]

        tried = measure.choose({kind: tuple(values) for kind, values in self.cost.items()}, time_of)
        self.assertEqual(asked, [("f32", "eager"), ("bf16", "eager"), ("bf16", "compile")])
        self.assertEqual(tried[0], (0.5, {"precision": "bf16", "mode": "eager"}))

    def test_a_setting_that_is_missing_is_passed_over(self):
        def time_of(setting):
            if setting["library"] != "second":
                raise measure.Missing("not installed")
            return 3

        self.assertEqual(measure.choose({"library": ("first", "second", "third")}, time_of), [(3, {"library": "second"})])
        self.assertEqual(measure.choose({"library": ("first", "third")}, time_of), [])


class Processes(unittest.TestCase):
    def test_two_in_turn(self):
        processes = [fake(200000), fake(300000)]
        ours, theirs = measure.alternate(processes, 0.1)
        for process in processes:
            process.close()
        self.assertEqual((ours, theirs), ([200000.0] * len(ours), [300000.0] * len(ours)))
        self.assertGreaterEqual(len(ours), 3)
        self.assertEqual(measure.ratios(ours, theirs), (1.5, 1.5, 1.5))
        self.assertEqual((processes[0].memory, processes[0].about["items"]), (7.0, 3))

    def test_a_peer_that_is_not_there_or_falls_over_is_told(self):
        with self.assertRaisesRegex(measure.Missing, "torch is not installed"):
            measure.Process([sys.executable, "-c", "print('{\"missing\": \"torch is not installed\"}')"])
        with self.assertRaisesRegex(measure.Missing, "ended with 1: .*ZeroDivisionError"):
            measure.Process([sys.executable, "-c", "1 / 0"])
        with self.assertRaisesRegex(measure.Missing, "no answer within 0.2 s"):
            measure.Process([sys.executable, "-c", "import time; time.sleep(60)"], patience=0.2)


class Roofline(unittest.TestCase):
    machine = {"threads": 2, "caches": {"l2": 1 << 20, "l3": 1 << 25}, "peaks": {
        "f32_fma": {"value": 400}, "read_l2": {"value": 300}, "read_l3": {"value": 60}, "read_memory": {"value": 30}}}

    def test_work_and_traffic_of_the_memory_that_holds_it(self):
        limit = lambda resident: machine.limit_us(workloads.Work(4e8, 3e7, resident), self.machine)  # noqa: E731
        self.assertAlmostEqual(limit(2 << 20), 1000 + 100)
        self.assertAlmostEqual(limit(3 << 20), 1000 + 500)
        self.assertAlmostEqual(limit(1 << 30), 1000 + 1000)

    def test_rounded_products_at_the_best_peak_there_is(self):
        work = workloads.Work(4e8, 0, 1)
        self.assertAlmostEqual(machine.limit_us(work, self.machine, "medium"), 1000)
        with_tiles = {**self.machine, "peaks": {**self.machine["peaks"], "bf16_dot": {"value": 200}, "bf16_tile": {"value": 1600}}}
        self.assertAlmostEqual(machine.limit_us(work, with_tiles, "medium"), 250)
        self.assertAlmostEqual(machine.limit_us(work, with_tiles, "bf16"), 250)
        self.assertAlmostEqual(machine.limit_us(work, with_tiles), 1000)

    def test_work_of_known_networks(self):
        self.assertEqual(workloads.mlp(64).training().flops, 6 * 64 * 109184 - 2 * 64 * 784 * 128)
        gpt2 = next(w.work for w in workloads.WORKLOADS if w.name == "gpt2")
        self.assertAlmostEqual(gpt2.resident / 16, 124e6, delta=1e6)
        self.assertAlmostEqual(gpt2.flops / (6 * 1024 * 124e6), 1.03, delta=0.02)  # six operations a token and parameter, and attention


class Results(unittest.TestCase):
    def row(self, name, us, peer):
        return {"workload": name, "kind": "training", "unit": "images", "amount": 64, "rounds": 5, "limit_us": 50, "work": None, "missing": [] if peer else ["torch is not installed"],
                "ours": {"precision": "f32", "us": us, "memory_mb": 10, "roofline": 0.5, "all_us": {"f32": us}},
                "peer": {"version": "PyTorch 2", "setting": {"precision": "f32", "mode": "eager"}, "us": 2 * us, "memory_mb": 300, "roofline": 0.25, "tried": []} if peer else None,
                "ratio": [1.9, 2.0, 2.1] if peer else None}

    def test_parts_add_up_to_one_page(self):
        facts = {"cpu": "Some(R) CPU", "threads": 2, "cores": 2, "memory_gib": 8, "system": "Linux", "flags": ["avx2"], "peaks": {"f32_fma": {"value": 400, "unit": "GFLOP/s"}}}
        with tempfile.TemporaryDirectory() as folder:
            for name, peer in (("cnn", True), ("mlp", True), ("cnn", False)):
                path = results.write(pathlib.Path(folder), {"date": "2026-01-02", "danlu": "abc", "machine": facts, "rows": [self.row(name, 100, peer)]}, ["mlp", "cnn"])
            self.assertEqual(path.name, "2026-01-02-some-2-threads.md")
            rows = json.loads(path.with_suffix(".json").read_text())["rows"]
            self.assertEqual([(r["workload"], r["peer"] is None) for r in rows], [("mlp", False), ("cnn", True)])
            page = path.read_text()
            self.assertIn("| mlp | 100 us | 640,000 images | PyTorch 2, f32, eager | 200 us | **2.00** (1.90 to 2.10) | 50 % | 25 % | 10 | 300 |", page)
            self.assertIn("Not measured: torch is not installed.", page)


if __name__ == "__main__":
    unittest.main()
