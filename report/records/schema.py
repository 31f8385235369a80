"""Writes the JSON Schema of every kind of document, made from its type.

python -m report.records.schema
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from report.records import common
from report.records.load import RESULT, TUNING

FOLDER = Path(__file__).parents[1] / "schema"

_OK = ("quality", "data", "environment")
_NAMED = ("Values", "Name", "Line", "Sha256", "Commit", "Moment", "Seconds", "Duration", "Number", "Whole", "Positive")
"""Types of ``common`` that have no class: written once each, and referred to."""


def schemas() -> dict[str, str]:
    """Return the text of each schema by its file's name."""
    return {f"{kind.noun}.schema.json": _text(kind.noun, kind.newest, kind.type) for kind in (RESULT, TUNING)}


def _text(noun: str, version: int, kind: type[msgspec.Struct]) -> str:
    made = msgspec.json.schema(kind)
    definitions: dict[str, Any] = made["$defs"]
    top = definitions.pop(kind.__name__)
    del top["properties"]["path"]  # set by the loader
    if noun == "result":
        del definitions["Phase"]["properties"]["fastest_s"]  # computed by the loader
        # as in Result.__post_init__
        ok = {name: {"type": "object"} for name in _OK} | {"processes": {"minItems": 1}}
        top["if"] = {"properties": {"status": {"const": "ok"}}}
        top["then"] = {"properties": ok}
        top["else"] = {"properties": {"reason": {"type": "object"}}}
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:erabench:{noun}:{version}",
        "title": f"erabench {noun}",
    }
    named = {name: msgspec.json.schema(getattr(common, name)) for name in _NAMED}
    body = {name: value for name, value in top.items() if name != "title"} | {"$defs": definitions}
    whole = head | _referring(body, named)
    whole["$defs"] |= named
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


def _referring(schema: Any, named: dict[str, dict[str, Any]]) -> Any:
    """Return the schema with references in the place of what has a name."""
    if isinstance(schema, list):
        return [_referring(inner, named) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {name: value for name, value in schema.items() if name != "description"}
    for name, known in named.items():
        if plain == {key: value for key, value in known.items() if key != "description"}:
            own = (
                {"description": schema["description"]} if schema.get("description") != known.get("description") else {}
            )
            return {"$ref": f"#/$defs/{name}", **own}
    return {name: _referring(value, named) for name, value in schema.items()}


def main() -> None:
    """Write the schemas."""
    for name, text in schemas().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
