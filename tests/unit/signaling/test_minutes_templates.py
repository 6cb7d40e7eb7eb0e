"""Templates of bodies: filled with what is asked for by name, and refused when they are ill or too clever."""

from __future__ import annotations

import io
import zipfile
from contextlib import suppress
from dataclasses import replace

import pytest

from conference.model.errors import ConferenceError
from conference.model.minutes import Approval, Minutes, MinutesKind, MinutesState
from conference.model.minutes_record import record_sections
from signaling.documents import template as templates
from signaling.documents.client import DocumentWorkers
from signaling.documents.docx_writer import write
from signaling.documents.minutes_sheet import minutes_document, template_words
from signaling.documents.sample import sample_template, sample_words
from signaling.documents.template import TemplateError, fill
from tests.support.docx_files import changed, part, template, words
from tests.support.sittings import CONSULTATION, END, STARTED, ZONE, sitting

GOOD = template(
    "{{ 标题 }}",
    "时间：{{ 时间 }}",
    "{%p for 章 in 正文 %}",
    "{{ 章.标题 }}",
    "{%p for 段 in 章.段落 %}",
    "{% if 段.发言人 %}【{{ 段.发言人 }}】{{ 段.内容 }}{% else %}{{ 段.全文 }}{% endif %}",
    "{%p endfor %}",
    "{%p endfor %}",
    "批准：{{ 批准人 }} {{ 批准日期 }} 留痕{{ 留痕序号 }}",
    "{%p for 行 in 说明 %}",
    "{{ 行 }}",
    "{%p endfor %}",
)
CONTENT_TYPES = "[Content_Types].xml"
RELATIONS = "word/_rels/document.xml.rels"
MAIN = "word/document.xml"


def minutes() -> Minutes:
    sections = record_sections(sitting(), "钱文")
    draft = Minutes("m", "c", MinutesKind.RECORD, 1, MinutesState.DRAFT, 1, sections, "钱文", STARTED + END)
    approval = Approval("周正明", STARTED + END, 77, "ab" * 32)
    return replace(draft, state=MinutesState.APPROVED, reviewed_by="钱文", approval=approval)


def refused(data: bytes) -> TemplateError:
    with pytest.raises(TemplateError) as error:
        fill(data, sample_words())
    return error.value


def test_a_template_is_filled_with_what_it_asks_for() -> None:
    said = words(fill(GOOD, template_words(minutes(), CONSULTATION, ZONE)))
    assert said[:4] == [
        "“推进县域养老服务高质量发展”远程协商会会议记录",
        "时间：2026年11月20日（星期五）14:30—17:01（15:30—15:38休会）",
        "一、议程",
        "1. 开幕致辞（周正明），14:30—14:39",
    ]
    assert (
        "【陈大伯（石桥村村民代表，石桥村连线点）】我今年七十八，儿子在外头打工，平时吃饭就是对付一口。"
        in "\n".join(said)
    )
    assert said[-3] == "批准：周正明 2026年11月20日 留痕77"
    assert said[-1] == "转写稿没有缺口。"


def test_the_sample_has_every_name_that_minutes_have() -> None:
    real, sample = template_words(minutes(), CONSULTATION, ZONE), sample_words()
    assert real.keys() == sample.keys()
    assert {type(value) for value in sample.values()} == {type(value) for value in real.values()}
    assert real["正文"][0].keys() == sample["正文"][0].keys()
    assert real["正文"][0]["段落"][0].keys() == sample["正文"][0]["段落"][0].keys()


def test_the_template_to_begin_with_prints_what_is_printed_without_one() -> None:
    data = write(sample_template())
    printed = words(fill(data, template_words(minutes(), CONSULTATION, ZONE)))
    built_in = words(write(minutes_document(minutes(), CONSULTATION, ZONE)))
    said = "".join(printed)
    elsewhere = (
        "委员",
        "部门",
        "专家",
        "群众",
        "未签到",
        "审核",
    )  # further lines of a field, a blank to be signed in
    missing = [each for each in built_in[2:] if each not in said and not each.startswith(elsewhere)]
    assert missing == []
    assert "审核：钱文" in said
    assert "出席：委员5人\u3000林晓梅" in said
    assert not any("{" in each for each in printed)
    draft = replace(minutes(), state=MinutesState.DRAFT, approval=None)
    assert "（草稿）" in words(fill(data, template_words(draft, CONSULTATION, ZONE)))


