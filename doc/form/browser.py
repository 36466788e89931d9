# Copyright (c) 2026 The Interlock authors
# SPDX-License-Identifier: BSL-1.0
"""A headless Chromium, driven by its DevTools over a pair of pipes."""

import base64
import json
import os
import shutil
import subprocess
import tempfile

NAMES = ("chromium", "chromium-browser", "google-chrome")


class Browser:
    def __init__(self):
        program = next(filter(None, map(shutil.which, NAMES)), None)
        if program is None:
            raise SystemExit("browser: no Chromium; tools/install_packages browser installs it")
        self.profile = tempfile.TemporaryDirectory(prefix="pages.")
        for_it, to_it = os.pipe()
        from_it, by_it = os.pipe()
        # The browser reads its commands from descriptor 3 and writes to 4.
        self.process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" 3<&{for_it} 4>&{by_it}', "sh", program, "--headless=new", "--no-sandbox",
             "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--allow-file-access-from-files",
             f"--user-data-dir={self.profile.name}", "--remote-debugging-pipe", "about:blank"],
            pass_fds=(for_it, by_it), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(for_it)
        os.close(by_it)
        self.commands, self.answers = to_it, from_it
        self.pending, self.number, self.events = b"", 0, []
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self.commands)
        self.process.terminate()
        self.process.wait()
        os.close(self.answers)
        self.profile.cleanup()

    def _message(self):
        while b"\0" not in self.pending:
            read = os.read(self.answers, 1 << 20)
            if not read:
                raise SystemExit("browser: Chromium has ended")
            self.pending += read
        message, _, self.pending = self.pending.partition(b"\0")
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._message()
            if message.get("id") == self.number:
                if "error" in message:
                    raise SystemExit(f"browser: {method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def wait_for(self, method):
        """The parameters of the next event of this name."""
        while True:
            for place, event in enumerate(self.events):
                if event.get("method") == method:
                    del self.events[place]
                    return event["params"]
            self.events.append(self._message())

    def resize(self, width, height=900):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)

    def colours(self, scheme):
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, address):
        """Loads a page; what the browser has complained of since is left in `events`."""
        self.events.clear()
        self.call("Page.navigate", url=address)
        self.wait_for("Page.loadEventFired")

    def run(self, script):
        """The value of a script, which may be a promise."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise SystemExit(f"browser: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def complaints(self):
        """Errors in the console, exceptions, and what could not be loaded."""
        for event in self.events:
            parameters = event.get("params", {})
            if event.get("method") == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                yield parameters["entry"]["text"]
            elif event.get("method") == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "assert"):
                yield " ".join(str(argument.get("value")) for argument in parameters["args"])
            elif event.get("method") == "Runtime.exceptionThrown":
                yield parameters["exceptionDetails"]["text"]
            elif event.get("method") == "Network.loadingFailed" and not parameters.get("canceled"):
                yield f"not loaded: {parameters['errorText']}"

    def screenshot(self, path, most=6000):
        """A picture of the page, from its top, of at most so many pixels."""
        width, height = self.run("[innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height, most), "scale": 1}
        picture = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(picture["data"]))
