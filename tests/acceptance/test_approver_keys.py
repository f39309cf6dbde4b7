"""Approvers' keys: passwords, placeholders, and where the public half goes."""

from __future__ import annotations

import base64
import shlex
import tomllib
from pathlib import Path

import pytest

from acceptance import approver_file, signing
from acceptance.grey_plan import PlanError, load_plan, refuse_placeholders
from acceptance.signing import Approver, SigningError
from gateway.journal.told import said, told_by
from gateway.processes import cli
from gateway.processes.key_password import PASSWORD, PASSWORD_FILE, new_password, password_for

ROOT = Path(__file__).parents[2]
PLANS = ROOT / "deploy" / "plans"
WORD = "correct horse battery"
NOBODY = "ed25519:" + "A" * 43 + "="


class Typed:
    """A terminal that gives these words, or none that is there."""

    def __init__(self, *words: str) -> None:
        self.words = list(words)
        self.asked: list[str] = []

    def there(self) -> bool:
        return bool(self.words) or bool(self.asked)

    def ask(self, words: str) -> str:
        self.asked.append(words)
        return self.words.pop(0) if self.words else ""


def in_both(error: SigningError | PlanError) -> tuple[str, str]:
    """What it says in English and in Chinese."""
    text = told_by(error)
    return said(text, "en"), said(text, "zh")


def test_a_locked_key_opens_with_its_password_only(tmp_path: Path) -> None:
    """The file is an encrypted PKCS8; another password, and none, are refused by name in both languages."""
    path = tmp_path / "key.pem"
    public = signing.make_key(path, WORD)
    assert path.read_text(encoding="ascii").startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
    assert signing.public_of(signing.read_key(path, lambda _path: WORD)) == public
    for ask, english, chinese in (
        (lambda _path: "another password", "the password does not open this key", "口令打不开该密钥"),
        (None, "this key has a password, and nobody was there to be asked", "该密钥设有口令"),
    ):
        with pytest.raises(SigningError) as caught:
            signing.read_key(path, ask)  # type: ignore[arg-type]
        said_in = in_both(caught.value)
        assert english in said_in[0]
        assert chinese in said_in[1]


def test_a_key_that_others_can_read_is_refused_before_anybody_is_asked(tmp_path: Path) -> None:
    """The password is not asked for where the file is refused anyway."""
    path = tmp_path / "key.pem"
    signing.make_key(path, WORD)
    path.chmod(0o644)

    def ask(_path: Path) -> str:
        raise AssertionError

    with pytest.raises(SigningError) as caught:
        signing.read_key(path, ask)
    assert "others can read this key" in in_both(caught.value)[0]
    assert "他人可读" in in_both(caught.value)[1]


def test_a_key_without_a_password_is_not_asked_for_one(tmp_path: Path) -> None:
    """Whatever stands in the environment: such a key opens by itself."""
    path = tmp_path / "key.pem"
    public = signing.make_key(path)

    def ask(_path: Path) -> str:
        raise AssertionError

    assert signing.public_of(signing.read_key(path, ask)) == public


def test_a_short_password_is_refused(tmp_path: Path) -> None:
    """Nothing is written for it."""
    with pytest.raises(SigningError, match="a password of 5 characters; at least 12"):
        signing.make_key(tmp_path / "key.pem", "short")
    assert not (tmp_path / "key.pem").exists()


def test_where_a_password_comes_from(tmp_path: Path) -> None:
    """The variable, the file's first line, the terminal, in this order; without any of them it says so."""
    file = tmp_path / "word"
    file.write_text(WORD + "\nmore\n", encoding="utf-8")
    file.chmod(0o600)
    key = tmp_path / "key.pem"
    assert password_for(key, {PASSWORD: "x"}, Typed()) == "x"
    assert password_for(key, {PASSWORD_FILE: str(file)}, Typed("not asked")) == WORD
    assert password_for(key, {}, Typed("typed")) == "typed"
    with pytest.raises(SigningError, match=f"set {PASSWORD} or {PASSWORD_FILE}, or run the command on a terminal"):
        password_for(key, {}, Typed())
    with pytest.raises(SigningError, match="are both set"):
        password_for(key, {PASSWORD: "x", PASSWORD_FILE: str(file)}, Typed())
    file.chmod(0o640)
    with pytest.raises(SigningError, match="others can read this file"):
        password_for(key, {PASSWORD_FILE: str(file)}, Typed())
    file.chmod(0o600)
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(SigningError, match="first line is empty"):
        password_for(key, {PASSWORD_FILE: str(file)}, Typed())
    with pytest.raises(SigningError, match="no text file"):
        password_for(key, {PASSWORD_FILE: str(tmp_path / "absent")}, Typed())


