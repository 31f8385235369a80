#!/usr/bin/env python3
"""A kubectl for tests: objects in $FAKE_CLUSTER/objects.json, logs in $FAKE_CLUSTER/<pod>.log, calls in calls.jsonl."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

HOME = Path(os.environ["FAKE_CLUSTER"])


def main(words: list[str]) -> int:
    """Do as kubectl does with the words that the fleet uses."""
    with (HOME / "calls.jsonl").open("a") as file:
        file.write(json.dumps(words) + "\n")
    if (HOME / "error").exists():
        print((HOME / "error").read_text(), file=sys.stderr)
        return 1
    path = HOME / "objects.json"
    objects = json.loads(path.read_text()) if path.exists() else []
    verb, *rest = [word for word in words if not word.startswith("--")]
    options = dict(word[2:].partition("=")[::2] for word in words if word.startswith("--"))
    if verb == "create":
        text = sys.stdin.read() if options["filename"] == "-" else Path(options["filename"]).read_text()
        content = json.loads(text)
        items = content.get("items", [content])
        if any(item["metadata"]["name"] in {one["metadata"]["name"] for one in objects} for item in items):
            print("Error from server (AlreadyExists): it already exists", file=sys.stderr)
            return 1
        if (HOME / "refuse").exists():
            print('Error from server (BadRequest): Job in version "v1" cannot be handled', file=sys.stderr)
            return 1
        if options.get("dry-run") != "server":
            path.write_text(json.dumps(objects + items))
            kinds = {"Job": "job.batch", "ConfigMap": "configmap"}
            print("\n".join(f"{kinds[item['kind']]}/{item['metadata']['name']}" for item in items))
    elif verb == "get":
        key, _, value = options["selector"].partition("=")
        kinds = {"jobs": "Job", "pods": "Pod", "nodes": "Node"}
        wanted = {kinds[name] for name in rest[0].split(",")}
        found = [one for one in objects if one["kind"] in wanted and one["metadata"]["labels"].get(key) == value]
        print(json.dumps({"kind": "List", "items": found}))
    elif verb == "logs":
        print((HOME / f"{rest[0]}.log").read_text(), end="")
    elif verb == "delete":
        path.write_text(json.dumps([one for one in objects if one["kind"] not in ("Job", "ConfigMap")]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
