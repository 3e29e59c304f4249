#!/usr/bin/env python3
"""What drafting and a JSON schema cost or save, by the program's own clock: the same greedy answer in turns, medians.

    bench/speculation.py MODEL                            # an answer that repeats its prompt, or itself
    bench/speculation.py MODEL --prompt-file code.txt --tokens 200
    bench/speculation.py MODEL --draft SMALLER            # a draft model beside look-up

Prints tokens/s plain and with drafts, their ratio, how many drafted tokens were right, and whether the answers agree to
the byte; then what holding an answer to a schema takes: microseconds a token, the longest, and the share of the time of
writing. Reading the prompt and loading count nowhere. Needs a built program.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("MALSSI", ROOT / "build/release/malssi")
SCHEMAS = {
    "strings": '{"type": "array", "items": {"type": "string"}, "minItems": 1000}',
    "any JSON": '{"type": "array", "minItems": 1000}',
    "object": json.dumps({"type": "array", "minItems": 1000, "items": {
        "type": "object", "required": ["name", "age", "tags"], "properties": {
            "name": {"type": "string", "maxLength": 20}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
            "tags": {"type": "array", "items": {"enum": ["red", "green", "blue"]}}}}}),
}


def answer(a, *flags):
    """(text, timings) of one run."""
    source = ["--prompt-file", a.prompt_file] if a.prompt_file else ["--prompt", a.prompt]
    command = [PROGRAM, "generate", "--model", a.model, "--greedy", "--max-tokens", a.tokens, *source, *flags, "--timings"]
    done = subprocess.run([str(c) for c in command], check=True, capture_output=True)
    timings = [line for line in done.stderr.decode().splitlines() if line.startswith("{")]
    return done.stdout, json.loads(timings[-1])


def median(runs, of):
    return statistics.median(of(timings) for _, timings in runs)


def drafts_of(plain, runs):
    ratio = median(runs, lambda t: t["tokens_per_second"]) / median(plain, lambda t: t["tokens_per_second"])
    times = runs[0][1]
    return {"tokens_per_second": median(runs, lambda t: t["tokens_per_second"]), "ratio": ratio,
            "accepted": times["accepted_tokens"] / max(times["drafted_tokens"], 1),
            "tokens_a_pass": times["written_tokens"] / max(times["passes"] - 1, 1),
            "same_answer": {text for text, _ in plain} == {text for text, _ in runs}}


def schema_of(runs):
    share = lambda t: t["grammar"]["seconds"] / t["writing_seconds"]
    return {"tokens_per_second": median(runs, lambda t: t["tokens_per_second"]),
            "tokens": runs[0][1]["grammar"]["tokens"],
            "microseconds_per_token": 1e6 * median(runs, lambda t: t["grammar"]["seconds"] / t["grammar"]["tokens"]),
            "longest_microseconds": 1e6 * median(runs, lambda t: t["grammar"]["longest_seconds"]),
            "share_of_writing": median(runs, share)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--prompt", default="one two three four five six seven eight " * 8)
    parser.add_argument("--prompt-file")
    parser.add_argument("--draft", help="a smaller model with the same vocabulary")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    ways = {"plain": [], "look-up": ["--speculate", "lookup"]}
    if a.draft:
        ways["draft"] = ["--speculate", a.draft]
    ways |= {name: ["--json-schema", schema] for name, schema in SCHEMAS.items()}
    runs = {way: [] for way in ways}
    for _ in range(a.rounds):
        for way, flags in ways.items():
            runs[way].append(answer(a, *flags))
    result = {"plain_tokens_per_second": median(runs["plain"], lambda t: t["tokens_per_second"])}
    result |= {way: drafts_of(runs["plain"], runs[way]) for way in ("look-up", "draft") if way in runs}
    result |= {name: schema_of(runs[name]) for name in SCHEMAS}
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