def test_a_new_password_is_typed_twice(tmp_path: Path) -> None:
    """Too short and two different ones are asked for again; three times in vain is the end."""
    key = tmp_path / "key.pem"
    assert new_password(key, {}, Typed("short", WORD, "other", WORD, WORD)) == WORD
    with pytest.raises(SigningError, match="one that is to have none: --without-password"):
        new_password(key, {}, Typed("", "", ""))
    with pytest.raises(SigningError, match="a new key needs a password"):
        new_password(key, {}, Typed())


def test_keygen_without_a_password_wants_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal and a variable it refuses; with --without-password it makes an open key."""
    monkeypatch.delenv(PASSWORD, raising=False)
    monkeypatch.delenv(PASSWORD_FILE, raising=False)
    monkeypatch.setattr("sys.stdin", None)
    key = tmp_path / "key.pem"
    words = ["deliver", "keygen", str(key), "--name", "Li Wei"]
    assert cli.main(words) == 1
    assert "--without-password" in capsys.readouterr().err
    assert not key.exists()
    assert cli.main([*words, "--without-password"]) == 0
    assert signing.public_of(signing.read_key(key)) in capsys.readouterr().out
    assert cli.main(words) == 1
    assert "a key is not overwritten" in capsys.readouterr().err


def test_what_keygen_prints_is_what_has_to_be_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its command, run on the shipped plan, makes that plan one that can be put in force."""
    monkeypatch.setenv(PASSWORD, WORD)
    assert cli.main(["deliver", "keygen", str(tmp_path / "k.pem"), "--name", "Demo Approver"]) == 0
    printed = capsys.readouterr().out
    (line,) = [one for one in printed.splitlines() if one.startswith("cmc deliver approver add")]
    plan = tmp_path / "plan.toml"
    text = (PLANS / "demo.toml").read_text(encoding="utf-8").replace("../..", str(ROOT))
    plan.write_text(text, encoding="utf-8")
    site = tmp_path / "site.toml"
    site.write_text((ROOT / "sites" / "demo.toml").read_text(encoding="utf-8"), encoding="utf-8")
    paths = {"PLAN": str(plan), "SITE": str(site)}
    words = [paths.get(one, one) for one in shlex.split(line)[1:]]
    with pytest.raises(PlanError) as caught:
        refuse_placeholders(load_plan(plan))
    assert "cmc deliver approver remove" in in_both(caught.value)[0]
    assert "尚无公钥" in in_both(caught.value)[1]
    assert cli.main(words) == 0
    refuse_placeholders(load_plan(plan))
    public = signing.public_of(signing.read_key(tmp_path / "k.pem", lambda _path: WORD))
    assert signing.read_approvers([plan]) == [Approver("Demo Approver", public)]
    assert Approver("Demo Approver", public) in signing.read_approvers([site])
    after = plan.read_text(encoding="utf-8")
    assert after == text.replace(NOBODY, public)
    before = plan.read_bytes()
    assert cli.main(words) == 0
    assert plan.read_bytes() == before


def test_another_key_of_a_name_is_not_replaced_by_accident(tmp_path: Path) -> None:
    """Only with --replace; a name that is not there is added behind the last approver, the rest stays as it is."""
    one, two = (signing.make_key(tmp_path / f"{name}.pem") for name in "ab")
    text = f'a = 1  # kept\n\n[[approver]]\nname = "Li"\npublic_key = "{one}"  # theirs\n\n# of a stage\n[[stage]]\nb = 2\n'
    with pytest.raises(SigningError, match="is there with another key"):
        approver_file.put("f", text, Approver("Li", two))
    assert approver_file.put("f", text, Approver("Li", two), replace=True) == text.replace(one, two)
    added = approver_file.put("f", text, Approver('Wu "W"', two))
    assert added == text.replace("\n\n# of", f'\n\n[[approver]]\nname = "Wu \\"W\\""\npublic_key = "{two}"\n\n# of')
    assert tomllib.loads(approver_file.take_out("f", added, "Li"))["approver"] == [
        {"name": 'Wu "W"', "public_key": two}
    ]
    with pytest.raises(SigningError, match="no approver 'Xu'; it has Li"):
        approver_file.take_out("f", text, "Xu")


