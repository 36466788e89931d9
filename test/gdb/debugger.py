# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""gdb over a program, without a terminal and without the user's own settings."""

import subprocess
import tempfile

TIME_LIMIT = 120
SETTINGS = ("set confirm off", "set pagination off", "set print thread-events off", "set debuginfod enabled off",
            # A container may forbid it.
            "set disable-randomization off")


def stop_and_go(place, *commands):
    """The lines that run COMMANDS each time that PLACE is reached."""
    return [f"break {place}", "commands", "silent", *commands, "continue", "end"]


def run(program, lines):
    """Runs PROGRAM to its end under gdb; returns what both have printed. A SystemExit, if either fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".gdb") as script:
        # Ends with the status of the program.
        script.write("\n".join([*SETTINGS, *lines, "run", "quit $_exitcode", ""]))
        script.flush()
        done = subprocess.run(["gdb", "-nx", "--batch", "-x", script.name, program], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIME_LIMIT,
                              check=False)
    if done.returncode != 0:
        raise SystemExit(f"{done.stdout}\ngdb: status {done.returncode}")
    return done.stdout
