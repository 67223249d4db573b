"""What an operator does, in a real browser. The tests build on each other, in order."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from api.receiver import Receiver
from tests.browser.conftest import PASSWORD, Watched, until

pytestmark = [pytest.mark.browser, pytest.mark.ray, pytest.mark.timeout(280)]
SOURCE = "sim://approach?seed=3&flow=1800&width=1280&height=720&opposing=2"
PAGES = (
    "cameras",
    "cameras/1",
    "cameras/1/scene",
    "events",
    "vehicles",
    "traffic",
    "interfaces",
    "deliveries",
    "users",
    "system",
)


def picture(watched: Watched, name: str) -> None:
    """A screenshot for docs and eyes, when a folder is named."""
    folder = os.environ.get("WAYSIDE_SCREENSHOTS")
    if folder:
        watched.page.screenshot(path=Path(folder) / f"{name}.png")


@pytest.fixture(scope="module")
def receiver() -> Any:
    with Receiver() as made:
        yield made


def test_a_wrong_password_is_told_and_the_right_one_opens_the_console(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(address)
    page.get_by_label("用户名").fill("admin")
    page.locator("input[type=password]").fill("not it at all")
    page.get_by_role("button", name="登录").click()
    page.get_by_role("alert").get_by_text("用户名或密码错误").wait_for()
    picture(watched, "signin")
    page.locator("input[type=password]").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.get_by_role("heading", name="相机").wait_for()
    assert [text for text in watched.errors if "401" not in text] == []
    watched.errors.clear()


def test_an_address_that_does_not_work_says_why_before_it_is_saved(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("button", name="添加相机").click()
    page.get_by_label("视频地址").fill("/no/such/file.mp4")
    page.get_by_role("button", name="测试").click()
    page.get_by_role("alert").get_by_text(re.compile("不存在|无法")).wait_for()
    watched.errors.clear()


def test_a_camera_is_tested_named_and_saved_and_its_picture_moves(watched: Watched) -> None:
    page = watched.page
    page.get_by_label("视频地址").fill(SOURCE)
    page.get_by_role("button", name="测试").click()
    page.get_by_alt_text("视频源首帧").wait_for()
    picture(watched, "add-camera")
    page.get_by_label("任务名称").fill("东门路口")
    page.get_by_role("button", name="保存").click()
    live = page.get_by_alt_text("东门路口 的实时画面")
    live.wait_for(timeout=60_000)
    first = live.get_attribute("src")
    until(lambda: live.get_attribute("src") != first)


def test_a_lane_is_drawn_calibrated_and_saved_and_counts_move(watched: Watched, address: str) -> None:
    page = watched.page
    page.get_by_role("link", name="场景与车道").click()
    canvas = page.get_by_test_id("scene-canvas")
    canvas.wait_for()
    page.wait_for_timeout(500)  # the picture gives the canvas its final height
    box = canvas.bounding_box()

    def click(x: float, y: float) -> None:
        page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])

    page.get_by_text("车道", exact=True).click()
    outline = [(0.14, 0.95), (0.84, 0.95), (0.77, 0.34), (0.36, 0.34)]
    for point in outline:
        click(*point)
    click(*outline[0])
    click(0.5, 0.9)
    click(0.55, 0.4)
    page.get_by_label("车道描述").fill("全部车道")
    page.get_by_role("button", name="标定").click()
    page.get_by_label("长 (米), 近到远").fill("18")
    page.get_by_test_id("problems").get_by_text("场景有效").wait_for()
    page.get_by_text(re.compile(r"网格 \d+ 米")).wait_for()
    picture(watched, "scene")
    page.get_by_role("button", name="保存").click()
    page.get_by_text("场景已保存").first.wait_for()
    page.get_by_role("button", name="返回相机").click()
    row = page.get_by_test_id("lane-counts").locator("tr", has_text="全部车道")
    row.wait_for()
    until(lambda: int(row.locator("td").nth(1).inner_text()) > 0, 120)
    picture(watched, "camera")


def test_undo_takes_a_drawn_line_back_and_redo_brings_it_again(watched: Watched, address: str) -> None:
    page = watched.page
    page.get_by_role("link", name="场景与车道").click()
    canvas = page.get_by_test_id("scene-canvas")
    canvas.wait_for()
    page.wait_for_timeout(500)
    box = canvas.bounding_box()
    page.get_by_text("计数线", exact=True).first.click()
    for x in (0.3, 0.6):
        page.mouse.click(box["x"] + x * box["width"], box["y"] + 0.3 * box["height"])
    item = page.get_by_role("button", name=re.compile("^计数线 1"))
    item.wait_for()
    page.get_by_role("button", name="撤销").click()
    item.wait_for(state="detached")
    page.get_by_role("button", name="重做").click()
    item.wait_for()
    page.get_by_role("button", name="撤销").click()
    page.get_by_role("button", name="返回相机").click()
    page.get_by_test_id("lane-counts").wait_for()


def test_a_kind_of_event_is_switched_off_in_the_rules_and_on_again(watched: Watched) -> None:
    page = watched.page
    page.get_by_role("link", name="场景与车道").click()
    page.get_by_role("button", name="事件规则").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name=re.compile("1015 车辆停止")).click()
    item = dialog.locator("[class*=Accordion-item]").filter(has_text="1015 车辆停止")
    item.get_by_text("关闭", exact=True).click()
    picture(watched, "rules")
    dialog.get_by_role("button", name="确定").click()
    page.get_by_text("未保存").wait_for()
    page.get_by_role("button", name="撤销").click()
    page.get_by_text("未保存").wait_for(state="detached")
    page.get_by_role("button", name="返回相机").click()
    page.get_by_test_id("lane-counts").wait_for()


def test_an_event_is_seen_its_clip_is_played_and_it_is_marked_as_false_alarm(watched: Watched, address: str) -> None:
    from cluster.client import ApiClient
    from cluster.demo import demo_scene

    page = watched.page
    source = (
        "sim://approach?seed=2&flow=1200&width=960&height=540&fps=10"
        "&incident=stopped_vehicle:at=20:for=40:lane=2&incident=stopped_vehicle:at=110:for=40:lane=3"
    )
    api = ApiClient(address, PASSWORD)
    try:
        api.call("task/add", taskNum="ev", taskName="事件相机", srcAddress=source, scene=demo_scene(source))
    finally:
        api.close()
    page.goto(f"{address}/#/events")
    page.locator("[data-event]").first.get_by_role("button").click(timeout=200_000)
    video = page.get_by_label("事件录像")
    video.wait_for(timeout=60_000)
    video.evaluate("video => video.play()")
    until(lambda: video.evaluate("video => video.currentTime") > 0.3)
    picture(watched, "event")
    page.get_by_label("备注").fill("测试")
    page.get_by_role("button", name="标记误报").click()
    page.get_by_role("button", name="取消误报").wait_for()
    page.keyboard.press("Escape")
    page.goto(f"{address}/#/vehicles")
    page.get_by_role("cell", name="东门路口").first.wait_for()


def test_an_interface_is_registered_tested_and_its_delivery_is_replayed(
    watched: Watched, address: str, receiver: Receiver
) -> None:
    page = watched.page
    page.goto(f"{address}/#/interfaces")
    page.get_by_role("button", name="新增数据接口").click()
    page.get_by_label("接口名称").fill("交警平台")
    page.get_by_role("combobox", name="业务类型").click()
    page.get_by_role("option", name="21 车辆抓拍数据").click()
    page.get_by_label("请求Url").fill(receiver.url)
    for label in ("公司名称", "公司ID", "appID"):
        page.get_by_label(label).fill("demo")
    picture(watched, "interface")
    page.get_by_role("button", name="确定").click()
    page.get_by_text("whsec_").wait_for()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="向 交警平台 测试推送").click()
    page.get_by_text("HTTP 200").wait_for()
    page.keyboard.press("Escape")
    until(lambda: [push for push in receiver.pushes if push.headers.get("webhook-id", "").startswith("test-") is False], 120)
    page.get_by_role("link", name="推送记录").last.click()
    page.get_by_text("已送达").first.wait_for()
    before = len(receiver.pushes)
    page.get_by_role("button", name="详情").first.click()
    page.get_by_role("dialog").get_by_text("HTTP 200").wait_for()
    picture(watched, "delivery")
    page.get_by_role("dialog").get_by_role("button", name="重新推送").click()
    page.get_by_text("重新推送 1 条").wait_for()
    until(lambda: len(receiver.pushes) > before)
    page.keyboard.press("Escape")


def test_the_queue_before_a_stop_line_is_drawn_over_the_video_and_told_in_metres(watched: Watched, address: str) -> None:
    page = watched.page
    page.goto(f"{address}/#/cameras")
    page.get_by_role("button", name=re.compile("^打开 事件相机")).click()
    page.locator("[data-queue]").first.wait_for(state="attached", timeout=150_000)  # at the next red light
    until(lambda: re.search(r"排队 \d+ 辆 · \d+ m", page.locator("svg").filter(has=page.locator("[data-queue]")).inner_html()))
    page.locator("[class*=Notification-root]").first.wait_for(state="detached")  # what was told before fades away
    picture(watched, "queue")
    page.get_by_text("排队", exact=True).first.click()
    page.locator("[data-queue]").first.wait_for(state="detached")
    page.get_by_text("排队", exact=True).first.click()


def faults(page: Any, axe: str, place: str) -> list[str]:
    """Serious faults of accessibility that axe-core finds."""
    page.evaluate(axe)
    answer = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{place}: {item['id']} {item['nodes'][0]['html'][:90]} {item['nodes'][0].get('failureSummary', '')[:200]}"
        for item in answer["violations"]
        if item["impact"] in ("serious", "critical")
    ]


def test_every_page_speaks_both_languages_and_themes_without_errors_or_serious_accessibility_faults(
    watched: Watched, address: str, axe: str
) -> None:
    page = watched.page
    found = []
    for language, theme in (("中文", "浅色"), ("English", "深色")):
        page.goto(f"{address}/#/cameras")
        page.get_by_role("heading", level=2).wait_for()
        for control in (language, theme, "Dark" if theme == "深色" else "Light"):
            button = page.get_by_role("button", name=control, exact=True)
            if button.count():
                button.click()
        for name in PAGES:
            page.goto(f"{address}/#/{name}")
            page.get_by_role("heading", level=2).wait_for()
            page.wait_for_timeout(700)
            shown = f"{name.replace('/', '-')}-{'zh' if language == '中文' else 'en'}-{'light' if theme == '浅色' else 'dark'}"
            picture(watched, shown)
            found += faults(page, axe, shown)
    assert found == [], "\n".join(found)
    assert watched.errors == []


# The dialog and all that it is in are opaque and stand still; what turns for ever (a loader) may.
FADED_IN = """() => {
  const moving = document.getAnimations().filter(item => item.playState === "running"
    && item.effect.getComputedTiming().iterations !== Infinity);
  let opacity = 1;
  for (let item = document.querySelector("[role=dialog]"); item; item = item.parentElement)
    opacity *= Number(getComputedStyle(item).opacity);
  return moving.length === 0 && opacity === 1;
}"""


def test_dialogs_have_no_serious_accessibility_faults_either(watched: Watched, address: str, axe: str) -> None:
    page = watched.page
    found = []
    for place, button in (
        ("cameras", "Add a camera"), ("interfaces", "Add a receiver"), ("users", "Add an account"), ("deliveries", "Details"),
        ("cameras/1/scene", "Event rules"), ("cameras/1/scene", "Edit as JSON"), ("events", re.compile("^Open ")),
        ("vehicles", re.compile("^Open ")),
    ):  # fmt: skip
        page.goto(f"{address}/#/{place}")
        page.get_by_role("heading", level=2).wait_for()
        page.get_by_role("button", name=button).first.click()
        page.get_by_role("dialog").wait_for()
        page.wait_for_timeout(300)
        page.wait_for_function(FADED_IN)  # half-faded text has no contrast
        found += faults(page, axe, f"{place} {button}")
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="detached")
    assert found == [], "\n".join(found)


def test_a_tablet_shows_every_page_without_scrolling_sideways(watched: Watched, address: str) -> None:
    page = watched.page
    page.set_viewport_size({"width": 1024, "height": 768})
    wide = []
    for name in PAGES:
        page.goto(f"{address}/#/{name}")
        page.get_by_role("heading", level=2).wait_for()
        page.wait_for_timeout(300)
        picture(watched, f"tablet-{name.replace('/', '-')}")
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            wide.append(name)
    page.set_viewport_size({"width": 1366, "height": 820})
    assert wide == []


def test_signing_out_ends_the_session(watched: Watched, address: str) -> None:
    page = watched.page
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_label("User name").wait_for()
