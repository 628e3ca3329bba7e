"""``make editor``: a real YAML language server finds, explains and completes what the schemas say.

Installs yaml-language-server with npm into ``.editor/`` and speaks to it as an editor does, over a
project that `init` made. Without npm it says so and does nothing.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from crmsync.connector.registry import connector
from crmsync.project.starting import NewProject, start

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".editor"
SERVER = PLACE / "node_modules/yaml-language-server/bin/yaml-language-server"
VERSION = "2.0.0"


class Editor:
    """Enough of the language server protocol for one file at a time."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            ["node", str(SERVER), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._number = 0
        self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self.tell("initialized", {})
        self._configure()

    def _configure(self) -> None:
        settings = {"yaml": {"validate": True, "hover": True, "completion": True}}
        self.tell("workspace/didChangeConfiguration", {"settings": settings})

    def tell(self, method: str, params: Any) -> None:
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def ask(self, method: str, params: Any) -> Any:
        self._number += 1
        number = self._number
        self._send({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        while True:
            message = self._receive()
            if message.get("id") == number and "method" not in message:
                return message.get("result")

    def problems(self, path: Path, text: str) -> list[Any]:
        """Open the text as that file, and what is said of it."""
        item = {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": item})
        while True:
            message = self._receive()
            told = message.get("params") or {}
            published = message.get("method") == "textDocument/publishDiagnostics"
            if published and told["uri"] == path.as_uri():
                return list(told["diagnostics"])

    def close(self) -> None:
        self._server.terminate()
        self._server.communicate()

    def _send(self, message: Any) -> None:
        body = json.dumps(message).encode()
        assert self._server.stdin is not None
        self._server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._server.stdin.flush()

    def _receive(self) -> Any:
        stream = self._server.stdout
        assert stream is not None
        length = 0
        while (line := stream.readline().strip()) or not length:
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message = json.loads(stream.read(length))
        if "id" in message and "method" in message:  # the server asks: nothing is configured
            wanted = message.get("params") or {}
            answer = [None for _ in wanted.get("items", [])] if "items" in wanted else None
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": answer})
        return message


def install() -> bool:
    """Whether the server is there; put it there when npm is."""
    if SERVER.exists():
        return True
    if shutil.which("npm") is None or shutil.which("node") is None:
        return False
    PLACE.mkdir(exist_ok=True)
    package = f"yaml-language-server@{VERSION}"
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(PLACE), package]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return True


def at(text: str, words: str, shift: int = 0) -> dict[str, int]:
    """Line and column of *words*, as an editor counts them."""
    start = text.index(words) + shift
    line = text.count("\n", 0, start)
    column = start - (text.rfind("\n", 0, start) + 1)
    return {"line": line, "character": len(text[start - column : start].encode("utf-16-le")) // 2}


SEEDED = {
    "a word that cannot stand there": ("type: integer", "type: intger", "intger"),
    "an unknown key": ("enter: 80", "entre: 80", "entre"),
    "a missing key": ("max: 30", "maxx: 30", "maxx"),
}


def check(editor: Editor, rules: Path) -> list[str]:
    """Everything that is not as it should be."""
    wrong = []
    text = rules.read_text(encoding="utf-8")
    if not text.startswith("# yaml-language-server: $schema="):
        wrong.append("the first line does not name the schema")
    clean = editor.problems(rules, text)
    if clean:
        wrong.append(f"a sound file has problems: {clean}")
    for number, (name, (old, new, word)) in enumerate(SEEDED.items()):
        seeded = text.replace(old, new, 1)
        found = editor.problems(rules.with_name(f"seeded{number}.yaml"), seeded)
        place = at(seeded, word)
        if not any(item["range"]["start"] == place for item in found):
            wrong.append(f"{name}: nothing at {place}, only {found}")
        else:
            print(f"{name}: {place['line'] + 1}:{place['character'] + 1}")
    where = {"textDocument": {"uri": rules.as_uri()}, "position": at(text, "demote_after", 2)}
    shown = json.dumps(editor.ask("textDocument/hover", where), ensure_ascii=False)
    print("hover:", shown[:160])
    if "低于保级线" not in shown or "below the keep line" not in shown:
        wrong.append(f"hover of demote_after lacks a language: {shown}")
    where["position"] = at(text, "type: integer", len("type: "))
    offered = editor.ask("textDocument/completion", where) or {}
    labels = {item["label"] for item in offered.get("items", [])}
    print("completion:", ", ".join(sorted(labels)))
    if not {"money", "percent", "yes_no"} <= labels:
        wrong.append(f"completion of type offers only {sorted(labels)}")
    return wrong


def main() -> int:
    if not install():
        print("skipped: npm and node are not on this machine, so no editor can be tried")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        start(
            NewProject(
                folder=Path(folder) / "project",
                spec=connector("zoho"),
                ruleset="b2b-standard",
                connection="zoho",
                language="zh",
                time_zone="Asia/Shanghai",
            )
        )
        editor = Editor()
        try:
            wrong = check(editor, Path(folder) / "project/rulesets/b2b-standard/rules.yaml")
        finally:
            editor.close()
    print(*wrong, sep="\n")
    return 1 if wrong else 0


sys.exit(main())
