"""deploy/nginx/malssi.conf before two replicas, with Debian's nginx: streams go through as they come, conversations stay with
their replica, and one that is gone is passed over."""
import collections
import http.client
import json
import pathlib
import shutil
import socket
import subprocess
import time
import unittest

from program import CHAT, ProgramTest
from serving import Served

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@unittest.skipUnless(NGINX, "nginx is not installed (apt-get install nginx-light): the replicas behind it are not tested")
class NginxTest(ProgramTest):
    def setUp(self):
        super().setUp()
        self.replicas = [Served("--model", f"chat={CHAT}") for _ in range(2)]
        for replica in self.replicas:
            self.addCleanup(replica.close)
        self.port, = free_ports(1)
        self.log = self.folder / "access.log"
        conf = (ROOT / "deploy/nginx/malssi.conf").read_text()
        changes = {"listen 8080": f"listen 127.0.0.1:{self.port}", "127.0.0.1:8081": f"127.0.0.1:{self.replicas[0].port}",
                   "127.0.0.1:8082": f"127.0.0.1:{self.replicas[1].port}", "/var/log/nginx/malssi.log": str(self.log)}
        for old, new in changes.items():
            self.assertIn(old, conf)
            conf = conf.replace(old, new)
        self.write("malssi.conf", conf)
        paths = "".join(f"{kind}_temp_path {self.folder}/{kind};\n" for kind in
                        ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        main = self.write("nginx.conf", f"daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/error.log;\n"
                                        f"events {{}}\nhttp {{\n{paths}include {self.folder}/malssi.conf;\n}}\n")
        checked = subprocess.run([NGINX, "-t", "-c", main, "-p", self.folder], capture_output=True, text=True)
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.nginx = subprocess.Popen([NGINX, "-c", main, "-p", self.folder], stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
        self.addCleanup(self.end_nginx)
        for _ in range(200):
            try:
                if self.ask("GET", "/health")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        self.fail("nginx does not answer: " + (self.folder / "error.log").read_text())

    def end_nginx(self):
        self.nginx.terminate()
        self.nginx.wait(timeout=20)

    def ask(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, {"content-type": "application/json", **headers} if body else headers)
        reply = connection.getresponse()
        read = reply.read()
        connection.close()
        return reply.status, read, reply.headers

    def entries(self, ids):
        """The log's lines of these requests, once they are there."""
        for _ in range(100):
            lines = {line["id"]: line for line in map(json.loads, self.log.read_text().splitlines())}
            if all(each in lines for each in ids):
                return [lines[each] for each in ids]
            time.sleep(0.05)
        self.fail("nginx did not write these requests down")

    def replicas_of(self, count, **headers):
        """Which replicas answer so many requests, and how many each."""
        ids = []
        for _ in range(count):
            status, _, reply = self.ask("GET", "/v1/models", headers={k.replace("_", "-"): v for k, v in headers.items()})
            self.assertEqual(status, 200)
            ids.append(reply["x-request-id"])
        return collections.Counter(line["replica"] for line in self.entries(ids))

    def test_conversations_stay_and_others_spread(self):
        self.assertEqual(len(self.replicas_of(6)), 2)
        chosen = set()
        for i in range(24):  # where a name goes depends on the ports: all to one replica once in eight million times
            replicas = self.replicas_of(2, x_conversation_id=f"conversation {i}")
            self.assertEqual(len(replicas), 1, (i, replicas))
            chosen.update(replicas)
        self.assertEqual(len(chosen), 2)

    def test_a_stream_goes_through_and_keeps_its_id(self):
        body = json.dumps({"model": "chat", "stream": True, "messages": [{"role": "user", "content": "Who likes tea?"}]})
        status, text, headers = self.ask("POST", "/v1/chat/completions", body)
        self.assertEqual(status, 200)
        self.assertTrue(text.decode().rstrip().endswith("data: [DONE]"), text)
        self.entries([headers["x-request-id"]])
        self.assertEqual(self.ask("GET", "/metrics")[0], 404)

    def test_a_replica_that_ends_is_passed_over(self):
        """Each request is answered by the other one, and after two failures each group of replicas asks the dead one no more."""
        self.replicas[0].close()
        live = f"127.0.0.1:{self.replicas[1].port}"
        tried = collections.Counter()
        for i in range(12):
            tried += self.replicas_of(1) + self.replicas_of(1, x_conversation_id=str(i))
        self.assertTrue(all(replicas.split(", ")[-1] == live for replicas in tried), tried)
        self.assertGreaterEqual(tried[live], 12, tried)


if __name__ == "__main__":
    unittest.main()
