"""The signed report: whole as it was written, refused as soon as anything of it was changed."""

import json
import re
import shutil
from pathlib import Path

import pytest
from virtual_run import make_run

from acceptance import pages, signing
from acceptance.accept import Asked, RefusedError, accept, verify
from acceptance.criteria import STANDARD, load_criteria
from acceptance.document import About, canonical, slipped
from acceptance.evidence import LoadTest, read_evidence, read_loadtest
from acceptance.signing import Approver, SigningError

ABOUT = About("0123abc", "0.1.0", {"python": "3.11"}, {"host": "test", "cores": 2})
AT_NS = 1_780_000_000 * 10**9


class Made:
    """A report with its key, its approver and its run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.run = folder / "runs" / "one"
        self.key = folder / "key.pem"
        self.approver = Approver("Li Wei 李伟", signing.make_key(self.key))
        self.report = folder / "report" / "acceptance.html"

    def accept(self, stage: str = "canary", tests: tuple[LoadTest, ...] = ()) -> str:
        asked = Asked(
            [read_evidence(self.run)], tests, load_criteria(), [STANDARD], stage, self.approver, ["a <point> & more"]
        )
        return accept(asked, signing.read_key(self.key), ABOUT, self.report.parent, AT_NS).verdict.value


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run and its report, made once; the slippage budget of its site is so small that many trades are over it."""
    made = Made(tmp_path_factory.mktemp("original"))
    make_run(made.run, seconds=300)
    site = made.run / "site.toml"
    text = site.read_text(encoding="utf-8")
    site.write_text(text.replace('slippage_budget = "5000"', 'slippage_budget = "300"'), encoding="utf-8")
    assert made.accept() == "fail"
    return made.folder


@pytest.fixture
def made(original: Path, tmp_path: Path) -> Made:
    """A copy that a test may spoil."""
    folder = tmp_path / "copy"
    shutil.copytree(original, folder)
    (folder / "key.pem").unlink()
    copied = Made(folder)
    shutil.copy(original / "key.pem", copied.key)
    copied.approver = copied.approver._replace(public_key=signing.public_of(signing.read_key(copied.key)))
    return copied


def refused(made: Made, says: str, approvers: list[Approver] | None = None) -> None:
    with pytest.raises(RefusedError, match=says):
        verify(made.report, [made.approver] if approvers is None else approvers)


def test_a_report_that_nobody_touched_is_whole(made: Made) -> None:
    """Also by the name of its folder; the document says what was accepted, by whom, on what."""
    content = verify(made.report, [made.approver])
    assert verify(made.report.parent, [Approver("Other", "x"), made.approver]) == content
    assert (content["verdict"], content["stage"], content["build"]) == ("fail", "canary", "0123abc")
    assert content["approver"] == {"name": "Li Wei 李伟", "public_key": made.approver.public_key}
    assert content["date"] == "2026-05-28 20:26:40"
    assert [one["path"] for one in content["evidence"]][:2] == [
        "../runs/one/journal/execution.0000000001.journal",
        "../runs/one/profiles/LME.toml",
    ]
    assert {one["key"]: one["value"] for one in content["limits"]}["limits.max_open_trades"] == "8"
    assert content["open_points"][0] == {"en": "a <point> & more", "zh": "a <point> & more"}
    chinese = "标准 pair-completion：未通过"  # noqa: RUF001 - Chinese has its own colon
    assert {"en": "criterion pair-completion: fail", "zh": chinese} in content["open_points"]


def test_a_changed_page_is_refused(made: Made) -> None:
    """One word of the page, outside of what is signed."""
    page = made.report.read_text(encoding="utf-8")
    made.report.write_text(page.replace("A criterion is not met.", "Every criterion is met."), encoding="utf-8")
    refused(made, "the page was changed after it was signed")


def test_a_changed_document_is_refused(made: Made) -> None:
    """The verdict inside of what is signed, the page's digest left as it is."""
    page = made.report.read_text(encoding="utf-8")
    content, signature = pages.signed_block(page)
    content["verdict"] = "pass"
    empty = page.replace(page.partition(pages.BEGIN)[2].partition(pages.END)[0], "")
    made.report.write_text(pages.with_signature(empty, content, signature), encoding="utf-8")
    refused(made, "the signature is not that of Li Wei 李伟 over this document")


def test_markup_slipped_into_the_signed_block_is_refused(made: Made) -> None:
    """It would be valid JSON beside the document, and a browser would show it: "</script>" ends a script anywhere."""
    page = made.report.read_text(encoding="utf-8")
    inner = page.partition(pages.BEGIN)[2].partition(pages.END)[0]
    for forged in (
        inner[:-1] + ', "x": "</script><h1>Pass</h1>"}',
        inner.replace('"product"', '"product" ', 1),
        inner.replace("\\u003c", "<"),
    ):
        assert forged != inner
        json.loads(forged)
        made.report.write_text(page.replace(inner, forged), encoding="utf-8")
        refused(made, "no signed acceptance report")


