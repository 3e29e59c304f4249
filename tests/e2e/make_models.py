"""Trains the tiny models that the end-to-end tests share, into $MALSSI_MODELS."""
import json
import os
import shutil

from program import CHAT, MODELS, RECIPE, malssi, story


def must(*args):
    result = malssi(*args)
    assert result.code == 0, result


shutil.rmtree(MODELS, ignore_errors=True)
MODELS.mkdir(parents=True)
os.environ["MALSSI_CACHE"] = str(MODELS / "cache")
(MODELS / "recipe.toml").write_text(RECIPE)
(MODELS / "story.txt").write_text(story(400))
(MODELS / "chats.jsonl").write_text("".join(
    json.dumps({"messages": [{"role": "user", "content": f"Who likes {thing}?"},
                             {"role": "assistant", "content": "Mina."}]}) + "\n"
    for thing in ("tea", "rain", "cats", "boats", "books", "plums", "snow", "bread")))
must("pretrain", MODELS / "recipe.toml", "--data", MODELS / "story.txt", "--out", MODELS / "base", "--context", "128",
     "--steps", "60", "--lr", "0.01")
must("tune", "sft", "--model", MODELS / "base" / "model", "--data", MODELS / "chats.jsonl", "--out", MODELS / "chat",
     "--steps", "40", "--lr", "0.01")
assert (CHAT / "model.safetensors").is_file()
