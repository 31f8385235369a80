"""Keep names of people, hosts and folders out of results, which are shared."""

import os
import platform
import re
import sys
from typing import Any, Dict, List, Tuple

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def without_names(value: Any, job: Dict[str, Any]) -> Any:
    """Return a text, or all texts in a JSON value, with the folders of this machine and its name replaced."""
    if isinstance(value, dict):
        return {key: without_names(item, job) for key, item in value.items()}
    if isinstance(value, list):
        return [without_names(item, job) for item in value]
    if not isinstance(value, str):
        return value
    for path, name in _folders(job):
        value = re.sub(r"(?<![\w.-]){}(?![\w-])".format(re.escape(path)), name, value)
    return re.sub(r"(?<![\w.-]){}(?![\w-])".format(re.escape(platform.node() or "\n")), "<host>", value)


def _folders(job: Dict[str, Any]) -> List[Tuple[str, str]]:
    """(folder, what replaces it), the longest first: an environment usually lies in the project."""
    named = [
        (ROOT, "<project>"),
        (sys.prefix, "<environment>"),
        (sys.base_prefix, "<python>"),
        (job["data_dir"], "<data>"),
        (job["checkpoints"], "<checkpoints>"),
        (os.path.expanduser("~"), "~"),
    ]
    folders = {form.rstrip("/"): name for path, name in named if path for form in (os.path.realpath(path), path)}
    folders = {folder: name for folder, name in folders.items() if os.path.isabs(folder)}  # "data" is also a word
    for system in ("", "/usr", "/usr/local"):
        folders.pop(system, None)
    return sorted(folders.items(), key=lambda pair: -len(pair[0]))
