#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""jobs_dask.py [JOBS]: Dask runs jobs on four workers; one is killed on the way, and Dask gives its
jobs to the others. A job's result is its report."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

import dask
from distributed import Client, LocalCluster, get_worker, wait

HERE = pathlib.Path(__file__).resolve().parent


def run(number, reports):
    """Runs on a worker."""
    status = subprocess.run(
        # A pipe: nobody counts what is written to /dev/null.
        [HERE / "job", str(number), HERE / "work", str(number)], stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, check=False, env=dict(os.environ, REPORTS=reports)).returncode
    report = json.loads(pathlib.Path(reports, f"{number}.json").read_text())
    return number, status, report["outcome"], get_worker().name


def main():
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    dask.config.set({"distributed.comm.retry.count": 3})
    with tempfile.TemporaryDirectory() as place:
        reports = pathlib.Path(place, "reports")
        reports.mkdir()
        os.chdir(place)
        with LocalCluster(n_workers=4, threads_per_worker=3, processes=True, dashboard_address=None,
                          local_directory=place) as cluster, Client(cluster) as client:
            futures = client.map(run, range(1, jobs + 1), reports=str(reports), pure=False)
            victim = client.run(os.getpid)
            wait(futures[: jobs // 4])
            os.kill(next(iter(victim.values())), signal.SIGKILL)
            done = client.gather(futures, errors="skip")
            workers = len({worker for *_, worker in done})
            lost = sum(future.status != "finished" for future in futures)
        subprocess.run([sys.executable, HERE / "table.py", reports, str(jobs)], check=True)
        print(f"dask: {len(done)} results from {workers} workers after one was killed, {lost} given up")


if __name__ == "__main__":
    main()