def test_a_page_made_anew_with_another_key_is_refused(made: Made) -> None:
    """Who has no approver's key cannot sign in an approver's name, nor in a name of their own."""
    page = made.report.read_text(encoding="utf-8")
    content, _ = pages.signed_block(page)
    other = made.folder / "other.pem"
    public = signing.make_key(other)
    empty = page.replace(page.partition(pages.BEGIN)[2].partition(pages.END)[0], "")
    for name, says in (
        ("Li Wei 李伟", "but the key of Li Wei 李伟 is ed25519:"),
        ("Nobody", "approver 'Nobody' is not known"),
    ):
        forged = {**content, "approver": {"name": name, "public_key": public}}
        signature = signing.sign(signing.read_key(other), canonical(forged))
        made.report.write_text(pages.with_signature(empty, forged, signature), encoding="utf-8")
        refused(made, says)


def test_changed_and_missing_files_are_refused_by_name(made: Made) -> None:
    """The PDF, a page of a single trade, a journal, the venues' record, the site file: each is named."""
    content = verify(made.report, [made.approver])
    page = next(name for name in content["files"] if name.startswith("slippage-"))
    (made.report.parent / "acceptance.pdf").unlink()
    with (made.report.parent / page).open("a", encoding="utf-8") as stream:
        stream.write(" ")
    with (made.run / "journal" / "execution.0000000001.journal").open("ab") as stream:
        stream.write(b"\0")
    (made.run / "truth" / "SHFE" / "fills.jsonl").unlink()
    with pytest.raises(RefusedError) as error:
        verify(made.report, [made.approver])
    said = str(error.value)
    for words in (
        "acceptance.pdf is missing",
        f"{page} was changed",
        "../runs/one/journal/execution.0000000001.journal was changed",
        "../runs/one/truth/SHFE/fills.jsonl is missing",
    ):
        assert words in said


def test_an_unknown_approver_is_refused(made: Made) -> None:
    """With the names that are known; and so is one whose key is another now."""
    refused(
        made, "approver 'Li Wei 李伟' is not known; known: Wang Fang", [Approver("Wang Fang", made.approver.public_key)]
    )
    refused(made, "is not known; known: -", [])
    other = signing.make_key(made.folder / "new.pem")
    refused(made, "but the key of Li Wei 李伟 is", [made.approver._replace(public_key=other)])


def test_what_is_no_report_is_refused(made: Made) -> None:
    """No file, no block, two blocks, a block that is no JSON, a format of the future."""
    page = made.report.read_text(encoding="utf-8")
    inner = page.partition(pages.BEGIN)[2].partition(pages.END)[0]
    for text in ("", page.replace(pages.BEGIN, ""), page + pages.BEGIN + pages.END, page.replace(inner, "{")):
        made.report.write_text(text, encoding="utf-8")
        refused(made, "no signed acceptance report")
    content, signature = pages.signed_block(page)
    later = pages.with_signature(page.replace(inner, ""), {**content, "format": 9}, signature)
    made.report.write_text(later, encoding="utf-8")
    refused(made, "a report of format 9; this program knows 1")
    made.report.unlink()
    refused(made, "no report that can be read")


def test_the_page_needs_nothing_else_and_speaks_both_languages(made: Made) -> None:
    """No address but those of its own pages, a picture for each criterion that has one, text of a run escaped."""
    page = made.report.read_text(encoding="utf-8")
    shown = page.replace(page.partition(pages.BEGIN)[2].partition(pages.END)[0], "")
    assert re.findall(r'(?:src|href)="(?!slippage-)[^"]*"', shown) == []
    assert "http" not in shown
    assert shown.count("<svg") == 10
    for words in ("Acceptance report", "验收报告", "组合成交在预算之内完成", "a &lt;point&gt; &amp; more", "0123abc"):
        assert words in shown
    assert "<point>" not in shown


def test_each_trade_over_its_budget_has_a_report_of_its_own(made: Made) -> None:
    """Listed with the action taken, linked, digested; the page tells what happened to it."""
    content = verify(made.report, [made.approver])
    found = slipped([read_evidence(made.run)])
    (rate,) = [one for one in content["criteria"] if one["id"] == "slippage-over-limit"]
    assert len(found) == len(content["slipped"]) > 5
    assert rate["found"] == f"{1000 * len(found) / rate['size']:.2f} / 1000"
    first = content["slipped"][0]
    assert first["action"]["en"] == "0 repair orders, ended hedged, cause -"
    page = (made.report.parent / first["file"]).read_text(encoding="utf-8")
    for words in (first["trade"], "quote received", "filled", "所采取的措施"):
        assert words in page
    assert set(content["files"]) == {"acceptance.pdf", "criteria-1.toml", *(one["file"] for one in content["slipped"])}


