"""malssi serve as its users meet it: the first answer, settings, TLS, signals, what it refuses to do."""
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import unittest

from program import CHAT, ProgramTest, malssi
from serving import Served

KEY = "0123456789abcdef0123"


class ServeTest(ProgramTest):
    def serve(self, *args, **env):
        served = Served("--model", f"chat={CHAT}", *args, **env)
        self.addCleanup(served.close)
        return served

    def test_answers_as_the_readme_says(self):
        served = self.serve()
        told = served.told
        self.assertIn("/v1/chat/completions", told)
        command = re.search(r"try: (curl .*)", told).group(1)
        if shutil.which("curl"):
            done = subprocess.run(["bash", "-c", f"{command.replace('curl', 'curl -sS', 1)}"], capture_output=True, timeout=60)
            self.assertIn("choices", json.loads(done.stdout), done)
        status, body = served.ask("GET", "/v1/models")
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(body)["data"][0]["id"], "chat")
        self.assertEqual(served.ask("GET", "/health"), (200, b'{"status":"ok"}'))
        status, metrics = served.ask("GET", "/metrics")
        for name in (b"malssi_http_connections ", b"process_resident_memory_bytes "):
            self.assertIn(b"\n" + name, metrics)

    def test_streams(self):
        served = self.serve()
        events = served.stream({"model": "chat", "messages": [{"role": "user", "content": "Who likes tea?"}]})
        self.assertEqual(events[-1], "[DONE]")
        self.assertGreater(len(events), 2)

    def test_a_setting_is_flag_then_variable_then_file(self):
        file = self.write("serve.toml", "[limits]\nbody_bytes = 5000\nheader_bytes = 3000\nheader_fields = 30\n")
        served = self.serve(file, "--body-bytes", "2000", MALSSI_LIMITS_BODY_BYTES="3000", MALSSI_LIMITS_HEADER_BYTES="2500")
        self.assertEqual(served.ask("POST", "/tokenize", b" " * 2001)[0], 413)
        self.assertNotEqual(served.ask("POST", "/tokenize", b" " * 2000)[0], 413)
        self.assertEqual(served.ask("GET", "/health", headers={"x-a": "a" * 2500})[0], 431)
        self.assertEqual(served.ask("GET", "/health", headers={"x-a": "a" * 2000})[0], 200)
        self.assertEqual(served.ask("GET", "/health", headers={f"x-{i}": "a" for i in range(30)})[0], 431)

    def test_keys_are_read_from_a_file_and_the_environment(self):
        keys = self.write("keys", f"mina {KEY}\n")
        served = self.serve("--api-key-file", keys, MALSSI_API_KEYS="another-key-from-elsewhere")
        self.assertEqual(served.ask("GET", "/v1/models")[0], 401)
        self.assertEqual(served.ask("GET", "/health")[0], 200)
        for key in (KEY, "another-key-from-elsewhere"):
            self.assertEqual(served.ask("GET", "/v1/models", headers={"authorization": f"Bearer {key}"})[0], 200)

    def test_logs_json_without_prompts_and_keys(self):
        log = self.folder / "requests.jsonl"
        served = self.serve("--log", log, "--api-key-file", self.write("keys", f"mina {KEY}\n"))
        served.ask("POST", "/tokenize?word=hidden", json.dumps({"content": "hidden"}).encode(),
                   {"authorization": f"Bearer {KEY}"})
        served.close()
        text = log.read_text()
        entries = [json.loads(line) for line in text.splitlines()]
        entry = next(entry for entry in entries if entry.get("path") == "/tokenize")
        self.assertEqual((entry["method"], entry["owner"]), ("POST", "mina"))
        self.assertNotIn("hidden", text)
        self.assertNotIn(KEY, text)

    def test_speaks_tls(self):
        if not shutil.which("openssl"):
            self.skipTest("openssl is not installed")
        certificate, key = self.folder / "cert.pem", self.folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        served = self.serve("--tls-certificate", certificate, "--tls-key", key)
        self.assertTrue(served.url.startswith("https://"))
        context = ssl.create_default_context(cafile=certificate)
        served.tls = context
        self.assertEqual(served.ask("GET", "/health")[0], 200)
        self.assertEqual(served.stream({"messages": [{"role": "user", "content": "Hi"}]})[-1], "[DONE]")
        with socket.create_connection(("127.0.0.1", served.port)) as plain:
            plain.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertNotIn(b"200", plain.recv(1000))
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, OSError)):
            served.ask("GET", "/health")
        served.tls = None
        self.bad("serve", "--model", CHAT, "--port", "0", "--tls-certificate", certificate, "--tls-key", certificate,
                 words=["cert.pem", "private key"])
        self.bad("serve", "--model", CHAT, "--port", "0", "--tls-certificate", certificate, words=["--tls-key"])

    def test_ends_cleanly_at_a_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            served = self.serve()
            answer = []
            body = {"messages": [{"role": "user", "content": "Who?"}], "max_tokens": 60, "min_p": 0}
            asking = threading.Thread(target=lambda: answer.extend(served.stream(body)))
            asking.start()
            time.sleep(0.05)
            served.process.send_signal(number)
            asking.join(timeout=30)
            self.assertEqual(served.process.wait(timeout=30), 0)
            self.assertTrue(not answer or answer[-1] == "[DONE]", answer[-1:])
            self.assertRaises(OSError, socket.create_connection, ("127.0.0.1", served.port), 1)

    def test_a_second_signal_ends_at_once(self):
        served = self.serve("--grace-seconds", "60")
        with socket.create_connection(("127.0.0.1", served.port)) as held:  # a request that does not end
            held.sendall(b"POST /tokenize HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                         b"Content-Length: 10\r\n\r\n{")
            end = time.time() + 20  # until it was read
            while b"\nmalssi_http_body_bytes 1\n" not in served.ask("GET", "/metrics")[1] and time.time() < end:
                time.sleep(0.01)
            served.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            self.assertIsNone(served.process.poll())
            served.process.send_signal(signal.SIGTERM)
            self.assertEqual(served.process.wait(timeout=10), 130)

    def test_is_well_while_it_loads_and_ends_where_a_model_is_no_good(self):
        broken = self.folder / "broken"
        shutil.copytree(CHAT, broken)
        (broken / "model.safetensors").write_bytes(b"nothing")
        self.bad("serve", "--model", broken, "--port", "0", "--log", "none", words=["model.safetensors"])

    def test_refuses_what_is_unsafe_or_unclear(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            self.bad("serve", "--model", CHAT, "--port", port, words=[port, "taken", f"process {os.getpid()}", "--port"])
        self.bad("serve", "--model", CHAT, "--host", "0.0.0.0", "--port", "0", words=["--api-key-file"])
        self.bad("serve", "--model", CHAT, "--host", "example.org", "--unsafe-open", words=["example.org", "127.0.0.1"])
        self.bad("serve", "--model", CHAT, "--allowed-origin", "*", "--port", "0", words=["'*'", "keys"])
        self.bad("serve", "--model", self.folder / "nowhere", "--port", "0", words=["nowhere"])
        self.bad("serve", words=["--model"])
        self.bad("serve", "--model", CHAT, "--port", "70000", words=["port", "65535"], code=2)
        self.bad("serve", "--model", CHAT, "--api-key-file", self.write("keys", "short\n"), words=["keys:1", "16"])
        self.bad("serve", "--model", CHAT, self.write("s.toml", "prot = 1\n"), words=["s.toml:1", "port"])

    def test_help_has_examples(self):
        shown = malssi("serve", "--help").out
        for word in ("malssi serve --model DIR", "--api-key-file", "--tls-certificate", "MALSSI_", "--grace-seconds"):
            self.assertIn(word, shown)


if __name__ == "__main__":
    unittest.main()
