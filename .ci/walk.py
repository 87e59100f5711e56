"""Runs the command blocks of a page in one shell, and compares or replaces the block that follows each with what it printed."""

import json
import os
import re
import subprocess
import sys

BODY = r"((?:(?!```).*\n)*)"
COMMANDS = re.compile(rf"^```sh\n{BODY}```\n", re.MULTILINE)
FENCE = re.compile(rf"^```sh\n{BODY}```\n\n```(json|csv|text)\n{BODY}```\n", re.MULTILINE)
END = "---- end of a block ----"
WIDTH = 130

# What differs from run to run: ids, secrets, times.
VOLATILE = [
    (re.compile(r"key_[A-Za-z0-9]{22}"), "key_…"),
    (re.compile(r"(mbk_(?:live|test)_)[A-Za-z0-9]{32}"), r"\1…"),
    (re.compile(r"(mbk_(?:live|test)_)[A-Za-z0-9]{4}…"), r"\1…"),
    (re.compile(r"\d{4}-\d{2}-\d{2}T[0-9:.]+Z"), "time"),
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "day"),
    (re.compile(r"\d{4}-\d{2}\b"), "month"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}"), "uuid"),
    (re.compile(r"\b\d+ s\b"), "n s"),
    (re.compile(r"curl/[0-9.]+"), "curl"),
]


def run(blocks: list[str]) -> list[str]:
    """What each block prints, in one shell after the other's end."""
    script = "\n".join(f"{block}\necho '{END}'" for block in blocks)
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    done = subprocess.run(["bash", "-uo", "pipefail", "-c", script], env=environment, capture_output=True, text=True, timeout=120)
    printed = done.stdout.split(END + "\n")
    if done.returncode or len(printed) != len(blocks) + 1:
        sys.exit(f"walk: a block broke off after {len(printed) - 1}:\n{done.stdout[-2000:]}{done.stderr}")
    return printed[:-1]


def pretty(value: object, indent: int = 0, used: int = 0) -> str:
    """JSON as people write it: on one line what fits on one."""
    flat = json.dumps(value, ensure_ascii=False)
    if len(flat) + indent + used <= WIDTH or not isinstance(value, (dict, list)) or not value:
        return flat
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [f"{json.dumps(name)}: {pretty(item, indent + 2, len(name) + 4)}" for name, item in value.items()]
        brackets = "{}"
    else:
        parts, brackets = [pretty(item, indent + 2) for item in value], "[]"
    joined = f",\n{inner}".join(parts)
    return f"{brackets[0]}\n{inner}{joined}\n{' ' * indent}{brackets[1]}"


def shown(kind: str, text: str) -> str:
    """What a block of that kind shows of what was printed, as if the system had the port that it has for people."""
    text = text.replace(os.environ["url"], "http://127.0.0.1:3000")
    if kind != "json":
        return text.rstrip("\n") + "\n"
    documents = [json.loads(line) for line in text.splitlines() if line.strip()]
    return "\n".join(pretty(document) for document in documents) + "\n"


def stable(kind: str, text: str) -> str:
    """What has to be the same in every run."""
    if kind == "json":
        decoder, documents = json.JSONDecoder(), []
        while text.strip():
            document, end = decoder.raw_decode(text.lstrip())
            documents.append(forget(document))
            text = text.lstrip()[end:]
        text = json.dumps(documents, ensure_ascii=False, indent=1)
    for pattern, placeholder in VOLATILE:
        text = pattern.sub(placeholder, text)
    return text


def forget(value: object, name: str = "") -> object:
    """The document without durations and cursors."""
    if isinstance(value, dict):
        return {key: forget(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [forget(item) for item in value]
    if name.endswith(("_seconds", "_ms")) and isinstance(value, (int, float)):
        return 0
    if name in ("next_cursor", "request_id") and isinstance(value, str):
        return name
    return value


def main() -> None:
    path, mode = sys.argv[1], sys.argv[2]
    with open(path, encoding="utf-8") as file:
        page = file.read()
    blocks = [match.group(1) for match in COMMANDS.finditer(page)]
    printed = dict(zip(blocks, run(blocks), strict=True))
    if len(printed) != len(blocks):
        sys.exit("walk: two blocks are the same")
    wrong = []

    def replace(match: re.Match[str]) -> str:
        block, kind, said = match.groups()
        came = shown(kind, printed[block])
        if stable(kind, came) != stable(kind, said):
            wrong.append(f"walk: after\n\n{block}\nthe page says\n\n{said}\nand it comes to\n\n{came}")
        return f"```sh\n{block}```\n\n```{kind}\n{came}```\n"

    written = FENCE.sub(replace, page)
    if mode == "write":
        with open(path, "w", encoding="utf-8") as file:
            file.write(written)
        print(f"walk: {len(blocks)} blocks written")
    elif wrong:
        sys.exit("\n".join(wrong))
    else:
        print(f"walk: {len(blocks)} blocks of {path} come to what it says")


main()