def test_the_pdf_is_one_and_is_the_same_for_the_same_document(made: Made) -> None:
    """It opens, has pages, and carries Chinese in a font that has it."""
    pdf = (made.report.parent / "acceptance.pdf").read_bytes()
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type /Page\n") >= 3
    assert b"STSong-Light" in pdf or b"/FontFile2" in pdf
    before = made.report.read_bytes()
    made.accept()
    assert (made.report.parent / "acceptance.pdf").read_bytes() == pdf
    assert made.report.read_bytes() == before


def test_a_run_that_does_not_verify_is_not_signed(made: Made) -> None:
    """Nothing is written at all."""
    path = made.run / "journal" / "execution.0000000001.journal"
    path.write_bytes(path.read_bytes()[:5000] + b"x" + path.read_bytes()[5001:])
    shutil.rmtree(made.report.parent)
    with pytest.raises(RefusedError, match="criterion journal: the evidence does not verify; nothing is signed"):
        made.accept()
    assert not made.report.parent.exists()


def test_another_persons_key_does_not_sign(made: Made) -> None:
    """The key has to be that of the approver who is named."""
    signing.make_key(made.folder / "theirs.pem")
    made.key = made.folder / "theirs.pem"
    with pytest.raises(RefusedError, match="the key is not that of Li Wei 李伟"):
        made.accept()


def test_load_tests_count_from_their_own_files(made: Made) -> None:
    """Within the bound it passes, beyond it fails, with failed requests it fails; the file is evidence."""
    path = made.folder / "load.json"
    for p99_ns, failures, verdict in ((5_000_000, 0, "pass"), (5_000_001, 0, "fail"), (1, 2, "fail")):
        test = {
            "kind": "loadtest",
            "name": "ramp",
            "requests": 100,
            "failures": failures,
            "latency_ns": {"p99": p99_ns},
        }
        path.write_text(json.dumps(test), encoding="utf-8")
        made.accept("limited", (read_loadtest(path),))
        content = verify(made.report, [made.approver])
        assert {one["id"]: one["verdict"] for one in content["criteria"]}["client-latency"] == verdict
        assert "../load.json" in [one["path"] for one in content["evidence"]]
    path.write_text("{}", encoding="utf-8")
    refused(made, r"\.\./load\.json was changed")


def test_keys_are_their_owners(tmp_path: Path) -> None:
    """Not overwritten, not readable by others, of the right kind; each refusal says what to do."""
    path = tmp_path / "key.pem"
    signing.make_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(SigningError, match="a key is not overwritten"):
        signing.make_key(path)
    path.chmod(0o640)
    with pytest.raises(SigningError, match="others can read this key"):
        signing.read_key(path)
    path.chmod(0o600)
    path.write_text("no key", encoding="utf-8")
    with pytest.raises(SigningError, match="no private key in PEM"):
        signing.read_key(path)
    with pytest.raises(SigningError, match="no key that can be read"):
        signing.read_key(tmp_path / "absent.pem")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ed448

    other = ed448.Ed448PrivateKey.generate()
    pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(other.private_bytes(*pem))
    with pytest.raises(SigningError, match="a key of another kind"):
        signing.read_key(path)


def test_approvers_are_read_from_any_file_that_lists_them(tmp_path: Path) -> None:
    """A name with a key each; a key that is none, or two keys of one name, are refused with the file."""
    public = signing.make_key(tmp_path / "key.pem")
    path = tmp_path / "plan.toml"
    path.write_text(f'[[approver]]\nname = "Li Wei"\npublic_key = "{public}"\n', encoding="utf-8")
    assert signing.read_approvers([path, path]) == [Approver("Li Wei", public)] * 2
    other = signing.make_key(tmp_path / "other.pem")
    for text, says in (
        ('[[approver]]\nname = "A"\npublic_key = "ed25519:abc"\n', "needs name and public_key"),
        ('[[approver]]\npublic_key = "x"\n', "needs name and public_key"),
        (
            f'[[approver]]\nname = "A"\npublic_key = "{public}"\n[[approver]]\nname = "A"\npublic_key = "{other}"\n',
            "stands there with two keys",
        ),
        ("[", "approvers cannot be read"),
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(SigningError, match=says):
            signing.read_approvers([path])


def test_a_signature_is_of_one_key_over_one_text(tmp_path: Path) -> None:
    """Another text, another key, a damaged signature or key: not signed."""
    key, other = tmp_path / "key.pem", tmp_path / "other.pem"
    public, second = signing.make_key(key), signing.make_key(other)
    signature = signing.sign(signing.read_key(key), b"text")
    assert signing.is_signed(public, b"text", signature)
    assert not signing.is_signed(public, b"texts", signature)
    assert not signing.is_signed(second, b"text", signature)
    assert not signing.is_signed(public, b"text", signature[:-4])
    assert not signing.is_signed(public, b"text", "not base64")
    assert not signing.is_signed("ed25519:short", b"text", signature)
