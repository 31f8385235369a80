"""Translate the user's configuration of pip (files and PIP_* variables) into uv's settings.

People configure pip for their network: a mirror, a private index, a CA bundle, a folder of wheels. uv reads none of
that. A setting of uv's own (UV_*, uv.toml by its own rules) goes before a translated one.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from pathlib import Path

from images.stack import output

UV = {  # pip's option: uv's variable, and what joins several values
    "index-url": ("UV_DEFAULT_INDEX", ""),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
    "no-index": ("UV_NO_INDEX", ""),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", ""),
    "client-cert": ("SSL_CLIENT_CERT", ""),
    "proxy": ("ALL_PROXY", ""),
    "timeout": ("UV_HTTP_TIMEOUT", ""),
    "default-timeout": ("UV_HTTP_TIMEOUT", ""),
    "retries": ("UV_HTTP_RETRIES", ""),
    "keyring-provider": ("UV_KEYRING_PROVIDER", ""),
}
SECTIONS = ("global", "install", ":env:")  # from weak to strong


def as_uv_settings(python: Path) -> dict[str, str]:
    """uv's variables for the configuration that ``python``'s pip finds; nothing that the environment sets already."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "config", "list"]
    found = translated(output(*command))
    return {name: value for name, value in found.items() if not os.environ.get(name)}


def translated(listing: str) -> dict[str, str]:
    """uv's variables for the output of ``pip config list``."""
    by_section: dict[str, dict[str, str]] = {name: {} for name in SECTIONS}
    for line in listing.splitlines():
        name, _, value = line.partition("=")
        section, _, option = name.rpartition(".")
        if section in by_section and value:
            by_section[section][option.replace("_", "-")] = str(ast.literal_eval(value))
    found = {}
    for section in SECTIONS:
        for option, value in by_section[section].items():
            if option in UV:
                variable, separator = UV[option]
                found[variable] = separator.join(value.split()) if separator else value.strip()
    if "UV_INDEX" in found:  # pip takes a package from whichever index has it; the hashes say which file is right
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def options(variables: Mapping[str, str]) -> list[str]:
    """Options of ``uv pip install`` for settings that uv reads from no variable."""
    return ["--no-index"] if variables.get("UV_NO_INDEX", "").lower() in ("1", "true", "yes", "on") else []
