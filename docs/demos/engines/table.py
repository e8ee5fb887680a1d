#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""table.py REPORTS JOBS: one table of the reports of jobs 1 to JOBS, whatever engine ran them."""

import collections
import json
import pathlib
import sys

place, jobs = pathlib.Path(sys.argv[1]), int(sys.argv[2])
counts, seconds, incomplete = collections.Counter(), collections.Counter(), 0
for number in range(1, jobs + 1):
    file = place / f"{number}.json"
    if file.exists():
        report = json.loads(file.read_text())
        name = report["outcome"]
        if name == "exited" and report["exit-code"] != 0:
            name = f"failed with {report['exit-code']}"
        elif name == "signaled":
            name = f"crashed with signal {report['signal']}"
        seconds[name] += report.get("user", 0) + report.get("system", 0)
        incomplete += not report["complete"]
    else:
        name = "lost: no report"
    counts[name] += 1
for name, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
    print(f"{count:6} {name:28} {seconds[name]:8.2f} s of processors")
print(f"{sum(counts.values()):6} jobs, {incomplete} reports incomplete; {len(list(place.glob('*.part')))} runs lost with their workers")
