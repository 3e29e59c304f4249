#!/usr/bin/env python3
"""The end of a finished demo at a terminal: the page, with its three models and the adapter, until Ctrl-C.

usage: demo_page.py PROGRAM demo FLAG...        the command of a demo that ran to its end"""
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import urllib.request


def main():
    terminal, side = pty.openpty()
    environment = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    demo = subprocess.Popen(sys.argv[1:], stdin=side, stdout=side, stderr=side, env=environment)
    os.close(side)
    told, until = "", time.monotonic() + 60
    while not (found := re.search(r"(http://127\.0\.0\.1:\d+)/#/compare\?models=(\S+)", told)):
        assert time.monotonic() < until and demo.poll() is None, told[-2000:]
        told += os.read(terminal, 4096).decode(errors="replace")
    address, compared = found.groups()
    names = [model["id"] for model in json.load(urllib.request.urlopen(address + "/v1/models"))["data"]]
    assert set(compared.split(",")) == {"base", "tuned", "polite"} <= set(names), names
    assert any("fairy-tales" in name for name in names), names
    page = urllib.request.urlopen(address + "/").read().decode()
    assert "<title>" in page, page[:200]
    runs = {run["name"] for run in json.load(urllib.request.urlopen(address + "/malssi/runs"))["runs"]}
    assert {"base", "tuned", "dpo"} <= runs, runs
    question = {"model": "polite", "messages": [{"role": "user", "content": "What is 12 + 13?"}], "max_tokens": 20, "temperature": 0}
    request = urllib.request.Request(address + "/v1/chat/completions", json.dumps(question).encode(), {"content-type": "application/json"})
    assert json.load(urllib.request.urlopen(request))["choices"][0]["message"]["content"].strip()
    demo.send_signal(signal.SIGINT)
    assert demo.wait(20) == 0
    print("the demo's page was opened, asked, and closed")


main()
