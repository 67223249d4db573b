"""An operator without a mouse: sign in, add a camera, draw a lane. And what the pages ask before work is lost."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.conftest import PASSWORD, Watched, until

pytestmark = [pytest.mark.browser, pytest.mark.ray, pytest.mark.timeout(280)]
SOURCE = "sim://approach?seed=5&flow=1200&width=640&height=360&fps=4"


@pytest.fixture(scope="module")
def keyboard(browser: Any, address: str) -> Iterator[Watched]:
    """A page that is only typed into, in English."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-US")
    context.set_default_timeout(30_000)
    try:
        yield Watched(context.new_page())
    finally:
        context.close()


def tab_to(page: Any, wanted: Any, key: str = "Tab") -> None:
    """Press Tab until ``wanted`` has the focus."""
    wanted.wait_for(state="attached")
    seen = []
    for _ in range(200):  # what is drawn anew meanwhile may send the focus back to the beginning
        if wanted.evaluate("element => element === document.activeElement"):
            return
        seen.append(page.evaluate("document.activeElement.outerHTML.slice(0, 120)"))
        page.keyboard.press(key)
    raise AssertionError(f"{key} does not reach {wanted}, only " + "\n".join(seen))


def saved(page: Any, act: Callable[[], Any]) -> None:
    """``act`` saves the scene, and the server has it. A note "Scene saved" alone may still be that of an earlier save."""
    with page.expect_response(lambda answer: answer.url.endswith("/api/task/edit")) as answer:
        act()
    assert answer.value.ok
    page.get_by_text("not saved").wait_for(state="detached")
    page.get_by_text("Scene saved").first.wait_for()


def press(page: Any, key: str, times: int = 1) -> None:
    for _ in range(times):
        page.keyboard.press(key)


def test_one_signs_in_by_typing_alone(keyboard: Watched, address: str) -> None:
    page = keyboard.page
    page.goto(address)
    page.get_by_label("User name").wait_for()
    page.keyboard.type("admin")
    press(page, "Tab")
    page.keyboard.type(PASSWORD)
    press(page, "Enter")
    page.get_by_role("heading", name="Cameras").wait_for()


def test_a_camera_is_added_by_typing_alone(keyboard: Watched) -> None:
    page = keyboard.page
    tab_to(page, page.get_by_role("button", name="Add a camera"))
    press(page, "Enter")
    page.get_by_role("dialog").wait_for()
    until(lambda: page.get_by_label("Address").evaluate("element => element === document.activeElement"))
    page.keyboard.type(SOURCE)
    tab_to(page, page.get_by_label(re.compile("^Name")))
    page.keyboard.type("keyboard")
    press(page, "Enter")
    page.get_by_role("heading", name="keyboard").wait_for()


def test_a_lane_is_drawn_by_typing_alone(keyboard: Watched) -> None:
    page = keyboard.page
    tab_to(page, page.get_by_role("link", name="Scene and lanes"))
    press(page, "Enter")
    canvas = page.get_by_test_id("scene-canvas")
    canvas.wait_for()
    tab_to(page, page.get_by_role("radio", name="Select"))
    press(page, "ArrowRight")
    tab_to(page, canvas)
    # The cross begins in the middle: a rectangle around it, wider than it is high.
    for moves in ((("ArrowLeft", 8), ("ArrowUp", 4)), (("ArrowRight", 16),), (("ArrowDown", 8),), (("ArrowLeft", 16),)):
        for key, times in moves:
            press(page, key, times)
        press(page, "Space")
    press(page, "Enter")
    page.get_by_text("Click twice").wait_for()
    press(page, "ArrowRight", 8)  # the cross is in the middle again
    press(page, "ArrowUp", 3)
    press(page, "Space")
    press(page, "ArrowDown", 6)
    press(page, "Space")
    page.get_by_label("Lane name").wait_for()
    page.get_by_test_id("problems").get_by_text("The scene is valid").wait_for()
    tab_to(page, canvas)
    press(page, "PageDown")  # chooses the first point of the lane
    press(page, "ArrowLeft", 3)
    save = page.get_by_role("button", name="Save")
    tab_to(page, save, "Shift+Tab")
    saved(page, lambda: press(page, "Enter"))


