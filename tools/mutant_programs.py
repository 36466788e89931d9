# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""The test programs that tools/mutants runs: how they are built, with a mutant and without, and run.

b2 builds them as tools/test does, so that ccache has most of it. Of b2 come the commands, too: with them the
library is linked as a shared object, and the programs with that, so that a mutant changes one object and the
library. The programs of test/schedules contain the library, compiled in a way of their own: they become one
program, of which a mutant changes one object as well.
"""

import collections
import contextlib
import os
import pathlib
import re
import select
import shlex
import signal
import subprocess
import threading
import time

import mutations

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ("descriptor", "closing", "tenure", "core", "groups", "guarantees", "types")
KINDS = ("unit", "interposed", "schedules", "adapt")
UNIT_ARGUMENTS = ("--log_level=test_suite", "--color_output=no")
# For each run, since a mutant may allocate or print without end.
MOST_MEMORY, MOST_OUTPUT = 8 << 30, 64 << 20
# Of the output, to see how it has failed.
MOST_READ = 1 << 20
BASE_SECONDS, TIMES_AS_LONG = 10, 5

# Its program is one that test/Jamfile names, or "schedules".
Run = collections.namedtuple("Run", "name program arguments")


class Failed(Exception):
    """Nothing can be said of any mutant."""


# --- one run of a program -------------------------------------------------------------------------

running = set()
stopped = threading.Event()


def end_all_runs():
    """Those that a thread begins from now on end at once, too."""
    stopped.set()
    for process in list(running):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def run_limited(command, log, seconds, environment, folder):
    """Its exit status; None if it does not end in time. Input, output and error are not the caller's."""
    limits = ["prlimit", f"--as={MOST_MEMORY}", f"--fsize={MOST_OUTPUT}", "--core=0", "--"]
    with open(log, "wb") as out:
        process = subprocess.Popen([*limits, *command], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                   env=environment, cwd=folder, start_new_session=True)
    running.add(process)
    end = os.pidfd_open(process.pid)
    ended = []
    try:
        ended = select.select([end], [], [], 0 if stopped.is_set() else seconds)[0]
    finally:
        os.close(end)
        running.discard(process)
        # Before the process is reaped: until then the group cannot be another's.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return process.returncode if ended else None


def symptom(status, log):
    """How a run has noticed the mutant, with what its output says of it; "" if it has not."""
    if status == 0:
        return ""
    with open(log, errors="replace") as output:
        text = output.read(MOST_READ)
    # Of Boost.Test and of test/schedules.
    failed = re.findall(r'error: in "([^"]+)"|^failed: (.+)$', text, re.MULTILINE)
    entered = re.findall(r'Entering test case "([^"]+)"', text)
    where = "".join(failed[0]) if failed else entered[-1] if entered else ""
    if status is None:
        how = "does not end"
    else:
        how = f"signal {-status}" if status < 0 else f"status {status}"
    return f"{how}: {where}" if where else how


# --- what is built --------------------------------------------------------------------------------

def stems(folder, but=()):
    return sorted(path.stem for path in (ROOT / folder).glob("*.cpp") if path.stem not in but)


def targets_of(kinds):
    """The names that test/Jamfile gives them."""
    named = {"unit": ["unit-program"], "interposed": [f"interposed-{stem}" for stem in stems("test/interposed")],
             "schedules": [f"schedules-{stem}" for stem in stems("test/schedules/scenarios", ["large"])],
             "adapt": ["adapt-tests"]}
    return [target for kind in kinds for target in named[kind]]


def suites_of(room):
    """Those of its files; not of one with cases that only run where they are named."""
    texts = [path.read_text() for path in sorted((ROOT / "test" / room).glob("*.cpp"))]
    return [suite for text in texts if "utf::disabled" not in text
            for suite in re.findall(r"^BOOST_(?:AUTO|FIXTURE)_TEST_SUITE\((test_\w+)", text, re.MULTILINE)]


def runs_of(kinds):
    rooms = [Run(f"unit/{room}", "unit-program",
                 ("--run_test=" + ",".join(suites_of(room)), "--run_test=!@forks", *UNIT_ARGUMENTS))
             for room in ROOMS]
    runs = {
        "unit": [*rooms, Run("unit/forks", "unit-program", ("--run_test=@forks", *UNIT_ARGUMENTS))],
        "interposed": [Run(name, name, UNIT_ARGUMENTS) for name in targets_of(["interposed"])],
        "schedules": [Run("schedules", "schedules", ("--preemptions", "1"))],
        "adapt": [Run("adapt", "adapt-tests", UNIT_ARGUMENTS)]}
    return [run for kind in kinds for run in runs[kind]]


def environment_of_compilers():
    script = 'top=$1; . "$top/tools/ccache.sh"; unset BOOST_ROOT; export LC_ALL=C; env -0'
    done = subprocess.run(["bash", "-c", script, "bash", ROOT], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          check=True)
    return dict(item.split("=", 1) for item in done.stdout.decode().split("\0") if item)


def output_of(command):
    return command[command.index("-o") + 1]


def with_files(command, output, source=None):
    """A compilation or a link with another output, and another source."""
    changed = list(command)
    changed[changed.index("-o") + 1] = str(output)
    if source:
        changed[-1] = str(source)
    return changed


