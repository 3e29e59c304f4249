#!/usr/bin/env python3
"""What prompt look-up and a JSON schema cost or save: the same greedy answer with and without, in turn, medians.

    bench/speculation.py MODEL                       # an answer that repeats its prompt, or itself
    bench/speculation.py MODEL --prompt-file code.txt --tokens 200

Prints tokens/s plain and with --speculate lookup, their ratio, and whether the answers agree to the byte; then the time
that holding an answer to a JSON schema adds to a token (its first mask included; below what the machine's unrest hides,
it reads as anything around 0). Needs a built program.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/malssi"
SCHEMA = '{"type": "array", "items": {"type": "string"}, "minItems": 1000}'


def answer(a, tokens, *flags):
    """(text, seconds) of one run; loading is part of the seconds."""
    source = ["--prompt-file", a.prompt_file] if a.prompt_file else ["--prompt", a.prompt]
    command = [PROGRAM, "generate", "--model", a.model, "--greedy", "--max-tokens", tokens, *source, *flags]
    start = time.monotonic()
    done = subprocess.run([str(c) for c in command], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout, time.monotonic() - start


def seconds_a_token(a, *flags):
    """Loading and reading the prompt cancel out between a short answer and a long one."""
    text, long = answer(a, a.tokens + 1, *flags)
    _, short = answer(a, 1, *flags)
    return text, (long - short) / a.tokens


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--prompt", default="one two three four five six seven eight " * 8)
    parser.add_argument("--prompt-file")
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    a = parser.parse_args()
    ways = {"plain": [], "look-up": ["--speculate", "lookup"], "schema": ["--json-schema", SCHEMA]}
    times, texts = {way: [] for way in ways}, {way: set() for way in ways}
    answer(a, 1)  # so that the first run does not pay for reading the file from disk
    for _ in range(a.rounds):
        for way, flags in ways.items():
            text, seconds = seconds_a_token(a, *flags)
            times[way].append(seconds)
            texts[way].add(text)
    plain, lookup, schema = (statistics.median(times[way]) for way in ways)
    print(json.dumps({"plain_tokens_per_second": 1 / plain, "lookup_tokens_per_second": 1 / lookup,
                      "lookup_ratio": plain / lookup, "same_answer": texts["plain"] == texts["look-up"],
                      "schema_microseconds_per_token": 1e6 * (schema - plain)}, indent=2))


if __name__ == "__main__":
    main()