def test_leaving_with_an_unsaved_scene_is_asked_about(keyboard: Watched) -> None:
    page = keyboard.page
    page.get_by_role("button", name="Calibrate").click()
    page.get_by_text("not saved").wait_for()
    page.get_by_role("link", name="Events").click()
    page.get_by_role("button", name="Go on editing").click()
    page.get_by_text("not saved").wait_for()
    page.get_by_role("link", name="Events").click()
    page.get_by_role("button", name="Discard them").click()
    page.get_by_role("heading", name="Events").wait_for()


def test_times_and_gatherings_have_forms(keyboard: Watched) -> None:
    page = keyboard.page
    page.get_by_role("link", name="Cameras").click()
    page.get_by_role("button", name=re.compile("^Open keyboard")).click()
    page.get_by_role("link", name="Scene and lanes").click()
    page.get_by_role("button", name="Event rules").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("1015")).click()
    item = dialog.locator("[class*=Accordion-item]").filter(has_text="1015")
    item.get_by_role("button", name="Add times").click()
    times = item.get_by_role("group", name="Times 1")
    for day in ("Sat", "Sun"):
        times.get_by_text(day, exact=True).click()
    times.get_by_label("From").fill("22:00")
    times.get_by_label("To").fill("06:00")
    times.get_by_text("To (next day)").wait_for()
    dialog.get_by_role("button", name="OK").click()
    page.get_by_role("button", name="Edit as JSON").click()
    rules = json.loads(page.get_by_role("dialog").get_by_role("textbox").input_value())["events"]
    assert rules == {
        "vehicle_stopped": {"schedules": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "22:00", "to": "06:00"}]}
    }
    page.keyboard.press("Escape")
    canvas = page.get_by_test_id("scene-canvas")
    box = canvas.bounding_box()
    page.get_by_text("Region", exact=True).first.click()
    for x, y in ((0.1, 0.1), (0.3, 0.1), (0.3, 0.3), (0.1, 0.1)):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    page.get_by_role("combobox", name="Purpose").click()
    page.get_by_role("option", name="crowds").click()
    form = page.get_by_role("group", name="When people are a gathering")
    form.get_by_label("From this many people").fill("25")
    form.get_by_label("For, s").fill("30")
    page.get_by_test_id("problems").get_by_text("The scene is valid").wait_for()
    saved(page, page.get_by_role("button", name="Save").click)
    page.reload()
    page.get_by_role("button", name=re.compile("^Region 1")).click()
    assert page.get_by_label("From this many people").input_value() == "25"


def test_a_server_away_for_a_moment_signs_nobody_out(keyboard: Watched) -> None:
    page = keyboard.page
    refused: list[str] = []

    def away(route: Any) -> None:
        refused.append(route.request.url)
        route.abort("connectionrefused")

    page.route("**/api/account/me", away, times=2)
    page.reload()
    page.get_by_role("link", name="Cameras").wait_for()
    assert len(refused) == 2


def test_the_api_reference_reads_without_the_internet_and_shows_examples(browser: Any, address: str) -> None:
    # A page of its own: what the console still asked for when it was left is not the reference's.
    context = browser.new_context(viewport={"width": 1366, "height": 768}, locale="en-US")
    context.set_default_timeout(30_000)
    try:
        reference = Watched(context.new_page())
        for path, text in (("/redoc", "webhook-signature"), ("/docs", "/api/task/add")):
            reference.page.goto(address + path)
            reference.page.get_by_text(text).first.wait_for(state="attached")
        assert reference.errors == []
    finally:
        context.close()
