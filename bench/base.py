"""Our workloads of two revisions in turn: what has become slower."""
import os
import shutil
import subprocess

import inputs
import measure

LAUNCHES = 3  # pairs of processes: where memory happens to lie makes some percent, and stays for the life of a process


def build(source, revision):
    """bench_danlu of another revision, in a worktree under build/. The workloads are ours of today: the engine alone differs."""
    tree = source / "build" / "base"
    git = ["git", "-C", str(source)]
    commit = subprocess.run([*git, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], capture_output=True, text=True).stdout.strip()
    if not commit:
        raise ValueError(f"got the revision {revision}; expected one that git knows")
    if (tree / ".git").exists():
        subprocess.run(["git", "-C", str(tree), "checkout", "--quiet", "--force", "--detach", commit], check=True)
    else:
        subprocess.run([*git, "worktree", "prune"], check=True)
        subprocess.run([*git, "worktree", "add", "--quiet", "--force", "--detach", str(tree), commit], check=True)
    shutil.rmtree(tree / "bench")
    shutil.copytree(source / "bench", tree / "bench", ignore=shutil.ignore_patterns("results", "__pycache__"))
    subprocess.run(["cmake", "-S", tree, "-B", tree / "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DDANLU_BUILD_BENCH=ON", "-DDANLU_BUILD_TESTS=OFF"],
                   check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", tree / "build", "--target", "bench_danlu", "--parallel", os.environ.get("JOBS", str(os.cpu_count()))], check=True)
    return tree / "build" / "bench" / "bench_danlu"


def times_of_both(command, base_command, environment, seconds):
    times, base_times = [], []
    for _ in range(LAUNCHES):
        processes = [measure.Process(c, environment) for c in (command, base_command)]
        try:
            new, old = measure.alternate(processes, seconds / LAUNCHES, most=9)
        finally:
            for process in processes:
                process.close()
        times += new
        base_times += old
    return times, base_times


def compare(workloads, program, base_program, precision, folder, source, environment, seconds):
    """Prints a line a workload; returns the names of those that have become slower. One that seems so is measured once more before it is said."""
    slower = []
    for workload in workloads:
        files, _ = inputs.prepare(workload, folder, source, program)
        commands = [[p, workload.name, precision, *files] for p in (program, base_program)]
        try:
            times, base_times = times_of_both(*commands, environment, seconds)
            if measure.is_slower(times, base_times):
                again, base_again = times_of_both(*commands, environment, seconds)
                times, base_times = times + again, base_times + base_again
        except measure.Missing as reason:
            print(f"{workload.name:<18} not measured: {reason}", flush=True)
            continue
        low, middle, high = measure.ratios(base_times, times)
        verdict = "SLOWER" if measure.is_slower(times, base_times) else "faster" if measure.is_slower(base_times, times) else ""
        print(f"{workload.name:<18} {measure.quartiles(times)[1]:12.1f} us, before {measure.quartiles(base_times)[1]:12.1f} us, "
              f"{middle:.3f} of its time ({low:.3f} to {high:.3f})  {verdict}", flush=True)
        if verdict == "SLOWER":
            slower.append(workload.name)
    return slower
