"""A `malssi serve` that runs beside a test."""
import http.client
import json
import re
import subprocess
import threading

from program import PROGRAM, environment


class Served:
    """Starts on a free port and waits until it is ready. told: what it said until then; log: what it says afterwards."""

    def __init__(self, *args, wait=60, **env):
        self.process = subprocess.Popen([PROGRAM, "serve", *args, "--port", env.pop("PORT", "0")], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment(**env))
        self.told, self.log, self.tls = "", [], None
        timer = threading.Timer(wait, self.process.kill)
        timer.start()
        for line in self.process.stderr:
            self.told += line
            if "try: curl" in line:
                break
        timer.cancel()
        found = re.search(r"ready: .* at (https?://[^:]+:(\d+))/v1", self.told)
        if not found:
            raise AssertionError(f"the server did not start: {self.told}")
        self.url, self.port = found.group(1), int(found.group(2))
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def connection(self):
        if self.tls:
            return http.client.HTTPSConnection("localhost", self.port, timeout=60, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method, path, body=None, headers={}):
        connection = self.connection()
        given = {"content-type": "application/json", **headers} if body is not None else headers
        connection.request(method, path, body=body, headers=given)
        reply = connection.getresponse()
        read = reply.read()
        connection.close()
        return reply.status, read

    def stream(self, body, headers={}):
        """The data of a streamed chat completion's events."""
        connection = self.connection()
        connection.request("POST", "/v1/chat/completions", json.dumps({"model": "chat", "stream": True, **body}),
                           {"content-type": "application/json", **headers})
        reply = connection.getresponse()
        text = reply.read().decode()
        connection.close()
        if reply.status != 200:
            raise AssertionError(f"status {reply.status}: {text}")
        return [line[6:] for line in text.splitlines() if line.startswith("data: ")]
