"""Names, reasons, licences and paths that look like HTML or templates are shown as they are."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest
from jinja2 import UndefinedError
from material.html import Page
from material.report import verdict
from PIL import Image

from swapset.io.files import write_csv, write_json
from swapset.report.page.page import ReportFiles, page
from swapset.report.page.section import TEMPLATES, render

HOSTILE = (
    "<script>alert(1)</script>",
    '"onload="alert(1)" x="',
    "'><img src=x onerror=alert(1)>",
    "{{ 7*7 }}{% include 'style.css' %}{# gone #}",
    "first\nsecond\r\n</td></table>",
    "</style></title><b>&amp; &lt;i&gt;",
    "javascript:alert(1)#x?y=%41",
    "]]><!-- -->\u202e\u2028",
)
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "nav", "section", "div"),
    *("h1", "h2", "h3", "p", "b", "a", "code", "details", "summary", "figure", "figcaption", "img"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
ATTRIBUTES = {
    *("lang", "charset", "name", "content", "http-equiv", "class", "id", "scope", "aria-label"),
    *("href", "src", "alt"),
}


@pytest.fixture(params=HOSTILE)
def hostile(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def files(hostile: str, tmp_path: Path) -> ReportFiles:
    """A build in which all that is free text is hostile, and files are named so where they can."""
    name = re.sub(r"[/\r\n]", "_", hostile)
    root = tmp_path / name
    _write_tables(root / "tables", hostile)
    judged = verdict(hostile, hostile, hostile)
    write_json(root / "accepted" / "id0.json", {hostile: judged})
    source = {"clip": hostile, "licence": hostile, "redistribute": False}
    record = {"method": hostile, "compression": hostile, "config_hash": hostile}
    record |= {"software": hostile, "model_sha256": hostile}
    provenance = root / "dataset" / "provenance.jsonl"
    provenance.parent.mkdir()
    provenance.write_text(json.dumps({**record, "sources": [source]}) + "\n")
    quoted = root / "tables" / "quoted" / f"{name}.csv"
    write_csv(quoted, pd.DataFrame({hostile: [hostile]}))
    figures = root / "figures"
    paths = {
        "figures": [figures / f"contact_sheet_{name}.png"],
        "previews": [root / "models" / name / f"{name}.png"],
        "detector_figures": [figures / "roc.png"],
        "breaker_figures": [figures / "landmark_breaker_sweep.png"],
        "protected": [root / "tables" / "protected_training.csv", figures / "protected.png"],
    }
    for path in itertools.chain(*paths.values()):
        if path.suffix == ".png":
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (8, 8)).save(path)
    return ReportFiles(root, verdicts=[root / "accepted" / "id0.json"], quoted=[quoted], **paths)


def _write_tables(folder: Path, text: str) -> None:
    """Write every table that the page shows, with one row of hostile text and numbers."""
    fake = {"method": text, "made": False, "reason": text}
    measures = {"nme": 0.5, "moved": 0.5, "ssim_i": 0.5, "ssim_w": 0.5}
    ssim = {"mask_ssim": 0.5, "identity_donor": 0.5, "lab_distance": 1.0}
    difference = {"method": text, "against": text, "low": 0.1, "high": 0.2}
    rows: dict[str, dict[str, object]] = {
        "datasets": {"dataset": text, text: 1},
        "demographics": {"attribute": text, "group": text},
        "fakes": fake,
        "mask_ssim": {"method": text, **ssim},
        "mask_ssim_per_fake": {"method": text, **ssim},
        "mask_ssim_differences": difference,
        "expression": {"measure": "flicker", "method": text, "mean": 1.0, "low": 0.5, "high": 2.0},
        "expression_differences": {**difference, "measure": "flicker", "difference": 0.1},
        "left_out": {"kind": text, "reason": text},
        "landmark_breaker": dict.fromkeys(("attack", "source", "target"), text)
        | {"compression": "none", **measures},
        "landmark_breaker_differences": {"attack": text, "against": text},
        "landmark_breaker_detection": dict.fromkeys(("attack", "detector"), text)
        | {"compression": "none", "source": text, "found": 0.5, "frames": 1},
        "protected_training": {"source": text, text: text},
        "training": dict.fromkeys(("recipe", "model", "start"), text)
        | {"trained": True, "faces": 1, "steps": 1, "saved": 0.0, "held_out": 0.1},
    }
    auc = {"detector": text, "dataset": text, "compression": text}
    auc |= {"auc": 0.5, "auc_low": 0.4, "auc_high": 0.6}
    auc |= {"people": 9, "interval": "people", "faceless": "middle"}
    write_csv(
        folder / "detector_auc.csv", pd.DataFrame([{**auc, "level": v} for v in ("frame", "video")])
    )
    for name, row in rows.items():
        write_csv(folder / f"{name}.csv", pd.DataFrame([row]))


def test_hostile_text_adds_no_element_and_no_attribute(files: ReportFiles) -> None:
    text = page(files)
    found = Page(text)
    assert set(found.tags) <= TAGS
    assert {name for _, name, _ in found.attributes} <= ATTRIBUTES
    assert found.tags.count("meta") == 3
    assert found.tags.count("img") == 5
    assert "<!--" not in text
    ids = found.values("id")
    assert ids == sorted(set(ids), key=ids.index)
    assert [link for link in found.values("href") if link.startswith("#")] == [f"#{i}" for i in ids]


def test_hostile_text_is_shown_as_it_is(files: ReportFiles, hostile: str) -> None:
    found = Page(page(files))
    # CSV readers and HTML parsers agree on one kind of line end.
    shown = [re.sub(r"\r\n?", "\n", text) for text in found.texts]
    own = re.sub(r"\r\n?", "\n", hostile)
    assert own in shown
    tables = ("clips", "licences", "detectors", "methods", "quoted", "reasons")
    assert shown.count(own) >= 2 * len(tables)
    assert any(text == f"{files.root.name}: a face-swap detection dataset" for text in shown)
    assert found.values("alt")[-1].startswith(files.root.name)  # the preview's recipe


def test_links_lead_to_the_files_beside_the_page(files: ReportFiles) -> None:
    links = [link for link in Page(page(files)).values("href") if not link.startswith("#")]
    assert len(links) == 5
    for link in links:
        assert re.match(r"(figures|models)/", link)
        assert (files.root / unquote(link)).is_file()


def test_templates_escape_everything_and_know_all_they_show() -> None:
    assert TEMPLATES.autoescape is True
    names = TEMPLATES.list_templates()
    sources = [Path(str(TEMPLATES.get_template(name).filename)).read_text() for name in names]
    assert len(names) > 10
    assert not any(re.search(r"\bsafe\b|autoescape|Markup", source) for source in sources)
    with pytest.raises(UndefinedError, match="section"):
        render("clips")
