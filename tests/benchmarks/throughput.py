"""How many verdicts a second the started service gives, beside a Flask app that does nothing.

    python -m tests.benchmarks.throughput [--workers N] [--seconds S] [--models DIR]

Both are served by the same server with the same settings, one after the other in one run, so the
ratio holds on any machine. The load comes from wrk where it is installed, else from threads here,
which need more of the processor than wrk and so show less.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, request

from tests.serving import Served, clean_environment, free_port, write_model

TEXT = (
    "Thanks for this article, I really learned something about sourdough today. "
    "One question though: how long do you let it rest?"
)
BATCH = 200
# Each comment is new, so that nothing is a duplicate and no verdict can be remembered.
LUA = """
n = 0
request = function()
  n = n + 1
  local body = '{"content":"%s ' .. n .. '"}'
  return wrk.format("POST", nil, {["Content-Type"] = "application/json"}, body)
end
"""


@dataclass(frozen=True)
class Result:
    """What a load came to."""

    per_second: float
    median: float
    worst: float


def nothing(_: object = None) -> Flask:
    """A Flask app that reads a comment and answers JSON, and does nothing else."""
    app = Flask("nothing")

    @app.post("/nothing")
    def answer() -> dict[str, object]:
        return {"decision": "publish", "length": len(request.get_json()["content"])}

    return app


@contextmanager
def serving(models: Path | None, workers: int) -> Iterator[tuple[Served, Path]]:
    """The service with these models, or a small one, in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if models:
            (folder / "models").symlink_to(models.resolve())
        else:
            write_model(folder / "models")
        with Served(folder, "--workers", str(workers), flood_window=0) as service:
            yield service, folder


@contextmanager
def serving_nothing(workers: int) -> Iterator[int]:
    """The app that does nothing, on its port."""
    port = free_port()
    program = (
        "from moderation import server; from tests.benchmarks.throughput import nothing; "
        f"server.granian('127.0.0.1', {port}, {workers})"
        ".serve(target_loader=nothing, wrap_loader=False)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], env=clean_environment())
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def wait_for(port: int) -> None:
    """Until something answers there."""
    for _ in range(200):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
            connection.request("GET", "/")
            connection.getresponse()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit("The server did not start.")


def load(port: int, path: str, connections: int, seconds: int) -> Result:
    """Send comments for some seconds."""
    return (with_wrk if shutil.which("wrk") else with_threads)(port, path, connections, seconds)


def with_wrk(port: int, path: str, connections: int, seconds: int) -> Result:
    """By wrk."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA % f"{TEXT} {time.time_ns()}")  # new in each run
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s"]
        shown = subprocess.run(
            [*command, script.name, f"http://127.0.0.1:{port}{path}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
    if "Non-2xx" in shown:
        raise SystemExit(shown)
    return Result(
        float(re.findall(r"Requests/sec:\s+([\d.]+)", shown)[0]),
        milliseconds(re.findall(r"^ +50%\s+(\S+)", shown, re.MULTILINE)[0]),
        milliseconds(re.findall(r"^ +99%\s+(\S+)", shown, re.MULTILINE)[0]),
    )


def milliseconds(shown: str) -> float:
    """wrk's 259.00us, 4.32ms, 1.02s."""
    number, unit = re.findall(r"([\d.]+)(us|ms|s)", shown)[0]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def with_threads(port: int, path: str, connections: int, seconds: int) -> Result:
    """By threads of this process."""
    taken: list[float] = []
    end = time.perf_counter() + seconds

    def send(sender: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        headers = {"Content-Type": "application/json"}
        while (started := time.perf_counter()) < end:
            body = json.dumps({"content": f"{TEXT} {sender} {started}"})
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            response.read()
            if response.status != http.HTTPStatus.OK:
                raise SystemExit(f"status {response.status}")
            taken.append((time.perf_counter() - started) * 1000)

    threads = [threading.Thread(target=send, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worst = statistics.quantiles(taken, n=100)[98]
    return Result(len(taken) / seconds, statistics.median(taken), worst)


def batches(service: Served, seconds: int) -> float:
    """Comments a second in batches, one batch after the other."""
    comments, started = 0, time.perf_counter()
    while time.perf_counter() - started < seconds:
        batch = [{"content": f"{TEXT} {comments + number}"} for number in range(BATCH)]
        answer = service.call("POST", "/v1/comments/batch?record=false", {"comments": batch})
        comments += len(answer.json["verdicts"])
    return comments / (time.perf_counter() - started)


def memory(pid: int) -> str:
    """A process' memory; what it shares with others counts in parts."""
    shown = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    return f"{int(re.findall(r'Pss: +([0-9]+)', shown)[0]) / 1024:.0f} MB"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--models", type=Path, help="models folder; without, a small one is made")
    given = parser.parse_args()
    print(f"| {given.workers} worker(s) | connections | per second | median ms | 99 % ms |")
    print("| --- | --- | --- | --- | --- |")

    def measure(name: str, port: int, path: str) -> Result:
        load(port, path, 2, 1)  # warm
        results = [(c, load(port, path, c, given.seconds)) for c in (1, 8)]
        for connections, r in results:
            print(
                f"| {name} | {connections} | {r.per_second:.0f} | {r.median:.1f} | {r.worst:.1f} |"
            )
        return results[-1][1]

    with serving_nothing(given.workers) as port:
        idle = measure("a Flask app that does nothing", port, "/nothing")
    with serving(given.models, given.workers) as (service, _):
        judged = measure("judged", service.port, "/v1/comments?record=false")
        recorded = measure("judged and recorded", service.port, "/v1/comments")
        print(f"| in batches of {BATCH} | 1 | {batches(service, given.seconds):.0f} | | |")
        used = ", ".join(memory(pid) for pid in (service.process.pid, *service.workers()))
    print(
        f"\nJudged: {judged.per_second / idle.per_second:.2f} of the app that does nothing; ",
        end="",
    )
    print(f"recorded: {recorded.per_second / idle.per_second:.2f}. Memory (main, workers): {used}.")


if __name__ == "__main__":
    main()
