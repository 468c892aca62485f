"""The report's page: escaped, complete, without a request to anywhere."""

import re

import numpy as np
import pandas as pd
import pytest
from material.html import Page
from material.report import OWNERS, RECIPES, make_build, verdict

from swapset.build.figures import figure_names
from swapset.errors import DataError
from swapset.faces.verdict import Reason
from swapset.io.files import write_empty, write_json
from swapset.quality.expression_tables import MEASURES
from swapset.report.figures.all import Figures
from swapset.report.figures.finished import FinishedBuild
from swapset.report.figures.mask_rows import Models
from swapset.report.page.clips import clips
from swapset.report.page.expression import NAMES, OF_TARGET, expression_kept
from swapset.report.page.page import ReportFiles, page, write_page
from swapset.report.page.provenance_summary import summarise
from swapset.report.page.section import render
from swapset.report.quoted import quoted_names, write_quoted


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    root = make_build(tmp_path_factory.mktemp("report") / "tiny")
    figures = [root / "figures" / f"{name}.png" for name in figure_names(list(RECIPES), RECIPES)]
    Figures(FinishedBuild(root), list(RECIPES), RECIPES, Models(OWNERS, False, "fp32")).write(
        figures
    )
    quoted = [root / "tables" / "quoted" / f"{name}.csv" for name in quoted_names()]
    write_quoted(quoted)
    preview = root / "models" / "first" / "id0-id1.png"
    write_empty(preview)
    return ReportFiles(root, figures, [preview], sorted((root / "accepted").glob("*")), quoted)


@pytest.fixture(scope="module")
def text(files):
    return page(files)


def test_page_asks_for_nothing_from_outside(text, files):
    found = Page(text)
    sources = found.values("src")
    assert len(sources) == len(files.figures)
    assert all(re.match(r"data:image/(png|jpeg);base64,", source) for source in sources)
    links = [link for link in found.values("href") if not link.startswith("#")]
    assert len(links) == len(files.figures)
    assert all((files.root / link).is_file() for link in links)
    assert "http:" not in text
    assert "https:" not in text
    assert "url(" not in text
    assert (
        "meta",
        "content",
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'",
    ) in found.attributes


def test_every_section_is_linked_at_the_top(text):
    found = Page(text)
    names = found.values("id")
    assert names == [
        *("dataset", "clips", "quality", "expression"),
        *("gallery", "training", "origin", "quoted"),
    ]
    assert found.values("href")[: len(names)] == [f"#{name}" for name in names]
    titles = re.findall(r"<h2>(.*)</h2>", text)
    assert re.findall(r'<a href="#.*">(.*)</a>', text) == titles


def test_everything_from_outside_is_escaped(text):
    assert "&lt;b&gt;none&lt;/b&gt; in 20 frames" in text
    assert "&lt;i&gt;CC0&lt;/i&gt; &amp; more" in text
    assert "<b>none" not in text
    assert "<i>" not in text


def test_every_rejected_reason_is_counted_and_listed():
    reasons = [reason for reason in Reason.__args__ if reason]
    judged = [verdict("id0_0000")]
    for count, reason in enumerate(reasons, 1):
        judged += [verdict(f"id{count}_{k:04d}", reason, f"why {reason}") for k in range(count)]
    text = render("clips", section=clips(judged))
    for count, reason in enumerate(reasons, 1):
        assert f'<td>rejected: {reason}</td><td class="number">{count}</td>' in text
        assert text.count(f"<td>why {reason}</td>") == count
    assert '<td>accepted</td><td class="number">1</td>' in text


def test_quoted_numbers_stand_apart_from_ours(text):
    ours, quoted = text.split('<section id="quoted">')
    assert "not results of this build" in quoted
    assert '<td class="number">2116.8k</td>' in quoted
    assert "Celeb-DF" not in re.sub(r"base64,[^\"]*", "", ours)


def test_quality_says_what_cannot_be_compared(text):
    assert "here not for hull." in " ".join(text.split())
    assert "<td>hull is lower (not comparable, see above)</td>" in text
    assert "clip rejected: no_face" in text


def test_every_measure_of_expression_is_shown_for_every_method(text):
    section = text.split('<section id="expression">')[1].split("</section>")[0]
    means, compared = re.findall(r"<tbody>(.*?)</tbody>", section, re.DOTALL)
    row = (
        '<td>{}</td><td class="number">{}</td><td class="number">{}</td><td class="number">{}</td>'
    )
    values = "0.800 [0.100, 0.900]", "0.250 [0.100, 0.900]"
    assert row.format("sharpness, fake over target", 1, *values) in means
    assert row.format("flicker (grey levels)", 0, *values) in means
    assert row.format("eyes move as far (gain)", 1, "-", "-") in means
    assert means.count("<tr>") == compared.count("<tr>") == len(MEASURES) == len(NAMES)
    assert set(NAMES) == set(OF_TARGET) == set(MEASURES)
    assert "first minus the other method" in section
    assert '<td>mouth moves as far (gain)</td><td class="number">0.100 [0.050' in compared
    assert expression_kept(None, None) is None


def test_missing_previews_are_said_so(text):
    assert "There is no picture here" in text


def test_page_is_written_whole(files, tmp_path):
    write_page(files, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == page(files)


def test_quoted_tables_are_copied(files):
    for path in files.quoted[:2]:
        assert pd.read_csv(path)["dataset"].tolist()[-1] == "Celeb-DF"
    aucs = pd.read_csv(files.quoted[2])
    assert len(aucs) == 13
    assert aucs.set_index("detector").loc["DSP-FWA", "Celeb-DF"] == 64.6


def test_quoted_tables_of_landmark_breaker_agree_with_each_other(files):
    transfers, attacks, black_box, robust = (pd.read_csv(path) for path in files.quoted[4:8])
    extractors = ["fan", "hrnet", "avs-san"]

    def chosen(rows, **values):
        kept = (rows[list(values)] == pd.Series(values)).all(axis=1)
        return rows.loc[kept, extractors].to_numpy()

    assert [len(rows) for rows in (transfers, attacks, black_box, robust)] == [10, 10, 19, 45]
    # Table 4.8 begins with table 4.6, whose last row is the diagonal of table 4.5.
    for row in attacks[attacks["attack"] != "none"].to_dict("records"):
        same = chosen(robust, metric=row["metric"], attack=row["attack"], compression="none")
        assert same.tolist() == [[row[name] for name in extractors]]
    for metric in ("nme", "ssim_i", "ssim_w"):
        from_each = [chosen(transfers, metric=metric, source=name)[0] for name in extractors]
        assert [np.diag(from_each).tolist()] == chosen(attacks, metric=metric, attack="lb").tolist()
    clean = chosen(transfers, metric="nme", source="none").tolist()
    for rows in (attacks, black_box):
        assert chosen(rows, metric="nme", attack="none").tolist() == clean
    # "The attacks on AVS-SAN exhibit high robustness", "the attacks on HRNet are vulnerable".
    worst = chosen(robust, metric="nme", attack="lb", compression="mpeg4+h264")[0]
    assert worst.tolist() == [0.60, 0.20, 0.89]


def test_provenance_is_counted(files, tmp_path):
    found = summarise(files.root / "dataset" / "provenance.jsonl")
    assert found.videos_table().to_dict("records") == [{"kind": "first", "original": 1}]
    assert found.licences_table()["redistributable"].tolist() == [0]
    broken = tmp_path / "provenance.jsonl"
    write_json(broken, {"video": "x"})
    with pytest.raises(DataError, match="line 1"):
        summarise(broken)