class Programs:
    """Those without a mutant, and what makes those of a mutant, below FOLDER."""

    def __init__(self, folder, kinds):
        self.folder, self.kinds = folder, kinds
        self.environment = environment_of_compilers()
        # By run: how many seconds it may take.
        self.limits = {}
        # The commands of links by program, those of compilations by source; and the objects of the latter.
        self.links, self.library_objects, self.schedules_objects, self.objects = {}, {}, {}, {}

    def call(self, command, log=None, **changes):
        """Whether it succeeds."""
        with open(log or self.folder / "build.log", "ab") as out:
            done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=out, env={**self.environment, **changes}, cwd=ROOT, check=False)
        return done.returncode == 0

    def need(self, command):
        if not self.call(command):
            raise Failed(f"see {self.folder}/build.log: " + " ".join(map(str, command))[:200])

    def build(self, jobs):
        (self.folder / "programs").mkdir(parents=True, exist_ok=True)
        b2 = ["b2", f"--build-dir={self.folder}/b2", "toolset=gcc", "testing.execute=off", "interlock",
              *(f"test//{target}" for target in targets_of(self.kinds))]
        self.need([ROOT / "tools/install_packages", "test"])
        self.need([*b2, "-d1", f"-j{jobs}"])
        done = subprocess.run([*b2, "-n", "-a", "-d+2"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              env=self.environment, cwd=ROOT, text=True, check=True)
        for line in done.stdout.split("\n"):
            if line.strip().startswith('"g++"'):
                self.take_command(shlex.split(line))
        for source, command in self.library_objects.items():
            self.need(with_files(command, self.object_of(source)))
        self.need(self.library_link(self.folder))
        for name, command in self.links.items():
            self.link_program(with_files(command, self.folder / "programs" / name))

    def link_program(self, command):
        """If one of its objects is newer. It need not be linked again for another library."""
        program = pathlib.Path(output_of(command))
        objects = [part for part in command if part.endswith(".o")]
        if not program.exists() or program.stat().st_mtime < max(os.path.getmtime(part) for part in objects):
            self.need(command)

    def take_command(self, command):
        """One that b2 would run. The library is compiled once more, since its tests use what it hides."""
        output = pathlib.Path(output_of(command))
        if "-c" not in command:
            self.take_link(output.name, command)
        elif command[-1].startswith("src/"):
            left_out = ("-fvisibility=hidden", "-fvisibility-inlines-hidden", "-Werror", "-g")
            changed = [*(part for part in command[:-1] if part not in left_out), "-w", "-g0", command[-1]]
            is_of_schedules = output.name.startswith("schedules-")
            (self.schedules_objects if is_of_schedules else self.library_objects)[command[-1]] = changed
            if is_of_schedules:
                self.objects[command[-1]] = str(output)

    def take_link(self, name, command):
        """The scenarios, which are programs of their own, become one."""
        if name.startswith("schedules-"):
            whole = self.links.setdefault("schedules", command)
            end = whole.index("-Wl,--end-group")
            more = [part for part in command if part.endswith(".o") and part not in whole]
            self.links["schedules"] = [*whole[:end], *more, *whole[end:]]
        else:
            library = self.folder / "libinterlock.so"
            changed = [str(library) if part.endswith("/libinterlock.a") else part for part in command]
            self.links[name] = [*changed, "-Wl,--strip-debug"]

    def object_of(self, source):
        return self.folder / "programs" / source.replace("/", "-").replace(".cpp", ".o")

    def library_link(self, folder, changed=None):
        objects = [folder / "library.o" if source == changed else self.object_of(source)
                   for source in self.library_objects]
        library = folder / "libinterlock.so"
        return ["g++", "-shared", "-pthread", "-Wl,-soname,libinterlock.so", "-o", library, *objects]

    def perform(self, run, folder, seconds):
        """One of the runs, with what FOLDER holds of a mutant. Its status."""
        own = folder / run.program
        program = own if own.exists() else self.folder / "programs" / run.program
        environment = {**self.environment, "LD_LIBRARY_PATH": str(folder)}
        log = folder / (run.name.replace("/", "-") + ".log")
        return run_limited([str(program), *run.arguments], log, seconds, environment, ROOT), log

    def measure(self):
        for run in runs_of(self.kinds):
            begin = time.monotonic()
            found = symptom(*self.perform(run, self.folder, 1200))
            if found:
                raise Failed(f"{run.name} without a mutant: {found}")
            taken = time.monotonic() - begin
            self.limits[run] = BASE_SECONDS + TIMES_AS_LONG * taken
            print(f"without a mutant: {run.name} {taken:.1f} s", flush=True)

    # --- one mutant

    def compile(self, mutation, text, folder):
        """The library with it, in FOLDER."""
        changed, log = folder / "mutant.cpp", folder / "compile.log"
        changed.write_text(mutations.mutated(text, mutation))
        command = with_files(self.library_objects[mutation.file], folder / "library.o", changed)
        return (self.call(command, log, CCACHE_DISABLE="1")
                and self.call(self.library_link(folder, mutation.file), log))

    def compile_schedules(self, mutation, folder):
        """After compile()."""
        own, log = folder / "schedules.o", folder / "compile.log"
        compiled = with_files(self.schedules_objects[mutation.file], own, folder / "mutant.cpp")
        link = [str(own) if part == self.objects[mutation.file] else part for part in self.links["schedules"]]
        if not (self.call(compiled, log, CCACHE_DISABLE="1")
                and self.call(with_files(link, folder / "schedules"), log)):
            raise Failed(f"see {log}")

    def runs_for(self, mutation):
        """That of the room of its file, then the shorter ones first."""
        room = "unit/" + pathlib.Path(mutation.file).parent.name
        return sorted(self.limits, key=lambda run: (run.name != room, self.limits[run]))

    def noticed(self, mutation, text, folder):
        """By which run, and how; "" if by none; None if the mutant does not compile."""
        if not self.compile(mutation, text, folder):
            return None
        for run in self.runs_for(mutation):
            if run.program == "schedules":
                self.compile_schedules(mutation, folder)
            how = symptom(*self.perform(run, folder, self.limits[run]))
            if how:
                return f"{run.name}, {how}"
        return ""
