"""make builds quietly, shows what went wrong, and copes with a build folder that came from elsewhere."""

import json
import os
import re
import shutil
import subprocess

import pytest
from support.pintail import binary
from support.procs import DEPS, REPO

PRESETS = [p for p in json.loads((REPO / "CMakePresets.json").read_text())["configurePresets"] if not p.get("hidden")]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what git knows of this one, with the same .deps."""
    folder = tmp_path_factory.mktemp("checkout") / "pintail"
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=REPO, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, files.split("\0")):
        if (REPO / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPO / name, folder / name)
    (folder / ".deps").symlink_to(DEPS)
    return folder


def build(checkout, preset, *targets, code=0, **env):
    folder = preset["binaryDir"].removeprefix("${sourceDir}/")
    done = subprocess.run(
        ["cmake/build", preset["name"], folder, f"-DPINTAIL_LIBRDKAFKA={DEPS / 'librdkafka'}", "--", *targets],
        cwd=checkout,
        text=True,
        capture_output=True,
        timeout=110,
        env={**{k: v for k, v in os.environ.items() if k != "V"}, **env},
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def edit_cache(folder, name, value):
    cache = folder / "CMakeCache.txt"
    text, n = re.subn(rf"^({name}:[A-Z]*)=.*$", rf"\1={value}", cache.read_text(), flags=re.M)
    assert n == 1
    cache.write_text(text)


# As after `cp -r` or `mv` of a checkout, one that was built with make's own generator, one from a machine with another compiler.
ELSEWHERE = {
    "CMAKE_HOME_DIRECTORY": "/somewhere/else",
    "CMAKE_CACHEFILE_DIR": "/somewhere/else/build",
    "CMAKE_GENERATOR": "Unix Makefiles",
    "CMAKE_C_COMPILER": "/opt/gone/bin/cc",
}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda p: p["name"])
def test_a_build_folder_that_came_from_elsewhere_is_built_from_nothing(checkout, preset):
    folder = checkout / preset["binaryDir"].removeprefix("${sourceDir}/")
    build(checkout, preset, "help")
    for what, value in ELSEWHERE.items() if preset["name"] == "release" else [("CMAKE_HOME_DIRECTORY", "/somewhere/else")]:
        edit_cache(folder, what, value)
        (folder / "old").touch()
        assert "from nothing" in build(checkout, preset, "help"), what
        assert not (folder / "old").exists() and f"CMAKE_HOME_DIRECTORY:INTERNAL={checkout}" in (folder / "CMakeCache.txt").read_text()
        (folder / "old").touch()
        assert "from nothing" not in build(checkout, preset, "help") and (folder / "old").exists()


def test_a_build_is_quiet_until_it_fails_and_v_1_shows_every_step(checkout):
    release = next(p for p in PRESETS if p["name"] == "release")
    assert build(checkout, release, "pt_base") in ("", "building build/ ...\n")
    assert build(checkout, release, "pt_base") == ""
    source = checkout / "src" / "base" / "clock.c"
    whole = source.read_text()
    source.write_text(whole + "\nint a_mistake = nowhere;\n")
    said = build(checkout, release, "pt_base", code=1)
    assert "clock.c" in said and "nowhere" in said and "build/build.log" in said and "V=1" in said and "[1/" not in said, said
    source.write_text(whole)
    assert "[1/" in build(checkout, release, "pt_base", V="1")


@pytest.mark.timeout(240)
def test_the_demo_ends_sound_shows_the_broken_records_as_text_and_what_it_says_to_try_works(checkout):
    """And it leaves alone what is not its own: README's lake has the same folders."""
    others = [
        checkout / "data" / "pintail" / "offsets" / "x.pq",
        checkout / "data" / "main" / "stream_orders" / "x.pq",
        checkout / "metadata" / "lake.sqlite",
    ]
    for file in others:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("of another lake")
    done = subprocess.run(
        ["demo/run.sh"], cwd=checkout, text=True, capture_output=True, timeout=230, env={**os.environ, "PINTAIL": str(binary())}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "sound: " in done.stdout and '"quantity":"a few"' in done.stdout and "\\x22" not in done.stdout, done.stdout
    assert all(file.exists() for file in others)
    commands = [line for line in done.stdout.split("what to try next")[1].splitlines() if " sql --lake" in line or " --help" in line]
    assert len(commands) == 4, commands
    said = [
        subprocess.run(command, shell=True, cwd=checkout, text=True, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        for command in commands
    ]
    assert [run.returncode for run in said] == [0] * 4, said
    (counted,) = [run.stdout for command, run in zip(commands, said) if "VERSION" in command]
    assert any(int(cell) > 0 for cell in re.findall(r"\d+", counted)), counted


def test_make_builds_in_no_other_way():
    assert "cmake --preset" not in (REPO / "Makefile").read_text() and "cmake --build" not in (REPO / "Makefile").read_text()