def test_nothing_in_the_words_is_markup_or_code() -> None:
    nasty = "<w:br/>&{{ 7*7 }}{% raw %}\x00\x0b"
    (said,) = words(fill(template("{{ 议题 }}"), {**sample_words(), "议题": nasty}))
    assert said == "<w:br/>&{{ 7*7 }}{% raw %}"


def test_lines_stay_lines() -> None:
    (said,) = words(fill(template("{{ 出席 }}"), sample_words()))
    assert said.split("\n") == ["委员2人\u3000张三、李四", "部门代表1人\u3000市交通局"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{{ 会议名 }}", "没有这个名称：会议名"),
        ("{{ 标题 ", "写法不对"),
        ("{% for 章 in 正文 %}", "写法不对"),
        ("{% include 'x' %}", ""),
        ("{% import 'x' as y %}", ""),
        ("{{ 1 / 0 }}", ""),
        ("{{ 标题 + 1 }}", ""),
        ("{{ 正文.标题.标题 }}", ""),
        ("{{ range(100000) }}", ""),
    ],
)
def test_faults_in_its_words_are_told(text: str, said: str) -> None:
    error = refused(template(text))
    assert error.reason == "wrong_words"
    assert said in error.said
    assert len(error.said) <= 200


@pytest.mark.parametrize(
    "text",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ 标题.__init__.__globals__ }}",
        "{{ ().__class__.__base__ }}",
        "{{ 正文.append(1) }}",
        "{{ '%s' | attr('__class__') }}",
        "{{ self.__init__.__globals__.__builtins__ }}",
        "{{ lipsum.__globals__ }}",
        "{{ cycler.__init__ }}",
        "{{ '{0.__class__}'.format(标题) }}",
    ],
)
def test_nothing_comes_out_of_the_sandbox(text: str) -> None:
    assert refused(template(text)).reason == "wrong_words"


def bomb(size: int) -> bytes:
    """A document whose main part is that long, and packed small."""
    main = part(GOOD, MAIN)
    return changed(GOOD, {MAIN: main.replace(b"<w:body>", b"<w:body>" + b" " * size)})


def test_what_would_become_too_large_is_not_unpacked() -> None:
    data = bomb(templates.MOST_PART_BYTES)
    assert len(data) < 1 << 20
    assert refused(data).reason == "too_large"
    many = changed(GOOD, {f"word/media/{n}.png": b"" for n in range(templates.MOST_PARTS)})
    assert refused(many).reason == "too_large"
    several = changed(GOOD, {f"word/x{n}.xml": b" " * (18 << 20) for n in range(3)})
    assert refused(several).reason == "too_large"


def test_a_directory_that_lies_about_sizes_is_no_way_around() -> None:
    data = bytearray(bomb(templates.MOST_PART_BYTES))
    with zipfile.ZipFile(io.BytesIO(bytes(data))) as package:
        size = package.getinfo(MAIN).file_size.to_bytes(4, "little")
    assert data.count(size) == 2
    assert refused(bytes(data).replace(size, (1000).to_bytes(4, "little"))).reason == "not_docx"


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"word/vbaProject.bin": b"x"}, "unsafe"),
        ({"word/embeddings/oleObject1.bin": b"x"}, "unsafe"),
        ({"word/activeX/activeX1.xml": b"<a/>"}, "unsafe"),
        ({"word/evil.xml": b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}, "unsafe"),
        ({"word/evil.xml": b"<a"}, "not_docx"),
        ({MAIN: None}, "not_docx"),
        (
            {
                RELATIONS: b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
                b'<Relationship Id="r1" Type="http://x/attachedTemplate" Target="http://evil/x.dotm" '
                b'TargetMode="External"/></Relationships>'
            },
            "unsafe",
        ),
    ],
)
def test_what_fetches_or_runs_something_is_refused(parts: dict[str, bytes | None], reason: str) -> None:
    assert refused(changed(GOOD, parts)).reason == reason