@pytest.mark.parametrize(
    "text",
    ['approver = [{name = "Li", public_key = "K"}]\n', '[[approver]]\nname = "Li"\n"public_key" = "K"\n'],
)
def test_another_form_is_left_to_a_person(tmp_path: Path, text: str) -> None:
    """What cannot be changed surely is not changed; the lines to put there are told."""
    public = signing.make_key(tmp_path / "k.pem")
    text = text.replace("K", NOBODY)
    with pytest.raises(SigningError, match="put there by hand"):
        approver_file.put("f", text, Approver("Li", public))


@pytest.mark.parametrize(
    "key",
    [
        NOBODY,
        "ed25519:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
        "ed25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "ed25519:AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAIA=",
        "ed25519:7P///////////////////////////////////////38=",
        "ed25519:abc",
        "",
    ],
)
def test_a_key_of_nobody_signs_nothing(tmp_path: Path, key: str) -> None:
    """Placeholders and points of small order: not added, and no signature is one of theirs."""
    path = tmp_path / "p.toml"
    path.write_text("", encoding="utf-8")
    assert cli.main(["deliver", "approver", "add", str(path), "--name", "Li", f"--public-key={key}"]) == 1
    assert path.read_text(encoding="utf-8") == ""
    forged = base64.b64encode(b"\x01" + bytes(63)).decode()
    assert not any(signing.is_signed(key, str(number).encode(), forged) for number in range(32))


def test_an_approver_without_a_key_is_told_what_to_do() -> None:
    """Not only unknown names are refused: a placeholder of a site signs no report."""
    with pytest.raises(SigningError) as caught:
        signing.known([Approver("Li", NOBODY)], "Li")
    assert "cmc deliver keygen" in in_both(caught.value)[0]
    assert "占位符" in in_both(caught.value)[1]


@pytest.mark.parametrize("name", ["copper", "demo", "gold"])
def test_a_shipped_plan_is_refused_until_its_approvers_have_keys(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """`cmc deliver grey` says who has none and by which commands that is mended; `approver list` shows it."""
    assert cli.main(["deliver", "grey", str(PLANS / f"{name}.toml")]) == 2
    error = capsys.readouterr().err
    assert "no key yet" in error
    assert "cmc deliver keygen" in error
    assert cli.main(["deliver", "approver", "list", str(PLANS / f"{name}.toml")]) == 1
    assert "no key yet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("case", "english", "chinese"),
    [
        ("wrong password", "refused: {}: the password does not open this key", "口令打不开该密钥"),
        ("readable by others", "refused: {}: others can read this key", "他人可读取此密钥"),
        ("another's key", "refused: the key is not that of Demo Approver", "此密钥不属于 Demo Approver"),
        ("nobody's name", "refused: approver 'Xu' is not known", "批准人 'Xu' 未登记"),
    ],
)
def test_a_plan_begins_by_the_right_key_only(
    case: str,
    english: str,
    chinese: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Refused by name, in both languages, with exit code 1; nothing is signed, and execution is not even asked."""
    monkeypatch.setenv(PASSWORD, WORD)
    key, other = tmp_path / "k.pem", tmp_path / "o.pem"
    public = signing.make_key(key, WORD)
    signing.make_key(other, WORD)
    plan, site = tmp_path / "plan.toml", tmp_path / "site.toml"
    text = (PLANS / "demo.toml").read_text(encoding="utf-8").replace("../..", str(ROOT)).replace(NOBODY, public)
    plan.write_text(text, encoding="utf-8")
    site.write_text((ROOT / "sites" / "demo.toml").read_text(encoding="utf-8"), encoding="utf-8")
    who, file = "Demo Approver", key
    match case:
        case "wrong password":
            monkeypatch.setenv(PASSWORD, WORD + "!")
        case "readable by others":
            key.chmod(0o644)
        case "another's key":
            file = other
        case _:
            who = "Xu"
    words = ["deliver", "grey", str(plan), "--site", str(site), "--who", who, "--key", str(file), "--reason", "test"]
    for language, says in (("en", english), ("zh", chinese)):
        monkeypatch.setenv("CMC_LANGUAGE", language)
        assert cli.main(words) == 1
        assert says.format(file) in capsys.readouterr().err
    assert list(tmp_path.rglob("rollout")) == []
