"""Take pictures of the portal's pages from a demo, with a headless Chromium: `make screenshots`.

    .venv/bin/python -m scripts.screenshots               # docs/pictures, for the documents
    .venv/bin/python -m scripts.screenshots --all FOLDER  # every page, to compare by eye

It starts a demo of its own, and Chromium must be installed.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FloatRect, Locator, Page, expect

from portal.clock import utc_now
from scripts.browsing import (
    Demo,
    install_webhook,
    open_window,
    running_browser,
    running_demo,
    sign_in,
)
from scripts.every_page import picture_every_page
from tactical_simulator.control.remote import RemoteControl

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
COLOURS = 255
"""Of a picture: pages are flat, and the file is half as large."""
PATIENCE = 60
"""Seconds."""


def main() -> None:
    parser = argparse.ArgumentParser("python -m scripts.screenshots")
    parser.add_argument("--all", type=Path, metavar="FOLDER", help="every page, into this folder")
    folder: Path | None = parser.parse_args().all
    (folder or PICTURES).mkdir(parents=True, exist_ok=True)
    with running_browser() as browser, running_demo() as demo:
        if folder:
            picture_every_page(browser, demo, folder)
        else:
            picture_documents(browser, demo)


def picture_documents(browser: Browser, demo: Demo) -> None:
    page = open_window(browser, 1200, 900)
    sign_in(page, demo)
    try_rule(page, demo)
    show_calendar(page, demo)
    fill_channel(page, demo)
    follow_alert(page, demo)
    read_mail(open_window(browser, 390, 700, sharpness=2), demo)


def try_rule(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}rules/new")
    page.get_by_label("Name", exact=True).fill("Servers with errors that last")
    page.get_by_label("Error", exact=True).check()
    page.get_by_label("Servers", exact=True).check()
    page.get_by_label("Lasting at least").fill("5")
    page.get_by_role("group", name="Channels").get_by_label("Mail box").check()
    page.get_by_role("button", name="Try on the last 30 days").click()
    expect(page.locator("#trial")).to_be_visible()
    save(page, "rule-trial")


def show_calendar(page: Page, demo: Demo) -> None:
    """With one window more than the demo has."""
    today = utc_now().date()
    sunday = today + timedelta(days=6 - today.weekday())
    page.goto(f"{demo.url}maintenance/new")
    page.get_by_label("Name").fill("Backups of file servers")
    page.get_by_label("Starts").fill(f"{sunday}T01:00")
    page.get_by_label("Ends").fill(f"{sunday}T05:00")
    page.get_by_label("Repeats").select_option("week")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="In force")).to_be_visible()  # on Sundays also now
    page.goto(f"{demo.url}maintenance/calendar?zone=Europe/Berlin")
    save(page, "maintenance-calendar", around=[page.locator("main")])


def fill_channel(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}channels/new/mail")
    page.get_by_label("Name", exact=True).fill("Night shift")
    page.get_by_label("Mail server").fill("smtp.example.com")
    page.get_by_label("Username").fill("alerts@example.com")
    page.get_by_label("From").fill("alerts@example.com")
    page.get_by_label("To", exact=True).fill("night-shift@example.com")
    save(page, "mail-channel", around=[page.locator(".page-heading"), page.locator("main .card")])


def follow_alert(page: Page, demo: Demo) -> None:
    """From the webhook to the acknowledgement: of a server that is silent from now on."""
    install_webhook(page, demo)
    tactical = RemoteControl(demo.tactical)
    silent = next(each for each in tactical.truth.agents() if is_running_server(each))
    tactical.alerts.trigger(agent_id=silent["agent_id"])
    page.goto(f"{demo.url}alerts/?q={silent['hostname']}")
    wait_for(page, "main", "is overdue")
    page.locator("main tbody th a").first.click()
    wait_for(page, "#timeline", "Told Mail box")
    page.get_by_label("Note").fill("On my way.")
    page.get_by_role("button", name="Acknowledge").click()
    wait_for(page, "#timeline", "On my way.")
    save(page, "alert-timeline", around=[page.locator(".answer"), page.locator("main .columns")])


def is_running_server(agent: dict[str, Any]) -> bool:
    return (agent["monitoring_type"], agent["status"]) == ("server", "online")


def wait_for(page: Page, part: str, text: str) -> None:
    """On a page that does not show by itself what workers do meanwhile."""
    for _ in range(PATIENCE):
        page.reload()
        if text in page.locator(part).inner_text():
            return
        time.sleep(1)
    sys.exit(f"{page.url} does not say {text!r}.")


def read_mail(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.mail_box}/1")
    expect(page.frame_locator("iframe").get_by_role("link").first).to_be_visible()
    save(page, "mail-on-a-phone")


def save(page: Page, name: str, around: list[Locator] | None = None) -> None:
    """What the window shows, or what stands around these parts of the page."""
    file = PICTURES / f"{name}.png"
    page.evaluate("scrollTo(0, 0); document.activeElement.blur()")
    clip = surround(around) if around else None
    page.screenshot(path=file, clip=clip, full_page=bool(clip), animations="disabled")
    reduce(file)
    print(f"{file.relative_to(ROOT)}: {file.stat().st_size // 1024} KB")


def surround(parts: list[Locator], margin: float = 12) -> FloatRect:
    boxes = [box for part in parts if (box := part.bounding_box())]
    left = min(box["x"] for box in boxes) - margin
    top = min(box["y"] for box in boxes) - margin
    right = max(box["x"] + box["width"] for box in boxes) + margin
    bottom = max(box["y"] + box["height"] for box in boxes) + margin
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def reduce(file: Path) -> None:
    """To few colours, by ImageMagick where it is installed."""
    program = shutil.which("magick") or shutil.which("convert")
    if program:
        options = ["+dither", "-colors", str(COLOURS), "-strip"]
        subprocess.run([program, file, *options, f"PNG8:{file}"], check=True)  # noqa: S603


if __name__ == "__main__":
    main()
