"""`make pictures`: what people see, under docs/pictures: terminals, and the report on screens of two widths.

All of it happens on a sandbox whose world follows from a seed, in a temporary folder. Needs Chromium.
"""

import contextlib
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from tools import local_sandbox
from tools.browser import BrowserError, Page, browser, chromium, page_url
from tools.processes import Children, Signals, Stopped
from tools.terminal import ROWS, Screen, drawn, run_on_terminal

_ROOT = Path(__file__).resolve().parent.parent
_PICTURES = _ROOT / "docs" / "pictures"
_START, _SEED = "2026-06-01T00:00:00Z", "7"
_DOMAINS = ("example.com", "example.net", "example.org", "example.co.uk")
_WRONG = {
    "web/www.example.com.yaml": """apiVersion: certrecon/v1
commonName: www.example.com
dnsNames: [img.example.com]
renewal: {before: soon}
sectigo: {profil: OV Multi-Domain}
""",
    "shop/api.example.com.yaml": """apiVersion: certrecon/v1
commonName: api.example.com
dnsNames: [img_1.example.com, "*.co.uk", intranet]
renewal: {before: 5d}
""",
}


class PicturesFailedError(Exception):
    """A command did not do what the pictures are to show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A project, and the sandbox that it points at."""

    project: Path
    sandbox: dict[str, Any]
    env: dict[str, str]

    def certrecon(self, *arguments: str, codes: Sequence[int] = (0,)) -> None:
        """Run a command that no picture is made of."""
        done = subprocess.run(
            [local_sandbox.CERTRECON, *arguments],
            env=self.env,
            cwd=self.project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in codes:
            raise PicturesFailedError(f"certrecon {' '.join(arguments)}: {done.returncode}\n{done.stdout}{done.stderr}")

    def ask(self, path: str, **body: Any) -> Any:
        return local_sandbox.ask(self.sandbox, "POST", path, body)

    def edit(self, path: str, old: str, new: str) -> None:
        file = self.project / "certificates" / path
        text = file.read_text()
        if old not in text:
            raise PicturesFailedError(f"{path} is not as the pictures know it")
        file.write_text(text.replace(old, new))


def main() -> int:
    """Make all pictures; return the exit code."""
    program = chromium()
    if program is None:
        print("pictures: there is no Chromium on this machine (Debian: apt install chromium); nothing was made")
        return 0
    signals = Signals()
    with contextlib.ExitStack() as cleanup:
        cleanup.callback(signals.ignore)
        try:
            with signals.held():
                folder = Path(tempfile.mkdtemp(prefix="certrecon-pictures-")).resolve()
                cleanup.callback(shutil.rmtree, folder, ignore_errors=True)
                children = Children(signals)
                cleanup.callback(children.end)
            pages = _play(_scene(folder, children), folder)
            with browser(program) as page:
                _take(page, pages)
        except Stopped as stopped:
            return stopped.exit_code
        except (PicturesFailedError, BrowserError, local_sandbox.SandboxFailedError, OSError) as error:
            print(f"pictures: {error}", file=sys.stderr)
            return 1
    return 0


def _scene(folder: Path, children: Children) -> Scene:
    project = folder / "project"
    project.mkdir()
    shutil.copyfile(_ROOT / "certrecon.yaml", project / "certrecon.yaml")
    shutil.copytree(_ROOT / "certificates", project / "certificates")
    options = ("--start", _START, "--seed", _SEED, "--pooled-keys")
    sandbox = local_sandbox.start(folder / "sandbox", children, *options)
    return Scene(project=project, sandbox=sandbox, env=local_sandbox.environment(folder / "sandbox"))


# The story


def _play(scene: Scene, folder: Path) -> dict[str, Path]:
    """Let half a year pass; return what is to be pictured, by name."""
    scene.certrecon("apply", "--auto-approve", "--wait", "48h")
    _half_a_year(scene)
    made = {"plan": _terminal(scene, folder, "plan")}
    for _ in range(2):  # the second places the orders, for the CSRs that the first asked for
        scene.certrecon("apply", "--auto-approve", codes=(3, 4))
        scene.certrecon("sandbox", "advance", "2h")
    made["status"] = _terminal(scene, folder, "status")
    scene.certrecon("report", "--about", "project=example", "--output", f"html={folder / 'report.html'}", codes=(0, 1))
    made["report"] = folder / "report.html"
    made["apply"] = _terminal(scene, folder, "apply", "--auto-approve", "--wait", "48h", keep=_waits)
    for name, text in _WRONG.items():
        (scene.project / "certificates" / name).write_text(text)
    made["validate"] = _terminal(scene, folder, "validate")
    return made


def _half_a_year(scene: Scene) -> None:
    """Let time and people do what they do."""
    scene.certrecon("sandbox", "advance", "130d")
    world = local_sandbox.ask(scene.sandbox, "GET", "/state")
    enrollments = {one["common_name"]: one["id"] for one in world["enrollments"]}
    orders = {one["common_name"]: one["ssl_id"] for one in world["orders"]}
    scene.ask("/cps/open_renewal", enrollment_id=enrollments["blog.example.org"])
    scene.ask("/scm/revoke", ssl_id=orders["api.example.com"])
    scene.edit("web/www.example.com.yaml", "img.example.com", "media.example.com, img.example.com")
    gone = f"protect: false\nstate: absent\nakamai: {{enrollmentId: {enrollments['pay.example.co.uk']}}}"
    scene.edit("shop/pay.example.co.uk.yaml", "protect: true", gone)
    seeded = str(scene.project / "certificates" / "seeded")
    directory = str(Path(scene.sandbox["ca_file"]).parent)
    scene.certrecon("sandbox", "seed", "--dir", directory, "--count", "5", "--spread", "150", "--write", seeded)
    scene.certrecon("sandbox", "advance", "40d")
    for domain in _DOMAINS:
        scene.ask("/scm/validate_domain", name=domain)


def _waits(screen: Screen) -> bool:
    """Tell whether the live line says what is waited for."""
    last = screen.plain.rstrip().rpartition("\n")[2]
    return "under way: " in last and "next look" in last and last.count(",") > 0


def _terminal(scene: Scene, folder: Path, command: str, *options: str, keep: Any = None) -> Path:
    arguments = [local_sandbox.CERTRECON, command, *options]
    watched = {"keep": keep} if keep is not None else {}
    lines, _ = run_on_terminal(arguments, env=scene.env, cwd=scene.project, **watched)
    shown = lines[-ROWS:] if keep is not None else lines
    path = folder / f"{command}.html"
    path.write_text(drawn(f"$ certrecon {' '.join([command, *options])}", shown), encoding="utf-8")
    return path


# The pictures


def _take(page: Page, pages: dict[str, Path]) -> None:
    _PICTURES.mkdir(exist_ok=True)
    for name, path in pages.items():
        if name == "report":
            for width, screen in ((390, "phone"), (1440, "desktop")):
                for dark in (False, True):
                    look = "dark" if dark else "light"
                    _write(f"report-{screen}-{look}", _whole(page, path, width, dark=dark))
        else:
            _write(name, _whole(page, path, 1440, dark=True, part="body"))


def _whole(page: Page, path: Path, width: int, *, dark: bool, part: str = "html") -> bytes:
    """Return a picture of all of a page, or of one element of it."""
    page.screen(width, 900, dark=dark)
    page.open(page_url(path))
    box = page.run(
        f"(() => {{ const box = document.querySelector({part!r}).getBoundingClientRect();"
        " return {x: 0, y: 0, width: Math.ceil(box.right), height: Math.ceil(box.bottom)} })()"
    )
    page.screen(width, int(box["height"]), dark=dark)
    return page.picture(box)


def _write(name: str, png: bytes) -> None:
    """Write a picture with 256 colours: a third of the size, and a repository keeps them all."""
    path = _PICTURES / f"{name}.png"
    # An octree keeps the colours that few dots have; the usual median cut would turn a green word black.
    few = Image.open(io.BytesIO(png)).convert("RGB").quantize(method=Image.Quantize.FASTOCTREE)
    few.save(path, optimize=True)
    print(f"docs/pictures/{path.name}: {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    sys.exit(main())