def with_field(*codes: str) -> bytes:
    """A document with a field whose code stands in these pieces."""
    pieces = "".join(f"<w:r><w:instrText>{each}</w:instrText></w:r>" for each in codes)
    begin, end = (f'<w:r><w:fldChar w:fldCharType="{each}"/></w:r>' for each in ("begin", "end"))
    field = f"<w:p>{begin}{pieces}{end}</w:p>".encode()
    return changed(GOOD, {MAIN: part(GOOD, MAIN).replace(b"<w:body>", b"<w:body>" + field)})


@pytest.mark.parametrize(
    "codes",
    [
        (' INCLUDEPICTURE "http://evil/x.png" \\d ',),
        (" INCLUDE", "TEXT c:/x.txt "),
        ("ddeauto c:/windows/cmd.exe x",),
        ("LINK Word.Document.8 x",),
        ("= 1 + 1",),
        ("{{ 议题 }}",),
    ],
)
def test_fields_that_fetch_or_run_something_are_refused(codes: tuple[str, ...]) -> None:
    assert refused(with_field(*codes)).reason == "unsafe"
    simple = f'<w:p><w:fldSimple w:instr="{"".join(codes).replace(chr(34), "&quot;")}"/></w:p>'.encode()
    data = changed(GOOD, {MAIN: part(GOOD, MAIN).replace(b"<w:body>", b"<w:body>" + simple)})
    assert refused(data).reason == "unsafe"


def test_fields_of_the_document_itself_are_taken() -> None:
    assert fill(with_field(" PAGE ", "\\* MERGEFORMAT "), sample_words())
    assert fill(with_field('TOC \\o "1-3"'), sample_words())


def test_an_expression_writes_no_field() -> None:
    markup = "</w:t></w:r><w:fldSimple w:instr='DDEAUTO x y'/><w:r><w:t>".replace("<", "\\x3c")
    assert refused(template(f'{{{{ "{markup}" | safe }}}}')).reason == "unsafe"


def test_macros_are_refused_whatever_the_file_is_called() -> None:
    kinds = part(GOOD, CONTENT_TYPES).replace(b"document.main+xml", b"document.macroEnabled.main+xml")
    assert refused(changed(GOOD, {CONTENT_TYPES: kinds})).reason == "unsafe"


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"{\\rtf1}", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_docx_is_refused(data: bytes) -> None:
    assert refused(data).reason == "not_docx"


def test_damaged_packages_are_refused_in_words() -> None:
    for place in range(0, len(GOOD), 997):
        data = bytearray(GOOD)
        data[place] ^= 0xFF
        with suppress(TemplateError):
            fill(bytes(data), sample_words())


async def test_a_template_is_tried_in_a_process_of_its_own() -> None:
    workers = DocumentWorkers()
    await workers.check(GOOD)
    with pytest.raises(ConferenceError) as error:
        await workers.check(template("{{ 会议名 }}"))
    assert (error.value.code, error.value.members) == (
        "template_refused",
        {"reason": "wrong_words", "said": "没有这个名称：会议名"},
    )
    assert words(await workers.fill(template("{{ 议题 }}"), sample_words())) == ["改善乡村出行"]
    with pytest.raises(ConferenceError, check=lambda error: error.code == "template_refused"):
        await workers.fill(b"junk", sample_words())


async def test_one_that_never_ends_is_given_up() -> None:
    loop = "{% for a in range(9999) %}"
    endless = template(3 * loop + 3 * "{% endfor %}")
    with pytest.raises(ConferenceError) as error:
        await DocumentWorkers(patience_s=2.0).check(endless)
    assert (error.value.code, error.value.members["reason"]) == ("template_refused", "too_slow")


async def test_one_that_wants_all_memory_is_given_up() -> None:
    greedy = template("{{ '水' * 2000000000 }}")
    with pytest.raises(ConferenceError) as error:
        await DocumentWorkers().check(greedy)
    assert error.value.code == "template_refused"
