"""The whole server, model and all, under every kind of client for a while: memory stays where it was, nothing is left behind.
With MALSSI_LONG for half an hour."""
import json
import os
import random
import re
import socket
import threading
import time
import unittest

from program import CHAT, ProgramTest
from serving import Served

SECONDS = 1800 if os.environ.get("MALSSI_LONG") else 20
CLIENTS = 8


class LoadTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.served = Served("--model", f"chat={CHAT}", "--log", "none", "--slots", "4")
        self.addCleanup(self.served.close)
        self.ending, self.wrong, self.done = False, [], {}

    def figure(self, name):
        return float(re.search(rf"^{name} (\S+)$", self.served.ask("GET", "/metrics")[1].decode(), re.MULTILINE).group(1))

    def answer(self, rng):
        body = {"messages": [{"role": "user", "content": f"Who likes {rng.choice(('tea', 'rain', 'cats'))}?"}],
                "max_tokens": rng.randrange(1, 12), "seed": rng.randrange(1 << 20), "n": rng.randrange(1, 3)}
        status, text = self.served.ask("POST", "/v1/chat/completions", json.dumps({"model": "chat", **body}))
        if status != 429 and (status != 200 or len(json.loads(text)["choices"]) != body["n"]):
            self.wrong.append((status, text))

    def stream(self, rng):
        events = self.served.stream({"messages": [{"role": "user", "content": "Hi"}], "max_tokens": rng.randrange(1, 12)})
        if events[-1] != "[DONE]":
            self.wrong.append(events[-1])

    def drop(self, rng):
        body = json.dumps({"model": "chat", "stream": True, "messages": [{"role": "user", "content": "Hi"}]}).encode()
        request = (f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        with socket.create_connection(("127.0.0.1", self.served.port)) as connection:
            connection.sendall(request if rng.random() < 0.8 else request[:rng.randrange(len(request))])
            connection.settimeout(rng.random() * 0.05 + 1e-3)
            try:
                connection.recv(rng.randrange(1, 2000))
            except TimeoutError:
                pass

    def mistake(self, rng):
        body = rng.choice(('{"messages": 7}', "{", '{"model": "nobody", "messages": []}', "[" * 1000, '{"max_tokens": -1}'))
        status, text = self.served.ask("POST", "/v1/chat/completions", body)
        if status not in (400, 404, 429):
            self.wrong.append((status, text))

    def client(self, seed):
        rng = random.Random(seed)
        kinds = (self.answer, self.stream, self.drop, self.mistake)
        while not self.ending:
            kind = rng.choice(kinds)
            try:
                kind(rng)
            except Exception as error:  # the thread must go on, and the test must know
                if "429" not in str(error):
                    self.wrong.append(repr(error))
            self.done[kind.__name__] = self.done.get(kind.__name__, 0) + 1

    def test_memory_stays_and_nothing_is_left(self):
        threads = [threading.Thread(target=self.client, args=(i,)) for i in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(SECONDS / 4)  # by then everything there is was used once
        memory = self.figure("process_resident_memory_bytes")
        time.sleep(SECONDS * 3 / 4)
        grown = self.figure("process_resident_memory_bytes") - memory
        self.ending = True
        for thread in threads:
            thread.join()
        self.assertEqual(self.wrong[:3], [])
        self.assertGreater(min(self.done.values()), 10, self.done)
        self.assertEqual(len(self.done), 4)
        self.assertLess(grown, max(memory * 0.01, 2e6 if SECONDS < 1800 else 0), f"of {memory} bytes")
        for name, left in (("malssi_num_requests_running", 0), ("malssi_num_requests_waiting", 0),
                           ("malssi_http_requests_running", 0), ("malssi_http_connections", 1),
                           ("malssi_http_body_bytes", 0)):
            end = time.time() + 10
            while self.figure(name) > left and time.time() < end:
                time.sleep(0.05)
            self.assertEqual(self.figure(name), left, name)


if __name__ == "__main__":
    unittest.main()
