"""malssi chat and generate with models behind other servers: stand-ins that speak each protocol, and our own."""
import http.server
import json
import threading
import unittest

from program import CHAT, ProgramTest
from serving import Served

WORDS = ("Mi", "na ", "드세요", ".")


def openai_events(asked):
    assert asked["messages"][-1]["role"] == "user" and asked["stream"] is True
    for word in WORDS:
        yield None, {"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]}
    yield None, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield None, {"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 4}}


def anthropic_events(asked):
    assert asked["max_tokens"] > 0 and all(m["role"] != "system" for m in asked["messages"])
    yield "message_start", {"type": "message_start", "message": {"usage": {"input_tokens": 5}}}
    for word in WORDS:
        yield "content_block_delta", {"type": "content_block_delta", "index": 0,
                                      "delta": {"type": "text_delta", "text": word}}
    yield "message_delta", {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}}
    yield "message_stop", {"type": "message_stop"}


def gemini_events(asked):
    assert asked["contents"][-1]["role"] == "user"
    for word in WORDS:
        yield None, {"candidates": [{"content": {"role": "model", "parts": [{"text": word}]}}]}
    yield None, {"candidates": [{"finishReason": "STOP"}],
                 "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 4}}


SERVICES = {  # the path, the header with the key, the events
    "openai": ("/v1/chat/completions", ("authorization", "Bearer a-key"), openai_events),
    "anthropic": ("/v1/messages", ("x-api-key", "a-key"), anthropic_events),
    "gemini": ("/v1beta/models/some-model:streamGenerateContent?alt=sse", ("x-goog-api-key", "a-key"), gemini_events),
}
BASES = {"openai": "/v1", "anthropic": "", "gemini": ""}


class StandIn(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        service = next((s for s in SERVICES.values() if s[0] == self.path), None)
        if not service or self.headers.get(service[1][0]) != service[1][1]:
            return self.refuse(401 if service else 404, "no such key" if service else "no such path")
        self.server.asked.append(asked)
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for name, event in service[2](asked):
            text = (f"event: {name}\n" if name else "") + f"data: {json.dumps(event, ensure_ascii=False)}\n\n"
            self.pieces(text.encode())
        if service[2] is openai_events:
            self.pieces(b"data: [DONE]\n\n")
        self.pieces(b"")

    def pieces(self, data):
        """Cut in the middle of characters."""
        for at in range(0, len(data), 7):
            self.wfile.write(b"%x\r\n%b\r\n" % (len(data[at:at + 7]), data[at:at + 7]))
        if not data:
            self.wfile.write(b"0\r\n\r\n")

    def refuse(self, status, message):
        body = json.dumps({"error": {"message": message}}).encode()
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class RemoteTest(ProgramTest):
    def stand_in(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
        server.asked = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server

    def environment(self, server, service, key="a-key"):
        return {f"{service.upper()}_BASE_URL": f"http://127.0.0.1:{server.server_port}{BASES[service]}",
                f"{service.upper()}_API_KEY": key}

    def test_each_protocol_answers(self):
        server = self.stand_in()
        for service in SERVICES:
            given = self.environment(server, service)
            result = self.good("generate", "--model", f"{service}:some-model", "--prompt", "Who likes tea?", **given)
            self.assertEqual(result.out, "Mina 드세요.\n")
            result = self.good("generate", "--model", f"{service}:some-model", "--prompt", "Who?", "--json", "--system", "Hm.", **given)
            told = json.loads(result.out)
            self.assertEqual((told["text"], told["prompt_tokens"], told["answer_tokens"]), ("Mina 드세요.", 5, 4))

    def test_a_chat_remembers(self):
        server = self.stand_in()
        for service in SERVICES:
            server.asked.clear()
            result = self.good("chat", "--model", f"{service}:some-model", "--system", "Be kind.", input="one\n/undo\ntwo\nthree\n",
                               **self.environment(server, service))
            self.assertEqual(result.out, "Mina 드세요.\n" * 3)
            turns = server.asked[-1].get("messages") or server.asked[-1]["contents"]
            self.assertEqual([t["role"] for t in turns if t["role"] != "system"][0::2], ["user", "user"])
            self.assertNotIn("one", json.dumps(turns))
            self.assertIn("Be kind.", json.dumps(server.asked[-1]))

    def test_refusals_are_one_line(self):
        server = self.stand_in()
        for service in SERVICES:
            name = f"{service}:some-model"
            self.bad("generate", "--model", name, "--prompt", "a", words=("401", "no such key"),
                     **self.environment(server, service, key="wrong"))
            self.bad("generate", "--model", name, "--prompt", "a", words=(f"{service.upper()}_API_KEY",),
                     **{f"{service.upper()}_API_KEY": "", f"{service.upper()}_BASE_URL": ""})
            self.bad("generate", "--model", name, "--prompt", "a", "--samples", "3", words=("--samples",), code=2,
                     **self.environment(server, service))

    def test_our_own_server_is_one(self):
        served = Served("--model", f"chat={CHAT}")
        self.addCleanup(served.close)
        given = {"OPENAI_BASE_URL": f"{served.url}/v1", "OPENAI_API_KEY": ""}
        asked = ("--prompt", "Who likes tea?", "--greedy", "--max-tokens", "20")
        near = self.good("generate", "--model", CHAT, "--chat", *asked)
        far = self.good("generate", "--model", "openai:chat", *asked, **given)
        self.assertEqual(far.out, near.out)
        self.bad("generate", "--model", "openai:none", *asked, words=("404", "none"), **given)


unittest.main()
