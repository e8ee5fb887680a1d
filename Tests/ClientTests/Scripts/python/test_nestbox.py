# SPDX-License-Identifier: Apache-2.0
"""The Python package: each test starts the executable that NESTBOX names."""

import ast
import asyncio
import concurrent.futures
import contextlib
import dataclasses
import datetime
import os
import pathlib
import pickle
import signal
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest

import nestbox
from nestbox import Outcome

# A number of seconds that no other process sleeps for.
MARK = f"1000.{os.getpid()}"
# A command that resists, with others in the background.
STUBBORN = ["sh", "-c", f"trap '' TERM INT; setsid sleep {MARK} & sleep {MARK}; sleep {MARK}"]


def marked():
    """The processes that have the mark among their words."""
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                words = pathlib.Path("/proc", name, "cmdline").read_bytes().split(b"\0")
                if words[0] == b"sleep" and MARK.encode() in words:
                    found.append(int(name))
    return found


def wait_until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)


def descriptors():
    return sorted(os.listdir("/proc/self/fd"))


def children():
    return pathlib.Path("/proc/self/task", str(os.getpid()), "children").read_text().split()


def has_begun():
    """Both processes of the stubborn command run."""
    return len(marked()) >= 2


class Case(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        before = os.getcwd()
        os.chdir(place.name)
        self.addCleanup(os.chdir, before)
        open_before = descriptors()
        self.addCleanup(lambda: self.assertEqual(descriptors(), open_before, "descriptors are left"))
        self.addCleanup(lambda: self.assertEqual(marked(), [], "processes are left"))


class RunTests(Case):
    def test_output_input_and_status_come_back(self):
        result = nestbox.run(
            ["sh", "-c", "cat; echo bad >&2; exit 3"], input=b"in\r\n", capture_output=True)
        self.assertEqual((result.stdout, result.returncode, result.exit_code), (b"in\r\n", 3, 3))
        self.assertTrue(result.stderr.endswith(b"bad\n"))
        self.assertIs(result.outcome, Outcome.EXITED)
        self.assertFalse(result.succeeded)

    def test_text_is_that_of_subprocess(self):
        for options in ({"text": True}, {"encoding": "latin-1"}, {"errors": "replace"}):
            line = ["printf", "a\\r\\nb"]
            expected = subprocess.run(line, stdout=subprocess.PIPE, **options).stdout
            self.assertEqual(nestbox.run(line, stdout=subprocess.PIPE, **options).stdout, expected)
        result = nestbox.run(["cat"], input="ä", encoding="utf-16", stdout=subprocess.PIPE)
        self.assertEqual(result.stdout, "ä")

    def test_streams_are_those_of_subprocess(self):
        with open("out", "w+b") as file:
            nestbox.run(["sh", "-c", "echo o; echo e >&2"], stdout=file, stderr=subprocess.STDOUT)
            file.seek(0)
            self.assertEqual(file.read()[-4:], b"o\ne\n")
        result = nestbox.run(["cat"], stdin=subprocess.DEVNULL, capture_output=True)
        self.assertEqual(result.stdout, b"")
        big = os.urandom(1 << 20)
        self.assertEqual(nestbox.run(["cat"], input=big, stdout=subprocess.PIPE).stdout, big)

    def test_a_signal_is_told_from_an_exit_code_with_its_number(self):
        killed = nestbox.run(["sh", "-c", "kill -9 $$"])
        self.assertEqual((killed.outcome, killed.signal, killed.returncode), (Outcome.SIGNALED, 9, -9))
        self.assertIsNone(killed.exit_code)
        exited = nestbox.run(["sh", "-c", "exit 137"])
        self.assertEqual((exited.outcome, exited.exit_code), (Outcome.EXITED, 137))

    def test_files_are_shown_from_the_callers_directory(self):
        os.mkdir("work")
        os.mkdir("out")
        pathlib.Path("in").write_text("x")
        result = nestbox.run(
            ["sh", "-c", f"cp {os.getcwd()}/in {os.getcwd()}/out/copy"], cwd="work", read="in",
            write=[pathlib.Path("out")])
        self.assertTrue(result.succeeded, result)
        self.assertEqual(pathlib.Path("out/copy").read_text(), "x")
        result = nestbox.run(["cat", "in"], capture_output=True)
        self.assertFalse(result.succeeded)

    def test_profiles_can_be_files(self):
        pathlib.Path("mine").write_text("--profile untrusted\n--setenv A fromprofile\n")
        for profile in (pathlib.Path("mine"), "./mine", ["untrusted", os.path.abspath("mine")]):
            result = nestbox.run(["sh", "-c", "echo $A"], profile=profile, stdout=subprocess.PIPE)
            self.assertEqual(result.stdout, b"fromprofile\n")

    def test_the_environment_is_the_one_given(self):
        show = ["/usr/bin/env"]
        os.environ["NESTBOX_TEST_SECRET"] = "s"
        self.addCleanup(os.environ.pop, "NESTBOX_TEST_SECRET")
        out = nestbox.run(show, env={"A": "1\n=2", "E": ""}, stdout=subprocess.PIPE).stdout
        self.assertEqual(sorted(out.split(b"\n")[:-1]), [b"=2", b"A=1", b"E=", b"PWD=" + os.getcwdb()])
        out = nestbox.run(show, setenv={"A": "1"}, stdout=subprocess.PIPE).stdout
        self.assertIn(b"A=1\n", out)
        self.assertIn(b"HOME=", out)
        self.assertNotIn(b"SECRET", out)

    def test_the_options_do_not_show_in_the_list_of_processes(self):
        with nestbox.Process(STUBBORN, setenv={"TOKEN": "topsecret"}) as process:
            wait_until(has_begun)
            line = pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()
            self.assertNotIn(b"topsecret", line)
            process.cancel()

    def test_more_options_and_no_profile(self):
        result = nestbox.run(
            ["sh", "-c", "echo $$; exit 1"],
            options=["--ro-bind", "/", "/", "--unshare-pid", "--proc", "/proc"], capture_output=True)
        self.assertEqual((result.stdout, result.exit_code), (b"2\n", 1))

    def test_check_raises_what_subprocess_raises(self):
        with self.assertRaises(subprocess.CalledProcessError) as caught:
            nestbox.run(["sh", "-c", "echo o; exit 4"], check=True, capture_output=True)
        self.assertEqual((caught.exception.returncode, caught.exception.output), (4, b"o\n"))
        self.assertNotIsInstance(caught.exception, nestbox.LimitExceeded)
        with self.assertRaises(nestbox.LimitExceeded) as caught:
            nestbox.run(["sleep", MARK], timeout=0.1, check=True)
        again = pickle.loads(pickle.dumps(caught.exception))
        self.assertIs(again.result.outcome, Outcome.TIMEOUT)


class ReportTests(Case):
    def test_limits_have_outcomes(self):
        for options, command, outcome, status in (
            ({"timeout": 0.1}, ["sleep", MARK], Outcome.TIMEOUT, 124),
            ({"timeout": "100ms", "timeout_grace": "100ms"}, STUBBORN, Outcome.TIMEOUT, 124),
            ({"timeout": datetime.timedelta(seconds=0.1)}, ["sleep", MARK], Outcome.TIMEOUT, 124),
            ({"output_limit": "1K"}, ["yes"], Outcome.OUTPUT, 153),
        ):  # fmt: skip
            result = nestbox.run(command, stdout=subprocess.PIPE, **options)
            self.assertEqual((result.outcome, result.returncode), (outcome, status))
            self.assertTrue(result.outcome.is_limit)
            self.assertIsNone(result.exit_code)

    def test_what_was_used_is_reported(self):
        report = nestbox.run(
            ["sh", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"],
            timeout=600, processes=9, rlimits={"nofile": (64, 128), "core": 0, "cpu": "unlimited"}
        ).report
        self.assertGreater(report.user, 0)
        self.assertGreater(report.wall, 0)
        self.assertGreater(report.max_rss, 100_000)
        self.assertIsNone(report.memory_peak)
        self.assertEqual(report.limits["timeout"]["seconds"], 600)
        self.assertEqual(report.limits["processes"]["number"], 9)
        self.assertEqual(report.limits["nofile"], {"soft": 64, "hard": 128, "by": "process"})
        self.assertTrue(report.complete)
        self.assertEqual(report.raw["version"], 1)

    def test_a_newer_report_is_understood_as_far_as_possible(self):
        report = nestbox.Report.parse(b'{"outcome": "eclipse", "exit-code": 1, "moon": 2, "complete": true}')
        self.assertEqual((report.outcome, report.exit_code, report.raw["moon"]), (Outcome.OTHER, 1, 2))
        for text in (b"", b"{", b"[]", b'{"version": 1}'):
            self.assertIsNone(nestbox.Report.parse(text))

    def test_results_can_be_pickled(self):
        result = nestbox.run(["true"])
        self.assertEqual(pickle.loads(pickle.dumps(result)), result)


class NotStartedTests(Case):
    def failure(self, command=("true",), **options):
        with self.assertRaises(nestbox.NotStarted) as caught:
            nestbox.run(list(command), stderr=subprocess.DEVNULL, **options)
        self.assertEqual(str(pickle.loads(pickle.dumps(caught.exception))), str(caught.exception))
        return caught.exception

    def test_a_missing_command(self):
        error = self.failure(["nosuchcommand"])
        self.assertEqual((error.returncode, error.failure.call), (127, "execve"))
        self.assertEqual(error.failure.reason, "No such file or directory")
        self.assertIn("install it", error.failure.remedy)

    def test_a_missing_file(self):
        error = self.failure(read="missing")
        self.assertEqual(error.returncode, 125)
        self.assertIn("missing", error.failure.message)

    # What only the executable can tell.
    def test_mistakes_that_nestbox_finds(self):
        for options, part in (
            ({"profile": "nosuch"}, "there is no profile nosuch"),
            ({"policy": "nosuch"}, "nosuch"),
            ({"options": ["--nosuch"]}, "--nosuch"),
            ({"options": ["--hostname"]}, "--hostname"),
            ({"options": ["word"]}, "word"),
        ):  # fmt: skip
            error = self.failure(**options)
            self.assertIn(part, error.failure.message)
            self.assertEqual(error.returncode, 125)

    def test_a_nestbox_that_is_killed_leaves_no_report(self):
        with self.assertRaises(nestbox.ReportMissing) as caught:
            with nestbox.Process(STUBBORN) as process:
                wait_until(has_begun)
                os.kill(process.pid, signal.SIGKILL)
        self.assertEqual(caught.exception.returncode, -9)
        wait_until(lambda: not marked())
        with self.assertRaises(nestbox.ReportMissing):
            process.wait()


class TaskTests(Case):
    """Sandboxes that run, and reviews."""

    def setUp(self):
        super().setUp()
        # Names of its own.
        for variable, name in (("XDG_RUNTIME_DIR", "runtime"), ("XDG_STATE_HOME", "state")):
            os.mkdir(name, 0o700)
            before = os.environ.get(variable)
            os.environ[variable] = os.path.abspath(name)
            self.addCleanup(
                lambda v=variable, b=before: os.environ.pop(v) if b is None else os.environ.update({v: b}))

    def test_a_kept_sandbox_is_listed_inspected_entered_and_stopped(self):
        name = f"python-{os.getpid()}"
        box = nestbox.keep(name=name, setenv={"A": "b c"})
        self.addCleanup(self.stopped, name)
        self.assertEqual((box.name, box.kept, box.network, box.made_by), (name, True, "none", "nestbox"))
        self.assertIn(name, [one.name for one in nestbox.running()])
        with self.assertRaisesRegex(nestbox.NotStarted, "in use"):
            nestbox.keep(name=name)
        seen = nestbox.inspect(box)
        self.assertEqual(seen.namespaces["net"], os.readlink(f"/proc/{box.process}/ns/net"))
        self.assertIn(box.process, seen.members)
        self.assertIn("ro", seen.mounts["/usr"])
        entered = nestbox.enter(name, ["sh", "-c", "cat; echo $A $B; echo e >&2; exit 3"], input=b"in ", setenv={"B": "d"})
        self.assertEqual((entered.returncode, entered.stdout, entered.stderr), (3, b"in b c d\n", b"e\n"))
        with self.assertRaisesRegex(nestbox.NotStarted, "nosuchcommand") as caught:
            nestbox.enter(name, ["nosuchcommand"])
        self.assertEqual(caught.exception.returncode, 127)
        nestbox.stop(box.process)
        with self.assertRaises(nestbox.NotFound) as caught:
            nestbox.stop(name)
        self.assertEqual((caught.exception.task, caught.exception.returncode), ("--stop", 125))
        pickle.loads(pickle.dumps(caught.exception))
        for call in (nestbox.inspect, lambda one: nestbox.enter(one, ["true"])):
            with self.assertRaises(nestbox.NotFound):
                call(name)

    def stopped(self, name):
        with contextlib.suppress(nestbox.NotFound):
            nestbox.stop(name, timeout=1)

    def test_a_command_is_stopped_by_its_name_and_gets_signals(self):
        name = f"signals-{os.getpid()}"
        line = "trap 'echo hup' HUP; echo ready; while :; do sleep 0.1; done"
        with nestbox.Process(["sh", "-c", line], name=name, stdout=subprocess.PIPE) as process:
            self.assertEqual(process.stdout.readline(), b"ready\n")
            nestbox.send_signal(name, signal.SIGHUP)
            self.assertEqual(process.stdout.readline(), b"hup\n")
            nestbox.stop(name, timeout="500ms")
        self.assertEqual(process.wait().outcome, Outcome.SIGNALED)

    def test_changes_wait_for_a_decision(self):
        os.mkdir("project")
        for name in ("a", "b"):
            pathlib.Path("project", name).write_text("old")
        line = "echo new >a; echo new >b; echo x >./-x; ln -s /etc out"
        result = nestbox.run(["sh", "-c", line], cwd="project", review="project", review_name="try")
        self.assertTrue(result.succeeded, result)
        self.assertEqual(pathlib.Path("project/a").read_text(), "old")
        review, = nestbox.reviews()
        self.assertEqual((review.name, review.changes, review.running), ("try", 4, False))
        self.assertEqual(review.directories, [os.path.abspath("project")])
        seen = nestbox.changes(review)
        self.assertTrue(seen.complete)
        self.assertEqual(
            {(one.path, one.change) for one in seen.changes},
            {("a", "changed"), ("b", "changed"), ("-x", "added"), ("out", "added")})
        self.assertEqual([one.path for one in seen.changes if one.marks], ["out"])
        nestbox.apply("try", "-x")
        self.assertEqual(pathlib.Path("project/-x").read_text(), "x\n")
        # The working directory does not change what a path means.
        os.mkdir("project/sub")
        os.chdir("project/sub")
        try:
            nestbox.discard("try", ["out"])
        finally:
            os.chdir("../..")
        pathlib.Path("project/a").write_text("of the host")
        with self.assertRaises(nestbox.ChangesLeft) as caught:
            nestbox.apply("try")
        self.assertIn("left a: the host has changed it", str(caught.exception))
        self.assertEqual(pathlib.Path("project/b").read_text(), "new\n")
        self.assertEqual(pathlib.Path("project/a").read_text(), "of the host")
        # The command sees what waits.
        seen = nestbox.run(["cat", "a"], cwd="project", resume="try", capture_output=True)
        self.assertEqual(seen.stdout, b"new\n", seen)
        nestbox.apply("try", overwrite=True)
        self.assertEqual(pathlib.Path("project/a").read_text(), "new\n")
        self.assertEqual(nestbox.reviews(), [])
        for call in (nestbox.changes, nestbox.apply, nestbox.discard):
            with self.assertRaisesRegex(nestbox.NotFound, "no review is called try"):
                call("try")

    def test_ports_and_variables_are_those_that_were_named(self):
        os.environ["NESTBOX_KEPT"] = "kept"
        self.addCleanup(os.environ.pop, "NESTBOX_KEPT")
        for names, expected in (((), " b\n"), (["NESTBOX_*"], "kept b\n")):
            result = nestbox.run(
                ["sh", "-c", 'echo "$NESTBOX_KEPT $B"'], keep_env=names, setenv={"B": "b"},
                capture_output=True, text=True)
            self.assertEqual(result.stdout, expected, result)
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
            port = server.getsockname()[1]
            line = f"import socket; print(socket.create_connection(('host.nestbox.internal', {port})).recv(9))"
            with nestbox.Process(["python3", "-c", line], net_host=port, stdout=subprocess.PIPE) as process:
                connection, _ = server.accept()
                connection.sendall(b"hello")
                connection.close()
                self.assertEqual(process.stdout.read(), b"b'hello'\n")
        with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
            port = server.getsockname()[1]
        line = "import socket; s = socket.create_server(('', 8080)); print(flush=True); s.accept()[0].sendall(b'inside')"
        with nestbox.Process(["python3", "-c", line], publish=f"{port}:8080", stdout=subprocess.PIPE) as process:
            self.assertEqual(process.stdout.readline(), b"\n")
            with socket.create_connection(("127.0.0.1", port)) as connection:
                self.assertEqual(connection.recv(9), b"inside")

    def test_a_home_directory_without_secrets_forgets_changes(self):
        os.makedirs("home/.ssh")
        pathlib.Path("home/.ssh/key").write_text("key")
        pathlib.Path("home/letter").write_text("dear")
        before = os.environ["HOME"]
        os.environ["HOME"] = os.path.abspath("home")
        self.addCleanup(os.environ.update, {"HOME": before})
        result = nestbox.run(
            ["sh", "-c", "cat ~/letter ~/.ssh/key; echo x >~/letter"], tmp_home=True, capture_output=True)
        self.assertEqual(result.stdout, b"dear", result)
        self.assertEqual(pathlib.Path("home/letter").read_text(), "dear")


class MisuseTests(Case):
    def test_every_misuse_is_an_error_before_anything_starts(self):
        pathlib.Path("executable").write_text("#!/bin/sh\ntouch started\n")
        os.chmod("executable", 0o755)
        wrong = [
            ("command", "ls -l", {}), ("command", [], {}), ("command", [1], {}), ("command", None, {}),
            ("command", ["a\0b"], {}), ("command", [""], {}), ("command", print, {}),
            ("command", ["\ud800"], {}),
        ]  # fmt: skip
        for option, values in {
            "profile": [1, "", "a\0", [None]], "read": [3, "", [""], ["a", 1]], "write": [object()],
            "home": [1, ""], "hide": [[1]], "net_allow": [1, ""], "net_deny": [[2]], "policy": [b"\0"],
            "memory": [-1, 1.5, "1X", "", "12 M", True, "1.5", 2**64], "swap": ["x"], "cpus": [0, -1, "x", float("nan"), True],
            "cpu_time": [0, "0s"], "processes": [0, -1, 1.5, "3", 2**40],
            "timeout": [0, -1, float("nan"), float("inf"), "soon", "1d", "0.0s", True, 1e300, [1]],
            "timeout_grace": [0], "output_limit": ["1.5"],
            "rlimits": [[], {"files": 1}, {"nofile": "many"}, {"nofile": (1, 2, 3)}, {"core": -2}, {1: 1}],
            "env": ["A=1", {"": "x"}, {"A=B": "x"}, {"A": None}, {"A": "\0"}, {1: "x"}], "setenv": [{"A": 1}],
            "net_host": [0, "", "x", "90-80", "80,", [70000], True], "publish": [0, "80:", "x:80", [True], "80/udp"],
            "review": [1, ""], "resume": ["a b"], "keep_env": ["A,B", "A=B", 1], "tmp_home": [1, None],
            "chdir": ["", 1], "name": ["", "a b", "-x", "x" * 65, 1],
            "options": ["--ro-bind", [1], ["--args"], ["--report", "3"], ["--"], ["--detach"]],
            "cwd": ["missing", "\0", 1], "pass_fds": [["x"], [-1], [True]],
            "stdin": ["file", -9, subprocess.PIPE], "stdout": [1.5], "stderr": [object()],
            "encoding": ["nosuch"], "sandbox": ["untrusted"], "nosuch": [1],
        }.items():  # fmt: skip
            wrong += [(option, ["true"], {option: value}) for value in values]
        wrong += [
            ("memory", ["true"], {"memory": 1, "memory_try": 1}),
            ("review_name", ["true"], {"review_name": "a"}), ("keep_env", ["true"], {"env": {}, "keep_env": "A"}),
            ("resume", ["true"], {"review": ".", "resume": "a"}),
            ("capture_output", ["true"], {"capture_output": True, "stdout": 1}),
            ("input", ["true"], {"input": b"", "stdin": subprocess.DEVNULL}),
            ("input", ["true"], {"input": "text"}), ("input", ["true"], {"input": b"bytes", "text": True}),
            ("input", ["true"], {"input": "ä", "encoding": "ascii"}), ("input", ["true"], {"input": 1}),
        ]  # fmt: skip
        for option, command, options in wrong:
            with self.subTest(option=option, command=command, options=options):
                for form in (nestbox.run, lambda *a, **k: asyncio.run(nestbox.run_async(*a, **k))):
                    with self.assertRaises(nestbox.OptionError) as caught:
                        form(command, executable="./executable", **options)
                    self.assertEqual(caught.exception.option, option)
                    self.assertIsInstance(caught.exception, ValueError)
                    pickle.loads(pickle.dumps(caught.exception))
        self.assertFalse(os.path.exists("started"))

    def test_so_it_is_about_running_sandboxes_and_reviews(self):
        pathlib.Path("executable").write_text("#!/bin/sh\ntouch started\n")
        os.chmod("executable", 0o755)
        for call, *arguments in [
            (nestbox.inspect, ""), (nestbox.inspect, "a b"), (nestbox.inspect, 0), (nestbox.inspect, None),
            (nestbox.inspect, True), (nestbox.stop, "--list"), (nestbox.stop, 2**40),
            (nestbox.send_signal, "box", 0), (nestbox.send_signal, "box", 1000), (nestbox.send_signal, "box", "HUP"),
            (nestbox.enter, "box", []), (nestbox.enter, "box", "ls"), (nestbox.enter, "", ["ls"]),
            (nestbox.changes, "a/b"), (nestbox.apply, "box", [1]), (nestbox.apply, "box", ""),
            (nestbox.discard, "", "a"), (nestbox.discard, "box", ["a\0"]), (nestbox.keep,),
        ]:  # fmt: skip
            with self.subTest(call=call, arguments=arguments), self.assertRaises(nestbox.OptionError):
                call(*arguments, executable="./executable")
        for options in ({"timeout": 0}, {"timeout": "soon"}):
            with self.assertRaises(nestbox.OptionError):
                nestbox.stop("box", executable="./executable", **options)
        for options in ({"setenv": {"A=B": "c"}}, {"chdir": ""}, {"input": "text"}, {"policy": ""}):
            with self.assertRaises(nestbox.OptionError):
                nestbox.enter("box", ["true"], executable="./executable", **options)
        self.assertFalse(os.path.exists("started"))

    def test_a_mistyped_argument_is_answered_with_the_nearest(self):
        with self.assertRaisesRegex(nestbox.OptionError, "timeot: .*; did you mean timeout[?]$"):
            nestbox.run(["true"], timeot=1)
        with nestbox.Executor(1) as executor:
            with self.assertRaisesRegex(nestbox.OptionError, "; did you mean capture_output[?]$"):
                executor.submit(["true"], capture_outpt=True)
        with self.assertRaisesRegex(nestbox.OptionError, "there is no such argument$"):
            nestbox.run(["true"], zzzzzz=1)

    def test_the_fields_of_a_sandbox_are_the_arguments_that_types_know(self):
        source = pathlib.Path(nestbox.__file__).with_name("_sandbox.py").read_text()
        known = {
            line.target.id
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ClassDef) and node.name == "SandboxOptions"
            for line in node.body
            if isinstance(line, ast.AnnAssign)
        }
        self.assertEqual(known, {field.name for field in dataclasses.fields(nestbox.Sandbox)})

    def test_the_executable_is_searched_in_order(self):
        real = os.environ["NESTBOX"]
        self.assertEqual(nestbox.find_executable(real), real)
        self.assertEqual(nestbox.find_executable(), real)
        for wrong in ("/nonexistent", "/etc/passwd", "/"):
            with self.assertRaises(nestbox.ExecutableNotFound):
                nestbox.run(["true"], executable=wrong)
        os.environ["NESTBOX"] = "/nonexistent"
        self.addCleanup(os.environ.__setitem__, "NESTBOX", real)
        with self.assertRaises(nestbox.ExecutableNotFound):
            nestbox.find_executable()
        del os.environ["NESTBOX"]
        path = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", path)
        os.environ["PATH"] = os.path.dirname(real)
        self.assertEqual(nestbox.find_executable(), real)
        # Not what lies in the working directory.
        os.symlink(real, "nestbox")
        os.environ["PATH"] = ".:"
        with self.assertRaises(FileNotFoundError):
            nestbox.find_executable()


class CancellationTests(Case):
    def test_another_thread_can_end_a_command(self):
        cancellation = nestbox.Cancellation()

        def cancel():
            wait_until(has_begun)
            cancellation.cancel()

        thread = threading.Thread(target=cancel)
        thread.start()
        result = nestbox.run(STUBBORN, cancellation=cancellation, capture_output=True)
        thread.join()
        self.assertIs(result.outcome, Outcome.CANCELLED)
        self.assertEqual(marked(), [])
        self.assertIs(nestbox.run(["true"], cancellation=cancellation).outcome, Outcome.CANCELLED)

    def test_at_any_moment_of_a_launch(self):
        for step in range(40):
            with nestbox.Process(STUBBORN, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                time.sleep(step / 4000)
                process.cancel()
                self.assertIs(process.wait().outcome, Outcome.CANCELLED)
            self.assertEqual(marked(), [])

    def test_a_block_that_fails_ends_its_command(self):
        with self.assertRaises(KeyError):
            with nestbox.Process(STUBBORN, stdout=subprocess.PIPE):
                wait_until(has_begun)
                raise KeyError
        self.assertEqual(marked(), [])

    def test_a_nestbox_that_is_stopped_ends_all_the_same(self):
        with nestbox.Process(STUBBORN) as process:
            wait_until(has_begun)
            os.kill(process.pid, signal.SIGSTOP)
            process.cancel()
            self.assertIs(process.wait().outcome, Outcome.CANCELLED)

    def in_another_process(self, number):
        script = f"""
            import nestbox, sys
            try:
                nestbox.run({STUBBORN!r})
            except KeyboardInterrupt:
                print("interrupted", open("/proc/self/task/%d/children" % __import__("os").getpid()).read())
        """
        other = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True,
            # In a group of its own, or keys would reach nestbox as well.
            start_new_session=True)
        wait_until(has_begun)
        other.send_signal(number)
        return other.communicate()[0]

    def test_an_interrupt_leaves_nothing(self):
        self.assertEqual(self.in_another_process(signal.SIGINT).split(), ["interrupted"])
        self.assertEqual(marked(), [])

    def test_the_death_of_the_caller_leaves_nothing(self):
        self.in_another_process(signal.SIGKILL)
        wait_until(lambda: not marked())


class AsyncTests(Case):
    def test_runs_and_checks_as_the_other_form(self):
        async def main():
            result = await nestbox.run_async(
                ["sh", "-c", "cat; exit 3"], input="in\n", text=True, capture_output=True)
            self.assertEqual((result.stdout, result.exit_code), ("in\n", 3))
            with self.assertRaises(nestbox.CommandFailed):
                await nestbox.run_async(["false"], check=True)
            with self.assertRaises(nestbox.NotStarted):
                await nestbox.run_async(["nosuchcommand"], stderr=subprocess.DEVNULL)
            result = await nestbox.Sandbox(timeout=0.1).run_async(["sleep", MARK])
            self.assertIs(result.outcome, Outcome.TIMEOUT)

        asyncio.run(main())

    def test_a_cancelled_task_leaves_nothing(self):
        async def main(command, condition):
            task = asyncio.ensure_future(nestbox.run_async(command, capture_output=True))
            while not condition():
                await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.sleep(0)
            task.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await task
            self.assertEqual(marked(), [])
            self.assertEqual(children(), [])

        asyncio.run(main(STUBBORN, has_begun))
        # Its output waits to be read.
        asyncio.run(main(["sh", "-c", f"yes & exec sleep {MARK}"], marked))
        asyncio.run(main(STUBBORN, lambda: True))
        asyncio.run(main(STUBBORN, children))

    def test_many_at_a_time_leave_nothing(self):
        async def job(number, places):
            async with places:
                try:
                    result = await asyncio.wait_for(
                        nestbox.run_async(["sh", "-c", f"echo {number}; [ {number % 5} != 4 ] || sleep {MARK}"],
                                          text=True, stdout=subprocess.PIPE), 5 if number % 5 == 4 else None)
                except asyncio.TimeoutError:
                    return "late"
                return result.stdout == f"{number}\n"

        async def main():
            places = asyncio.Semaphore(25)
            results = await asyncio.gather(*(job(number, places) for number in range(100)))
            self.assertEqual((results.count(True), results.count("late")), (80, 20))

        asyncio.run(main())
        # A thread of asyncio that waited for a process outlives it by a moment.
        for thread in threading.enumerate():
            if thread is not threading.current_thread():
                thread.join(60)
        self.assertEqual((marked(), children(), threading.active_count()), ([], [], 1))


class ExecutorTests(Case):
    def test_a_thousand_jobs_leave_nothing_and_nothing_grows(self):
        most = {"threads": 0, "descriptors": 0}
        is_over = threading.Event()

        def watch():
            while not is_over.wait(0.05):
                most["threads"] = max(most["threads"], threading.active_count())
                most["descriptors"] = max(most["descriptors"], len(descriptors()))

        watcher = threading.Thread(target=watch)
        watcher.start()
        self.addCleanup(watcher.join)
        self.addCleanup(is_over.set)
        kinds = {
            0: f"sleep {MARK}",  # cancelled
            1: f"trap '' TERM; sleep {MARK}; sleep {MARK}",  # too long
            2: "exit 3",
            3: "kill -9 $$",
        }
        with nestbox.Executor(50, profile="untrusted", timeout_grace=0.1) as executor:
            futures = []
            for number in range(1000):
                kind = number % 50
                futures.append(executor.submit(
                    ["sh", "-c", kinds.get(kind, f"echo {number}")], text=True, stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL, timeout=0.2 if kind == 1 else 3000))
            waiting = executor.submit(["sh", "-c", "echo never"])
            self.assertTrue(executor.cancel(waiting))
            for number, future in enumerate(futures):
                if number % 50 == 0:
                    wait_until(lambda: future.running() or future.done())
                    self.assertTrue(executor.cancel(future))
            outcomes = {}
            for number, future in enumerate(futures):
                result = future.result()
                kind = number % 50
                outcomes.setdefault(kind if kind in kinds else "plain", set()).add(
                    (str(result.outcome), result.exit_code))
                if kind not in kinds:
                    self.assertEqual(result.stdout, f"{number}\n")
            self.assertFalse(executor.cancel(futures[5]))
        self.assertEqual(outcomes, {
            0: {("cancelled", None)}, 1: {("timeout", None)}, 2: {("exited", 3)}, 3: {("signaled", None)},
            "plain": {("exited", 0)},
        })  # fmt: skip
        self.assertEqual((marked(), children()), ([], []))
        # This thread, the watcher and the workers; for a worker its pipes, the memory and the process.
        self.assertLessEqual(most["threads"], 52)
        self.assertLessEqual(most["descriptors"], 10 + 50 * 12)

    def test_an_error_in_the_block_ends_what_runs(self):
        with self.assertRaises(KeyError):
            with nestbox.Executor(4) as executor:
                futures = [executor.submit(STUBBORN) for _ in range(9)]
                wait_until(has_begun)
                raise KeyError
        self.assertEqual(marked(), [])
        ends = {future.cancelled() or str(future.result().outcome) for future in futures}
        self.assertEqual(ends, {True, "cancelled"})

    def test_results_of_map_are_in_order(self):
        with nestbox.Executor(4, nestbox.Sandbox(timeout=60)) as executor:
            lines = ([["echo", str(number)]] for number in range(20))
            results = executor.map((line for (line,) in lines), text=True, stdout=subprocess.PIPE)
            self.assertEqual([int(result.stdout) for result in results], list(range(20)))

    def test_another_pool_can_do_the_work(self):
        with concurrent.futures.ProcessPoolExecutor(2) as pool:
            with nestbox.Executor(pool=pool, timeout=60) as executor:
                results = list(executor.map([["sh", "-c", "exit 3"]] * 4))
                self.assertEqual([result.exit_code for result in results], [3] * 4)
                with self.assertRaises(nestbox.NotStarted):
                    executor.submit(["nosuchcommand"], stderr=subprocess.DEVNULL).result()

    def test_misuse_is_an_error_where_it_is_written(self):
        with self.assertRaises(nestbox.OptionError):
            nestbox.Executor(0)
        with self.assertRaises(nestbox.OptionError):
            nestbox.Executor(nosuch=1)
        with nestbox.Executor(1) as executor:
            for command, arguments in (
                (print, {}), ("ls", {}), (["ls"], {"timeout": -1}), (["ls"], {"nosuch": 1}),
                (["ls"], {"sandbox": "x"}),
            ):  # fmt: skip
                with self.assertRaises(nestbox.OptionError):
                    executor.submit(command, **arguments)


if __name__ == "__main__":
    unittest.main()
