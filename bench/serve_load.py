#!/usr/bin/env python3
"""Loads any OpenAI endpoint with streaming clients from a process of its own and tells what they got: tokens a second of all
together, time to the first token, time between tokens. Every client sends a prompt of its own (no shared beginnings), so that
two servers do the same work.

usage: bench/serve_load.py http://127.0.0.1:8080 [--clients 16] [--requests 3] [--tokens 64] [--words 16] [--model NAME] [--json]

Side by side, one after the other, with equal slots:
  malssi serve --model m.gguf --slots 16 --port 8080
  llama-server -m m.gguf -np 16 -c 8192 --port 8081
A token is counted by an answer's `usage` where the server tells it, else by its pieces of text."""
import argparse
import asyncio
import json
import os
import random
import time
import urllib.parse

WORDS = ("river stone light window garden paper silver morning letter market winter candle bridge forest honey thunder "
         "basket mirror pocket ladder velvet harbor copper meadow").split()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="http://HOST:PORT")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--requests", type=int, default=3, help="of each client, one after another")
    parser.add_argument("--tokens", type=int, default=64, help="of each answer")
    parser.add_argument("--words", type=int, default=16, help="of each prompt")
    parser.add_argument("--model", default="", help="default: the first that /v1/models lists")
    parser.add_argument("--warmup", type=int, default=1, help="requests before the measured ones")
    parser.add_argument("--json", action="store_true", help="one line of JSON")
    return parser.parse_args()


class Endpoint:
    def __init__(self, url, key):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.authority = parts.hostname, parts.port or 80, parts.netloc
        self.key = f"Authorization: Bearer {key}\r\n" if key else ""

    async def send(self, method, path, body=b""):
        reader, writer = await asyncio.open_connection(self.host, self.port, limit=1 << 22)
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: {self.authority}\r\n{self.key}Content-Type: application/json\r\n"
                     f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        return reader, writer, int(head.split()[1]), "chunked" in head.lower()

    async def get(self, path):
        reader, writer, status, chunked = await self.send("GET", path)
        body = await reader.read()
        writer.close()
        if chunked:
            body = b"".join(body.split(b"\r\n")[1::2])
        return status, body


async def events(reader):
    """The data of server-sent events; the lengths of chunks are lines that do not begin with "data: "."""
    while line := await reader.readline():
        if line.startswith(b"data: "):
            yield line[6:].strip()


async def ask(endpoint, model, prompt, tokens):
    """One streamed completion: when it began, and when each token came."""
    body = json.dumps({"model": model, "prompt": prompt, "max_tokens": tokens, "stream": True, "temperature": 0,
                       "ignore_eos": True, "cache_prompt": False, "stream_options": {"include_usage": True}}).encode()
    began, times, told = time.perf_counter(), [], 0
    reader, writer, status, _ = await endpoint.send("POST", "/v1/completions", body)
    if status != 200:
        raise SystemExit(f"error: status {status}: {(await reader.read(2000)).decode(errors='replace')}")
    async for data in events(reader):
        if data == b"[DONE]":
            break
        event = json.loads(data)
        told = (event.get("usage") or {}).get("completion_tokens", told)
        if event.get("choices"):
            times.append(time.perf_counter())
    writer.close()
    if not times:
        raise SystemExit("error: an answer without a token")
    return began, times, told or len(times)


def percentile(values, part):
    values = sorted(values)
    return values[round(part * (len(values) - 1))]


async def measure(options):
    endpoint = Endpoint(options.url, os.environ.get("API_KEY", ""))
    model = options.model or json.loads((await endpoint.get("/v1/models"))[1])["data"][0]["id"]
    rng = random.Random(1)
    prompts = [[" ".join(rng.choices(WORDS, k=options.words)) for _ in range(options.requests)] for _ in range(options.clients)]
    for i in range(options.warmup):
        await ask(endpoint, model, f"warm {i} " + " ".join(WORDS), options.tokens)
    answers = []

    async def client(own):
        for prompt in own:
            answers.append(await ask(endpoint, model, prompt, options.tokens))

    began = time.perf_counter()
    await asyncio.gather(*(client(own) for own in prompts))
    seconds = time.perf_counter() - began
    first = [times[0] - start for start, times, _ in answers]
    gaps = [b - a for _, times, _ in answers for a, b in zip(times, times[1:])] or [0.0]
    return {"url": options.url, "model": model, "clients": options.clients, "answers": len(answers),
            "tokens": sum(count for _, _, count in answers), "seconds": round(seconds, 3),
            "tokens_per_second": round(sum(count for _, _, count in answers) / seconds, 2),
            "first_token_ms": {"p50": round(percentile(first, 0.5) * 1e3, 1), "p99": round(percentile(first, 0.99) * 1e3, 1)},
            "between_tokens_ms": {"p50": round(percentile(gaps, 0.5) * 1e3, 1),
                                  "p99": round(percentile(gaps, 0.99) * 1e3, 1)}}


def main():
    options = arguments()
    result = asyncio.run(measure(options))
    if options.json:
        print(json.dumps(result))
        return
    print(f"{result['model']} at {result['url']}: {result['clients']} clients, {result['answers']} answers")
    print(f"  {result['tokens_per_second']} tokens/s together ({result['tokens']} in {result['seconds']} s)")
    for name, label in (("first_token_ms", "first token"), ("between_tokens_ms", "between tokens")):
        print(f"  {label}: {result[name]['p50']} ms (p50), {result[name]['p99']} ms (p99)")


main()
