"""The files to install it by, checked as far as is possible without a container engine: what they
name is there, and the programs that read them find no fault."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from moderation import settings
from moderation.settings import SETTINGS

ROOT = Path(__file__).parent.parent
UNIT = ROOT / "moderation" / "guide" / "systemd" / "moderation.service"
CONTAINERFILE = (ROOT / "Containerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
PROGRAMS = os.pathsep.join((os.environ["PATH"], "/usr/sbin"))


def test_every_setting_that_a_file_sets_is_one_and_can_be_read() -> None:
    known = {setting.variable for setting in SETTINGS}
    unit = UNIT.read_text(encoding="utf-8")
    texts = (CONTAINERFILE, unit)
    given = dict(pair for text in texts for pair in re.findall(r"(MODERATION_\w+)=(\S+)", text))
    composed = COMPOSE["services"]["moderation"]["environment"]
    given |= {name: re.sub(r"\$\{\w+:-(.*?)\}", r"\1", value) for name, value in composed.items()}
    given.pop("MODERATION_NAME", None)  # of the explanation
    assert given.keys() <= known
    assert settings.load(given).workers >= 1


def test_what_the_image_copies_and_calls_is_there() -> None:
    ignored = (ROOT / ".containerignore").read_text(encoding="utf-8").split()
    assert not {"moderation", "training", "models", "seeds", "README.md", "LICENSE"} & {*ignored}
    assert (ROOT / ".dockerignore").read_text(encoding="utf-8").split() == ignored
    words = {line.split()[0] for line in CONTAINERFILE.splitlines() if re.match(r"[A-Z]+ ", line)}
    assert {"FROM", "COPY", "RUN", "USER", "HEALTHCHECK", "ENTRYPOINT"} <= words
    assert CONTAINERFILE.index("USER moderation") < CONTAINERFILE.index("ENTRYPOINT")
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert 'moderation = "moderation.cli:main"' in project
    assert "postgres = [" in project


def test_compose_names_nothing_that_is_not_there() -> None:
    services = COMPOSE["services"]
    for name, service in services.items():
        assert ("image" in service) != ("build" in service), name
        assert service.get("depends_on", {}).keys() <= services.keys()
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert volumes <= COMPOSE["volumes"].keys()
        assert {c["source"] for c in service.get("configs", ())} <= COMPOSE["configs"].keys()
        for dependency in service.get("depends_on", {}):
            has_check = "healthcheck" in services[dependency] or "build" in services[dependency]
            assert has_check, dependency
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "open to the network"
    assert (ROOT / services["moderation"]["build"]["dockerfile"]).exists()


def test_nginx_reads_the_configuration_of_the_proxy(tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path=PROGRAMS)
    if nginx is None:
        pytest.skip("nginx is not installed (Debian package nginx)")
    server = COMPOSE["configs"]["proxy"]["content"].replace("$$", "$")
    server = server.replace("moderation:8000", "127.0.0.1:8000").replace("listen 80", "listen 8080")
    folders = "".join(
        f"{kind}_temp_path {tmp_path}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = tmp_path / "nginx.conf"
    file.write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/log; events {{}} "
        f"http {{ access_log off; {folders} {server} }}"
    )
    done = subprocess.run(
        [nginx, "-t", "-c", file], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr


def test_systemd_reads_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not installed")
    # where the program is not installed, systemd would complain of that alone
    unit = tmp_path / UNIT.name
    text = UNIT.read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/moderation/bin/moderation", "/bin/true"))
    done = subprocess.run(
        [analyze, "verify", "--man=no", unit], capture_output=True, text=True, check=False
    )
    complaints = [line for line in done.stderr.splitlines() if UNIT.name in line]
    assert (complaints, done.returncode) == ([], 0)
